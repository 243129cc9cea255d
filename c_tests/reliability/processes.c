// A process makes children while its threads take numbers, by every way to make one. A child that
// goes on with the parent's memory gets no number that the parent made, and each number that it
// makes once; one that starts a program does what it would do elsewhere. The parent loses nothing.
//
// FT_LOCAL_TEST_CHILDREN in the environment is how many children are made by each way (40).

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "crowd.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)

enum { THREADS = 4, SIZE = 32, IN_CHILD = 200, PROGRAM_PASSES = 42 };

extern char **environ;

// Not in every C library.
pid_t _Fork(void) __attribute__((weak));

static crowd all;
static ft_local_cursor *cursor;

// What the child of a child that ended early says.
static int report[2];

// Allocates nothing: a thread that is gone may have been in malloc.
static void go_on_in_child(uint64_t first) {
    alarm(60);
    all.last = first;
    all.made = (tally){0};
    tally taken = {0};
    for (int turn = 0; turn < IN_CHILD; turn++) {
        void *object = NULL;
        ft_local_status status = turn % 2 == 0 ? ft_local_batch_load(all.batch, &object)
                                               : ft_local_cursor_next(cursor, &object);
        CHECK_EQ(status, FT_LOCAL_OK);
        CHECK((uintptr_t)object > first);
        tally_add(&taken, (uintptr_t)object);
    }
    while (ft_local_cursor_len(cursor) > 0) {
        void *object = NULL;
        CHECK_EQ(ft_local_cursor_next(cursor, &object), FT_LOCAL_OK);
        tally_add(&taken, (uintptr_t)object);
    }
    void *object = NULL;
    while (ft_local_batch_try_load(all.batch, &object) == FT_LOCAL_OK) {
        tally_add(&taken, (uintptr_t)object);
    }
    CHECK_EQ(taken.count, all.made.count);
    CHECK_EQ(taken.sum, all.made.sum);
}

// The numbers of each child are its own.
static uint64_t first_of_next_child(void) {
    static uint64_t children;
    return ++children << 40;
}

static void pass_in_child_of(pid_t (*fork_it)(void)) {
    const uint64_t first = first_of_next_child();
    pid_t child = fork_it();
    CHECK(child >= 0);
    if (child == 0) {
        go_on_in_child(first);
        _exit(0);
    }
    child_has_passed(child);
}

static void by_fork(void) {
    pass_in_child_of(fork);
}

static void by_fork_without_handlers(void) {
    pass_in_child_of(_Fork ? _Fork : bare_clone);
}

static void by_clone(void) {
    pass_in_child_of(bare_clone);
}

static void by_a_child_of_a_child(void) {
    const uint64_t first = first_of_next_child();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        go_on_in_child(first);
        pass_in_child_of(fork);
        _exit(0);
    }
    child_has_passed(child);
}

// daemon(3) forks and ends the process that called it, so it is called in a child, whose child goes
// on and reports by a pipe.
static void by_daemon(void) {
    const uint64_t first = first_of_next_child();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK_EQ(daemon(1, 1), 0);
        go_on_in_child(first);
        CHECK_EQ(write(report[1], "+", 1), 1);
        _exit(0);
    }
    child_has_passed(child);
    char mark = 0;
    CHECK_EQ(read(report[0], &mark, 1), 1);
    CHECK_EQ(mark, '+');
}

// The program that the others start: this one.
static char *const arguments[] = {"processes", "child", NULL};

static void program_passes(pid_t child) {
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), PROGRAM_PASSES);
}

static void by_vfork_and_exec(void) {
    pid_t child = vfork();
    CHECK(child >= 0);
    if (child == 0) {
        execve("/proc/self/exe", arguments, environ);
        _exit(1);
    }
    program_passes(child);
}

static void by_posix_spawn(void) {
    pid_t child;
    CHECK_EQ(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    program_passes(child);
}

// Between the fork and the new program, the library is used.
static void by_fork_and_exec(void) {
    const uint64_t first = first_of_next_child();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        go_on_in_child(first);
        execve("/proc/self/exe", arguments, environ);
        _exit(1);
    }
    program_passes(child);
}

static void every_child_of(const char *name, void (*make_child)(void)) {
    const char *wanted = getenv("FT_LOCAL_TEST_CHILDREN");
    const long children = wanted == NULL ? 40 : atol(wanted);
    all = (crowd){.threads = THREADS, .size = SIZE, .interruptible = true};
    crowd_begin(&all);
    // This thread's cursor has some in hand, which are the parent's.
    CHECK_EQ(ft_local_cursor_new(all.batch, &cursor), FT_LOCAL_OK);
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next(cursor, &object), FT_LOCAL_OK);
    tally_add(&all.taken, (uintptr_t)object);
    for (long child = 0; child < children; child++) {
        make_child();
    }
    ft_local_cursor_free(cursor);
    crowd_end(&all);
    printf("  %ld children by %s\n", children, name);
}

static void no_child_gets_what_the_parent_made(void) {
    CHECK_EQ(pipe(report), 0);
    every_child_of("fork", by_fork);
    every_child_of("_Fork", by_fork_without_handlers);
    every_child_of("clone", by_clone);
    every_child_of("fork in a child", by_a_child_of_a_child);
    every_child_of("daemon", by_daemon);
    every_child_of("fork and exec", by_fork_and_exec);
    every_child_of("vfork and exec", by_vfork_and_exec);
    every_child_of("posix_spawn", by_posix_spawn);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "child") == 0) {
        crowd_of(1, 4, false, 100);
        return PROGRAM_PASSES;
    }
    RUN(no_child_gets_what_the_parent_made);
    return 0;
}

#else

int main(void) {
    return 77;
}

#endif
