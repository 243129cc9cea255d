//! What the command line asks for.

use crate::harness::machine;
use crate::harness::shot::calibrated;
use std::path::PathBuf;

const ROUNDS: usize = 15;
const QUICK_ROUNDS: usize = 5;
/// A few bytecodes of an interpreter.
const WORK_NS: f64 = 40.0;

pub(crate) struct Settings {
    pub(crate) rounds: usize,
    pub(crate) only: Vec<String>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) check_only: bool,
    /// Multiplications that are as much work as `work_ns`.
    pub(crate) work: u32,
    pub(crate) work_ns: f64,
}

impl Settings {
    /// # Errors
    /// An error message about the arguments.
    pub(crate) fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
        groups: &[&str],
    ) -> Result<Self, String> {
        let (work, work_ns) = machine::pinned(|| calibrated(WORK_NS));
        let mut settings =
            Self { rounds: ROUNDS, only: Vec::new(), json: None, check_only: false, work, work_ns };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                // cargo adds it.
                "--bench" => {}
                "--quick" => settings.rounds = QUICK_ROUNDS,
                "--check" => settings.check_only = true,
                "--json" => settings.json = Some(value()?.into()),
                "--rounds" => {
                    let rounds = value()?;
                    settings.rounds = rounds.parse().ok().filter(|&rounds| rounds > 0).ok_or(
                        format!("--rounds {rounds}: give a whole number, 1 or more, such as 15"),
                    )?;
                }
                "--only" => {
                    for group in value()?.split(',') {
                        if !groups.contains(&group) {
                            let known = groups.join(", ");
                            return Err(format!("--only {group}: the groups are {known}"));
                        }
                        settings.only.push(group.to_owned());
                    }
                }
                _ => {
                    return Err(format!(
                        "{argument} is no option; there are --quick, --rounds N, --only GROUP,..., \
                         --json FILE and --check"
                    ));
                }
            }
        }
        Ok(settings)
    }

    pub(crate) fn wants(&self, group: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == group)
    }
}
