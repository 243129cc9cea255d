#include "child.h"

#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

void passes_in_child(void (*test)(void *), void *arg) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        test(arg);
        _exit(0);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
}
