// Waiting in a runtime with one big lock, which deadlocks unless the waiting thread gives it up.

#include "big_lock.h"
#include "check.h"
#include "fake_source.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A test in a child process, which a deadlock cannot outlive. Shared with the parent.
typedef struct scene {
    way_to_wait way;
    // Whether the host says that it has one lock. It works either way.
    bool says_so;
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    size_t budget;
    atomic_bool source_runs;
    atomic_bool other_loads;
} scene;

static void sleep_ms(long milliseconds) {
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

static void wait_until(atomic_bool *flag) {
    while (!atomic_load(flag)) {
        sleep_ms(1);
    }
}

static void release_inside(void *ctx, void *object) {
    (void)ctx;
    CHECK(runtime_is_inside());
    fake_object_release(object);
}

static ft_local_batch *make_batch(scene *all, ft_local_source source, size_t size) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.release = release_inside;
    runtime_set_wait(&host, all->way);
    host.one_lock = all->says_so;
    host.whole_fills = !all->says_so;
    ft_local_batch *batch = NULL;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = all->budget;
    CHECK_EQ(ft_local_batch_new_with(&host, &source, size, &options, &batch), FT_LOCAL_OK);
    return batch;
}

// As a source in an interpreter does that reads a file: leaves the runtime, where the other thread
// gets its turn, and comes back.
static int32_t fill_with_a_break(void *ctx, void **out, size_t capacity, size_t *produced) {
    scene *all = ctx;
    CHECK(runtime_is_inside());
    if (all->source.calls == 0) {
        runtime_leave();
        atomic_store(&all->source_runs, true);
        wait_until(&all->other_loads);
        runtime_enter();
    }
    return fake_source_table(&all->source).fill(&all->source, out, capacity, produced);
}

static void *load_in_the_break(void *arg) {
    scene *all = arg;
    wait_until(&all->source_runs);
    runtime_enter();
    atomic_store(&all->other_loads, true);
    load_expecting(all->batch, 1);
    runtime_leave();
    return NULL;
}

typedef int32_t (*fill_function)(void *ctx, void **out, size_t capacity, size_t *produced);

// One thread loads object 0, and runs the source for that; the other one loads object 1.
static void play_two_threads(scene *all, fill_function fill, void *(*load_other)(void *)) {
    all->source = (fake_source){.host = &all->host, .per_call = 1};
    all->batch = make_batch(
        all, (ft_local_source){.struct_size = sizeof(ft_local_source), .ctx = all, .fill = fill},
        3);
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, load_other, all), 0);
    runtime_enter();
    load_expecting(all->batch, 0);
    runtime_leave();
    CHECK_EQ(pthread_join(other, NULL), 0);
    runtime_enter();
    load_expecting(all->batch, 2);
    ft_local_batch_free(all->batch);
    runtime_leave();
    CHECK(atomic_load(&runtime_waits) > 0);
    fake_host_end(&all->host);
}

static void two_threads_load(scene *all) {
    play_two_threads(all, fill_with_a_break, load_in_the_break);
}

// Runs `play` in a child. Returns whether it ended well; otherwise the alarm has ended it.
static bool ends_within(unsigned seconds, scene *all, void (*play)(scene *)) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(seconds);
        play(all);
        _exit(fake_hosts_report());
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        CHECK_EQ(WTERMSIG(status), SIGALRM);
        return false;
    }
    CHECK_EQ(WEXITSTATUS(status), 0);
    return true;
}

static scene *scene_begin(way_to_wait way) {
    scene *all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(all != MAP_FAILED);
    all->way = way;
    return all;
}

static void scene_end(scene *all) {
    CHECK_EQ(munmap(all, sizeof *all), 0);
}

// Shows that the scene can fail: what the next tests survive deadlocks here.
static void without_a_way_to_give_up_the_lock_two_threads_deadlock(void) {
    scene *all = scene_begin(NO_WAY);
    CHECK(!ends_within(2, all, two_threads_load));
    CHECK(atomic_load(&all->other_loads));
    scene_end(all);
}

static void block_gives_up_the_lock(void) {
    scene *all = scene_begin(BY_BLOCK);
    CHECK(ends_within(60, all, two_threads_load));
    scene_end(all);
}

static void detach_and_attach_give_up_the_lock(void) {
    scene *all = scene_begin(BY_DETACH_AND_ATTACH);
    CHECK(ends_within(60, all, two_threads_load));
    scene_end(all);
}

