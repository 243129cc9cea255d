// Tests that go on in a child process.

#ifndef CHILD_H
#define CHILD_H

// Runs `test` in a child process and expects that it passes there.
void passes_in_child(void (*test)(void *), void *arg);

#endif
