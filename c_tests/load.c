// The ways to take results with a time limit, without waiting, and many at once.

#include "check.h"
#include "slow_source.h"

enum { FAILURE = 4711 };

typedef struct scene {
    fake_host host;
    slow_source slow;
    ft_local_batch *batch;
} scene;

static void scene_begin(scene *all, size_t size, fake_source source, size_t slow_call) {
    *all = (scene){.slow = {.source = source, .slow_call = slow_call}};
    all->slow.source.host = &all->host;
    all->batch = slow_source_batch(&all->slow, size);
}

static void scene_end(scene *all) {
    exact_stats(all->batch);
    ft_local_batch_free(all->batch);
    CHECK_EQ(atomic_load(&all->host.releases), all->slow.source.made);
    fake_host_end(&all->host);
}

static void *load_first(void *arg) {
    load_expecting(((scene *)arg)->batch, 0);
    return NULL;
}

static void load_for_expecting(scene *all, int64_t timeout_ns, size_t number) {
    void *loaded = NULL;
    CHECK_EQ(ft_local_batch_load_for(all->batch, timeout_ns, &loaded), FT_LOCAL_OK);
    receive(loaded, number);
}

static void load_for_failing(scene *all, int64_t timeout_ns, ft_local_status status) {
    void *loaded = all;
    CHECK_EQ(ft_local_batch_load_for(all->batch, timeout_ns, &loaded), status);
    CHECK_PTR(loaded, NULL);
}

static void load_many_expecting(scene *all, size_t n, size_t number) {
    void **objects = calloc(n + 1, sizeof *objects);
    CHECK(objects != NULL);
    objects[n] = all;
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(all->batch, n, -1, objects, &count), FT_LOCAL_OK);
    CHECK_EQ(count, n);
    for (size_t index = 0; index < n; index++) {
        receive(objects[index], number + index);
    }
    CHECK_PTR(objects[n], all);
    free(objects);
}

// Asks for `n` and gets `count` with `status`, which is not all.
static void load_many_failing(scene *all, size_t n, int64_t timeout_ns, ft_local_status status,
                              size_t expected, size_t number) {
    void *objects[100];
    CHECK(n <= 100);
    for (size_t index = 0; index < n; index++) {
        objects[index] = all;
    }
    size_t count = SIZE_MAX;
    CHECK_EQ(ft_local_batch_load_many(all->batch, n, timeout_ns, objects, &count), status);
    CHECK_EQ(count, expected);
    for (size_t index = 0; index < n; index++) {
        if (index < count) {
            receive(objects[index], number + index);
        } else {
            CHECK_PTR(objects[index], all);
        }
    }
}

static void a_load_of_a_ready_result_needs_no_time(void) {
    scene all;
    scene_begin(&all, 5, (fake_source){.per_call = 2}, 0);
    const int64_t timeouts[] = {0, 1, -1, INT64_MAX, INT64_MIN};
    for (size_t number = 0; number < 50; number++) {
        // Among these are those that run the source.
        load_for_expecting(&all, timeouts[number % 5], number);
    }
    scene_end(&all);
}

typedef struct impatient {
    scene *scene;
    int64_t timeout_ns;
} impatient;

static void *give_up(void *arg) {
    const impatient *one = arg;
    void *object = one->scene;
    size_t count = SIZE_MAX;
    load_for_failing(one->scene, one->timeout_ns, FT_LOCAL_ERR_TIMED_OUT);
    CHECK_EQ(ft_local_batch_load_many(one->scene->batch, 1, one->timeout_ns, &object, &count),
             FT_LOCAL_ERR_TIMED_OUT);
    CHECK_EQ(count, 0);
    CHECK_PTR(object, one->scene);
    return NULL;
}

static void a_load_that_times_out_loses_nothing(void) {
    scene all;
    scene_begin(&all, 5, (fake_source){.per_call = 1}, 1);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    impatient ones[] = {{&all, 0}, {&all, 1}, {&all, 1000}, {&all, 1000000}, {&all, 20000000}};
    pthread_t threads[5];
    for (size_t index = 0; index < 5; index++) {
        threads[index] = start_thread(give_up, &ones[index]);
    }
    for (size_t index = 0; index < 5; index++) {
        end_thread(threads[index]);
    }
    // Each of the two ways to load has waited, but for those that had no time.
    CHECK(exact_stats(all.batch).wait_ns > 0);
    slow_source_go_on(&all.slow);
    end_thread(filler);
    for (size_t number = 1; number < 20; number++) {
        load_expecting(all.batch, number);
    }
    scene_end(&all);
}

static void *load_with_time(void *arg) {
    load_for_expecting(arg, 3600000000000, 1);
    return NULL;
}

static void a_load_that_waits_long_enough_gets_a_result(void) {
    scene all;
    scene_begin(&all, 5, (fake_source){.per_call = 1}, 1);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    pthread_t other = start_thread(load_with_time, &all);
    await_waits(all.batch, 1);
    slow_source_go_on(&all.slow);
    end_thread(other);
    end_thread(filler);
    scene_end(&all);
}

static void try_load_expecting(scene *all, size_t number) {
    void *loaded = NULL;
    CHECK_EQ(ft_local_batch_try_load(all->batch, &loaded), FT_LOCAL_OK);
    receive(loaded, number);
}

static void try_load_failing(scene *all, ft_local_status status) {
    void *loaded = all;
    CHECK_EQ(ft_local_batch_try_load(all->batch, &loaded), status);
    CHECK_PTR(loaded, NULL);
}

