import ft_local.Batch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/** How waits, sources and batches end. */
final class EndsTest {
    private static void check(boolean holds, String what, Object... values) {
        BatchTest.check(holds, what, values);
    }

    private static Object loadOrError(Batch<?> batch) {
        return BatchTest.loadOrError(batch);
    }

    /** One thread in the source of a batch, and another that waits for it. */
    private static final class Waiting {
        final CountDownLatch goOn = new CountDownLatch(1);
        final AtomicInteger calls = new AtomicInteger();
        final AtomicReference<Object> got = new AtomicReference<>();
        final AtomicReference<Object> waiterGot = new AtomicReference<>();
        final Batch<Integer> batch = new Batch<>(this::make, 2);
        final Thread filler = new Thread(() -> got.set(loadOrError(batch)));
        final Thread waiter = new Thread(() -> waiterGot.set(loadOrError(batch)));

        Waiting() {
            filler.start();
            while (calls.get() == 0) {
                Thread.onSpinWait();
            }
            waiter.start();
            while (waiter.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        }

        private int make() {
            calls.incrementAndGet();
            try {
                goOn.await();
            } catch (InterruptedException unexpected) {
                throw new IllegalStateException(unexpected);
            }
            return 7;
        }
    }

    private static void aWaitingThreadCanBeInterrupted() throws Exception {
        Waiting both = new Waiting();
        both.waiter.interrupt();
        both.waiter.join();
        Object error = both.waiterGot.get();
        check(error instanceof InterruptedException, "%s", error);
        both.goOn.countDown();
        both.filler.join();
        check(both.got.get().equals(7) && both.batch.load() == 7, "a result was lost");
    }

    private static void closeWakesAThreadThatWaits() throws Exception {
        Waiting both = new Waiting();
        both.batch.close();
        both.waiter.join();
        Object error = both.waiterGot.get();
        check(error instanceof IllegalStateException, "%s", error);
        both.goOn.countDown();
        both.filler.join();
        check(both.got.get().equals(7), "the filler has made a result: %s", both.got.get());
        check(both.calls.get() == 1, "the source of a closed batch ran");
    }

    private static void aWaitEndsWithItsTime() throws Exception {
        Waiting both = new Waiting();
        for (Duration timeout : List.of(Duration.ZERO, Duration.ofNanos(1))) {
            try {
                both.batch.load(timeout);
                throw new AssertionError("no result is there");
            } catch (TimeoutException expected) {
                // Nothing was lost.
            }
        }
        both.goOn.countDown();
        both.filler.join();
        both.waiter.join();
        check(both.got.get().equals(7) && both.waiterGot.get().equals(7), "a result was lost");
        check(both.batch.load(Duration.ofDays(1_000_000)) == 7, "it need not wait");
    }

    private static void aBatchEndsWithItsIterator() throws Exception {
        Batch<Integer> numbers = new Batch<>(List.of(1, 2, 3, 4, 5).iterator(), 2);
        check(numbers.load() == 1, "the first");
        int sum = 0;
        for (int number : numbers) {
            sum += number;
            if (number == 3) {
                break;
            }
        }
        check(sum == 2 + 3, "%d", sum);
        check(numbers.stream().mapToInt(number -> number).sum() == 4 + 5, "the rest");
        check(loadOrError(numbers) instanceof NoSuchElementException, "the end");
        check(!numbers.iterator().hasNext(), "the end");
    }

    private static void aSourcesOwnNoSuchElementIsNoEnd() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        Batch<Integer> batch = new Batch<>(() -> {
            if (calls.incrementAndGet() == 1) {
                throw new NoSuchElementException("the source's own");
            }
            return 3;
        }, 1);
        try {
            batch.iterator().hasNext();
            throw new AssertionError("it was taken for the end");
        } catch (NoSuchElementException error) {
            check(error.getMessage().equals("the source's own"), "%s", error);
        }
        check(batch.load() == 3, "the batch cannot be used");
    }

    private static void aSourceMayCloseItsBatch() throws Exception {
        AtomicReference<Batch<Integer>> itself = new AtomicReference<>();
        AtomicInteger calls = new AtomicInteger();
        itself.set(new Batch<>(() -> {
            itself.get().close();
            return calls.incrementAndGet();
        }, 1000));
        check(itself.get().load() == 1, "the load that ran the source has its result");
        check(loadOrError(itself.get()) instanceof IllegalStateException, "closed");
        check(calls.get() == 1, "the source ran %d times", calls.get());
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException unchecked(Throwable error) throws E {
        throw (E) error;
    }

    private static int overflow(int depth) {
        return overflow(depth + 1) + 1;
    }

    /** Whatever a source is left by, its load throws it, and the batch can be used. */
    @SuppressWarnings({"deprecation", "removal"})
    private static void aSourceMayBeLeftByAnyThrowable() throws Exception {
        List<Supplier<Integer>> ways = List.of(
                () -> { throw unchecked(new IOException("checked")); },
                () -> { throw new AssertionError("an error"); },
                () -> { throw unchecked(new InterruptedException("the source's own")); },
                () -> overflow(0),
                () -> {
                    Thread.currentThread().stop();
                    return 0;
                });
        List<Class<?>> thrown = List.of(IOException.class, AssertionError.class,
                InterruptedException.class, StackOverflowError.class, ThreadDeath.class);
        for (int way = 0; way < ways.size(); way++) {
            Supplier<Integer> source = ways.get(way);
            AtomicInteger calls = new AtomicInteger();
            Batch<Integer> batch =
                    new Batch<>(() -> calls.incrementAndGet() == 2 ? source.get() : 5, 4);
            try {
                batch.load();
                throw new AssertionError("nothing was thrown");
            } catch (Throwable error) {
                check(error.getClass() == thrown.get(way), "%s", error);
            }
            check(batch.load() == 5 && batch.load() == 5, "the batch cannot be used");
        }
    }

    /** In pages of memory, after a collection. */
    private static long resident() throws Exception {
        System.gc();
        String counts = Files.readString(Path.of("/proc/self/statm"));
        return Long.parseLong(counts.split(" ")[1]);
    }

    private static void makeAndDropBatches() throws Exception {
        for (int count = 0; count < 10_000; count++) {
            Batch<Integer> batch = new Batch<>(() -> 1, 500);
            batch.load();
            if (count % 2 == 0) {
                batch.close();
            }
        }
    }

    private static void droppedBatchesAreFreed() throws Exception {
        makeAndDropBatches();
        long before = resident();
        makeAndDropBatches();
        // If they stayed there would be 20,000 pages more. Cleaners have a thread of their own; if it
        // never comes, the script ends the test.
        while (resident() - before > 8_000) {
            Thread.sleep(10);
        }
    }

    static void run() throws Exception {
        aWaitingThreadCanBeInterrupted();
        closeWakesAThreadThatWaits();
        aWaitEndsWithItsTime();
        aBatchEndsWithItsIterator();
        aSourcesOwnNoSuchElementIsNoEnd();
        aSourceMayCloseItsBatch();
        aSourceMayBeLeftByAnyThrowable();
        droppedBatchesAreFreed();
    }
}
