// Many threads load from one batch: each object is seen exactly once, and each failure of the
// source reaches the thread that ran it. Also if several threads are in the source at once.
//
// FT_LOCAL_TEST_ITEMS in the environment, or the first argument, says how many objects.

#include "check.h"
#include "fake_source.h"
#include "office.h"

#include <time.h>

enum { THREADS = 8, END = INT32_MAX };

typedef struct crowd {
    fake_source source;
    ft_local_batch *batch;
    pthread_barrier_t start;
    // How often each object was seen.
    atomic_uchar *seen;
    // For each failure of the source, by its code: the thread that ran it, and how often it was
    // reported.
    pthread_t *failed_in;
    atomic_uchar *reported;
    atomic_size_t failures;
    // Every so many calls the source fails once. 0 is never.
    size_t fail_every;
    // How long a call of the source takes at least.
    long nanoseconds;
    bool in_order;
} crowd;

static size_t items = 1000000;

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    crowd *all = ctx;
    fake_source *source = &all->source;
    if (all->nanoseconds != 0) {
        nanosleep(&(struct timespec){.tv_nsec = all->nanoseconds}, NULL);
    }
    if (all->fail_every != 0 && (source->calls + 1) % all->fail_every == 0) {
        source->calls++;
        size_t failure = atomic_fetch_add(&all->failures, 1);
        CHECK(failure < source->limit);
        all->failed_in[failure] = pthread_self();
        return (int32_t)failure + 1;
    }
    return fake_source_table(source).fill(source, out, capacity, produced);
}

static void note_failure(crowd *all, ft_local_status status) {
    CHECK(status > 0);
    size_t failure = (size_t)status - 1;
    CHECK(failure < atomic_load(&all->failures));
    CHECK(pthread_equal(all->failed_in[failure], pthread_self()));
    CHECK_EQ(atomic_fetch_add(&all->reported[failure], 1), 0);
}

static void *load_to_the_end(void *arg) {
    crowd *all = arg;
    size_t next = 0;
    pthread_barrier_wait(&all->start);
    for (;;) {
        void *loaded = all;
        ft_local_status status = ft_local_batch_load(all->batch, &loaded);
        if (status == FT_LOCAL_OK) {
            fake_object *object = loaded;
            CHECK(object->number < all->source.limit);
            CHECK_EQ(atomic_fetch_add(&all->seen[object->number], 1), 0);
            CHECK(!all->in_order || object->number >= next);
            next = object->number + 1;
            fake_object_release(object);
            continue;
        }
        CHECK_PTR(loaded, NULL);
        if (status != END) {
            note_failure(all, status);
        } else if (ft_local_batch_len(all->batch) == 0) {
            // What a last fill made before the end is still there to be loaded, by this thread
            // at least.
            return NULL;
        }
    }
}

static void run_threads(crowd *all) {
    pthread_t threads[THREADS];
    CHECK_EQ(pthread_barrier_init(&all->start, NULL, THREADS), 0);
    for (int index = 0; index < THREADS; index++) {
        CHECK_EQ(pthread_create(&threads[index], NULL, load_to_the_end, all), 0);
    }
    for (int index = 0; index < THREADS; index++) {
        CHECK_EQ(pthread_join(threads[index], NULL), 0);
    }
    CHECK_EQ(pthread_barrier_destroy(&all->start), 0);
}

static void check_counts(crowd *all) {
    CHECK_EQ(all->source.made, all->source.limit);
    for (size_t number = 0; number < all->source.limit; number++) {
        CHECK_EQ(all->seen[number], 1);
    }
    for (size_t failure = 0; failure < all->failures; failure++) {
        CHECK_EQ(all->reported[failure], 1);
    }
    CHECK_EQ(atomic_load(&all->source.host->releases), all->source.limit);
}