static void try_load_takes_what_is_ready_and_no_more(void) {
    scene all;
    scene_begin(&all, 4, (fake_source){.per_call = 1, .limit = 8, .end = FT_LOCAL_ERR_END}, 0);
    try_load_failing(&all, FT_LOCAL_ERR_EMPTY);
    CHECK_EQ(all.slow.source.calls, 0);
    for (size_t fill = 0; fill < 2; fill++) {
        load_expecting(all.batch, 4 * fill);
        for (size_t number = 1; number < 4; number++) {
            try_load_expecting(&all, 4 * fill + number);
        }
        try_load_failing(&all, FT_LOCAL_ERR_EMPTY);
        CHECK_EQ(all.slow.source.calls, 4 * (fill + 1));
    }
    // Not before the source has said so.
    load_failing(all.batch, FT_LOCAL_ERR_END);
    try_load_failing(&all, FT_LOCAL_ERR_END);
    scene_end(&all);
}

static void try_load_does_not_wait_for_a_fill(void) {
    scene all;
    scene_begin(&all, 4, (fake_source){.per_call = 1}, 3);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    // 0 is the filler's, 1 is there, 2 is being made.
    try_load_expecting(&all, 1);
    try_load_failing(&all, FT_LOCAL_ERR_EMPTY);
    slow_source_go_on(&all.slow);
    end_thread(filler);
    try_load_expecting(&all, 2);
    CHECK_EQ(exact_stats(all.batch).waits, 0);
    scene_end(&all);
}

static void load_many_brings_as_many_as_were_asked_for(void) {
    const size_t sizes[] = {1, 2, 7, 64, 300};
    const size_t counts[] = {1, 0, 2, 5, 64, 65, 200, 1};
    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
        for (size_t per_call = 1; per_call < 6; per_call += 2) {
            scene all;
            scene_begin(&all, sizes[size], (fake_source){.per_call = per_call}, 0);
            size_t number = 0;
            for (size_t index = 0; index < sizeof counts / sizeof *counts; index++) {
                load_many_expecting(&all, counts[index], number);
                number += counts[index];
            }
            scene_end(&all);
        }
    }
}

static void none_are_loaded_into_no_array(void) {
    scene all;
    scene_begin(&all, 4, (fake_source){.per_call = 1}, 0);
    size_t count = SIZE_MAX;
    CHECK_EQ(ft_local_batch_load_many(all.batch, 0, -1, NULL, &count), FT_LOCAL_OK);
    CHECK_EQ(count, 0);
    CHECK_EQ(all.slow.source.calls, 0);
    scene_end(&all);
}

static void a_failure_in_the_middle_leaves_what_was_loaded_before(void) {
    scene all;
    fake_source source = {.per_call = 1, .fail_at_call = 8, .failure = FAILURE};
    scene_begin(&all, 3, source, 0);
    // Fills of 3, 3 and 1: the one that fails keeps its first for the next load.
    load_many_failing(&all, 10, -1, FAILURE, 6, 0);
    load_many_expecting(&all, 10, 6);
    scene_end(&all);
}

static void fewer_than_asked_for_are_no_error_at_the_end(void) {
    scene all;
    scene_begin(&all, 4, (fake_source){.per_call = 1, .limit = 10, .end = FT_LOCAL_ERR_END}, 0);
    load_many_failing(&all, 6, -1, FT_LOCAL_OK, 6, 0);
    load_many_failing(&all, 100, -1, FT_LOCAL_OK, 4, 6);
    load_many_failing(&all, 100, -1, FT_LOCAL_ERR_END, 0, 0);
    load_for_failing(&all, -1, FT_LOCAL_ERR_END);
    scene_end(&all);
}

static void what_was_loaded_before_the_time_ran_out_is_the_callers(void) {
    scene all;
    scene_begin(&all, 6, (fake_source){.per_call = 1}, 5);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    load_many_failing(&all, 100, 1000000, FT_LOCAL_ERR_TIMED_OUT, 3, 1);
    slow_source_go_on(&all.slow);
    end_thread(filler);
    load_many_expecting(&all, 20, 4);
    scene_end(&all);
}

static void nothing_is_loaded_from_a_closed_batch(void) {
    scene all;
    scene_begin(&all, 6, (fake_source){.per_call = 1}, 0);
    load_expecting(all.batch, 0);
    CHECK_EQ(ft_local_batch_close(all.batch), FT_LOCAL_OK);
    load_many_failing(&all, 3, -1, FT_LOCAL_ERR_CLOSED, 0, 0);
    load_for_failing(&all, -1, FT_LOCAL_ERR_CLOSED);
    load_for_failing(&all, 0, FT_LOCAL_ERR_CLOSED);
    try_load_failing(&all, FT_LOCAL_ERR_CLOSED);
    CHECK_EQ(all.slow.source.calls, 6);
    scene_end(&all);
}

int main(void) {
    RUN(a_load_of_a_ready_result_needs_no_time);
    RUN(a_load_that_times_out_loses_nothing);
    RUN(a_load_that_waits_long_enough_gets_a_result);
    RUN(try_load_takes_what_is_ready_and_no_more);
    RUN(try_load_does_not_wait_for_a_fill);
    RUN(load_many_brings_as_many_as_were_asked_for);
    RUN(none_are_loaded_into_no_array);
    RUN(a_failure_in_the_middle_leaves_what_was_loaded_before);
    RUN(fewer_than_asked_for_are_no_error_at_the_end);
    RUN(what_was_loaded_before_the_time_ran_out_is_the_callers);
    RUN(nothing_is_loaded_from_a_closed_batch);
    return fake_hosts_report();
}
