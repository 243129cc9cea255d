// Checks in several threads of the runtime: exact counts, waits, interrupts.

#include "kit.h"

#include <stdlib.h>

enum { THREADS = 4 };

static const char *one_thread(void) {
    return kit_adapter->threads == NULL ? "its objects belong to one thread" : NULL;
}

static const char *cannot_be_interrupted(void) {
    return kit_adapter->threads == NULL     ? "its objects belong to one thread"
           : kit_adapter->interrupt == NULL ? "the host cannot be interrupted"
                                            : NULL;
}

typedef struct crowd {
    ft_local_batch *batch;
    size_t each;
    // How often each object was loaded.
    atomic_uchar *seen;
    size_t size;
} crowd;

static size_t items(void) {
    const char *given = getenv("FT_LOCAL_TEST_ITEMS");
    return given == NULL ? 40000 : strtoull(given, NULL, 10);
}

static void mark_seen(crowd *all, size_t number) {
    EXPECT(number < all->size, "object %zu came, and %zu were asked for", number, all->size);
    unsigned before = atomic_fetch_add(&all->seen[number], 1);
    EXPECT(before == 0, "object %zu came twice", number);
}

static void load_each(void *arg, size_t index) {
    crowd *all = arg;
    (void)index;
    size_t least = 0;
    for (size_t count = 0; count < all->each; count++) {
        void *handle = kit_load(all->batch);
        size_t number = kit_number(handle);
        EXPECT(number >= least, "object %zu came to a thread that had one before it", number);
        mark_seen(all, number);
        least = number;
        kit_drop(handle);
    }
}

static void threads_get_each_object_once(void) {
    const size_t sizes[] = {1, 64, 1000};
    ft_local_host host = kit_host();
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        kit_source source = {.per_call = 5};
        crowd all = {.each = items() / THREADS + 1};
        all.size = all.each * THREADS;
        all.seen = calloc(all.size, 1);
        all.batch = kit_batch(&host, &source, sizes[index]);
        EXPECT(all.seen != NULL, "there is no memory");
        kit_adapter->threads(THREADS, load_each, &all);
        for (size_t number = 0; number < all.size; number++) {
            EXPECT(all.seen[number] == 1, "object %zu was lost", number);
        }
        size_t left = ft_local_batch_len(all.batch);
        EXPECT(source.made == all.size + left, "%zu made, %zu loaded, %zu left", source.made,
               all.size, left);
        kit_expect_alive((long)left, "when the rest was loaded and given up");
        ft_local_batch_free(all.batch);
        free(all.seen);
    }
}

static void claim_each(void *arg, size_t index) {
    crowd *all = arg;
    (void)index;
    ft_local_cursor *cursor = NULL;
    EXPECT_OK(ft_local_cursor_new(all->batch, &cursor));
    for (size_t count = 0; count < all->each; count++) {
        void *handle = NULL;
        EXPECT_OK(ft_local_cursor_next(cursor, &handle));
        mark_seen(all, kit_number(handle));
        kit_drop(handle);
    }
    // With some in hand, most of the time.
    ft_local_cursor_free(cursor);
}

static void cursors_get_each_object_once_and_give_the_rest_back(void) {
    enum { SIZE = 512 };
    ft_local_host host = kit_host();
    kit_source source = {.per_call = 5};
    crowd all = {.each = items() / THREADS + 1};
    all.size = all.each * THREADS + SIZE;
    all.seen = calloc(all.size, 1);
    all.batch = kit_batch(&host, &source, SIZE);
    EXPECT(all.seen != NULL, "there is no memory");
    kit_adapter->threads(THREADS, claim_each, &all);
    kit_expect_alive((long)ft_local_batch_len(all.batch), "when the cursors are gone");
    while (ft_local_batch_len(all.batch) > 0) {
        void *handle = kit_load(all.batch);
        mark_seen(&all, kit_number(handle));
        kit_drop(handle);
    }
    for (size_t number = 0; number < source.made; number++) {
        EXPECT(all.seen[number] == 1, "object %zu was lost", number);
    }
    ft_local_batch_free(all.batch);
    free(all.seen);
}

static void load_one_or_free(void *arg, size_t index) {
    (void)index;
    ft_local_batch **batch = arg;
    if (ft_local_batch_len(*batch) == 0) {
        kit_load_expecting(*batch, 0);
    } else {
        ft_local_batch_free(*batch);
    }
}

static void what_one_thread_made_another_releases(void) {
    ft_local_host host = kit_host();
    kit_source source = {.per_call = 1};
    ft_local_batch *batch = kit_batch(&host, &source, 50);
    kit_adapter->threads(1, load_one_or_free, &batch);
    kit_expect_alive(49, "when a thread has filled the batch and ended");
    kit_adapter->threads(1, load_one_or_free, &batch);
}

