import ft_local.Batch;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Far more virtual threads than carriers, on one batch. Needs Java 21, and compiles with 17. */
final class VirtualTest {
    private static final int THREADS = 600;
    private static final int LOADS = 50;
    private static final int SIZE = 16;

    private static int made; // Plain: one thread at a time runs a source.

    /** Lets others load in the middle of the source, whose carrier it keeps. */
    private static int make() {
        if (made % SIZE == 0) {
            Thread.yield();
        }
        return made++;
    }

    private static List<Integer> loadSome(Batch<Integer> numbers) throws InterruptedException {
        List<Integer> mine = new ArrayList<>();
        for (int count = 0; count < LOADS; count++) {
            mine.add(numbers.load());
        }
        return mine;
    }

    public static void main(String[] arguments) throws Exception {
        ExecutorService threads = (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        Set<Integer> seen = new HashSet<>();
        long left;
        try (Batch<Integer> numbers = new Batch<>(VirtualTest::make, SIZE)) {
            List<Future<List<Integer>>> running = new ArrayList<>();
            for (int index = 0; index < THREADS; index++) {
                running.add(threads.submit(() -> loadSome(numbers)));
            }
            for (Future<List<Integer>> each : running) {
                seen.addAll(each.get());
            }
            left = numbers.length();
        }
        threads.shutdown();
        BatchTest.check(seen.size() == THREADS * LOADS, "%d are different", seen.size());
        BatchTest.check(made == seen.size() + left, "made %d, left %d", made, left);
        System.out.println(String.format(
                "note: Java %s: %d virtual threads, made %d = delivered %d + left %d",
                System.getProperty("java.version"), THREADS, made, seen.size(), left));
    }
}
