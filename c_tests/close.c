// A batch that ends while it is in use: which threads learn of it, and what happens to the results.

#include "check.h"
#include "slow_source.h"

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

static void close_batch(scene *all) {
    CHECK_EQ(ft_local_batch_close(all->batch), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_is_closed(all->batch), 1);
    CHECK_EQ(ft_local_batch_len(all->batch), 0);
}

static void results_in_the_buffer_are_released(void) {
    scene all;
    scene_begin(&all, 6, (fake_source){.per_call = 1}, 0);
    load_expecting(all.batch, 0);
    CHECK_EQ(ft_local_batch_is_closed(all.batch), 0);
    close_batch(&all);
    CHECK_EQ(atomic_load(&all.host.releases), 6);
    CHECK_EQ(exact_stats(all.batch).released, 5);
    load_failing(all.batch, FT_LOCAL_ERR_CLOSED);
    CHECK_EQ(all.slow.source.calls, 6);
    scene_end(&all);
}

static void closing_again_does_nothing(void) {
    scene all;
    scene_begin(&all, 6, (fake_source){.per_call = 1}, 0);
    close_batch(&all);
    load_failing(all.batch, FT_LOCAL_ERR_CLOSED);
    close_batch(&all);
    close_batch(&all);
    CHECK_EQ(ft_local_batch_clear(all.batch), FT_LOCAL_OK);
    CHECK_EQ(all.slow.source.calls, 0);
    CHECK_EQ(ft_local_batch_size(all.batch), 6);
    scene_end(&all);
}

static void a_batch_that_has_ended_can_be_closed(void) {
    scene all;
    scene_begin(&all, 6, (fake_source){.per_call = 1, .limit = 3, .end = FT_LOCAL_ERR_END}, 0);
    load_expecting(all.batch, 0);
    close_batch(&all);
    load_failing(all.batch, FT_LOCAL_ERR_CLOSED);
    CHECK_EQ(atomic_load(&all.host.releases), 3);
    scene_end(&all);
}

static void cursors_hand_out_what_they_have_in_hand(void) {
    scene all;
    scene_begin(&all, 20, (fake_source){.per_call = 1}, 0);
    ft_local_cursor *cursor = cursor_of(all.batch);
    ft_local_cursor *other = cursor_of(all.batch);
    next_expecting(cursor, 0);
    next_expecting(cursor, 1);
    size_t in_hand = ft_local_cursor_len(cursor);
    CHECK(in_hand > 0);
    next_expecting(other, 2 + in_hand);
    size_t in_others_hand = ft_local_cursor_len(other);
    CHECK(in_others_hand > 0);
    close_batch(&all);
    CHECK_EQ(atomic_load(&all.host.alive), in_hand + in_others_hand);
    for (size_t number = 2; number < 2 + in_hand; number++) {
        next_expecting(cursor, number);
    }
    next_failing(cursor, FT_LOCAL_ERR_CLOSED);
    ft_local_cursor_free(cursor);
    // What is given back to a closed batch is released.
    ft_local_cursor_free(other);
    CHECK_EQ(atomic_load(&all.host.alive), 0);
    cursor = cursor_of(all.batch);
    next_failing(cursor, FT_LOCAL_ERR_CLOSED);
    ft_local_cursor_free(cursor);
    scene_end(&all);
}

static void *load_first(void *arg) {
    load_expecting(((scene *)arg)->batch, 0);
    return NULL;
}

static void *load_closed(void *arg) {
    load_failing(((scene *)arg)->batch, FT_LOCAL_ERR_CLOSED);
    return NULL;
}

static void *load_for_closed(void *arg) {
    void *loaded = arg;
    CHECK_EQ(ft_local_batch_load_for(((scene *)arg)->batch, 3600000000000, &loaded),
             FT_LOCAL_ERR_CLOSED);
    CHECK_PTR(loaded, NULL);
    return NULL;
}

static void *load_many_closed(void *arg) {
    void *loaded = arg;
    size_t count = 7;
    CHECK_EQ(ft_local_batch_load_many(((scene *)arg)->batch, 1, -1, &loaded, &count),
             FT_LOCAL_ERR_CLOSED);
    CHECK_EQ(count, 0);
    CHECK_PTR(loaded, arg);
    return NULL;
}

static void *next_closed(void *arg) {
    ft_local_cursor *cursor = cursor_of(((scene *)arg)->batch);
    next_failing(cursor, FT_LOCAL_ERR_CLOSED);
    ft_local_cursor_free(cursor);
    return NULL;
}

static void *prefill_closed(void *arg) {
    size_t made = 7;
    CHECK_EQ(ft_local_batch_prefill(((scene *)arg)->batch, 5, 5, -1, &made), FT_LOCAL_ERR_CLOSED);
    CHECK_EQ(made, 0);
    return NULL;
}

