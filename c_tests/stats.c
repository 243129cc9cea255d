// The counters of a batch: how the struct begins, and that they balance.

#include "check.h"
#include "slow_source.h"

// What a host that was compiled with a later header passes.
typedef struct future_stats {
    ft_local_stats known;
    uint64_t unknown[2];
} future_stats;

static void the_macro_and_the_function_agree(void) {
    ft_local_stats by_macro = FT_LOCAL_STATS_INIT;
    ft_local_stats by_function;
    memset(&by_function, 0xff, sizeof by_function);
    CHECK_EQ(ft_local_stats_init(&by_function, sizeof by_function), FT_LOCAL_OK);
    CHECK(memcmp(&by_macro, &by_function, sizeof by_macro) == 0);
    CHECK_EQ(by_macro.struct_size, sizeof by_macro);
}

static void what_is_new_in_a_later_struct_is_set_to_zero(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch *batch = fake_source_batch(&source, 3);
    load_expecting(batch, 0);
    future_stats stats;
    memset(&stats, 0xff, sizeof stats);
    stats.known.struct_size = sizeof stats;
    CHECK_EQ(ft_local_batch_stats(batch, &stats.known), FT_LOCAL_OK);
    CHECK_EQ(stats.known.struct_size, sizeof stats);
    CHECK_EQ(stats.known.produced, 3);
    CHECK_EQ(stats.known.dropped_on_fork, 0);
    CHECK_EQ(stats.unknown[0], 0);
    CHECK_EQ(stats.unknown[1], 0);
    memset(&stats, 0xff, sizeof stats);
    CHECK_EQ(ft_local_stats_init(&stats.known, sizeof stats), FT_LOCAL_OK);
    future_stats expected = {.known = {.struct_size = sizeof stats}};
    CHECK(memcmp(&stats, &expected, sizeof stats) == 0);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void sizes_that_no_version_has_are_refused(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch *batch = fake_source_batch(&source, 3);
    // The first version's size, which stays the smallest when the struct grows.
    const size_t first = _Alignof(uint64_t) + 12 * sizeof(uint64_t);
    const size_t sizes[] = {0,         1,       first - 1, first - sizeof(uint64_t),
                            first + 1, 1 << 20, SIZE_MAX};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        ft_local_stats stats;
        memset(&stats, 0xff, sizeof stats);
        stats.struct_size = sizes[index];
        ft_local_stats before = stats;
        CHECK_EQ(ft_local_batch_stats(batch, &stats), FT_LOCAL_ERR_ARGUMENT);
        CHECK_SAYS(ft_local_last_error(), "out->struct_size");
        CHECK_EQ(ft_local_host_init(NULL, 0), FT_LOCAL_ERR_ARGUMENT);
        CHECK_EQ(ft_local_stats_init(&stats, sizes[index]), FT_LOCAL_ERR_ARGUMENT);
        CHECK_SAYS(ft_local_last_error(), "out->struct_size");
        CHECK(memcmp(&stats, &before, sizeof stats) == 0);
    }
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

// The counts that do not depend on time.
static void expect(const ft_local_batch *batch, ft_local_stats expected) {
    ft_local_stats stats = exact_stats(batch);
    CHECK_EQ(stats.struct_size, sizeof stats);
    CHECK_EQ(stats.loads, expected.loads);
    CHECK_EQ(stats.claims, expected.claims);
    CHECK_EQ(stats.claimed, expected.claimed);
    CHECK_EQ(stats.fills, expected.fills);
    CHECK_EQ(stats.produced, expected.produced);
    CHECK_EQ(stats.waits, 0);
    CHECK_EQ(stats.wait_ns, 0);
    CHECK_EQ(stats.errors, expected.errors);
    CHECK_EQ(stats.given_back, expected.given_back);
    CHECK_EQ(stats.released, expected.released);
    CHECK_EQ(stats.dropped_on_fork, 0);
}

static void each_thing_is_counted_where_it_belongs(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1, .fail_at_call = 10, .failure = 4711};
    ft_local_batch *batch = fake_source_batch(&source, 8);
    ft_local_stats expected = FT_LOCAL_STATS_INIT;
    expect(batch, expected);
    load_expecting(batch, 0);
    expected.loads = 1, expected.fills = 1, expected.produced = 8;
    expect(batch, expected);
    CHECK(exact_stats(batch).source_ns > 0);

    void *objects[4];
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(batch, 2, -1, objects, &count), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_try_load(batch, &objects[2]), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_load_for(batch, 0, &objects[3]), FT_LOCAL_OK);
    expected.loads = 5;
    expect(batch, expected);

    receive(objects[0], 1);
    CHECK_EQ(ft_local_batch_give_back(batch, objects + 1, 3), FT_LOCAL_OK);
    expected.given_back = 3;
    expect(batch, expected);
    load_expecting(batch, 2);
    expected.loads = 6;
    expect(batch, expected);

    // A cursor claims what came back one by one, and then all three that are left.
    ft_local_cursor *cursor = cursor_of(batch);
    next_expecting(cursor, 3);
    next_expecting(cursor, 4);
    next_expecting(cursor, 5);
    expected.claims = 3, expected.claimed = 5;
    expect(batch, expected);
    CHECK_EQ(ft_local_cursor_len(cursor), 2);
    ft_local_cursor_free(cursor);
    expected.given_back = 5;
    expect(batch, expected);
    CHECK_EQ(ft_local_batch_clear(batch), FT_LOCAL_OK);
    expected.released = 2;
    expect(batch, expected);

    // What a fill that then fails has made is there for the next load.
    load_failing(batch, 4711);
    expected.fills = 2, expected.produced = 9, expected.errors = 1;
    expect(batch, expected);
    load_expecting(batch, 8);
    expected.loads = 7;
    expect(batch, expected);
    size_t made = 0;
    CHECK_EQ(ft_local_batch_prefill(batch, 8, 3, -1, &made), FT_LOCAL_OK);
    expected.fills = 3, expected.produced = 12;
    expect(batch, expected);
    CHECK_EQ(ft_local_batch_close(batch), FT_LOCAL_OK);
    expected.released = 5;
    expect(batch, expected);
    load_failing(batch, FT_LOCAL_ERR_CLOSED);
    expect(batch, expected);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

