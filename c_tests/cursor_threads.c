// Cursors in many threads: each object is seen once while threads claim, give back, close and wait.
//
// FT_LOCAL_TEST_ITEMS in the environment says how many objects.

#include "check.h"
#include "slow_source.h"

enum { THREADS = 8 };

typedef struct crowd {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    // How often each object was seen.
    atomic_uchar *seen;
    pthread_barrier_t start;
    // After so many results a thread frees its cursor, with what it has in hand, and makes another
    // one. 0 is never.
    size_t renew_after;
    bool closes;
} crowd;

static size_t items = 200000;

static void see(crowd *all, void *pointer) {
    fake_object *object = pointer;
    CHECK(object->number < all->source.limit);
    CHECK_EQ(atomic_fetch_add(&all->seen[object->number], 1), 0);
    fake_object_release(object);
}

// Half of the threads by the inline function, half by the exported one.
static void *take_to_the_end(void *arg) {
    crowd *all = arg;
    static atomic_int entered;
    bool by_call = atomic_fetch_add(&entered, 1) % 2;
    ft_local_cursor *cursor = cursor_of(all->batch);
    pthread_barrier_wait(&all->start);
    for (size_t taken = 1;; taken++) {
        void *next = all;
        ft_local_status status = by_call ? ft_local_cursor_next(cursor, &next)
                                         : ft_local_cursor_next_inline(cursor, &next);
        if (status != FT_LOCAL_OK) {
            CHECK_EQ(status, all->closes ? FT_LOCAL_ERR_CLOSED : FT_LOCAL_ERR_END);
            CHECK_PTR(next, NULL);
            break;
        }
        see(all, next);
        if (all->renew_after != 0 && taken % all->renew_after == 0) {
            ft_local_cursor_free(cursor);
            cursor = cursor_of(all->batch);
        }
        if (all->closes && taken == items / THREADS / 4) {
            CHECK_EQ(ft_local_batch_close(all->batch), FT_LOCAL_OK);
        }
    }
    CHECK_EQ(ft_local_cursor_len(cursor), 0);
    ft_local_cursor_free(cursor);
    return NULL;
}

static void take_all(size_t size, size_t per_call, size_t renew_after, bool closes) {
    crowd all = {.source = {.per_call = per_call, .limit = items, .end = FT_LOCAL_ERR_END},
                 .renew_after = renew_after,
                 .closes = closes};
    all.source.host = &all.host;
    all.batch = fake_source_batch(&all.source, size);
    all.seen = calloc(items, 1);
    CHECK(all.seen != NULL);
    CHECK_EQ(pthread_barrier_init(&all.start, NULL, THREADS), 0);
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++) {
        threads[index] = start_thread(take_to_the_end, &all);
    }
    for (int index = 0; index < THREADS; index++) {
        end_thread(threads[index]);
    }
    CHECK_EQ(pthread_barrier_destroy(&all.start), 0);

    ft_local_stats stats = exact_stats(all.batch);
    CHECK_EQ(stats.produced, all.source.made);
    CHECK_EQ(ft_local_batch_len(all.batch), 0);
    // Delivered once or released once, and not both.
    CHECK_EQ(atomic_load(&all.host.releases), all.source.made);
    size_t delivered = 0;
    for (size_t number = 0; number < items; number++) {
        delivered += all.seen[number];
    }
    CHECK_EQ(delivered + stats.released, all.source.made);
    CHECK(closes || delivered == items);
    ft_local_batch_free(all.batch);
    free(all.seen);
    fake_host_end(&all.host);
}

static void each_object_once(void) {
    take_all(1, 1, 0, false);
    take_all(64, 1, 0, false);
    take_all(1000, 1000, 0, false);
}

static void each_object_once_if_cursors_come_and_go(void) {
    take_all(64, 1, 3, false);
    take_all(1000, 17, 10, false);
}

static void each_object_once_if_one_thread_closes(void) {
    for (int times = 0; times < 20; times++) {
        take_all(64, 1, 0, true);
        take_all(1000, 17, 5, true);
    }
}

typedef struct patience {
    fake_host host;
    slow_source slow;
    ft_local_batch *batch;
    ft_local_cursor *cursor;
} patience;

static void *next_in_a_thread(void *arg) {
    patience *all = arg;
    next_expecting(all->cursor, 0);
    return NULL;
}

static void *load_in_a_thread(void *arg) {
    patience *all = arg;
    load_expecting(all->batch, 0);
    return NULL;
}

static void patience_begin(patience *all) {
    *all = (patience){.slow = {.source = {.per_call = 1}, .slow_call = 1}};
    all->slow.source.host = &all->host;
    all->batch = slow_source_batch(&all->slow, 10);
    all->cursor = cursor_of(all->batch);
}

static void patience_end(patience *all) {
    ft_local_cursor_free(all->cursor);
    ft_local_batch_free(all->batch);
    fake_host_end(&all->host);
}

static void next_for_gives_up_and_loses_nothing(void) {
    patience all;
    patience_begin(&all);
    pthread_t filler = start_thread(load_in_a_thread, &all);
    slow_source_await(&all.slow);
    const int64_t timeouts[] = {0, 1, 1000000};
    for (size_t index = 0; index < 3; index++) {
        void *next = &all;
        CHECK_EQ(ft_local_cursor_next_for(all.cursor, timeouts[index], &next),
                 FT_LOCAL_ERR_TIMED_OUT);
        CHECK_PTR(next, NULL);
    }
    slow_source_go_on(&all.slow);
    const int64_t enough[] = {-1, INT64_MAX, INT64_MIN, 3600000000000};
    for (size_t number = 1; number < 25; number++) {
        void *next = NULL;
        CHECK_EQ(ft_local_cursor_next_for(all.cursor, enough[number % 4], &next), FT_LOCAL_OK);
        receive(next, number);
    }
    // No time is enough for one in hand, and for running the source.
    for (size_t number = 25; number < 50; number++) {
        void *next = NULL;
        CHECK_EQ(ft_local_cursor_next_for(all.cursor, 0, &next), FT_LOCAL_OK);
        receive(next, number);
    }
    end_thread(filler);
    patience_end(&all);
}

static void a_cursor_goes_from_thread_to_thread(void) {
    patience all;
    patience_begin(&all);
    slow_source_go_on(&all.slow);
    end_thread(start_thread(next_in_a_thread, &all));
    for (size_t number = 1; number < 25; number++) {
        next_expecting(all.cursor, number);
    }
    patience_end(&all);
}

int main(void) {
    const char *count = getenv("FT_LOCAL_TEST_ITEMS");
    if (count != NULL) {
        items = strtoull(count, NULL, 10);
        CHECK(items >= 1000);
    }
    RUN(each_object_once);
    RUN(each_object_once_if_cursors_come_and_go);
    RUN(each_object_once_if_one_thread_closes);
    RUN(next_for_gives_up_and_loses_nothing);
    RUN(a_cursor_goes_from_thread_to_thread);
    return fake_hosts_report();
}
