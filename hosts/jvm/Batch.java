package ft_local;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Results made by one thread at a time and handed to many, each to exactly one.
 *
 * <p>Any thread may call any method at any time. What nobody loaded is kept by a global reference,
 * which the garbage collector does not look behind: {@link #close} a batch whose results refer to
 * it.
 */
public final class Batch<T> implements AutoCloseable {
    static {
        System.loadLibrary("ft_local_jni");
    }

    /** The largest size of a batch. */
    public static final long MAX_SIZE = maxSize();

    private static final Cleaner CLEANER = Cleaner.create();

    private final Supplier<? extends T> source;
    private final long handle;

    /**
     * A batch that asks {@code source} for up to {@code size} results whenever it has none.
     *
     * @throws IllegalArgumentException if {@code size} is not between 1 and {@link #MAX_SIZE}
     */
    public Batch(Supplier<? extends T> source, long size) {
        this.source = Objects.requireNonNull(source, "source");
        if (size < 1 || size > MAX_SIZE) {
            throw new IllegalArgumentException(
                    String.format("size must be between 1 and %d, got %d", MAX_SIZE, size));
        }
        long made = create(size);
        handle = made;
        // Memory is freed when nobody can be inside `load` any more.
        CLEANER.register(this, () -> free(made));
    }

    /**
     * Takes the next result. An exception of the source comes out of the call that ran it.
     *
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws IllegalStateException if the batch is closed, or {@code source} loads from it
     */
    @SuppressWarnings("unchecked")
    public T load() throws InterruptedException {
        try {
            return (T) load(handle, source);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** How many results are ready; a moment later there may be others. */
    public long length() {
        try {
            return length(handle);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** How many loads have had to wait for another thread so far. */
    public long waits() {
        try {
            return waits(handle);
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

    private static native long maxSize();

    private static native long create(long size);

    private static native Object load(long handle, Supplier<?> source) throws InterruptedException;

    private static native long length(long handle);

    private static native long waits(long handle);

    private static native void close(long handle);

    private static native void free(long handle);
}
