// Tests that go on in a child process.

#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

// Runs `test` in a child process and expects that it passes there.
void passes_in_child(void (*test)(void *), void *arg);

// As above, in a child that `fork_it` makes.
void passes_in_child_of(pid_t (*fork_it)(void), void (*test)(void *), void *arg);

// Forks as a program does that asks the kernel itself: no handler of pthread_atfork is called.
pid_t bare_clone(void);

// Waits for a child and expects that it ended well.
void child_has_passed(pid_t child);

#endif
