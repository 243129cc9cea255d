// Ends a program that stands still, after it has written where each of its threads is.

#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdatomic.h>

// Starts a thread that aborts the program if `*progress` does not change for so many seconds.
void watch(const atomic_ulong *progress, int seconds);

#endif
