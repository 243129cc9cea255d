//! The machine: its cores, its clocks, and how long a cache line takes from one core to another.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The cores that this process may use.
pub(crate) fn cores() -> Vec<usize> {
    // SAFETY: an all-zero set is an empty set, which the call fills.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(libc::sched_getaffinity(0, size_of_val(&set), &raw mut set), 0, "known cores");
        set
    };
    // SAFETY: every index is one that the set has room for.
    (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect()
}

/// Keeps the calling thread on one core.
pub(crate) fn pin(core: usize) {
    // SAFETY: as in `cores`; `core` comes from there.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        assert_eq!(libc::sched_setaffinity(0, size_of_val(&set), &raw const set), 0, "pinned");
    }
}

/// Runs `f` in a thread that is kept on the first core.
pub(crate) fn pinned<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    let core = cores()[0];
    thread::scope(|scope| {
        let run = move || {
            pin(core);
            f()
        };
        scope.spawn(run).join().expect("the thread returns")
    })
}

/// Makes the calling thread's sleeps end when they should, instead of 50 us later.
pub(crate) fn sleep_sharply() {
    // SAFETY: this call takes plain numbers.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
}

/// How long the calling thread has been on a core.
pub(crate) fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` may be written to.
    let got = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(got, 0, "a thread has a clock");
    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How long the calling thread has waited for a core, if the kernel tells.
pub(crate) fn core_delay() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(told.split(' ').nth(1)?.parse().ok()?))
}

/// The processor's name, or its architecture where the system does not tell.
pub(crate) fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// How many nanoseconds a cache line takes from the first core to the second: the middle of some
/// trials. `None` with one core.
pub(crate) fn transfer_time() -> Option<f64> {
    let cores = cores();
    let (&first, &second) = (cores.first()?, cores.get(1)?);
    let mut trials: Vec<f64> = (0..7).map(|_| ping_pong(first, second)).collect();
    trials.sort_by(f64::total_cmp);
    Some(trials[trials.len() / 2])
}

fn ping_pong(first: usize, second: usize) -> f64 {
    const TURNS: u64 = 4_000;
    let ball = AtomicU64::new(0);
    // Each thread waits for numbers of its own parity and answers with the next. Relaxed: nothing
    // but the number goes from one to the other.
    let play = |core: usize, parity: u64| {
        pin(core);
        let mut start = Instant::now();
        for turn in (parity..TURNS).step_by(2) {
            while ball.load(Ordering::Relaxed) != turn {
                spin_loop();
            }
            if turn < 100 {
                start = Instant::now();
            }
            ball.store(turn + 1, Ordering::Relaxed);
        }
        start.elapsed()
    };
    thread::scope(|scope| {
        scope.spawn(|| play(first, 0));
        let other = scope.spawn(|| play(second, 1));
        let elapsed = other.join().expect("the player returns");
        elapsed.as_secs_f64() * 1e9 / (TURNS - 100) as f64
    })
}
