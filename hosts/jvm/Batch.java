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

    private static final Cleaner CLEANER = Cleaner.create();

    private final Supplier<? extends T> source;
    private final long handle;
    private volatile boolean closed;

    /** A batch that asks {@code source} for up to {@code size} results whenever it has none. */
    public Batch(Supplier<? extends T> source, long size) {
        this.source = Objects.requireNonNull(source, "source");
        long made = create(size);
        handle = made;
        // Memory is freed when nobody can be inside `load` any more.
        CLEANER.register(this, () -> free(made));
    }

    /**
     * Takes the next result. An exception of the source comes out of the call that ran it.
     *
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    @SuppressWarnings("unchecked")
    public T load() throws InterruptedException {
        if (closed) {
            throw new IllegalStateException("the batch is closed; make another");
        }
        try {
            return (T) load(handle, source);
        } finally {
            if (closed) {
                // The source may have run on after `close` had released what was left.
                clear(handle);
            }
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

    /** Releases what nobody loaded; later loads fail. */
    @Override
    public void close() {
        closed = true;
        try {
            clear(handle);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private static native long create(long size);

    private static native Object load(long handle, Supplier<?> source) throws InterruptedException;

    private static native long length(long handle);

    private static native void clear(long handle);

    private static native void free(long handle);
}
