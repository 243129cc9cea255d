#define _GNU_SOURCE

#include "watchdog.h"

#include "check.h"
#include "thread.h"

#include <dirent.h>
#include <execinfo.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_FRAMES = 40 };

static const atomic_ulong *watched;
static int patience;
static sem_t written;

static void write_stack(int signal) {
    (void)signal;
    void *frames[MOST_FRAMES];
    char head[40];
    int length = snprintf(head, sizeof head, "thread %ld\n", (long)syscall(SYS_gettid));
    if (write(STDERR_FILENO, head, (size_t)length) == length) {
        backtrace_symbols_fd(frames, backtrace(frames, MOST_FRAMES), STDERR_FILENO);
    }
    sem_post(&written);
}

// One after the other, so that the lines do not mix. A thread that does not answer in a second,
// because it has this signal blocked, is left out.
static void write_stack_of(pid_t thread) {
    if (syscall(SYS_tgkill, getpid(), thread, SIGUSR2) == 0) {
        struct timespec end;
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec++;
        sem_timedwait(&written, &end);
    }
}

static void write_all_stacks(void) {
    DIR *folder = opendir("/proc/self/task");
    CHECK(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            write_stack_of((pid_t)atol(entry->d_name));
        }
    }
    closedir(folder);
}

static void *watch_it(void *unused) {
    (void)unused;
    unsigned long before = atomic_load(watched);
    for (int seconds = 0; seconds < patience; seconds++) {
        sleep(1);
        const unsigned long now = atomic_load(watched);
        if (now != before) {
            before = now;
            seconds = 0;
        }
    }
    write_all_stacks();
    CHECK_FAIL("no progress for %d seconds", patience);
}

void watch(const atomic_ulong *progress, int seconds) {
    watched = progress;
    patience = seconds;
    CHECK_EQ(sem_init(&written, 0, 0), 0);
    // The first call loads what it needs, which a handler of signals must not.
    void *frame;
    CHECK(backtrace(&frame, 1) == 1);
    struct sigaction action = {.sa_handler = write_stack, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGUSR2, &action, NULL), 0);
    CHECK_EQ(pthread_detach(start_thread(watch_it, NULL)), 0);
}
