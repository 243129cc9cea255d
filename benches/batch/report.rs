//! What was found: comparisons, and goals beside what was measured.

use crate::harness::machine;
use crate::harness::rounds::{Comparison, transfer_text};
use crate::progress::Progress;
use crate::settings::Settings;
use serde_json::{Value, json};
use std::fmt::Write;

/// What a goal allows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// One row of the table of goals.
struct Goal {
    what: String,
    limit: Limit,
    unit: &'static str,
    /// `None` where this machine cannot tell.
    measured: Option<f64>,
}

impl Goal {
    fn is_met(&self) -> Option<bool> {
        self.measured.map(|measured| match self.limit {
            Limit::AtMost(limit) => measured <= limit,
            Limit::AtLeast(limit) => measured >= limit,
        })
    }

    fn limit_text(&self) -> String {
        match self.limit {
            Limit::AtMost(limit) => format!("at most {limit} {}", self.unit),
            Limit::AtLeast(limit) => format!("at least {limit} {}", self.unit),
        }
    }
}

pub(crate) struct Report {
    pub(crate) progress: Progress,
    machine: Value,
    heading: String,
    comparisons: Vec<Comparison>,
    scenes: Vec<Value>,
    goals: Vec<Goal>,
    faults: Vec<String>,
}

impl Report {
    pub(crate) fn new(settings: &Settings, progress: Progress) -> Self {
        let (processor, cores) = (machine::processor(), machine::cores().len());
        let transfer = machine::transfer_time();
        Self {
            progress,
            heading: format!(
                "{processor}, {cores} cores, {}; W40 is {} multiplications, {:.1} ns; {} rounds",
                transfer_text([transfer; 2]),
                settings.work,
                settings.work_ns,
                settings.rounds
            ),
            machine: json!({
                "processor": processor,
                "cores": cores,
                "rounds": settings.rounds,
                "work_ns": settings.work_ns,
            }),
            comparisons: Vec::new(),
            scenes: Vec::new(),
            goals: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub(crate) fn heading(&self) -> &str {
        &self.heading
    }

    /// Keeps a comparison and prints it.
    pub(crate) fn compared(&mut self, comparison: Comparison) {
        println!("{}", comparison.table());
        for series in &comparison.series {
            if let Some(wrong) = &series.wrong {
                self.fault(format!("{}, {}: {wrong}", series.name, comparison.title), series.racy);
            }
        }
        self.comparisons.push(comparison);
    }

    /// Keeps what is not a comparison of times per item.
    pub(crate) fn scene(&mut self, scene: Value) {
        self.scenes.push(scene);
    }

    /// Something was lost or handed out twice, which in a racy candidate is no news.
    pub(crate) fn fault(&mut self, fault: String, racy: bool) {
        println!("{}: {fault}", if racy { "wrong, as expected" } else { "WRONG" });
        if !racy {
            self.faults.push(fault);
        }
    }

    pub(crate) fn is_wrong(&self) -> bool {
        !self.faults.is_empty()
    }

    pub(crate) fn goal(
        &mut self,
        what: impl Into<String>,
        limit: Limit,
        unit: &'static str,
        measured: Option<f64>,
    ) {
        self.goals.push(Goal { what: what.into(), limit, unit, measured });
    }

    pub(crate) fn goals_table(&self) -> String {
        let mut text = format!("\n{:<52} {:<28} {:>10}  met\n", "what", "goal", "measured");
        for goal in &self.goals {
            let measured = goal.measured.map_or("-".to_owned(), |value| format!("{value:.2}"));
            let met = match goal.is_met() {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "not measured here",
            };
            let (what, limit) = (&goal.what, goal.limit_text());
            let _ = writeln!(text, "{what:<52} {limit:<28} {measured:>10}  {met}");
        }
        for fault in &self.faults {
            let _ = writeln!(text, "WRONG: {fault}");
        }
        text
    }

    pub(crate) fn json(&self) -> String {
        let series = |comparison: &Comparison| -> Vec<Value> {
            let one = comparison.series.iter().map(|series| {
                json!({
                    "name": series.name, "threads": series.threads, "ns": series.ns,
                    "unclean": series.unclean, "wrong": series.wrong,
                })
            });
            one.collect()
        };
        let comparisons: Vec<_> = self
            .comparisons
            .iter()
            .map(|comparison| {
                json!({
                    "group": comparison.group, "title": comparison.title,
                    "transfer_ns": comparison.transfer, "series": series(comparison),
                })
            })
            .collect();
        let goals: Vec<_> = self
            .goals
            .iter()
            .map(|goal| {
                json!({
                    "what": goal.what, "goal": goal.limit_text(),
                    "measured": goal.measured, "met": goal.is_met(),
                })
            })
            .collect();
        let all = json!({
            "machine": self.machine, "comparisons": comparisons, "scenes": self.scenes,
            "goals": goals, "faults": self.faults,
        });
        format!("{all:#}\n")
    }
}
