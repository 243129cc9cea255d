//! What the source does.

/// 1, 2, 3, ..., until the script says that it fails, unwinds or ends. It would go on after each of these.
#[derive(Debug, Clone, Default)]
pub(in crate::batch::tests) struct Script {
    made: usize,
    /// After how many more results it fails, once.
    pub(in crate::batch::tests) fails_after: Option<usize>,
    /// After how many more results it unwinds, once.
    pub(in crate::batch::tests) unwinds_after: Option<usize>,
    /// After how many more results it ends, once, and in what manner.
    pub(in crate::batch::tests) ends_after: Option<usize>,
    pub(in crate::batch::tests) manner: Manner,
    /// How many results each call makes at most; 0 for a source of one at a time.
    pub(in crate::batch::tests) bulk: usize,
}

impl Script {
    pub(in crate::batch::tests) fn make(&mut self) -> Said {
        let due = |after: &mut Option<usize>| after.take_if(|left| *left == 0).is_some();
        if due(&mut self.fails_after) {
            return Said::Fails;
        }
        if due(&mut self.unwinds_after) {
            return Said::Unwinds;
        }
        if due(&mut self.ends_after) {
            return Said::Ends;
        }
        let counts = [&mut self.fails_after, &mut self.unwinds_after, &mut self.ends_after];
        counts.into_iter().flatten().for_each(|left| *left -= 1);
        self.made += 1;
        Said::Result(self.made)
    }
}

/// What one step of the source brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::batch::tests) enum Said {
    Result(usize),
    Ends,
    Fails,
    Unwinds,
}

/// What a source of many does in the call in which it has said that it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::batch::tests) enum Manner {
    #[default]
    Quietly,
    Failing,
    Unwinding,
}
