// Results made before anybody asks for them, by a thread of the host's own.

#include "check.h"
#include "slow_source.h"

#include <sched.h>

enum { SIZE = 8, FAILURE = 4711, LOADERS = 4, LOADS = 5000 };

typedef struct scene {
    fake_host host;
    slow_source slow;
    ft_local_batch *batch;
    // How many results a thread of the host's own has made, and how many were loaded.
    size_t prefilled;
    atomic_size_t loaded;
    atomic_uchar *seen;
} scene;

static void scene_begin(scene *all, fake_source source, size_t slow_call) {
    *all = (scene){.slow = {.source = source, .slow_call = slow_call}};
    all->slow.source.host = &all->host;
    all->batch = slow_source_batch(&all->slow, SIZE);
}

static void scene_end(scene *all) {
    exact_stats(all->batch);
    ft_local_batch_free(all->batch);
    CHECK_EQ(atomic_load(&all->host.releases), all->slow.source.made);
    fake_host_end(&all->host);
}

static void prefill(scene *all, size_t low_water, size_t max, int64_t timeout_ns, size_t expected) {
    size_t made = SIZE_MAX;
    CHECK_EQ(ft_local_batch_prefill(all->batch, low_water, max, timeout_ns, &made), FT_LOCAL_OK);
    CHECK_EQ(made, expected);
}

static void prefill_failing(scene *all, ft_local_status status) {
    size_t made = SIZE_MAX;
    CHECK_EQ(ft_local_batch_prefill(all->batch, SIZE, SIZE, -1, &made), status);
    CHECK_EQ(made, 0);
}

static void it_makes_as_many_as_it_may(void) {
    scene all;
    scene_begin(&all, (fake_source){.per_call = 1}, 0);
    prefill(&all, 1, 3, -1, 3);
    CHECK_EQ(ft_local_batch_len(all.batch), 3);
    // As many as low_water are ready: a call without time to wait makes no more.
    prefill(&all, 3, SIZE, 0, 0);
    prefill(&all, 3, SIZE, 1000000, 0);
    CHECK_EQ(all.slow.source.calls, 3);
    prefill(&all, 4, 1, -1, 1);
    // What does not fit is not made.
    prefill(&all, SIZE, SIZE_MAX, -1, SIZE - 4);
    prefill(&all, SIZE_MAX, SIZE_MAX, 0, 0);
    for (size_t number = 0; number < SIZE; number++) {
        load_expecting(all.batch, number);
    }
    CHECK_EQ(all.slow.source.calls, SIZE);
    load_expecting(all.batch, SIZE);
    scene_end(&all);
}

static void nothing_is_asked_for(void) {
    scene all;
    scene_begin(&all, (fake_source){.per_call = 1}, 0);
    prefill(&all, 0, SIZE, -1, 0);
    prefill(&all, SIZE, 0, -1, 0);
    CHECK_EQ(all.slow.source.calls, 0);
    scene_end(&all);
}

static void a_failure_is_returned_and_what_was_made_is_kept(void) {
    scene all;
    fake_source source = {.per_call = 1, .fail_at_call = 4, .failure = FAILURE};
    scene_begin(&all, source, 0);
    prefill_failing(&all, FAILURE);
    CHECK_EQ(ft_local_batch_len(all.batch), 3);
    prefill(&all, SIZE, SIZE, -1, SIZE - 3);
    for (size_t number = 0; number < 20; number++) {
        load_expecting(all.batch, number);
    }
    CHECK_EQ(exact_stats(all.batch).errors, 1);
    scene_end(&all);
}

static void the_end_and_the_close_are_returned(void) {
    scene all;
    scene_begin(&all, (fake_source){.per_call = 1, .limit = 5, .end = FT_LOCAL_ERR_END}, 0);
    prefill(&all, SIZE, SIZE, -1, 5);
    prefill_failing(&all, FT_LOCAL_ERR_END);
    load_expecting(all.batch, 0);
    CHECK_EQ(ft_local_batch_close(all.batch), FT_LOCAL_OK);
    prefill_failing(&all, FT_LOCAL_ERR_CLOSED);
    scene_end(&all);
}

static int32_t prefill_what_is_being_filled(void *ctx, void **out, size_t room, size_t *produced) {
    scene *all = ctx;
    prefill_failing(all, FT_LOCAL_ERR_REENTRANT);
    return fake_source_table(&all->slow.source).fill(&all->slow.source, out, room, produced);
}

