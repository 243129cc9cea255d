//! Tasks that await results, in an executor with several threads, beside threads that block.

use ft_local::{Batch, Iter, LoadError, Native};
use futures::executor::{ThreadPool, block_on};
use futures::future::{self, poll_fn};
use futures::task::SpawnExt;
use futures::{Stream, StreamExt};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

/// A number that its thread has for itself: how often something is polled before it is dropped.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        // A linear congruential generator: Knuth's constants.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}

/// What `future` brings, unless it has to wait `polls` times. Then it is dropped.
async fn patient<F: Future + Unpin>(mut future: F, polls: &mut u64) -> Option<F::Output> {
    poll_fn(|context| match Pin::new(&mut future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if *polls == 0 => Poll::Ready(None),
        Poll::Pending => {
            *polls -= 1;
            if *polls < 3 {
                // It is polled again, though nobody has called.
                context.waker().wake_by_ref();
            }
            Poll::Pending
        }
    })
    .await
}

/// A source that yields its core now and then, so that others find the role taken.
fn yielding() -> impl FnMut() -> Result<usize, &'static str> + Send {
    let (mut calls, mut made) = (0, 0);
    move || {
        calls += 1;
        if calls % 16 == 0 {
            thread::yield_now();
        }
        if calls % 101 == 0 {
            return Err("every 101st");
        }
        made += 1;
        Ok(made)
    }
}

fn assert_exact(mut all: Vec<usize>, last: usize) {
    all.sort_unstable();
    assert!(all.into_iter().eq(1..=last));
}

#[test]
fn ten_thousand_tasks_and_some_threads_get_each_result_once() {
    const TASKS: usize = 10_000;
    const BLOCKING: usize = 2_000;
    let pool = ThreadPool::builder().pool_size(4).create().unwrap();
    let batch = Arc::new(Batch::new(Native::<usize>::new(), yielding(), 7).unwrap());
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let batch = batch.clone();
            let task = async move {
                let mut random = Random(number as u64);
                loop {
                    // Every third gives up after some polls, and begins anew.
                    let mut polls = if number % 3 == 0 { random.below(3) } else { u64::MAX };
                    match patient(batch.load_async(), &mut polls).await {
                        Some(Ok(result)) => return result,
                        Some(Err(error)) => assert_eq!(error, LoadError::Source("every 101st")),
                        None => {}
                    }
                }
            };
            pool.spawn_with_handle(task).unwrap()
        })
        .collect();
    let blocked: Vec<_> = (0..2)
        .map(|_| {
            let batch = batch.clone();
            thread::spawn(move || {
                let loads = std::iter::repeat_with(|| batch.load().ok()).flatten();
                loads.take(BLOCKING).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut all = block_on(future::join_all(tasks));
    for thread in blocked {
        all.extend(thread.join().unwrap());
    }
    all.extend(std::iter::from_fn(|| batch.try_load().unwrap()));
    let stats = batch.stats();
    assert_eq!(stats.produced, stats.loads);
    assert_exact(all, stats.produced as usize);
}

async fn all<E>(stream: impl Stream<Item = Result<usize, LoadError<E>>>) -> Vec<usize> {
    stream.filter_map(|loaded| future::ready(loaded.ok())).collect().await
}

#[test]
fn streams_of_a_batch_and_of_cursors_share_what_there_is_until_its_end() {
    const LAST: usize = 20_000;
    let pool = ThreadPool::builder().pool_size(4).create().unwrap();
    let yields = |number: &usize| {
        if number.is_multiple_of(16) {
            thread::yield_now()
        }
    };
    let source = Iter((1..=LAST).inspect(yields));
    let batch = Arc::new(Batch::new(Native::<usize>::new(), source, 64).unwrap());
    let streams: Vec<_> = (0..8)
        .map(|number| {
            let batch = batch.clone();
            let task = async move {
                if number % 2 == 0 {
                    all(batch.stream()).await
                } else {
                    all(batch.cursor().unwrap().into_stream()).await
                }
            };
            pool.spawn_with_handle(task).unwrap()
        })
        .collect();
    let got: Vec<_> = block_on(future::join_all(streams)).into_iter().flatten().collect();
    assert_exact(got, LAST);
    assert_eq!(block_on(batch.stream().next()), None);
}

#[test]
fn a_stream_of_a_cursor_has_all_results_if_nobody_else_takes_any() {
    let batch = Batch::new(Native::<usize>::new(), Iter(1..=9), 4).unwrap();
    assert_eq!(block_on(all(batch.cursor().unwrap().into_stream())), (1..=9).collect::<Vec<_>>());
}

#[test]
fn an_error_of_the_source_is_an_item_and_a_close_the_end() {
    let mut calls = 0;
    let source = move || {
        calls += 1;
        if calls == 2 { Err("the second") } else { Ok(calls) }
    };
    let batch = Batch::new(Native::<usize>::new(), source, 1).unwrap();
    let mut stream = batch.stream();
    let mut next = || block_on(stream.next());
    assert_eq!(next(), Some(Ok(1)));
    assert_eq!(next(), Some(Err(LoadError::Source("the second"))));
    assert_eq!(next(), Some(Ok(3)));
    batch.close().unwrap();
    assert_eq!(next(), None);
}

#[test]
fn what_is_awaited_may_move_to_another_thread() {
    fn moves(_: impl Send) {}
    let source = || Ok::<_, Infallible>(Box::new(1));
    let batch = Batch::new(Native::<Box<usize>>::new(), source, 1).unwrap();
    moves((batch.load_async(), batch.stream(), batch.cursor().unwrap().into_stream()));
    moves(batch.cursor().unwrap().next_async());
}