static void load_all(size_t size, size_t per_call, size_t fail_every, long nanoseconds) {
    fake_host host = {0};
    // Whole fills only, where the order is checked: a fill that ends early returns its first object
    // late. A fill without a budget ends as soon as others have waited for a millisecond.
    size_t limit = items < size ? size : items - items % size;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = fail_every == 0 ? size : 0;
    crowd all = {
        .source = {.host = &host, .per_call = per_call, .limit = limit, .end = END},
        .fail_every = fail_every,
        .nanoseconds = nanoseconds,
        .in_order = fail_every == 0,
    };
    // One call makes one object at least, and every second one does not fail.
    all.seen = calloc(limit, 1);
    all.reported = calloc(limit, 1);
    all.failed_in = calloc(limit, sizeof *all.failed_in);
    CHECK(all.seen != NULL && all.reported != NULL && all.failed_in != NULL);

    ft_local_host host_table = fake_host_table(&host);
    ft_local_source source_table = {.struct_size = sizeof source_table, .ctx = &all, .fill = fill};
    CHECK_EQ(ft_local_batch_new_with(&host_table, &source_table, size, &options, &all.batch),
             FT_LOCAL_OK);
    run_threads(&all);
    check_counts(&all);
    CHECK(fail_every == 0 || atomic_load(&all.failures) > 0);
    ft_local_batch_free(all.batch);

    free(all.seen);
    free(all.reported);
    free(all.failed_in);
    fake_host_end(&host);
}

static void each_object_once_size_1(void) {
    load_all(1, 1, 0, 0);
}

static void each_object_once_size_2(void) {
    load_all(2, 1, 0, 0);
}

static void each_object_once_size_64(void) {
    load_all(64, 1, 0, 0);
}

static void each_object_once_size_1000(void) {
    load_all(1000, 1, 0, 0);
}

static void each_object_once_from_a_bulk_source(void) {
    load_all(64, 64, 0, 0);
    load_all(1000, 17, 0, 0);
}

static void each_object_once_and_each_failure_once(void) {
    load_all(1, 1, 7, 0);
    load_all(2, 1, 7, 0);
    load_all(64, 1, 101, 0);
    load_all(1000, 17, 3, 0);
}

// Most threads sleep until the source is done, which those of a fast source hardly do.
static void each_object_once_from_a_slow_source(void) {
    size_t all_items = items;
    items = items / 1000 + 1;
    load_all(1, 1, 0, 50000);
    load_all(8, 1, 0, 50000);
    load_all(8, 8, 5, 500000);
    items = all_items;
}

static void each_object_once_from_several_fillers(void) {
    work_in_office(items, 1, (office){.per_call = 1});
    work_in_office(items, 64, (office){.per_call = 1});
    work_in_office(items, 64, (office){.per_call = 17});
}

static void each_object_and_each_failure_once_from_several_fillers(void) {
    work_in_office(items, 2, (office){.per_call = 1, .fail_every = 7});
    work_in_office(items, 64, (office){.per_call = 17, .fail_every = 5});
}

static void each_object_once_from_several_fillers_if_one_thread_closes(void) {
    work_in_office(items, 64, (office){.per_call = 1, .closes = true});
    work_in_office(items, 1000, (office){.per_call = 17, .fail_every = 3, .closes = true});
}

int main(int argc, char **argv) {
    const char *count = argc > 1 ? argv[1] : getenv("FT_LOCAL_TEST_ITEMS");
    if (count != NULL) {
        items = strtoull(count, NULL, 10);
        CHECK(items > 0);
    }
    RUN(each_object_once_size_1);
    RUN(each_object_once_size_2);
    RUN(each_object_once_size_64);
    RUN(each_object_once_size_1000);
    RUN(each_object_once_from_a_bulk_source);
    RUN(each_object_once_and_each_failure_once);
    RUN(each_object_once_from_a_slow_source);
    // These free and make cursors, and give back.
    items = items / 5 + 1;
    RUN(each_object_once_from_several_fillers);
    RUN(each_object_and_each_failure_once_from_several_fillers);
    RUN(each_object_once_from_several_fillers_if_one_thread_closes);
    return fake_hosts_report();
}
