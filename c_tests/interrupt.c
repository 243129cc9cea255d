// A thread that waits for another thread's source can be interrupted, and nothing is lost.

#include "big_lock.h"
#include "check.h"
#include "fake_source.h"

#include <time.h>

typedef struct scene {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    atomic_bool source_runs;
    atomic_bool go_on;
} scene;

static void pause_a_little(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

// The first call is stuck until the test lets it go on.
static int32_t fill_stuck(void *ctx, void **out, size_t capacity, size_t *produced) {
    scene *all = ctx;
    runtime_leave();
    atomic_store(&all->source_runs, true);
    while (!atomic_load(&all->go_on)) {
        pause_a_little();
    }
    runtime_enter();
    return fake_source_table(&all->source).fill(&all->source, out, capacity, produced);
}

static void release_plain(void *object) {
    CHECK(runtime_is_inside());
    fake_object_release(object);
}

static void scene_begin(scene *all, way_to_wait wait, way_to_ask ask) {
    runtime_reset();
    *all = (scene){.source = {.per_call = 1}};
    all->source.host = &all->host;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.release_plain = release_plain;
    runtime_set_wait(&host, wait);
    runtime_set_interrupted(&host, ask);
    ft_local_source source = {.struct_size = sizeof source, .ctx = all, .fill = fill_stuck};
    CHECK_EQ(ft_local_batch_new(&host, &source, 4, &all->batch), FT_LOCAL_OK);
}

static void *load_and_run_the_source(void *arg) {
    scene *all = arg;
    runtime_enter();
    load_expecting(all->batch, 0);
    runtime_leave();
    return NULL;
}

static void *load_until_interrupted(void *arg) {
    scene *all = arg;
    runtime_enter();
    load_failing(all->batch, FT_LOCAL_ERR_INTERRUPTED);
    runtime_leave();
    return NULL;
}

static void a_waiting_thread_stops(way_to_wait wait, way_to_ask ask) {
    enum { WAITERS = 3 };
    scene all;
    scene_begin(&all, wait, ask);
    pthread_t filler;
    CHECK_EQ(pthread_create(&filler, NULL, load_and_run_the_source, &all), 0);
    while (!atomic_load(&all.source_runs)) {
        pause_a_little();
    }
    pthread_t waiters[WAITERS];
    for (int index = 0; index < WAITERS; index++) {
        CHECK_EQ(pthread_create(&waiters[index], NULL, load_until_interrupted, &all), 0);
    }
    // They are asked again and again, and wait on as long as the answer is 0.
    while (atomic_load(&runtime_asked) < 4 * WAITERS) {
        pause_a_little();
    }
    atomic_store(&runtime_answer, 1);
    for (int index = 0; index < WAITERS; index++) {
        CHECK_EQ(pthread_join(waiters[index], NULL), 0);
    }
    CHECK(!atomic_load(&all.go_on));
    atomic_store(&runtime_answer, 0);

    // Nothing is lost: the fill ends, and the rest comes in order.
    atomic_store(&all.go_on, true);
    CHECK_EQ(pthread_join(filler, NULL), 0);
    runtime_enter();
    for (size_t number = 1; number < 10; number++) {
        load_expecting(all.batch, number);
    }
    ft_local_batch_free(all.batch);
    runtime_leave();
    fake_host_end(&all.host);
}

static void a_waiting_thread_stops_when_interrupted_says_so(void) {
    a_waiting_thread_stops(BY_BLOCK, BY_INTERRUPTED);
    a_waiting_thread_stops(BY_DETACH_AND_ATTACH, BY_INTERRUPTED);
}

static void so_it_does_by_the_form_without_ctx(void) {
    a_waiting_thread_stops(BY_BLOCK, BY_INTERRUPTED_PLAIN);
    a_waiting_thread_stops(BY_DETACH_AND_ATTACH, BY_INTERRUPTED_PLAIN);
}

static void a_thread_that_need_not_wait_is_not_asked(void) {
    scene all;
    scene_begin(&all, BY_BLOCK, BY_INTERRUPTED);
    atomic_store(&all.go_on, true);
    atomic_store(&runtime_answer, 1);
    runtime_enter();
    for (size_t number = 0; number < 100; number++) {
        load_expecting(all.batch, number);
    }
    ft_local_batch_free(all.batch);
    runtime_leave();
    CHECK_EQ(atomic_load(&runtime_asked), 0);
    fake_host_end(&all.host);
}

int main(void) {
    RUN(a_waiting_thread_stops_when_interrupted_says_so);
    RUN(so_it_does_by_the_form_without_ctx);
    RUN(a_thread_that_need_not_wait_is_not_asked);
    return fake_hosts_report();
}
