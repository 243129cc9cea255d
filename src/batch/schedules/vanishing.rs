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
    crate::process::begin_generation(crate::process::thread_number());
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

/// Lets the main thread make one other, which takes `steps` steps, and then go on alone until it
/// forks.
struct AfterSteps {
    vanishing: Vanishing,
    steps: usize,
}

impl Scheduler for AfterSteps {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.vanishing.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        if STAGE.get() != Stage::Parent {
            return self.vanishing.next_task(runnable, current, is_yielding);
        }
        let other = runnable.iter().find(|task| usize::from(task.id()) == OTHER);
        if self.steps > 0
            && let Some(other) = other
        {
            self.vanishing.latest = OTHER;
            self.steps -= 1;
            return Some(other.id());
        }
        runnable.first().map(|task| task.id())
    }

    fn next_u64(&mut self) -> u64 {
        self.vanishing.next_u64()
    }
}

/// The thread that the main thread makes first.
const OTHER: usize = 1;

/// Runs the scene of the test of that name `executions` times, in processes of their own.
pub(super) fn check(test: &str, executions: usize, scene: impl Fn() + Sync + Send + 'static) {
    in_processes(test, executions, |share| {
        play(Vanishing { random: RandomScheduler::new(share), latest: 0 }, scene);
    });
}

/// Runs the scene once. The main thread's first thread vanishes after so many of its steps, and
/// `seed` is for what is random.
pub(super) fn play_with_one_gone(
    steps: usize,
    seed: u64,
    scene: impl Fn() + Sync + Send + 'static,
) {
    let random = RandomScheduler::new_from_seed(seed, 1);
    play(AfterSteps { vanishing: Vanishing { random, latest: OTHER }, steps }, scene);
}

/// Has processes of their own run the test of that name until there were `executions`. In each of
/// them, plays its share.
pub(super) fn in_processes(test: &str, executions: usize, play: impl FnOnce(usize)) {
    let mut left = executions;
    while left > 0 {
        let share = left.min(AT_ONCE);
        if let Some(share) = apart(test, share) {
            return play(share);
        }
        left -= share;
    }
    println!("{test}: {executions} schedules");
}

/// Runs the test of that name in a process of its own, or says what its share is if this is one.
fn apart(test: &str, share: usize) -> Option<usize> {
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