static void a_source_cannot_prefill_its_own_batch(void) {
    scene all = {.slow = {.source = {.per_call = SIZE}}};
    all.slow.source.host = &all.host;
    ft_local_host host = fake_host_table(&all.host);
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &all;
    source.fill = prefill_what_is_being_filled;
    CHECK_EQ(ft_local_batch_new(&host, &source, SIZE, &all.batch), FT_LOCAL_OK);
    load_expecting(all.batch, 0);
    scene_end(&all);
}

static void *load_first(void *arg) {
    load_expecting(((scene *)arg)->batch, 0);
    return NULL;
}

static void a_call_without_time_leaves_the_fill_to_another(void) {
    scene all;
    scene_begin(&all, (fake_source){.per_call = 1}, 1);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    prefill(&all, SIZE, SIZE, 0, 0);
    prefill(&all, SIZE, SIZE, 1000000, 0);
    slow_source_go_on(&all.slow);
    end_thread(filler);
    CHECK_EQ(all.slow.source.calls, SIZE);
    scene_end(&all);
}

// What a thread of the host's own does until the batch is closed.
static void *keep_filled(void *arg) {
    scene *all = arg;
    size_t made = SIZE_MAX;
    ft_local_status status = FT_LOCAL_OK;
    while (status == FT_LOCAL_OK) {
        status = ft_local_batch_prefill(all->batch, SIZE / 2, SIZE, -1, &made);
        all->prefilled += made;
    }
    CHECK_EQ(status, FT_LOCAL_ERR_CLOSED);
    CHECK_EQ(made, 0);
    return NULL;
}

static void a_thread_that_waits_for_room_is_woken_by_loads_and_by_close(void) {
    scene all;
    scene_begin(&all, (fake_source){.per_call = 1}, 0);
    pthread_t filler = start_thread(keep_filled, &all);
    for (size_t number = 0; number < 100; number++) {
        // As long as nobody else fills, these come from the other thread.
        void *object = NULL;
        while (ft_local_batch_try_load(all.batch, &object) == FT_LOCAL_ERR_EMPTY) {
            sched_yield();
        }
        receive(object, number);
    }
    CHECK_EQ(ft_local_batch_close(all.batch), FT_LOCAL_OK);
    end_thread(filler);
    CHECK_EQ(all.prefilled, all.slow.source.made);
    scene_end(&all);
}

static void *load_many_times(void *arg) {
    scene *all = arg;
    ft_local_cursor *cursor = cursor_of(all->batch);
    for (size_t times = 0; times < LOADS; times++) {
        void *loaded = NULL;
        CHECK_EQ(times % 2 ? ft_local_batch_load(all->batch, &loaded)
                           : ft_local_cursor_next(cursor, &loaded),
                 FT_LOCAL_OK);
        fake_object *object = loaded;
        CHECK(object->number < 2 * LOADERS * LOADS);
        CHECK_EQ(atomic_fetch_add(&all->seen[object->number], 1), 0);
        fake_object_release(object);
        atomic_fetch_add(&all->loaded, 1);
    }
    ft_local_cursor_free(cursor);
    return NULL;
}

static void each_object_once_beside_a_thread_that_prefills(void) {
    scene all;
    scene_begin(&all, (fake_source){.per_call = 1}, 0);
    all.seen = calloc(2 * LOADERS * LOADS, 1);
    CHECK(all.seen != NULL);
    pthread_t filler = start_thread(keep_filled, &all);
    pthread_t loaders[LOADERS];
    for (size_t index = 0; index < LOADERS; index++) {
        loaders[index] = start_thread(load_many_times, &all);
    }
    for (size_t index = 0; index < LOADERS; index++) {
        end_thread(loaders[index]);
    }
    CHECK_EQ(atomic_load(&all.loaded), LOADERS * LOADS);
    CHECK_EQ(ft_local_batch_close(all.batch), FT_LOCAL_OK);
    end_thread(filler);
    free(all.seen);
    scene_end(&all);
}

int main(void) {
    RUN(it_makes_as_many_as_it_may);
    RUN(nothing_is_asked_for);
    RUN(a_failure_is_returned_and_what_was_made_is_kept);
    RUN(the_end_and_the_close_are_returned);
    RUN(a_source_cannot_prefill_its_own_batch);
    RUN(a_call_without_time_leaves_the_fill_to_another);
    RUN(a_thread_that_waits_for_room_is_woken_by_loads_and_by_close);
    RUN(each_object_once_beside_a_thread_that_prefills);
    return fake_hosts_report();
}
