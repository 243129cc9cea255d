//! Exactly once, under everything at a time: many threads, every feature at random, and counts that
//! are exact at the end. Each value that the source made was delivered to one thread, or released
//! by the library, and neither twice.
//!
//! * `FT_LOCAL_STRESS_LOADS`: how many results are loaded in all (300,000).
//! * `FT_LOCAL_STRESS_SEED`: where the random choices begin, if not at the time of day. A failure
//!   names the seed of its scene; how the threads meet is not in it, so repeat it some times.
//!
//! `FT_LOCAL_STRESS_LOADS=100000000 cargo test --release --test stress -- --nocapture`

mod crew;
mod ledger;
mod random;
mod scene;
mod source;

use random::Random;
use scene::Scene;
use std::sync::Mutex;
use std::time::{Instant, SystemTime};

/// The scene that runs, named in the message of a failure.
static PLAYING: Mutex<String> = Mutex::new(String::new());

fn number_from_environment<N: std::str::FromStr>(name: &str) -> Option<N> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, not a number")))
}

/// A thread that waits for one that has failed would never wake, so the first failure is the
/// end of the program.
fn end_at_the_first_failure() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        eprintln!("stress: in {}", PLAYING.lock().expect("nothing panics while it is set"));
        std::process::exit(101);
    }));
}

#[test]
fn every_value_is_delivered_once_or_released_once() {
    let loads = number_from_environment("FT_LOCAL_STRESS_LOADS").unwrap_or(300_000_usize);
    let mut seed = number_from_environment("FT_LOCAL_STRESS_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.expect("the clock is set").as_secs()
    });
    println!("stress: {loads} loads, FT_LOCAL_STRESS_SEED={seed}");
    end_at_the_first_failure();
    let (mut loaded, start) = (0, Instant::now());
    while loaded < loads {
        // Many scenes, also in a short run.
        let scene = Scene::new(&mut Random::new(seed), (loads / 20).clamp(1000, 2_000_000));
        *PLAYING.lock().expect("nothing panics while it is set") =
            format!("{scene:?}; to play it first: FT_LOCAL_STRESS_SEED={seed}");
        loaded += scene.play(seed);
        println!("{:6.1} s  {loaded} loads after {scene:?}", start.elapsed().as_secs_f64());
        seed = seed.wrapping_add(1);
    }
}
