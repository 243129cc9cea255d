// An allocator in place of malloc's, for the library too, that can refuse and that counts bytes.
//
// Linked into the programs that include this. valgrind and the sanitizers have allocators of their
// own, so `allocator_works` must be asked first.

#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

// Asked before each allocation of this thread, if set: whether to refuse it.
extern _Thread_local bool (*allocator_refuses)(void);

// Bytes that this thread has asked for, and how often.
extern _Thread_local size_t allocator_bytes;
extern _Thread_local size_t allocator_calls;

// Whether the allocator is in place.
bool allocator_works(void);

// The exit status that CTest takes for "skipped".
enum { SKIPPED = 77 };

#endif
