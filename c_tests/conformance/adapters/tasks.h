// Tasks for adapters whose runtime has none of its own: each is a thread that is put aside, outside the
// runtime, until the library calls for it.

#ifndef ADAPTER_TASKS_H
#define ADAPTER_TASKS_H

#include "../conformance.h"

#include <pthread.h>

typedef struct adapter_task {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool called;
    bool cancelled;
    bool aside;
} adapter_task;

static adapter_task adapter_tasks[CONFORMANCE_TASKS] = {
    {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER},
    {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER},
    {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER},
    {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER},
};

// Leaves and enters the runtime. NULL if there is nothing to leave.
static void (*adapter_leave)(void);
static void (*adapter_enter)(void);

static inline void adapter_set(adapter_task *task, bool *flag) {
    pthread_mutex_lock(&task->lock);
    *flag = true;
    pthread_cond_signal(&task->changed);
    pthread_mutex_unlock(&task->lock);
}

// What the library calls.
static inline void adapter_wake(void *task) {
    adapter_set(task, &((adapter_task *)task)->called);
}

static inline void adapter_cancel(size_t number) {
    adapter_set(&adapter_tasks[number], &adapter_tasks[number].cancelled);
}

static inline bool adapter_waits(size_t number) {
    adapter_task *task = &adapter_tasks[number];
    pthread_mutex_lock(&task->lock);
    bool waits = task->aside && !task->called && !task->cancelled;
    pthread_mutex_unlock(&task->lock);
    return waits;
}

// Until the task is called or cancelled. Returns whether it was cancelled.
static inline bool adapter_put_aside(adapter_task *task) {
    if (adapter_leave != NULL) {
        adapter_leave();
    }
    pthread_mutex_lock(&task->lock);
    task->aside = true;
    while (!task->called && !task->cancelled) {
        pthread_cond_wait(&task->changed, &task->lock);
    }
    bool cancelled = task->cancelled;
    task->aside = task->called = task->cancelled = false;
    pthread_mutex_unlock(&task->lock);
    if (adapter_enter != NULL) {
        adapter_enter();
    }
    return cancelled;
}

static inline ft_local_status adapter_await(const ft_local_batch *batch, size_t number,
                                            void **out) {
    ft_local_status status;
    while ((status = ft_local_batch_load_now(batch, out)) == FT_LOCAL_ERR_WOULD_WAIT) {
        uint64_t ticket;
        status = ft_local_batch_notify(batch, adapter_wake, &adapter_tasks[number], &ticket);
        if (status != FT_LOCAL_OK) {
            return status;
        }
        if (adapter_put_aside(&adapter_tasks[number])) {
            // What it was called for, if it was called too, goes to another task.
            (void)ft_local_batch_forget(batch, ticket);
            return FT_LOCAL_ERR_INTERRUPTED;
        }
    }
    return status;
}

#endif
