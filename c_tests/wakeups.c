// How often waiting threads are woken: once for each result, and not at all while there is none.

#define _GNU_SOURCE

#include "big_lock.h"
#include "check.h"
#include "child.h"
#include "fake_source.h"
#include "thread.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CROWD = 100, IDLE_TICKS = 1000, MOST_WHEN_IDLE = 25, MOST_OF_A_THREAD = 20 };

typedef struct scene {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    // How many objects each call of the source makes after the first.
    size_t together;
    pthread_t filler;
    // How often others than the filler have gone to sleep while there was nothing for them, and in
    // all.
    long slept_idle;
    atomic_long slept;
} scene;

static void ticks(int count) {
    while (count-- > 0) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

// How often a thread, or the whole process, has gone to sleep.
static long sleeps(int whose) {
    struct rusage usage;
    CHECK_EQ(getrusage(whose, &usage), 0);
    return usage.ru_nvcsw;
}

static long sleeps_of_others(void) {
    return sleeps(RUSAGE_SELF) - sleeps(RUSAGE_THREAD);
}

// The first call begins when everybody else waits, and lets them wait.
static int32_t fill_slowly(void *ctx, void **out, size_t capacity, size_t *produced) {
    scene *all = ctx;
    runtime_leave();
    if (all->source.calls == 0) {
        all->filler = pthread_self();
        while (atomic_load(&runtime_waits) < CROWD) {
            ticks(1);
        }
        ticks(50);
        const long before = sleeps_of_others();
        ticks(IDLE_TICKS);
        all->slept_idle = sleeps_of_others() - before;
    }
    ticks(2);
    runtime_enter();
    all->source.per_call = all->together;
    return fake_source_table(&all->source).fill(&all->source, out, capacity, produced);
}

static void *load_one(void *arg) {
    scene *all = arg;
    runtime_enter();
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(all->batch, &object), FT_LOCAL_OK);
    fake_object_release(object);
    if (!pthread_equal(all->filler, pthread_self())) {
        atomic_fetch_add(&all->slept, sleeps(RUSAGE_THREAD));
    }
    runtime_leave();
    return NULL;
}

static int32_t cannot_be_interrupted(void *ctx) {
    (void)ctx;
    CHECK(runtime_is_inside());
    return 0;
}

static int32_t cannot_be_interrupted_plain(void) {
    return cannot_be_interrupted(NULL);
}

typedef enum way_to_say { NOT_AT_ALL, BY_INTERRUPTIBLE, BY_INTERRUPTIBLE_PLAIN } way_to_say;

static void scene_begin(scene *all, size_t together, way_to_say way) {
    runtime_reset();
    *all = (scene){.together = together};
    all->source.host = &all->host;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.release_plain = fake_object_release;
    runtime_set_wait(&host, BY_DETACH_AND_ATTACH);
    runtime_set_interrupted(&host, BY_INTERRUPTED);
    host.interruptible = way == BY_INTERRUPTIBLE ? cannot_be_interrupted : NULL;
    host.interruptible_plain = way == BY_INTERRUPTIBLE_PLAIN ? cannot_be_interrupted_plain : NULL;
    ft_local_source source = {.struct_size = sizeof source, .ctx = all, .fill = fill_slowly};
    // One fill, however long others wait.
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = CROWD + 1;
    CHECK_EQ(ft_local_batch_new_with(&host, &source, CROWD + 1, &options, &all->batch),
             FT_LOCAL_OK);
}

// `CROWD` threads wait while one more fills.
static void crowd_loads(scene *all) {
    pthread_t threads[CROWD + 1];
    for (int index = 0; index <= CROWD; index++) {
        threads[index] = start_thread(load_one, all);
    }
    for (int index = 0; index <= CROWD; index++) {
        end_thread(threads[index]);
    }
    runtime_enter();
    ft_local_batch_free(all->batch);
    runtime_leave();
    fake_host_end(&all->host);
    printf("  slept %ld times when idle, %ld in all\n", all->slept_idle, atomic_load(&all->slept));
}

static void a_crowd_sleeps_well(size_t together, way_to_say way) {
    scene all;
    scene_begin(&all, together, way);
    crowd_loads(&all);
    CHECK(all.slept_idle < MOST_WHEN_IDLE);
    CHECK(atomic_load(&all.slept) < MOST_OF_A_THREAD * CROWD);
    // The filler alone was asked whether to stop.
    CHECK_EQ(atomic_load(&runtime_asked), all.source.calls / 64);
}

static void threads_that_cannot_be_interrupted_sleep_until_they_are_woken(void) {
    a_crowd_sleeps_well(1, BY_INTERRUPTIBLE);
    a_crowd_sleeps_well(1, BY_INTERRUPTIBLE_PLAIN);
}

static void results_that_come_together_wake_as_many_threads(void) {
    a_crowd_sleeps_well(2, BY_INTERRUPTIBLE);
    a_crowd_sleeps_well(4, BY_INTERRUPTIBLE);
}

// Shows that the scene can fail.
static void threads_that_can_be_interrupted_look_up_now_and_then(void) {
    scene all;
    scene_begin(&all, 1, NOT_AT_ALL);
    crowd_loads(&all);
    CHECK(all.slept_idle > 4 * CROWD);
    CHECK(atomic_load(&runtime_asked) > 4 * CROWD);
}

// From now on the kernel refuses membarrier(2) to this thread and to those it starts.
static void refuse_membarrier(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    CHECK_EQ(syscall(SYS_membarrier, 0, 0, 0), -1);
}

static void wait_without_barriers(void *unused) {
    (void)unused;
    scene all;
    scene_begin(&all, 1, BY_INTERRUPTIBLE);
    refuse_membarrier();
    // A batch that was made while there were barriers, and one that was not.
    crowd_loads(&all);
    CHECK(all.slept_idle < MOST_WHEN_IDLE);
    a_crowd_sleeps_well(1, BY_INTERRUPTIBLE);
}

static void a_barrier_that_is_refused_later_leaves_nobody_polling(void) {
    passes_in_child(wait_without_barriers, NULL);
}

int main(void) {
    RUN(threads_that_cannot_be_interrupted_sleep_until_they_are_woken);
    RUN(results_that_come_together_wake_as_many_threads);
    RUN(threads_that_can_be_interrupted_look_up_now_and_then);
    RUN(a_barrier_that_is_refused_later_leaves_nobody_polling);
    return fake_hosts_report();
}
