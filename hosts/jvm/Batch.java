package ft_local;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Results made by one thread at a time and handed to many, each to exactly one.
 *
 * <p>Any thread may call any method at any time, a virtual thread too: one that waits does so in
 * Java, and gives its carrier to others. What nobody loaded is kept by a global reference, which the
 * garbage collector does not look behind: {@link #close} a batch whose results refer to it.
 */
public final class Batch<T> implements AutoCloseable, Iterable<T> {
    private static final Object END = new Object();
    private static final Object WOULD_WAIT = new Object();

    static {
        System.loadLibrary("ft_local_jni");
        begin(Waiter.class, END, WOULD_WAIT);
    }

    /** The largest size of a batch. */
    public static final long MAX_SIZE = maxSize();

    private static final Cleaner CLEANER = Cleaner.create();

    private final Supplier<?> source;
    private final long handle;

    /** A thread that waits. The library calls {@link #wake} once, in some other thread or this one. */
    private static final class Waiter {
        private final Thread thread = Thread.currentThread();
        private volatile boolean isCalled;

        void wake() {
            isCalled = true;
            LockSupport.unpark(thread);
        }
    }

    /**
     * A batch that asks {@code source} for up to {@code size} results whenever it has none.
     *
     * @throws IllegalArgumentException if {@code size} is not between 1 and {@link #MAX_SIZE}
     */
    public Batch(Supplier<? extends T> source, long size) {
        this(size, Objects.requireNonNull(source, "source"));
    }

    /** A batch of what an iterator returns, which ends when the iterator does. */
    public Batch(Iterator<? extends T> source, long size) {
        this(size, ended(Objects.requireNonNull(source, "source")));
    }

    private Batch(long size, Supplier<?> source) {
        this.source = source;
        if (size < 1 || size > MAX_SIZE) {
            throw new IllegalArgumentException(
                    String.format("size must be between 1 and %d, got %d", MAX_SIZE, size));
        }
        long made = create(size);
        handle = made;
        // Memory is freed when nobody can be inside `load` any more.
        CLEANER.register(this, () -> free(made));
    }

    private static Supplier<?> ended(Iterator<?> source) {
        return () -> source.hasNext() ? source.next() : END;
    }

    /**
     * Takes the next result. An exception of the source comes out of the call that ran it.
     *
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws NoSuchElementException if the source has ended
     * @throws IllegalStateException if the batch is closed, or {@code source} loads from it
     */
    public T load() throws InterruptedException {
        return result(loadOrEnd());
    }

    private Object loadOrEnd() throws InterruptedException {
        try {
            return loadFor(Long.MAX_VALUE);
        } catch (TimeoutException never) {
            throw new AssertionError(never);
        }
    }

    @SuppressWarnings("unchecked")
    private T result(Object loaded) {
        if (loaded == END) {
            throw new NoSuchElementException("the source has ended");
        }
        return (T) loaded;
    }

    /**
     * As {@link #load()}, but waits for other threads no longer than {@code timeout}. It does not
     * limit a source that this thread runs.
     *
     * @throws TimeoutException if no result came in time
     */
    public T load(Duration timeout) throws InterruptedException, TimeoutException {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must not be negative, got " + timeout);
        }
        Duration longest = Duration.ofNanos(Long.MAX_VALUE - 1);
        return result(
                loadFor(timeout.compareTo(longest) < 0 ? timeout.toNanos() : Long.MAX_VALUE));
    }

    /** The next result, or {@code END}. {@code Long.MAX_VALUE} nanoseconds are no limit. */
    private Object loadFor(long nanoseconds) throws InterruptedException, TimeoutException {
        long start = System.nanoTime();
        try {
            Object loaded = loadNow(handle, source);
            while (loaded == WOULD_WAIT) {
                await(start, nanoseconds);
                loaded = loadNow(handle, source);
            }
            return loaded;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Waits until it is worth another try. A waiter that will not try passes its call on. */
    private void await(long start, long nanoseconds) throws InterruptedException, TimeoutException {
        if (nanoseconds == 0) {
            throw new TimeoutException("no result is ready");
        }
        Waiter waiter = new Waiter();
        long[] registration = new long[2];
        register(handle, waiter, registration);
        boolean interrupted = false;
        while (!waiter.isCalled) {
            interrupted = Thread.interrupted();
            long left = nanoseconds - (System.nanoTime() - start);
            if (interrupted || (nanoseconds != Long.MAX_VALUE && left <= 0)) {
                forget(handle, registration[0], registration[1]);
                if (interrupted) {
                    throw new InterruptedException();
                }
                throw new TimeoutException("no result came in " + Duration.ofNanos(nanoseconds));
            }
            if (nanoseconds == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, left);
            }
        }
    }

    /** Loads until the source has ended. An interrupt ends it with an exception, and stays set. */
    @Override
    public Spliterator<T> spliterator() {
        int traits = Spliterator.NONNULL;
        return new Spliterators.AbstractSpliterator<T>(Long.MAX_VALUE, traits) {
            @Override
            public boolean tryAdvance(Consumer<? super T> action) {
                Object loaded;
                try {
                    loaded = loadOrEnd();
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException("interrupted", interrupted);
                }
                if (loaded != END) {
                    action.accept(result(loaded));
                }
                return loaded != END;
            }
        };
    }

    /** As {@link #spliterator}. {@code hasNext} loads the result that {@code next} returns. */
    @Override
    public Iterator<T> iterator() {
        return Spliterators.iterator(spliterator());
    }

    /** The results until the source ends, for this thread: other threads get others. */
    public Stream<T> stream() {
        return StreamSupport.stream(spliterator(), false);
    }

    /** How many results are ready; a moment later there may be others. */
    public long length() {
        try {
            return length(handle);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Releases what nobody loaded. Later loads fail, and so do those that wait. */
    @Override
    public void close() {
        try {
            close(handle);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static native void begin(Class<?> waiter, Object end, Object wouldWait);

    private static native long maxSize();

    private static native long create(long size);

    private static native Object loadNow(long handle, Supplier<?> source)
            throws InterruptedException;

    /** Stores what {@code forget} takes. */
    private static native void register(long handle, Waiter waiter, long[] registration);

    private static native void forget(long handle, long ticket, long reference);

    private static native long length(long handle);

    private static native void close(long handle);

    private static native void free(long handle);
}
