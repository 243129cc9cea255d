// A handler of signals that forks while its thread sleeps in the library. In the child no other thread
// is left that could wake it: the load takes the source over, and gets what is the child's own.

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "slow_source.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct scene {
    // Whether the system calls that the signal interrupts begin again by themselves.
    bool restarts;
    // Whether waits look up every 50 ms.
    bool interruptible;
    // Whether the handler itself uses the batch, in the child.
    bool loads;
    bool has_timeout;
    // Whether the host says that its threads run one at a time; its waits then are others.
    bool has_one_lock;
} scene;

static scene now;
static ft_local_batch *batch;
static atomic_bool is_filling, may_go_on, handled;
static atomic_int sleeper;
static pid_t parent;
static pthread_t other_in_child;

// Returns when a thread of this process waits in the kernel.
static void await_sleep(const atomic_int *thread) {
    char path[64], state = 0;
    while (state != 'S') {
        usleep(1000);
        if (atomic_load(thread) == 0) {
            continue;
        }
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", atomic_load(thread));
        FILE *file = fopen(path, "r");
        CHECK(file != NULL);
        CHECK_EQ(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        fclose(file);
    }
}

static void *load_in_child(void *unused) {
    (void)unused;
    atomic_store(&sleeper, gettid());
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)object, 4);
    return NULL;
}

// The parent's thread that fills stays in the first call until the child has ended. The child's stays
// in the third until another waits for it.
static void *make(void *last) {
    if (getpid() == parent) {
        atomic_store(&is_filling, true);
        while (!atomic_load(&may_go_on)) {
            usleep(100);
        }
    } else if (*(uintptr_t *)last == 2) {
        atomic_store(&sleeper, 0);
        other_in_child = start_thread(load_in_child, NULL);
        await_sleep(&sleeper);
    }
    return (void *)++*(uintptr_t *)last;
}

static int32_t not_interrupted(void) {
    return 0;
}

static void fork_in_handler(int signal) {
    (void)signal;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0) {
        child_has_passed(child);
        atomic_store(&handled, true);
        return;
    }
    alarm(60);
    if (now.loads) {
        void *object = NULL;
        CHECK_EQ(ft_local_batch_try_load(batch, &object), FT_LOCAL_ERR_EMPTY);
    }
}

static void *load_and_be_forked(void *unused) {
    (void)unused;
    atomic_store(&sleeper, gettid());
    void *object = NULL;
    const int64_t for_ever = 3600 * INT64_C(1000000000);
    CHECK_EQ(now.has_timeout ? ft_local_batch_load_for(batch, for_ever, &object)
                             : ft_local_batch_load(batch, &object),
             FT_LOCAL_OK);
    if (getpid() != parent) {
        for (uintptr_t number = 1; number < 4; number++) {
            CHECK_EQ((uintptr_t)object, number);
            CHECK(number == 3 || ft_local_batch_load(batch, &object) == FT_LOCAL_OK);
        }
        end_thread(other_in_child);
        _exit(0);
    }
    CHECK_EQ((uintptr_t)object, 2);
    return NULL;
}

static void *load_first(void *unused) {
    (void)unused;
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)object, 1);
    return NULL;
}

static void await(const atomic_bool *flag) {
    while (!atomic_load(flag)) {
        usleep(100);
    }
}

static void the_child_goes_on(scene how) {
    now = how;
    parent = getpid();
    atomic_store(&is_filling, false);
    atomic_store(&may_go_on, false);
    atomic_store(&handled, false);
    atomic_store(&sleeper, 0);
    struct sigaction action = {.sa_handler = fork_in_handler,
                               .sa_flags = how.restarts ? SA_RESTART : 0};
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);

    uintptr_t last = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    if (how.interruptible) {
        host.interrupted_plain = not_interrupted;
    }
    host.one_lock = how.has_one_lock;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &last;
    source.next_plain = make;
    CHECK_EQ(ft_local_batch_new(&host, &source, 2, &batch), FT_LOCAL_OK);
    pthread_t filler = start_thread(load_first, NULL);
    await(&is_filling);
    pthread_t waiter = start_thread(load_and_be_forked, NULL);
    await_waits(batch, 1);
    await_sleep(&sleeper);
    CHECK_EQ(pthread_kill(waiter, SIGUSR1), 0);
    await(&handled);
    atomic_store(&may_go_on, true);
    end_thread(filler);
    end_thread(waiter);
    ft_local_batch_free(batch);
}

static void a_thread_that_sleeps_goes_on_in_a_child_of_its_handler(void) {
    for (int how = 0; how < 32; how++) {
        the_child_goes_on((scene){.restarts = (how & 1) != 0,
                                  .interruptible = (how & 2) != 0,
                                  .loads = (how & 4) != 0,
                                  .has_timeout = (how & 8) != 0,
                                  .has_one_lock = (how & 16) != 0});
    }
}

int main(void) {
    RUN(a_thread_that_sleeps_goes_on_in_a_child_of_its_handler);
    return 0;
}