static void use_wrapper(void *arg, size_t index) {
    ft_local_host host = kit_host();
    for (int times = 0; times < 500; times++) {
        ft_local_wrapper *wrapper = NULL;
        EXPECT_OK(ft_local_wrapper_new(&host, arg, &wrapper));
        EXPECT(kit_number(ft_local_wrapper_get(wrapper)) == 3, "thread %zu sees another", index);
        ft_local_wrapper_free(wrapper);
    }
}

static void each_thread_has_a_wrapper_of_its_own(void) {
    void *object = kit_adapter->make(3);
    kit_adapter->threads(THREADS, use_wrapper, object);
    kit_expect_alive(1, "when the wrappers of all threads are gone");
    kit_drop(object);
}

// A host's ways to wait, with a count.
static ft_local_host original;
static atomic_size_t waits;

static void block_counted(void *ctx, ft_local_wait wait, void *arg) {
    atomic_fetch_add(&waits, 1);
    original.block(ctx, wait, arg);
}

static void *detach_counted(void) {
    atomic_fetch_add(&waits, 1);
    return original.detach();
}

static ft_local_host host_with_counted_waits(void) {
    original = kit_host();
    ft_local_host host = original;
    host.block = original.block == NULL ? NULL : block_counted;
    host.detach = original.detach == NULL ? NULL : detach_counted;
    atomic_store(&waits, 0);
    return host;
}

static bool can_count_waits(void) {
    return original.block != NULL || original.detach != NULL;
}

// Thread 0 runs the source, which goes on when thread 1 has done what it is there for.
typedef struct scene {
    ft_local_batch *batch;
    atomic_bool source_runs;
    atomic_bool other_loads;
    bool until_interrupted;
} scene;

static void hold_up(void *arg) {
    scene *all = arg;
    atomic_store(&all->source_runs, true);
    kit_wait_for(&all->other_loads);
    while (!all->until_interrupted && can_count_waits() && atomic_load(&waits) == 0) {
        kit_adapter->pause();
    }
}

static void play(scene *all, const ft_local_host *host, void (*part)(void *, size_t)) {
    kit_source source = {.per_call = 1, .first = hold_up, .arg = all};
    all->batch = kit_batch(host, &source, 3);
    kit_adapter->threads(2, part, all);
    kit_load_expecting(all->batch, 2);
    ft_local_batch_free(all->batch);
}

static void load_and_wait(void *arg, size_t index) {
    scene *all = arg;
    if (index == 1) {
        kit_wait_for(&all->source_runs);
        atomic_store(&all->other_loads, true);
    }
    kit_load_expecting(all->batch, index);
}

static void the_runtime_is_left_to_wait_and_only_then(void) {
    ft_local_host host = host_with_counted_waits();
    kit_source source = {.per_call = 2};
    ft_local_batch *batch = kit_batch(&host, &source, 16);
    for (size_t number = 0; number < 1000; number++) {
        kit_load_expecting(batch, number);
    }
    ft_local_batch_free(batch);
    EXPECT(atomic_load(&waits) == 0, "a thread alone left the runtime %zu times", waits);
    scene all = {.batch = NULL};
    play(&all, &host, load_and_wait);
    EXPECT(!can_count_waits() || atomic_load(&waits) > 0, "a thread waited inside the runtime");
}

static void load_and_be_interrupted(void *arg, size_t index) {
    scene *all = arg;
    if (index == 0) {
        kit_load_expecting(all->batch, 0);
        return;
    }
    kit_wait_for(&all->source_runs);
    void *handle = all;
    kit_adapter->interrupt(true);
    ft_local_status status = ft_local_batch_load(all->batch, &handle);
    kit_adapter->interrupt(false);
    atomic_store(&all->other_loads, true);
    EXPECT_STATUS(status, FT_LOCAL_ERR_INTERRUPTED);
    EXPECT(handle == NULL, "an interrupted load leaves %p", handle);
    kit_load_expecting(all->batch, 1);
}

static void an_interrupt_ends_a_wait_and_loses_nothing(void) {
    ft_local_host host = kit_host();
    scene all = {.until_interrupted = true};
    play(&all, &host, load_and_be_interrupted);
}

const kit_check kit_thread_checks[] = {
    {"threads get each object once", threads_get_each_object_once, one_thread},
    {"cursors get each object once and give the rest back",
     cursors_get_each_object_once_and_give_the_rest_back, one_thread},
    {"what one thread made another releases", what_one_thread_made_another_releases, one_thread},
    {"each thread has a wrapper of its own", each_thread_has_a_wrapper_of_its_own, one_thread},
    {"the runtime is left to wait, and only then", the_runtime_is_left_to_wait_and_only_then,
     one_thread},
    {"an interrupt ends a wait and loses nothing", an_interrupt_ends_a_wait_and_loses_nothing,
     cannot_be_interrupted},
    {NULL, NULL, NULL},
};
