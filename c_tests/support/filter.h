// A filter of system calls, which makes the kernel answer as another would.

#ifndef FILTER_H
#define FILTER_H

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#define HAVE_FILTER

#include <stdint.h>

// Has every call of the system call `number` answered by `answer`, a value such as
// SECCOMP_RET_TRAP, in this thread and what it starts; only those with `argument` as their third
// argument if `only` is not 0.
void filter_calls(long number, uint32_t answer, int only, uint32_t argument);

#endif

#endif
