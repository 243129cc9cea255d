//! Candidates side by side: every round samples each once, beginning with another one each time, so
//! that whatever happens to the machine happens to all. What counts is the middle of the ratios
//! within a round.

use super::crew;
use super::machine::transfer_time;
use super::shot::Tally;
use crate::candidates::Candidate;
use crate::progress::Progress;
use std::fmt::Write;

/// From this time of a cache line on, in nanoseconds, cores count as far from each other.
const FAR: f64 = 100.0;

/// One thing that is timed.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'static str,
    pub(crate) candidate: &'a dyn Candidate,
    pub(crate) threads: usize,
    pub(crate) work: u32,
}

/// What was measured of an entry, one value a round.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) threads: usize,
    pub(crate) ns: Vec<f64>,
    /// Rounds in which no sample was clean.
    pub(crate) unclean: usize,
    /// What was lost or handed out twice.
    pub(crate) wrong: Option<String>,
    /// Whether that was to be expected.
    pub(crate) racy: bool,
}

/// Entries measured side by side.
pub(crate) struct Comparison {
    pub(crate) group: &'static str,
    pub(crate) title: String,
    pub(crate) series: Vec<Series>,
    /// The time of a cache line from core to core, before and after.
    pub(crate) transfer: [Option<f64>; 2],
}

impl Comparison {
    /// Whether the cores share a cache, as far as the transfer time tells. The machine's host may
    /// move them.
    pub(crate) fn is_near(&self) -> bool {
        self.transfer.iter().flatten().sum::<f64>() < 2.0 * FAR
    }

    fn find(&self, name: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.name == name)
    }

    /// How many times as long an item of one entry takes as one of another.
    pub(crate) fn ratio(&self, name: &str, unit: &str) -> Option<f64> {
        let (series, unit) = (self.find(name)?, self.find(unit)?);
        Some(median(series.ns.iter().zip(&unit.ns).map(|(ns, unit)| ns / unit)))
    }

    /// The difference of two entries in nanoseconds.
    pub(crate) fn difference(&self, name: &str, other: &str) -> Option<f64> {
        let (series, other) = (self.find(name)?, self.find(other)?);
        Some(median(series.ns.iter().zip(&other.ns).map(|(ns, other)| ns - other)))
    }

    pub(crate) fn ns(&self, name: &str) -> Option<f64> {
        Some(median(self.find(name)?.ns.iter().copied()))
    }

    /// A line for each entry; multiples are of the first.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{} ({})\n", self.title, transfer_text(self.transfer));
        for series in &self.series {
            let ns = median(series.ns.iter().copied());
            let ratio = self.ratio(series.name, self.series[0].name).unwrap_or(f64::NAN);
            let wrong = series.wrong.as_deref().unwrap_or("");
            let _ = write!(text, "  {:<42} {ns:>9.2} ns {ratio:>8.2} x  {wrong}", series.name);
            if series.unclean > 0 {
                let _ = write!(text, " ({} samples not clean)", series.unclean);
            }
            text.push('\n');
        }
        text
    }
}

pub(crate) fn transfer_text(transfer: [Option<f64>; 2]) -> String {
    match transfer {
        [Some(before), Some(after)] => {
            format!("cache line from core to core: {before:.0} ns before, {after:.0} ns after")
        }
        _ => "one core".to_owned(),
    }
}

/// Measures the entries side by side, and checks the counts of each.
pub(crate) fn compare(
    group: &'static str,
    title: String,
    entries: &[Entry<'_>],
    rounds: usize,
    progress: &Progress,
) -> Comparison {
    let before = transfer_time();
    let mut tallies = vec![Tally::default(); entries.len()];
    let mut series: Vec<_> = entries
        .iter()
        .map(|&Entry { name, threads, candidate, .. }| Series {
            name,
            threads,
            ns: Vec::new(),
            unclean: 0,
            wrong: None,
            racy: candidate.is_racy(),
        })
        .collect();
    for round in 0..rounds {
        for step in 0..entries.len() {
            let at = (round + step) % entries.len();
            let Entry { name, candidate, threads, work } = entries[at];
            progress.show(&title, round * entries.len() + step, rounds * entries.len(), name);
            let (sample, all) = crew::sample(candidate, threads, work);
            series[at].ns.push(sample.ns_per_item);
            series[at].unclean += usize::from(!sample.is_clean());
            tallies[at].join(all);
        }
    }
    for ((entry, tally), series) in entries.iter().zip(tallies).zip(&mut series) {
        series.wrong = wrong(entry.candidate, tally);
    }
    progress.clear();
    Comparison { group, title, series, transfer: [before, transfer_time()] }
}

/// Compares what was taken and what is left with what was made: the values from 1 on.
fn wrong(candidate: &dyn Candidate, mut taken: Tally) -> Option<String> {
    let made = candidate.settle(&mut |value| taken.add(value))?;
    let sum = (u128::from(made) * (u128::from(made) + 1) / 2) as u64;
    let expected = Tally { items: made, sum };
    (taken != expected).then(|| {
        let more = i128::from(taken.items) - i128::from(made);
        format!("WRONG: {made} made, {more:+} handed out, and not each once")
    })
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}