// They go on while the fifth thread still runs the source. What that makes is
// released, but for the first, which the thread has made for itself.
static void who_waits_is_woken_and_what_is_being_made_is_released(size_t per_call) {
    scene all;
    scene_begin(&all, 10, (fake_source){.per_call = per_call}, 1);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    void *(*const functions[])(void *) = {load_closed, load_for_closed, load_many_closed,
                                          next_closed, prefill_closed};
    pthread_t waiters[5];
    for (size_t index = 0; index < 5; index++) {
        waiters[index] = start_thread(functions[index], &all);
    }
    // To prefill is not to load, and is not counted.
    await_waits(all.batch, 4);
    close_batch(&all);
    for (size_t index = 0; index < 5; index++) {
        end_thread(waiters[index]);
    }
    CHECK_EQ(all.slow.source.made, 0);
    slow_source_go_on(&all.slow);
    end_thread(filler);
    CHECK_EQ(all.slow.source.calls, 1);
    CHECK_EQ(all.slow.source.made, per_call);
    CHECK_EQ(atomic_load(&all.host.alive), 0);
    scene_end(&all);
}

static void who_waits_is_woken(void) {
    who_waits_is_woken_and_what_is_being_made_is_released(1);
    who_waits_is_woken_and_what_is_being_made_is_released(7);
}

typedef struct inside {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    // The object after which the source closes its batch.
    size_t last;
} inside;

static int32_t fill_and_close(void *ctx, void **out, size_t capacity, size_t *produced) {
    inside *all = ctx;
    int32_t result = fake_source_table(&all->source).fill(&all->source, out, capacity, produced);
    if (all->source.made > all->last) {
        CHECK_EQ(ft_local_batch_close(all->batch), FT_LOCAL_OK);
        CHECK_EQ(ft_local_batch_is_closed(all->batch), 1);
    }
    return result;
}

static void *next_and_close(void *ctx) {
    void *object = NULL;
    size_t produced = 0;
    CHECK_EQ(fill_and_close(ctx, &object, 1, &produced), 0);
    return object;
}

static void a_source_may_close_its_own_batch(void) {
    for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
        for (size_t last = 0; last < 12; last++) {
            inside all = {.source = {.per_call = one_by_one ? 1 : 3}, .last = last};
            all.source.host = &all.host;
            ft_local_host host = fake_host_table(&all.host);
            ft_local_source source = FT_LOCAL_SOURCE_INIT;
            source.ctx = &all;
            source.fill = one_by_one ? NULL : fill_and_close;
            source.next_plain = one_by_one ? next_and_close : NULL;
            ft_local_batch *batch = NULL;
            CHECK_EQ(ft_local_batch_new(&host, &source, 6, &batch), FT_LOCAL_OK);
            all.batch = batch;
            // Results 0 to 5 come from one fill, 6 to 11 from the next: the one that closes hands
            // out its first result only.
            size_t first_of_last_fill = last / 6 * 6;
            for (size_t number = 0; number <= first_of_last_fill; number++) {
                load_expecting(batch, number);
            }
            load_failing(batch, FT_LOCAL_ERR_CLOSED);
            CHECK_EQ(atomic_load(&all.host.alive), 0);
            CHECK_EQ(atomic_load(&all.host.releases), all.source.made);
            exact_stats(batch);
            ft_local_batch_free(batch);
            fake_host_end(&all.host);
        }
    }
}

enum { LOADERS = 8 };

static void *load_until_closed(void *arg) {
    scene *all = arg;
    void *loaded = NULL;
    ft_local_status status;
    while ((status = ft_local_batch_load(all->batch, &loaded)) == FT_LOCAL_OK) {
        fake_object_release(loaded);
    }
    CHECK_EQ(status, FT_LOCAL_ERR_CLOSED);
    CHECK_PTR(loaded, NULL);
    return NULL;
}

static void *close_in_a_thread(void *arg) {
    close_batch(arg);
    return NULL;
}

// The fake host stops the program if one is released twice.
static void each_object_once_whenever_two_threads_close(void) {
    for (size_t times = 0; times < 50; times++) {
        scene all;
        scene_begin(&all, 64, (fake_source){.per_call = times % 3 + 1}, 200);
        pthread_t loaders[LOADERS];
        for (size_t index = 0; index < LOADERS; index++) {
            loaders[index] = start_thread(load_until_closed, &all);
        }
        slow_source_await(&all.slow);
        pthread_t other = start_thread(close_in_a_thread, &all);
        slow_source_go_on(&all.slow);
        close_batch(&all);
        end_thread(other);
        for (size_t index = 0; index < LOADERS; index++) {
            end_thread(loaders[index]);
        }
        CHECK_EQ(atomic_load(&all.host.alive), 0);
        scene_end(&all);
    }
}

int main(void) {
    RUN(results_in_the_buffer_are_released);
    RUN(closing_again_does_nothing);
    RUN(a_batch_that_has_ended_can_be_closed);
    RUN(cursors_hand_out_what_they_have_in_hand);
    RUN(who_waits_is_woken);
    RUN(a_source_may_close_its_own_batch);
    RUN(each_object_once_whenever_two_threads_close);
    return fake_hosts_report();
}
