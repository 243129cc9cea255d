// Results that were loaded and are not wanted.

#include "check.h"
#include "child.h"
#include "slow_source.h"

enum { SIZE = 6 };

typedef struct scene {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    // What the test has loaded.
    void *objects[4 * SIZE];
} scene;

static void scene_begin_with(scene *all, const ft_local_batch_options *options) {
    *all = (scene){.source = {.per_call = 1}};
    all->source.host = &all->host;
    all->batch = fake_source_batch_with(&all->source, SIZE, options);
}

static void scene_end(scene *all) {
    exact_stats(all->batch);
    ft_local_batch_free(all->batch);
    CHECK_EQ(atomic_load(&all->host.releases), all->source.made);
    fake_host_end(&all->host);
}

static void load(scene *all, size_t n) {
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(all->batch, n, -1, all->objects, &count), FT_LOCAL_OK);
    CHECK_EQ(count, n);
}

static void give_back(scene *all, size_t first, size_t n) {
    CHECK_EQ(ft_local_batch_give_back(all->batch, all->objects + first, n), FT_LOCAL_OK);
}

static void what_comes_back_is_handed_out_first(void) {
    // Some that a fill has left are there too, and the source would have more.
    for (size_t loaded = 1; loaded <= 2 * SIZE; loaded++) {
        scene all;
        scene_begin_with(&all, NULL);
        load(&all, loaded);
        size_t left = ft_local_batch_len(all.batch);
        size_t calls = all.source.calls;
        give_back(&all, 0, loaded);
        CHECK_EQ(ft_local_batch_len(all.batch), left + loaded);
        visit_expecting(all.batch, 0);
        for (size_t number = 0; number < loaded + left; number++) {
            load_expecting(all.batch, number);
            visit_expecting(all.batch, number + 1);
        }
        CHECK_EQ(all.source.calls, calls);
        load_expecting(all.batch, loaded + left);
        CHECK_EQ(exact_stats(all.batch).given_back, loaded);
        scene_end(&all);
    }
}

static void part_of_it_may_come_back(void) {
    scene all;
    scene_begin_with(&all, NULL);
    load(&all, 5);
    receive(all.objects[0], 0);
    give_back(&all, 1, 2);
    receive(all.objects[3], 3);
    receive(all.objects[4], 4);
    load_expecting(all.batch, 1);
    load_expecting(all.batch, 2);
    load_expecting(all.batch, 5);
    scene_end(&all);
}

static void all_ways_to_take_find_it(void) {
    scene all;
    scene_begin_with(&all, NULL);
    load(&all, 5);
    give_back(&all, 0, 5);
    void *object = NULL;
    load_expecting(all.batch, 0);
    CHECK_EQ(ft_local_batch_try_load(all.batch, &object), FT_LOCAL_OK);
    receive(object, 1);
    CHECK_EQ(ft_local_batch_load_for(all.batch, 0, &object), FT_LOCAL_OK);
    receive(object, 2);
    ft_local_cursor *cursor = cursor_of(all.batch);
    next_expecting(cursor, 3);
    ft_local_cursor_free(cursor);
    load(&all, 3);
    for (size_t index = 0; index < 3; index++) {
        receive(all.objects[index], 4 + index);
    }
    scene_end(&all);
}

static void nothing_may_come_back(void) {
    scene all;
    scene_begin_with(&all, NULL);
    CHECK_EQ(ft_local_batch_give_back(all.batch, NULL, 0), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_len(all.batch), 0);
    scene_end(&all);
}

static void free_and_clear_release_what_came_back(void) {
    scene all;
    scene_begin_with(&all, NULL);
    load(&all, 4);
    give_back(&all, 0, 4);
    CHECK_EQ(ft_local_batch_clear(all.batch), FT_LOCAL_OK);
    CHECK_EQ(atomic_load(&all.host.releases), SIZE);
    CHECK_EQ(exact_stats(all.batch).released, SIZE);
    load(&all, 4);
    give_back(&all, 1, 3);
    fake_object_release(all.objects[0]);
    scene_end(&all);
}

