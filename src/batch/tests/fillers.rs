//! Several fillers: sources that run in several threads at the same time.

mod ends;
mod parts;
mod waits;

use super::*;

type Source = Arc<dyn Fn(usize) -> Result<usize, &'static str> + Send + Sync>;
type Tested = Batch<Native<usize>, One>;

/// One of several equal sources, which make 1, 2, 3, ... between them. The function gets the number
/// and may fail.
#[derive(Clone)]
struct One {
    made: Arc<AtomicUsize>,
    last: usize,
    make: Source,
}

impl crate::source::Source<Native<usize>> for One {
    type Error = &'static str;

    fn run(&mut self, filler: impl Filler<Native<usize>, &'static str>) -> Filled {
        filler.one_by_one(|_| {
            let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
            if number > self.last {
                return Ok(None);
            }
            (self.make)(number).map(|number| Some(Made::new(number)))
        })
    }
}

fn one(
    last: usize,
    make: impl Fn(usize) -> Result<usize, &'static str> + Send + Sync + 'static,
) -> One {
    One { made: Arc::default(), last, make: Arc::new(make) }
}

fn several(fillers: usize, source: One, size: usize, options: Options) -> Tested {
    Batch::with_fillers(VALUES, vec![source; fillers], size, options).unwrap()
}

/// Calls that wait, each until it is let go.
#[derive(Default)]
struct Held {
    inside: AtomicUsize,
    allowed: AtomicUsize,
}

impl Held {
    fn source(self: &Arc<Self>, last: usize) -> One {
        let held = Arc::clone(self);
        one(last, move |number| {
            held.inside.fetch_add(1, Ordering::Relaxed);
            until(|| held.allowed.load(Ordering::Relaxed) >= number);
            held.inside.fetch_sub(1, Ordering::Relaxed);
            Ok(number)
        })
    }

    fn await_inside(&self, count: usize) {
        until(|| self.inside.load(Ordering::Relaxed) == count);
    }

    /// Lets two fills make a result each, for their own threads, and begin with a second.
    fn let_each_keep_one(&self, batch: &Tested) {
        self.await_inside(2);
        self.allow(2);
        until(|| batch.stats().produced == 2);
        self.await_inside(2);
    }

    /// Lets the calls go that make the numbers up to `number`.
    fn allow(&self, number: usize) {
        self.allowed.fetch_max(number, Ordering::Relaxed);
    }
}

#[test]
fn so_many_threads_run_the_source_at_the_same_time_and_no_more() {
    const THREADS: usize = 6;
    for fillers in 2..=4 {
        // Each call waits until so many have been inside together.
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (Arc::clone(&inside), Arc::clone(&most));
        let source = one(usize::MAX, move |number| {
            highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            until(|| highest.load(Ordering::SeqCst) >= fillers);
            counted.fetch_sub(1, Ordering::SeqCst);
            Ok(number)
        });
        let batch = several(fillers, source, 4, Options::default());
        assert_eq!(batch.fillers(), fillers);
        let loader = || (0..500).map(|_| batch.load().unwrap()).collect::<Vec<_>>();
        let mut all: Vec<_> = std::thread::scope(|scope| {
            let loaders: Vec<_> = (0..THREADS).map(|_| scope.spawn(loader)).collect();
            loaders.into_iter().flat_map(|loader| loader.join().unwrap()).collect()
        });
        assert_eq!(most.load(Ordering::SeqCst), fillers);
        assert_eq!(batch.stats().loads, all.len() as u64);
        assert_balanced(&batch);
        all.extend(rest(&batch));
        assert_exact(all);
    }
}

