// Tries a host of ft_local: does what it gives the library hold what the library needs?
//
// Write an adapter, which tells the kit about your runtime, and a program that starts the runtime
// and, inside it, returns what `conformance_run` returns. Compile it with the other .c files in
// this folder. adapters/ has examples; docs/embedding.md says how to bind a runtime at all.

#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <ft_local.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// How many tasks the kit has at a time.
enum { CONFORMANCE_TASKS = 4 };

typedef struct conformance_adapter {
    // What the report calls the host.
    const char *name;

    // Sets the host's functions. The struct is FT_LOCAL_HOST_INIT.
    void (*describe)(ft_local_host *host);

    // A new object that knows a number, as a handle with one reference, which is the kit's. The
    // kit gives such handles to the library as objects, and returns them from its sources.
    void *(*make)(size_t number);

    // The number of the object behind a handle, be it from `make` or from `retain`.
    size_t (*number)(void *handle);

    // Gives up the reference of a handle. NULL if objects are plain values.
    void (*drop)(void *handle);

    // How many objects somebody has a reference to, or, in a runtime that traces, how many
    // references are registered with it. The kit asks when each object has one reference at most,
    // so the two are the same. NULL if objects are plain values.
    long (*alive)(void);

    // Calls `function(arg, index)` in `count` threads of the runtime, inside it and all at once,
    // with each index from 0 on, and returns when all have returned. NULL if objects belong to one
    // thread.
    void (*threads)(size_t count, void (*function)(void *arg, size_t index), void *arg);

    // Lets other threads of the runtime work for about a millisecond, as a function of the
    // runtime does that reads a file: outside of it. Needed with `threads`.
    void (*pause)(void);

    // Makes the host's `interrupted` say that threads must stop, and that they need not any more,
    // in each thread. NULL if the host has no such function.
    void (*interrupt)(bool on);

    // Loads as the runtime's tasks do that must not block a thread (fibers, promises, coroutines): by
    // `ft_local_batch_load_now`; if that would wait, registers with `ft_local_batch_notify`, puts the
    // task aside until it is called, and tries again. The kit calls it in several threads at once,
    // each with another `task`, below CONFORMANCE_TASKS. NULL if the binding only blocks.
    ft_local_status (*await)(const ft_local_batch *batch, size_t task, void **out);

    // Whether the task is put aside, and neither called nor cancelled. Needed with `await`.
    bool (*waits)(size_t task);

    // Cancels the task, from another thread: if it is put aside, now or the next time, it forgets its
    // ticket, and `await` returns FT_LOCAL_ERR_INTERRUPTED. Needed with `await`.
    void (*cancel)(size_t task);

    // What the binding does before it makes a batch, if the host's `free_ctx` ends it: takes a reference
    // to what is behind `ctx`, say. The kit calls it once for each batch. NULL if the host has no
    // `free_ctx`.
    void (*hold)(const ft_local_host *host);

    // For how many batches something is held. Needed with `hold`.
    long (*held)(void);

    // Loads as the binding does, by `ft_local_batch_load_with`, with the argument that its source needs
    // of its caller, and without a limit. NULL if it needs none.
    ft_local_status (*load_with)(const ft_local_batch *batch, void **out);

    // Called in a source: whether the argument that it got is that of the load, in this thread, that
    // runs it. Needed with `load_with`.
    bool (*is_argument)(const void *argument);

    // Calls `function(arg, index)` in `count` fibers of this thread, with each index from 0 on, and
    // returns when all have returned. They run in turns, the first one first, each until it returns or
    // leaves. NULL if the host has no `fiber`.
    void (*fibers)(size_t count, void (*function)(void *arg, size_t index), void *arg);

    // Leaves the fiber that runs, and returns when it has its turn again. Needed with `fibers`.
    void (*leave)(void);
} conformance_adapter;

// Runs every check and reports each to standard output: passed, or skipped and why. A check that
// fails says what it expected and ends the process with 1; so does one that hangs, after
// $FT_LOCAL_CONFORMANCE_LIMIT seconds (120). Returns 0.
int conformance_run(const conformance_adapter *adapter);

#ifdef __cplusplus
}
#endif

#endif