typedef struct crowd {
    fake_host host;
    slow_source slow;
    ft_local_batch *batch;
    atomic_size_t loads;
    atomic_size_t given_back;
    atomic_bool done;
} crowd;

static void *load_second(void *arg) {
    load_expecting(((crowd *)arg)->batch, 1);
    return NULL;
}

static void *load_first(void *arg) {
    load_expecting(((crowd *)arg)->batch, 0);
    return NULL;
}

static void a_wait_is_counted_once_and_its_time(void) {
    crowd all = {.slow = {.source = {.per_call = 1}, .slow_call = 1}};
    all.slow.source.host = &all.host;
    all.batch = slow_source_batch(&all.slow, 4);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    pthread_t waiter = start_thread(load_second, &all);
    await_waits(all.batch, 1);
    slow_source_go_on(&all.slow);
    end_thread(waiter);
    end_thread(filler);
    ft_local_stats stats = exact_stats(all.batch);
    CHECK_EQ(stats.waits, 1);
    CHECK(stats.wait_ns > 0);
    CHECK(stats.source_ns > 0);
    CHECK_EQ(stats.loads, 2);
    ft_local_batch_free(all.batch);
    fake_host_end(&all.host);
}

enum { THREADS = 8, ROUNDS = 500 };

// A round of each thing that a thread can do.
static void *do_everything(void *arg) {
    crowd *all = arg;
    for (size_t round = 0; round < ROUNDS; round++) {
        void *objects[5];
        size_t count = 0;
        CHECK_EQ(ft_local_batch_load_many(all->batch, 5, -1, objects, &count), FT_LOCAL_OK);
        CHECK_EQ(count, 5);
        CHECK_EQ(ft_local_batch_give_back(all->batch, objects, 2), FT_LOCAL_OK);
        atomic_fetch_add(&all->given_back, 2);
        atomic_fetch_add(&all->loads, 5);
        for (size_t index = 2; index < 5; index++) {
            fake_object_release(objects[index]);
        }
        ft_local_cursor *cursor = cursor_of(all->batch);
        for (size_t times = 0; times < round % 5; times++) {
            void *next = NULL;
            CHECK_EQ(ft_local_cursor_next(cursor, &next), FT_LOCAL_OK);
            fake_object_release(next);
        }
        ft_local_cursor_free(cursor);
        if (round % 50 == 0) {
            CHECK_EQ(ft_local_batch_clear(all->batch), FT_LOCAL_OK);
        }
    }
    return NULL;
}

static void *look_on(void *arg) {
    crowd *all = arg;
    uint64_t produced = 0;
    while (!atomic_load(&all->done)) {
        ft_local_stats stats = FT_LOCAL_STATS_INIT;
        CHECK_EQ(ft_local_batch_stats(all->batch, &stats), FT_LOCAL_OK);
        CHECK(stats.produced >= produced);
        produced = stats.produced;
    }
    return NULL;
}

static void the_counters_balance_after_many_threads(void) {
    crowd all = {.slow = {.source = {.per_call = 3}}};
    all.slow.source.host = &all.host;
    all.batch = slow_source_batch(&all.slow, 64);
    pthread_t onlooker = start_thread(look_on, &all);
    pthread_t threads[THREADS];
    for (size_t index = 0; index < THREADS; index++) {
        threads[index] = start_thread(do_everything, &all);
    }
    for (size_t index = 0; index < THREADS; index++) {
        end_thread(threads[index]);
    }
    atomic_store(&all.done, true);
    end_thread(onlooker);
    ft_local_stats stats = exact_stats(all.batch);
    CHECK_EQ(stats.produced, all.slow.source.made);
    // The first result of a fill goes straight to the caller, as of a load, for a cursor too.
    CHECK(stats.loads >= atomic_load(&all.loads));
    CHECK(stats.loads <= atomic_load(&all.loads) + stats.fills);
    CHECK(stats.given_back >= atomic_load(&all.given_back));
    CHECK(stats.claimed > 0);
    CHECK_EQ(stats.errors, 0);
    CHECK_EQ(atomic_load(&all.host.alive), ft_local_batch_len(all.batch));
    ft_local_batch_free(all.batch);
    fake_host_end(&all.host);
}

int main(void) {
    RUN(the_macro_and_the_function_agree);
    RUN(what_is_new_in_a_later_struct_is_set_to_zero);
    RUN(sizes_that_no_version_has_are_refused);
    RUN(each_thing_is_counted_where_it_belongs);
    RUN(a_wait_is_counted_once_and_its_time);
    RUN(the_counters_balance_after_many_threads);
    return fake_hosts_report();
}
