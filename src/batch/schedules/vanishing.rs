//! A scheduler under which a process forks: one thread goes on as the child, and all others vanish
//! wherever they are, between any two of their steps. The parent is not checked further.

use shuttle::scheduler::{RandomScheduler, Schedule, Scheduler, Task, TaskId};
use std::cell::Cell;
use std::process::Command;

/// How many executions one process makes. Each leaks the stacks of the threads that vanish, and a
/// process may have only so many.
const AT_ONCE: usize = 4000;

/// Tells a process how many executions it is to make.
const SHARE: &str = "FT_LOCAL_VANISHING";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Parent,
    /// The calling thread forks with its next step.
    Forking,
    /// This thread has been copied, and those with a higher number are the child's own.
    Child(usize, usize),
    Done,
}

thread_local! {
    // All threads of a scene are one to the operating system.
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Parent) };
}

/// Forks. The calling thread goes on as the child, which may fork again.
pub(super) fn fork() {
    STAGE.set(Stage::Forking);
    shuttle::thread::yield_now();
    crate::sync::begin_generation(crate::sync::thread_number());
}

/// Whether this is the child.
pub(super) fn has_forked() -> bool {
    matches!(STAGE.get(), Stage::Child(..))
}

/// Ends the scene, which has passed. Never returns.
pub(super) fn end() -> ! {
    STAGE.set(Stage::Done);
    loop {
        shuttle::thread::yield_now();
    }
}

struct Vanishing {
    random: RandomScheduler,
    /// The thread that was made last, as far as is known.
    latest: usize,
}

impl Scheduler for Vanishing {
    fn new_execution(&mut self) -> Option<Schedule> {
        STAGE.set(Stage::Parent);
        self.latest = 0;
        self.random.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let number = |task: &&Task| usize::from(task.id());
        self.latest = runnable.iter().map(number).fold(self.latest, usize::max);
        match STAGE.get() {
            Stage::Parent => self.random.next_task(runnable, current, is_yielding),
            Stage::Forking => {
                let copied = current?;
                STAGE.set(Stage::Child(copied.into(), self.latest));
                Some(copied)
            }
            Stage::Child(copied, latest) => {
                let is_here = |task: &&Task| number(task) == copied || number(task) > latest;
                let here: Vec<_> = runnable.iter().copied().filter(is_here).collect();
                assert!(!here.is_empty(), "the threads of the child wait for those that are gone");
                self.random.next_task(&here, current, is_yielding)
            }
            Stage::Done => None,
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.random.next_u64()
    }
}

/// Runs the scene of the test of that name `executions` times, in processes of their own.
pub(super) fn check(test: &str, executions: usize, scene: impl Fn() + Sync + Send + 'static) {
    let mut left = executions;
    while left > 0 {
        let share = left.min(AT_ONCE);
        if let Some(share) = apart(test, share) {
            let random = RandomScheduler::new(share);
            return play(Vanishing { random, latest: 0 }, scene);
        }
        left -= share;
    }
    println!("{test}: {executions} schedules");
}

/// Runs the test of that name in a process of its own, or says what its share is if this is one.
pub(super) fn apart(test: &str, share: usize) -> Option<usize> {
    if let Ok(share) = std::env::var(SHARE) {
        return Some(share.parse().unwrap());
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(SHARE, share.to_string())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    let ran = output.contains("1 passed");
    assert!(run.status.success() && ran, "{test}: {}\n{output}", run.status);
    None
}

fn play<S: Scheduler + 'static>(scheduler: S, scene: impl Fn() + Sync + Send + 'static) {
    crate::sync::let_threads_vanish(true);
    let mut config = shuttle::Config::new();
    config.max_steps = shuttle::MaxSteps::FailAfter(20_000);
    config.silence_warnings = true;
    shuttle::Runner::new(scheduler, config).run(scene);
}
