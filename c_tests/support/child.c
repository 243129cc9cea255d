#define _GNU_SOURCE

#include "child.h"

#include "check.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void passes_in_child(void (*test)(void *), void *arg) {
    passes_in_child_of(fork, test, arg);
}

void passes_in_child_of(pid_t (*fork_it)(void), void (*test)(void *), void *arg) {
    pid_t child = fork_it();
    CHECK(child >= 0);
    if (child == 0) {
        test(arg);
        _exit(0);
    }
    child_has_passed(child);
}

pid_t bare_clone(void) {
#ifdef SYS_clone
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#else
    return fork();
#endif
}

void child_has_passed(pid_t child) {
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}
