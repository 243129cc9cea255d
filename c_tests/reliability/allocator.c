#include "allocator.h"

#include <errno.h>
#include <stdlib.h>

// glibc's own functions, behind those of this file.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

_Thread_local bool (*allocator_refuses)(void);
_Thread_local size_t allocator_bytes;
_Thread_local size_t allocator_calls;

static bool refused(size_t size) {
    if (allocator_refuses != NULL && allocator_refuses()) {
        errno = ENOMEM;
        return true;
    }
    allocator_bytes += size;
    allocator_calls++;
    return false;
}

void *malloc(size_t size) {
    return refused(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return refused(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    return refused(size) ? NULL : __libc_realloc(memory, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *memory = refused(size) ? NULL : __libc_memalign(alignment, size);
    if (memory == NULL) {
        return ENOMEM;
    }
    *out = memory;
    return 0;
}

static bool always(void) {
    return true;
}

bool allocator_works(void) {
    allocator_refuses = always;
    void *volatile probe = malloc(1);
    allocator_refuses = NULL;
    free(probe);
    return probe == NULL;
}
