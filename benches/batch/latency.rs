//! How long loads wait when the source is slow: those of the thread that runs it, and those of the
//! others.

mod scene;
mod servers;
mod slow;

use crate::harness::rounds::median;
use crate::report::{Limit, Report};
use crate::settings::Settings;
use Limit::{AtLeast, AtMost};
use scene::{LOST, Measured, Scene};
use serde_json::json;
use servers::{BUDGET, LOCKED, PLAIN, PREFILLED};
use slow::Pause;
use std::time::Duration;

const TIMES: &str = "x source time";

/// What each round measured of one server.
struct Row {
    name: &'static str,
    rounds: Vec<Measured>,
}

impl Row {
    fn middle(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().map(of))
    }

    fn text(&self) -> String {
        format!(
            "  {:<26} {:>9.1} {:>9.1} {:>9.1} | {:>9.1} {:>9.1} {:>9.1} | {:>9.0}",
            self.name,
            self.middle(|m| m.all.p99) / 1e3,
            self.middle(|m| m.all.p999) / 1e3,
            self.middle(|m| m.all.max) / 1e3,
            self.middle(|m| m.others.p99) / 1e3,
            self.middle(|m| m.others.p999) / 1e3,
            self.middle(|m| m.others.max) / 1e3,
            self.middle(|m| m.per_second),
        ) + if self.rounds.iter().all(|round| round.lost < LOST) { "" } else { "  disturbed" }
    }
}

fn run(
    settings: &Settings,
    report: &mut Report,
    scene: &Scene,
    names: &[&'static str],
) -> Vec<Row> {
    let rounds = (settings.rounds / 5).max(1);
    let mut rows: Vec<_> = names.iter().map(|&name| Row { name, rounds: Vec::new() }).collect();
    for round in 0..rounds {
        for step in 0..rows.len() {
            let row = (round + step) % rows.len();
            let name = rows[row].name;
            let (done, of) = (round * rows.len() + step, rounds * rows.len());
            report.progress.show(scene.title, done, of, name);
            match scene.run(|| servers::server(name, scene)) {
                Ok(measured) => rows[row].rounds.push(measured),
                Err(wrong) => report.fault(format!("{}, {name}: {wrong}", scene.title), false),
            }
        }
    }
    report.progress.clear();
    println!(
        "\n{}: waits in us (all loads: p99, p99.9, max | those that did not fill | loads a \
              second)",
        scene.title
    );
    rows.iter().for_each(|row| println!("{}", row.text()));
    let rounds = |row: &Row| -> Vec<_> { row.rounds.iter().map(Measured::json).collect() };
    let rows_json: Vec<_> =
        rows.iter().map(|row| json!({ "name": row.name, "rounds": rounds(row) })).collect();
    report.scene(json!({ "title": scene.title, "rows": rows_json }));
    rows
}

fn find<'r>(rows: &'r [Row], name: &str) -> &'r Row {
    rows.iter().find(|row| row.name == name).expect("it was run")
}

pub(crate) fn measure(settings: &Settings, report: &mut Report) {
    slow_source(settings, report);
    quick_source(settings, report);
}

/// A source that waits for another machine, asleep.
fn slow_source(settings: &Settings, report: &mut Report) {
    let scene = Scene {
        title: "source 100 us, size 64, 2 threads",
        pause: Pause::Sleep(Duration::from_micros(100)),
        size: 64,
        between: Duration::from_micros(400),
        length: Duration::from_millis(1500),
    };
    let rows = run(settings, report, &scene, &[LOCKED, PLAIN, BUDGET, PREFILLED]);
    let (locked, plain) = (find(&rows, LOCKED), find(&rows, PLAIN));
    let waits = plain.middle(|m| m.others.max / m.source);
    report.goal("longest wait that does not fill, source 100 us", AtMost(4.0), TIMES, Some(waits));
    let waits = find(&rows, BUDGET).middle(|m| m.all.max / m.source);
    report.goal("longest wait of all, budget 4, source 100 us", AtMost(7.0), TIMES, Some(waits));
    let waits = find(&rows, PREFILLED).middle(|m| m.all.p99 / 1e3);
    report.goal("p99 with prefill, source 100 us", AtMost(1.0), "us", Some(waits));
    let more = plain.middle(|m| m.per_second) / locked.middle(|m| m.per_second);
    let what = "throughput against refill under a lock, source 100 us";
    report.goal(what, AtLeast(1.25), "x", Some(more));
}

/// A source that computes.
fn quick_source(settings: &Settings, report: &mut Report) {
    let scene = Scene {
        title: "source 1 us, size 256, 2 threads",
        pause: Pause::Spin(Duration::from_micros(1)),
        size: 256,
        between: Duration::from_micros(4),
        length: Duration::from_millis(500),
    };
    let rows = run(settings, report, &scene, &[LOCKED, PLAIN]);
    let waits = find(&rows, PLAIN).middle(|m| m.others.p999 / 1e3);
    report.goal("p99.9 that does not fill, source 1 us", AtMost(10.0), "us", Some(waits));
}
