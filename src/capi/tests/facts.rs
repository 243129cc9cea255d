//! What the header says of each function, read from the header.

const HEADER: &str = include_str!("../../../include/ft_local.h");

/// A function that the library exports, and two fields of its comment.
pub(super) struct Fact {
    pub(super) name: &'static str,
    /// `no`, `briefly` or `yes`.
    pub(super) blocks: &'static str,
    /// What of the host it may call.
    pub(super) calls: Vec<&'static str>,
    /// Whether it needs the handle for itself.
    pub(super) alone: bool,
}

/// All of them, by name.
pub(super) fn facts() -> Vec<Fact> {
    let mut found = Vec::new();
    let mut comment = Vec::new();
    // What the header defines itself, behind all declarations, is not exported.
    for line in HEADER.split("static inline").next().unwrap().lines() {
        if let Some(text) = line.strip_prefix("//") {
            comment.push(text.trim());
        } else if let Some(name) = declared(line) {
            found.push(fact(name, &comment));
            comment.clear();
        } else if line != "FT_LOCAL_MUST_USE" {
            comment.clear();
        }
    }
    found.sort_by_key(|fact| fact.name);
    found
}

/// The function that a line declares. A declaration begins its line; lists of parameters that go on
/// do not.
fn declared(line: &'static str) -> Option<&'static str> {
    if line.starts_with(['/', '#', ' ']) {
        return None;
    }
    let (before, _) = line.split_once('(')?;
    let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    name.starts_with("ft_local_").then_some(name)
}

fn fact(name: &'static str, comment: &[&'static str]) -> Fact {
    // A field that is left out has the value that the introduction of the header gives.
    let field = |head: &str, default: &'static str| {
        comment.iter().find_map(|line| line.strip_prefix(head)).map_or(default, str::trim)
    };
    // The words come first; what follows them is for people.
    let words = |text: &'static str| text.split(['.', ':', ';', ',']).next().unwrap();
    let calls = field("Calls host:", "no.");
    let calls = calls.split(['.', ':', ';']).next().unwrap().split(", ");
    let calls = calls.filter(|&word| word != "no").collect();
    let alone =
        field("Threads:", "any thread, at once.").starts_with("when nobody else uses the handle");
    Fact { name, blocks: words(field("Blocks:", "no.")), calls, alone }
}
