import ft_local.Batch;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;

/** GUIDs handed to as many threads as there are processors, counted by the collector. */
final class BatchTest {
    private static final int LOADS = 20_001;
    private static final int SIZE = 64;
    private static final int THREADS = Math.max(4, Runtime.getRuntime().availableProcessors());

    /** Makes GUIDs and remembers each weakly: what a collection leaves is what is referred to. */
    private static final class Maker {
        final Queue<WeakReference<UUID>> made = new ConcurrentLinkedQueue<>();
        private int calls; // Plain: one thread at a time runs a source.
        private final int failsEvery;

        Maker(int failsEvery) {
            this.failsEvery = failsEvery;
        }

        UUID make() {
            if (++calls % failsEvery == 0) {
                throw new ArithmeticException("call " + calls);
            }
            UUID guid = UUID.randomUUID();
            made.add(new WeakReference<>(guid));
            return guid;
        }

        long alive() {
            System.gc();
            return made.stream().filter(each -> each.get() != null).count();
        }
    }

    static void check(boolean holds, String what, Object... values) {
        if (!holds) {
            throw new AssertionError(String.format(what, values));
        }
    }

    private static List<UUID> loadMany(Batch<UUID> guids) throws InterruptedException {
        List<UUID> mine = new ArrayList<>(LOADS);
        while (mine.size() < LOADS) {
            try {
                mine.add(guids.load());
            } catch (ArithmeticException expected) {
                check(expected.getMessage().startsWith("call "), "not the source's own error");
            }
        }
        return mine;
    }

    private static <T> List<T> inThreads(Callable<T> work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        List<Future<T>> running = new ArrayList<>();
        for (int index = 0; index < THREADS; index++) {
            running.add(threads.submit(work));
        }
        List<T> results = new ArrayList<>();
        for (Future<T> each : running) {
            results.add(each.get());
        }
        threads.shutdown();
        return results;
    }

    private static String eachGuidGoesToOneThread() throws Exception {
        Maker maker = new Maker(1001);
        int delivered = THREADS * LOADS;
        Batch<UUID> guids = new Batch<>(maker::make, SIZE);
        Set<UUID> seen = new HashSet<>();
        inThreads(() -> loadMany(guids)).forEach(seen::addAll);
        check(seen.size() == delivered, "%d of %d are different", seen.size(), delivered);
        long left = guids.length();
        check(left > 0, "nothing is left, so nothing is tested");
        int made = maker.made.size();
        check(made == delivered + left, "made %d, delivered %d, left %d", made, delivered, left);
        seen = null;
        check(maker.alive() == left, "%d alive, left %d", maker.alive(), left);
        guids.close();
        check(maker.alive() == 0, "%d alive after close", maker.alive());
        return String.format(
                "%d threads, made %d = delivered %d + left %d, 0 alive", THREADS, made, delivered,
                left);
    }

    /** Loads once from a batch that then nobody knows any more. */
    private static WeakReference<Batch<Object>> forgottenBatch(Maker maker) throws Exception {
        AtomicReference<Batch<Object>> itself = new AtomicReference<>();
        Batch<Object> batch = new Batch<>(() -> itself.get() == null ? 0 : maker.make(), SIZE);
        itself.set(batch);
        batch.load();
        check(maker.alive() == SIZE - 1, "%d alive", maker.alive());
        return new WeakReference<>(batch);
    }

    private static void aForgottenBatchIsFreedThoughItsSourceKnowsIt() throws Exception {
        Maker maker = new Maker(1001);
        WeakReference<Batch<Object>> batch = forgottenBatch(maker);
        // The cleaner has a thread of its own; if it never comes, the script ends the test.
        while (maker.alive() > 0) {
            Thread.sleep(10);
        }
        check(batch.get() == null, "the batch is alive");
    }

    private static void anErrorOfTheSourceReachesItsLoad() throws Exception {
        Maker maker = new Maker(2);
        try (Batch<UUID> guids = new Batch<>(maker::make, 4)) {
            try {
                guids.load();
                throw new AssertionError("no error");
            } catch (ArithmeticException error) {
                check(error.getMessage().equals("call 2"), "%s", error);
            }
            check(guids.length() == 1, "what was made before the error is kept");
            check(guids.load() == maker.made.peek().get(), "another object");
        }
    }

    private static void closeMayComeWhileOthersLoad() throws Exception {
        Maker maker = new Maker(1001);
        Batch<UUID> guids = new Batch<>(maker::make, SIZE);
        inThreads(() -> {
            Object last;
            do {
                last = loadOrError(guids);
                // The first whose load fails closes the batch under the others.
                if (last instanceof ArithmeticException) {
                    guids.close();
                }
            } while (!(last instanceof IllegalStateException));
            return last;
        });
        check(guids.length() == 0, "left %d", guids.length());
        check(maker.alive() == 0, "%d alive after close", maker.alive());
    }

    static Object loadOrError(Batch<?> batch) {
        try {
            return batch.load();
        } catch (InterruptedException | RuntimeException error) {
            return error;
        }
    }

    private static void sourcesMayLoadFromOtherBatchesButNotTheirOwn() throws Exception {
        Batch<Integer> numbers = new Batch<>(() -> 20, 1);
        Batch<Integer> doubled = new Batch<>(() -> {
            try {
                return 2 * numbers.load() + 2;
            } catch (InterruptedException unexpected) {
                throw new IllegalStateException(unexpected);
            }
        }, 3);
        check(doubled.load() == 42 && doubled.length() == 2, "not the right source");
        AtomicReference<Batch<Object>> itself = new AtomicReference<>();
        itself.set(new Batch<>(() -> loadOrError(itself.get()), 1));
        check(itself.get().load() instanceof IllegalStateException, "no error");
    }

    private static void badUseIsNamed() throws Exception {
        for (long size : new long[] {0, -1, Long.MAX_VALUE}) {
            try {
                new Batch<>(() -> 1, size);
                throw new AssertionError("size " + size);
            } catch (IllegalArgumentException error) {
                check(error.getMessage().equals(
                        "size must be between 1 and 1073741824, got " + size), "%s", error);
            }
        }
        Batch<Object> batch = new Batch<>(() -> null, 1);
        check(loadOrError(batch) instanceof NullPointerException, "null is no result");
        batch.close();
        check(loadOrError(batch) instanceof IllegalStateException, "closed");
    }

    public static void main(String[] arguments) throws Exception {
        anErrorOfTheSourceReachesItsLoad();
        sourcesMayLoadFromOtherBatchesButNotTheirOwn();
        aForgottenBatchIsFreedThoughItsSourceKnowsIt();
        closeMayComeWhileOthersLoad();
        badUseIsNamed();
        EndsTest.run();
        System.out.println("note: " + eachGuidGoesToOneThread());
    }
}
