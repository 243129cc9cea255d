//! Measures the batch, its cursors and the wrappers against the machine's limit and against queues
//! for general use, as ratios within one run, and compares them with the goals in
//! `docs/performance.md`.
//!
//!     cargo bench -p ft_local --bench batch -- [--quick | --rounds N] [--only GROUP,...] [--json FILE]
//!     cargo bench -p ft_local --bench batch -- --check    only that every candidate hands out each item once
//!
//! With `-p`, because without it cargo also builds the core for the tests of the C interface, where
//! every border has a test hook. `make bench` also draws the figure. The status is 1 if an item was
//! lost or handed out twice; a missed goal is only reported.

mod c_abi;
mod c_loops;
mod candidates;
mod claims;
mod harness;
mod latency;
mod progress;
mod report;
mod settings;
mod wrapper;

use progress::Progress;
use report::Report;
use settings::Settings;
use std::process::ExitCode;

/// A group of comparisons with a name for `--only`.
type Group = (&'static str, fn(&Settings, &mut Report));

const GROUPS: &[Group] = &[
    ("claims", claims::measure),
    ("scaling", claims::measure_scaling),
    ("crowds", claims::measure_crowds),
    ("latency", latency::measure),
    ("wrapper", wrapper::measure),
    ("c", c_abi::measure),
];

fn main() -> ExitCode {
    let names: Vec<_> = GROUPS.iter().map(|(name, _)| *name).collect();
    let settings = match Settings::from_arguments(std::env::args().skip(1), &names) {
        Ok(settings) => settings,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::new(&settings, Progress::new());
    println!("{}", report.heading());
    claims::check(&mut report);
    if !settings.check_only {
        for (name, measure) in GROUPS {
            if settings.wants(name) {
                measure(&settings, &mut report);
            }
        }
        println!("{}", report.goals_table());
    }
    if let Some(path) = &settings.json
        && let Err(error) = std::fs::write(path, report.json())
    {
        eprintln!("{}: {error}", path.display());
        return ExitCode::from(2);
    }
    ExitCode::from(u8::from(report.is_wrong()))
}
