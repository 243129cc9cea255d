// A host whose objects only the thread that made it may release, which is checked at each release.

#ifndef BOUND_HOST_H
#define BOUND_HOST_H

#include "slow_source.h"

// How many results a fill makes.
enum { SIZE = 6 };

typedef struct bound_host {
    fake_host host;
    fake_source source;
    ft_local_host table;
    ft_local_owner *owner;
    ft_local_batch *batch;
    ft_local_cursor *cursor;
    ft_local_wrapper *wrapper;
    fake_object *object;
} bound_host;

// Makes an owner with so many places, and an object that is alive to the end.
void bound_host_begin(bound_host *all, size_t capacity);
void bound_host_end(bound_host *all);

// A batch of `source` and a wrapper of `object`, or what is wrong.
ft_local_status make_batch(bound_host *all);
ft_local_status make_wrapper(bound_host *all);

// Expects that so much waits for the owner, and does it.
void drain_expecting(bound_host *all, size_t expected);

// Runs `function` in another thread.
void elsewhere(void *(*function)(void *), bound_host *all);

// Three functions to run there.
void *free_wrapper(void *arg);
void *free_batch(void *arg);
void *close_batch(void *arg);

#endif