enum { CROWD = 4, LOADS = 500 };

static int32_t fill_with_many_breaks(void *ctx, void **out, size_t capacity, size_t *produced) {
    scene *all = ctx;
    runtime_leave();
    nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    runtime_enter();
    return fake_source_table(&all->source).fill(&all->source, out, capacity, produced);
}

static void *load_many(void *arg) {
    scene *all = arg;
    for (int times = 0; times < LOADS; times++) {
        void *object = NULL;
        runtime_enter();
        CHECK_EQ(ft_local_batch_load(all->batch, &object), FT_LOCAL_OK);
        fake_object_release(object);
        runtime_leave();
    }
    return NULL;
}

static void a_crowd_loads(scene *all) {
    ft_local_source source = {
        .struct_size = sizeof source, .ctx = all, .fill = fill_with_many_breaks};
    all->source = (fake_source){.host = &all->host, .per_call = 1};
    all->batch = make_batch(all, source, 4);
    pthread_t threads[CROWD];
    for (int index = 0; index < CROWD; index++) {
        CHECK_EQ(pthread_create(&threads[index], NULL, load_many, all), 0);
    }
    for (int index = 0; index < CROWD; index++) {
        CHECK_EQ(pthread_join(threads[index], NULL), 0);
    }
    CHECK(all->source.made >= CROWD * LOADS);
    runtime_enter();
    ft_local_batch_free(all->batch);
    runtime_leave();
    fake_host_end(&all->host);
}

static void a_crowd_gets_through_in_either_way(void) {
    for (int ways = 0; ways < 4; ways++) {
        scene *all = scene_begin(ways / 2 == 0 ? BY_BLOCK : BY_DETACH_AND_ATTACH);
        all->says_so = ways % 2 == 1;
        CHECK(ends_within(120, all, a_crowd_loads));
        scene_end(all);
    }
}

static void nobody_leaves_the_runtime_who_need_not_wait(void) {
    for (way_to_wait way = BY_BLOCK; way <= BY_DETACH_AND_ATTACH; way++) {
        scene all = {.way = way};
        runtime_reset();
        all.source = (fake_source){.host = &all.host, .per_call = 1};
        all.batch = make_batch(&all, fake_source_table(&all.source), 3);
        runtime_enter();
        for (size_t number = 0; number < 100; number++) {
            load_expecting(all.batch, number);
        }
        ft_local_batch_free(all.batch);
        runtime_leave();
        CHECK_EQ(atomic_load(&runtime_waits), 0);
        fake_host_end(&all.host);
    }
}

// Makes object 1 for a thread that is asleep by then, and nothing more until that has it.
static int32_t fill_step_by_step(void *ctx, void **out, size_t capacity, size_t *produced) {
    scene *all = ctx;
    runtime_leave();
    if (all->source.calls == 0) {
        atomic_store(&all->source_runs, true);
        while (atomic_load(&runtime_waits) == 0) {
            sleep_ms(1);
        }
        sleep_ms(20);
    }
    if (all->source.calls == 2) {
        wait_until(&all->other_loads);
    }
    runtime_enter();
    return fake_source_table(&all->source).fill(&all->source, out, capacity, produced);
}

static void *load_what_is_ready(void *arg) {
    scene *all = arg;
    wait_until(&all->source_runs);
    runtime_enter();
    load_expecting(all->batch, 1);
    runtime_leave();
    atomic_store(&all->other_loads, true);
    return NULL;
}

static void a_thread_waits_for_one_object(scene *all) {
    // The thread that fills goes on, although the other one waits.
    all->budget = 3;
    play_two_threads(all, fill_step_by_step, load_what_is_ready);
}

static void a_waiting_thread_gets_an_object_while_the_source_runs_on(void) {
    for (int says_so = 0; says_so < 2; says_so++) {
        scene *all = scene_begin(BY_BLOCK);
        all->says_so = says_so == 1;
        CHECK(ends_within(60, all, a_thread_waits_for_one_object));
        scene_end(all);
    }
}

int main(void) {
    RUN(nobody_leaves_the_runtime_who_need_not_wait);
    RUN(block_gives_up_the_lock);
    RUN(detach_and_attach_give_up_the_lock);
    RUN(a_waiting_thread_gets_an_object_while_the_source_runs_on);
    RUN(a_crowd_gets_through_in_either_way);
    RUN(without_a_way_to_give_up_the_lock_two_threads_deadlock);
    return fake_hosts_report();
}
