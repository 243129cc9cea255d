// A process that is stopped past its timeouts, one that signals interrupt thousands of times a
// second, and one that ends while its threads are at work and its handles are alive.
//
// FT_LOCAL_TEST_ROUNDS in the environment is how often each is done (10).

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "crowd.h"
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, SIZE = 8, STOPPED_MS = 30, SIGNALS_A_SECOND = 5000, EXPECTED = 3 };

static long rounds = 10;

// Each load of the crowd waits for a tenth of a millisecond at most, and all of them time out while
// the process stands still.
static void work_and_be_stopped(void *arg) {
    (void)arg;
    alarm(100);
    static crowd all = {.threads = THREADS, .size = SIZE, .interruptible = true};
    crowd_begin(&all);
    for (int turn = 0; turn < 3; turn++) {
        crowd_does(&all, 500);
        CHECK_EQ(raise(SIGSTOP), 0);
    }
    crowd_does(&all, 500);
    crowd_end(&all);
}

static void a_process_that_is_stopped_past_its_timeouts_goes_on(void) {
    for (long round = 0; round < rounds; round++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            work_and_be_stopped(NULL);
            _exit(0);
        }
        int status = -1, stops = 0;
        while (waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)) {
            stops++;
            nanosleep(&(struct timespec){.tv_nsec = STOPPED_MS * 1000000L}, NULL);
            CHECK_EQ(kill(child, SIGCONT), 0);
        }
        CHECK_EQ(stops, 3);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 0);
    }
}

static atomic_long handled, took;
static crowd under_signals;

static void take_in_handler(int signal) {
    (void)signal;
    void *object = NULL;
    if (ft_local_batch_try_load(under_signals.batch, &object) == FT_LOCAL_OK) {
        // Not in a tally: the thread that was interrupted may be adding to one.
        atomic_fetch_add(&took, 1);
        CHECK_EQ(ft_local_batch_len(under_signals.batch) <= SIZE, 1);
    }
    atomic_fetch_add(&handled, 1);
}

static void handle(int signal, void (*handler)(int signal)) {
    // Without SA_RESTART: a system call that is interrupted says so.
    struct sigaction action = {.sa_handler = handler};
    CHECK_EQ(sigaction(signal, &action, NULL), 0);
}

static void ring_every(long microseconds) {
    const struct itimerval period = {.it_interval.tv_usec = microseconds,
                                     .it_value.tv_usec = microseconds};
    CHECK_EQ(setitimer(ITIMER_REAL, &period, NULL), 0);
}

static void only_count(int signal) {
    (void)signal;
    atomic_fetch_add(&handled, 1);
}

// A handler that takes nothing: every number comes once to a thread that was interrupted anywhere.
static void work_under_signals(void *arg) {
    (void)arg;
    handle(SIGALRM, only_count);
    crowd *all = &under_signals;
    all->threads = THREADS;
    all->size = SIZE;
    all->interruptible = true;
    crowd_begin(all);
    ring_every(1000000 / SIGNALS_A_SECOND);
    while (atomic_load(&handled) < rounds * 500) {
        crowd_does(all, 10);
    }
    ring_every(0);
    crowd_end(all);
}

static void signals_thousands_of_times_a_second_change_nothing(void) {
    passes_in_child(work_under_signals, NULL);
}

// What a handler has taken is missing, and nothing else.
static void work_and_take_in_handlers(void *arg) {
    (void)arg;
    handle(SIGALRM, take_in_handler);
    crowd *all = &under_signals;
    all->threads = 0;
    all->size = SIZE;
    crowd_begin(all);
    ring_every(1000000 / SIGNALS_A_SECOND);
    long loads = 0;
    while (atomic_load(&handled) < rounds * 500) {
        void *object = NULL;
        CHECK_EQ(ft_local_batch_load(all->batch, &object), FT_LOCAL_OK);
        loads++;
    }
    ring_every(0);
    CHECK_EQ(all->made.count,
             (uint64_t)(loads + atomic_load(&took)) + ft_local_batch_len(all->batch));
    CHECK(atomic_load(&took) > 0);
    ft_local_batch_free(all->batch);
}

static void handlers_that_take_numbers_lose_none(void) {
    passes_in_child(work_and_take_in_handlers, NULL);
}

// Ends of a process.

static crowd at_the_end;
static ft_local_cursor *cursor;

static void exit_in_source(crowd *all) {
    if (all->last == 2000) {
        exit(EXPECTED);
    }
}

static void use_at_exit(void) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(at_the_end.batch, &object), FT_LOCAL_OK);
    CHECK_EQ(ft_local_cursor_next(cursor, &object), FT_LOCAL_OK);
}

static void *exit_in_thread(void *unused) {
    (void)unused;
    exit(EXPECTED);
}

typedef enum ending {
    BY_EXIT,
    BY_EXIT_IN_ANOTHER_THREAD,
    BY_EXIT_IN_THE_SOURCE,
    WITH_A_HANDLER_THAT_LOADS,
    BY_QUICK_EXIT,
    ENDINGS
} ending;

static void end_by(ending how) {
    alarm(100);
    at_the_end.threads = THREADS;
    at_the_end.size = SIZE;
    if (how == BY_EXIT_IN_THE_SOURCE) {
        at_the_end.before_each = exit_in_source;
    }
    if (how == WITH_A_HANDLER_THAT_LOADS) {
        CHECK_EQ(atexit(use_at_exit), 0);
    }
    crowd_begin(&at_the_end);
    CHECK_EQ(ft_local_cursor_new(at_the_end.batch, &cursor), FT_LOCAL_OK);
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next(cursor, &object), FT_LOCAL_OK);
    crowd_does(&at_the_end, 200);
    if (how == BY_EXIT_IN_ANOTHER_THREAD) {
        end_thread(start_thread(exit_in_thread, NULL));
    } else if (how == BY_EXIT_IN_THE_SOURCE) {
        crowd_does(&at_the_end, 1L << 40);
    } else if (how == BY_QUICK_EXIT) {
        quick_exit(EXPECTED);
    }
    exit(EXPECTED);
}

static void a_process_ends_as_it_says_with_all_its_handles_alive(void) {
    for (long round = 0; round < rounds * ENDINGS; round++) {
        fflush(stdout);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            end_by((ending)(round % ENDINGS));
        }
        int status = -1;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), EXPECTED);
    }
}

int main(void) {
    const char *wanted = getenv("FT_LOCAL_TEST_ROUNDS");
    if (wanted != NULL) {
        rounds = atol(wanted);
    }
    RUN(a_process_that_is_stopped_past_its_timeouts_goes_on);
    RUN(signals_thousands_of_times_a_second_change_nothing);
    RUN(handlers_that_take_numbers_lose_none);
    RUN(a_process_ends_as_it_says_with_all_its_handles_alive);
    return 0;
}