#[test]
fn errors_go_to_those_whose_calls_failed_and_lose_nothing() {
    const THREADS: usize = 6;
    for (fillers, budget, low_mark) in [(2, 0, 0), (3, 4, 0), (4, 4, 2), (3, 0, 4)] {
        let failures = Arc::new(AtomicUsize::new(0));
        let (count, made) = (Arc::clone(&failures), AtomicUsize::new(0));
        let source = one(usize::MAX, move |call| {
            if call.is_multiple_of(7) {
                count.fetch_add(1, Ordering::Relaxed);
                return Err("failed");
            }
            Ok(made.fetch_add(1, Ordering::Relaxed) + 1)
        });
        let options = Options { fill_budget: budget, low_mark, ..Options::default() };
        let batch = several(fillers, source, 4, options);
        let loader = |index: usize| {
            let (mut loaded, mut errors) = (Vec::new(), 0);
            let mut cursor = batch.cursor().unwrap();
            while loaded.len() < 2_000 {
                let next = if index.is_multiple_of(2) { batch.load() } else { cursor.next() };
                match next {
                    Ok(value) => loaded.push(value),
                    Err(LoadError::Source("failed")) => errors += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            (loaded, errors)
        };
        let (mut all, mut errors) = (Vec::new(), 0);
        std::thread::scope(|scope| {
            let loaders: Vec<_> =
                (0..THREADS).map(|index| scope.spawn(move || loader(index))).collect();
            for loader in loaders {
                let (loaded, failed) = loader.join().unwrap();
                all.extend(loaded);
                errors += failed;
            }
        });
        assert_eq!(errors, failures.load(Ordering::Relaxed), "each failure came once");
        assert_eq!(errors as u64, batch.stats().errors);
        assert_balanced(&batch);
        all.extend(rest(&batch));
        assert_exact(all);
    }
}

#[test]
fn a_fill_of_a_budget_makes_that_many_and_the_rest_is_there_for_others() {
    let options = Options { fill_budget: 3, ..Options::default() };
    let batch = several(2, one(usize::MAX, Ok), 8, options);
    assert_eq!((batch.load(), batch.len()), (Ok(1), 2));
    assert_eq!(batch.stats().produced, 3);
    assert_eq!([batch.load(), batch.load(), batch.load()], [Ok(2), Ok(3), Ok(4)]);
    assert_eq!(batch.stats().fills, 2);
    assert_balanced(&batch);
}

#[test]
fn a_load_that_leaves_few_has_more_made_and_has_its_own_result_back_if_that_fails() {
    let source = one(usize::MAX, |number| if number == 6 { Err("failed") } else { Ok(number) });
    let options = Options { fill_budget: 2, low_mark: 2, ..Options::default() };
    let batch = several(2, source, 4, options);
    assert_eq!(batch.prefill(4, 3, None), Ok(3));
    assert_eq!((batch.load(), batch.len()), (Ok(1), 2));
    assert_eq!((batch.load(), batch.len()), (Ok(2), 3), "4 and 5 were made");
    assert_eq!((batch.load(), batch.len()), (Ok(3), 2));
    assert_eq!(batch.load(), Err(LoadError::Source("failed")));
    assert_eq!(batch.stats().given_back, 1);
    assert_eq!(batch.load(), Ok(4));
    assert_balanced(&batch);
}

#[test]
fn what_is_prefilled_fills_the_buffer_and_no_more() {
    let batch = several(3, one(usize::MAX, Ok), 8, Options::default());
    assert_eq!(batch.prefill(4, 100, None), Ok(8));
    assert_eq!(batch.prefill(8, 100, Some(Duration::ZERO)), Ok(0));
    assert_eq!((batch.load(), batch.len()), (Ok(1), 7));
    assert_eq!(batch.prefill(8, 100, None), Ok(1));
    assert_balanced(&batch);
}

#[test]
fn bulk_calls_at_the_same_time_are_all_kept() {
    let both = Arc::new(Barrier::new(2));
    let made = Arc::new(AtomicUsize::new(0));
    let source = move |slots: &mut Slots<'_, Native<usize>>| {
        let first = made.fetch_add(slots.capacity(), Ordering::Relaxed) + 1;
        slots.extend(first..first + slots.capacity());
        both.wait();
        Ok(())
    };
    for wipe in [false, true] {
        let options = Options { wipe, ..Options::default() };
        let sources = vec![Bulk(source.clone()), Bulk(source.clone())];
        let batch = Batch::with_fillers(VALUES, sources, 8, options).unwrap();
        let mut all: Vec<_> = std::thread::scope(|scope| {
            let loaders = [(); 2].map(|()| scope.spawn(|| batch.load().unwrap()));
            loaders.map(|loader| loader.join().unwrap()).to_vec()
        });
        assert_eq!((batch.len(), batch.stats().produced), (14, 16));
        assert_balanced(&batch);
        all.extend(rest(&batch));
        let least = all.iter().min().unwrap() - 1;
        assert_exact(all.into_iter().map(|number| number - least).collect());
        if wipe {
            assert!(batch.queue.memory().all(|word| word == 0));
            assert!(batch.permits().all(|permit| permit.own.memory() == 0));
        }
    }
}

#[test]
fn a_collector_sees_the_first_result_of_each_fill() {
    let held = Arc::new(Held::default());
    let options = Options { fill_budget: 2, ..Options::default() };
    let batch = several(2, held.source(usize::MAX), 8, options);
    std::thread::scope(|scope| {
        let loaders = [(); 2].map(|()| scope.spawn(|| batch.load().unwrap()));
        held.let_each_keep_one(&batch);
        let mut seen = Vec::new();
        // SAFETY: the other threads are inside the source, and the library does nothing.
        assert!(unsafe {
            batch.visit(|word| {
                seen.push(word);
                true
            })
        });
        held.allow(4);
        let mut own = loaders.map(|loader| loader.join().unwrap()).to_vec();
        own.sort_unstable();
        seen.sort_unstable();
        assert_eq!((&seen, own), (&vec![1, 2], vec![1, 2]));
    });
}

#[test]
fn the_number_of_sources_has_limits() {
    let new = |count| {
        let sources = vec![one(9, Ok); count];
        Batch::with_fillers(VALUES, sources, 4, Options::default()).map(|batch| batch.fillers())
    };
    assert_eq!(new(0), Err(NewError::Fillers(0)));
    assert_eq!(new(MAX_FILLERS + 1), Err(NewError::Fillers(MAX_FILLERS + 1)));
    assert_eq!((new(1), new(MAX_FILLERS)), (Ok(1), Ok(MAX_FILLERS)));
}

#[test]
fn one_source_is_a_batch_as_any_other() {
    let batch = several(1, one(usize::MAX, Ok), 8, Options::default());
    assert_eq!((batch.load(), batch.len(), batch.stats().fills), (Ok(1), 7, 1));
    assert!(!batch.has_several_fillers());
}

#[test]
fn the_first_of_several_sources_comes_back() {
    let alive = Arc::new(());
    let sources = [1, 2, 3].map(|number| {
        let alive = Arc::clone(&alive);
        move || Ok::<_, Infallible>(number * Arc::strong_count(&alive))
    });
    let batch = Batch::with_fillers(VALUES, sources.to_vec(), 4, Options::default()).unwrap();
    drop(sources);
    assert_eq!(Arc::strong_count(&alive), 4);
    let Ok(2) = (batch.into_source())() else { panic!("this one, and the test's") };
}

#[test]
fn a_panic_out_of_a_source_gives_up_its_permit_and_loses_nothing() {
    let source = one(usize::MAX, |number| {
        assert!(!number.is_multiple_of(5), "as it should");
        Ok(number)
    });
    let options = Options { fill_budget: 3, ..Options::default() };
    let batch = several(2, source, 8, options);
    let (mut all, mut panics) = (Vec::new(), 0);
    while all.len() < 40 {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| batch.load())) {
            Ok(loaded) => all.push(loaded.unwrap()),
            Err(_) => panics += 1,
        }
        assert!(batch.permits().all(|permit| permit.role.is_free()));
        assert_balanced(&batch);
    }
    all.extend(rest(&batch));
    all.extend((1..=panics).map(|panic| 5 * panic));
    assert_exact(all);
}

#[test]
fn a_panic_of_the_library_stops_the_batch_and_leaves_no_permit_behind() {
    let batch = several(2, one(usize::MAX, Ok), 8, Options::default());
    drill::arm();
    let first = batch.load();
    assert_eq!(first, Err(LoadError::Panicked));
    assert_eq!(batch.load(), Err(LoadError::Panicked));
    assert!(batch.permits().all(|permit| permit.role.is_free()));
}