static void a_closed_batch_releases_what_comes_back(void) {
    scene all;
    scene_begin_with(&all, NULL);
    load(&all, 4);
    CHECK_EQ(ft_local_batch_close(all.batch), FT_LOCAL_OK);
    CHECK_EQ(atomic_load(&all.host.releases), SIZE - 4);
    give_back(&all, 0, 4);
    CHECK_EQ(atomic_load(&all.host.releases), SIZE);
    CHECK_EQ(exact_stats(all.batch).released, SIZE);
    scene_end(&all);
}

static void objects_that_cannot_be_are_refused_with_all_others(void) {
    scene all;
    scene_begin_with(&all, NULL);
    load(&all, 3);
    void *middle = all.objects[1];
    all.objects[1] = NULL;
    CHECK_EQ(ft_local_batch_give_back(all.batch, all.objects, 3), FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(ft_local_last_error(), "one of the objects is NULL");
    CHECK_EQ(ft_local_batch_len(all.batch), SIZE - 3);
    all.objects[1] = middle;
    give_back(&all, 0, 3);
    for (size_t number = 0; number < 10; number++) {
        load_expecting(all.batch, number);
    }
    scene_end(&all);
}

static int32_t fill_with_nulls(void *ctx, void **out, size_t capacity, size_t *produced) {
    (void)ctx;
    (void)out;
    *produced = capacity;
    return 0;
}

static void plain_values_may_be_null(void) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.fill = fill_with_nulls;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 3, &batch), FT_LOCAL_OK);
    void *const values[] = {NULL, &host, NULL};
    CHECK_EQ(ft_local_batch_give_back(batch, values, 3), FT_LOCAL_OK);
    for (size_t index = 0; index < 3; index++) {
        void *value = &source;
        CHECK_EQ(ft_local_batch_load(batch, &value), FT_LOCAL_OK);
        CHECK_PTR(value, values[index]);
    }
    ft_local_batch_free(batch);
}

typedef struct waiting {
    fake_host host;
    slow_source slow;
    ft_local_batch *batch;
} waiting;

static void *load_first(void *arg) {
    load_expecting(((waiting *)arg)->batch, 0);
    return NULL;
}

static void *load_second(void *arg) {
    load_expecting(((waiting *)arg)->batch, 1);
    return NULL;
}

static void a_waiting_load_gets_what_comes_back(void) {
    waiting all = {.slow = {.source = {.per_call = 1}, .slow_call = 3}};
    all.slow.source.host = &all.host;
    all.batch = slow_source_batch(&all.slow, SIZE);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    void *object = NULL;
    CHECK_EQ(ft_local_batch_try_load(all.batch, &object), FT_LOCAL_OK);
    pthread_t other = start_thread(load_second, &all);
    await_waits(all.batch, 1);
    CHECK_EQ(ft_local_batch_give_back(all.batch, &object, 1), FT_LOCAL_OK);
    // While the source still waits for this thread.
    end_thread(other);
    slow_source_go_on(&all.slow);
    end_thread(filler);
    ft_local_batch_free(all.batch);
    fake_host_end(&all.host);
}

static void child_keeps_its_objects(void *arg) {
    scene *all = arg;
    CHECK_EQ(ft_local_batch_give_back(all->batch, all->objects, 2), FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_batch_give_back(all->batch, NULL, 0), FT_LOCAL_ERR_FORKED);
    receive(all->objects[0], 0);
    receive(all->objects[1], 1);
}

static void nothing_comes_back_to_a_batch_that_is_the_parents(void) {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.on_fork = FT_LOCAL_FORK_ERROR;
    scene all;
    scene_begin_with(&all, &options);
    load(&all, 2);
    passes_in_child(child_keeps_its_objects, &all);
    give_back(&all, 0, 2);
    load_expecting(all.batch, 0);
    scene_end(&all);
}

int main(void) {
    RUN(what_comes_back_is_handed_out_first);
    RUN(part_of_it_may_come_back);
    RUN(all_ways_to_take_find_it);
    RUN(nothing_may_come_back);
    RUN(free_and_clear_release_what_came_back);
    RUN(a_closed_batch_releases_what_comes_back);
    RUN(objects_that_cannot_be_are_refused_with_all_others);
    RUN(plain_values_may_be_null);
    RUN(a_waiting_load_gets_what_comes_back);
    RUN(nothing_comes_back_to_a_batch_that_is_the_parents);
    return fake_hosts_report();
}
