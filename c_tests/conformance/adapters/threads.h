// Threads for adapters whose runtime has those of the system.

#ifndef ADAPTER_THREADS_H
#define ADAPTER_THREADS_H

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct adapter_thread {
    pthread_t id;
    void (*function)(void *arg, size_t index);
    void *arg;
    size_t index;
} adapter_thread;

static inline void *adapter_thread_main(void *self) {
    adapter_thread *thread = self;
    thread->function(thread->arg, thread->index);
    return NULL;
}

static inline void adapter_threads(size_t count, void (*function)(void *, size_t), void *arg) {
    adapter_thread *threads = calloc(count, sizeof *threads);
    if (threads == NULL) {
        abort();
    }
    for (size_t index = 0; index < count; index++) {
        threads[index] = (adapter_thread){.function = function, .arg = arg, .index = index};
        if (pthread_create(&threads[index].id, NULL, adapter_thread_main, &threads[index]) != 0) {
            abort();
        }
    }
    for (size_t index = 0; index < count; index++) {
        if (pthread_join(threads[index].id, NULL) != 0) {
            abort();
        }
    }
    free(threads);
}

static inline void adapter_pause(void) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

#endif
