// ft_local: many threads use shared, reference-counted objects without contending for their counts.
//
// Made from src/capi/ by `make header`; do not edit.
//
// The library knows an object as a pointer, and a runtime by the functions in an `ft_local_host`.
// Objects may also be plain values, which need no functions:
//
//     static void *make_id(void *last) { return (void *)++*(uintptr_t *)last; }
//
//     uintptr_t last = 0;
//     ft_local_host host = FT_LOCAL_HOST_INIT;
//     ft_local_source source = FT_LOCAL_SOURCE_INIT;
//     source.ctx = &last;
//     source.next_plain = make_id;
//     ft_local_batch *ids;
//     ft_local_status status = ft_local_batch_new(&host, &source, 64, &ids);
//     void *id;
//     status = ft_local_batch_load(ids, &id); // in any thread, as often as you like
//     ft_local_batch_free(ids);
//
// Start with `ft_local_batch_new` and `ft_local_batch_load` if results are expensive to make, or
// made by code that must not run in two threads at once. Add `ft_local_cursor_new` in threads that
// take many. `ft_local_wrapper_new` is for one object that many threads use.
//
// Where a comment does not say otherwise, nothing changes hands, any thread may call the function at
// once, it does not block, calls nothing of the host, cannot fail, and is there since 0.1.
//
// Ownership terms. New: the caller must release it. Borrowed: the caller must not, and it is valid
// for as long as the comment says. Moved: it is no longer the caller's.
//
// Threads. "Any thread, at once": several threads may call it at the same time. "Any thread, one at
// a time": any thread, but only one at a time. "When nobody else uses the handle": no other thread
// is inside a call with the same handle, or starts one.
//
// Blocks. "No": takes no lock and no memory, and gives none back, so a signal handler may call it.
// "Briefly": may take a lock of the library's own, which no thread holds while it waits or calls the
// host, and memory. "Yes": may wait for another thread, through the host's `block`.
//
// Calls host. The functions of the host that it may call, with or without `ctx`. "block" stands for
// `detach` and `attach` too, "interrupted" for `interruptible` too, "source" for the functions of the
// source.
//
// Arguments are checked: a bad one gets FT_LOCAL_ERR_ARGUMENT and changes nothing. NULL is ignored
// by the `_free` functions and refused everywhere else. A handle of another kind and a freed handle
// are usually detected, but do not rely on it. An out parameter is set to NULL, or to 0, before
// anything else happens.

#ifndef FT_LOCAL_H
#define FT_LOCAL_H

#include <stddef.h>
#include <stdint.h>

// The caller must use the result: a status to check, or a handle to free.
#if defined(__GNUC__)
#define FT_LOCAL_MUST_USE __attribute__((warn_unused_result))
#else
#define FT_LOCAL_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Version -----------------------------------------------------------------------------------------

// The version of this header. `ft_local_version_number` asks the library that was loaded.
#define FT_LOCAL_VERSION_MAJOR 0
#define FT_LOCAL_VERSION_MINOR 1
#define FT_LOCAL_VERSION_PATCH 0
#define FT_LOCAL_VERSION_NUMBER                                                                    \
    (FT_LOCAL_VERSION_MAJOR * 1000000 + FT_LOCAL_VERSION_MINOR * 1000 + FT_LOCAL_VERSION_PATCH)
// The version of the binary interface, which is also the number in the SONAME.
#define FT_LOCAL_ABI_VERSION 0

// The version of the library that was loaded, as "major.minor.patch".
//
// Ownership: the text is borrowed, and good for ever.
FT_LOCAL_MUST_USE const char *ft_local_version(void);

// The version of the library that was loaded, as a number that grows from version to version:
// major * 1000000 + minor * 1000 + patch. `FT_LOCAL_VERSION_NUMBER` is that of the header.
FT_LOCAL_MUST_USE uint32_t ft_local_version_number(void);

// The version of the binary interface that the loaded library has, which is also the number in
// its SONAME. A program works with a library whose number is `FT_LOCAL_ABI_VERSION`.
FT_LOCAL_MUST_USE uint32_t ft_local_abi_version(void);

// Status ------------------------------------------------------------------------------------------

// The library's own values of `ft_local_status`. A number is never given a second meaning.
typedef enum ft_local_status_code {
    // It worked.
    FT_LOCAL_OK = 0,
    // An argument cannot be right; `ft_local_last_error` says which. Nothing was changed.
    FT_LOCAL_ERR_ARGUMENT = -1,
    // There is not enough memory. Nothing was changed.
    FT_LOCAL_ERR_NO_MEMORY = -2,
    // The host could not retain the object. Nothing was changed.
    FT_LOCAL_ERR_RETAIN = -3,
    // The source failed without a code of its own, or broke its contract: it counted a NULL
    // object, or more objects than there was room for. What it produced is kept.
    FT_LOCAL_ERR_SOURCE = -4,
    // The source reported success and produced nothing.
    FT_LOCAL_ERR_NOTHING_PRODUCED = -5,
    // Nothing is ready, and the calling thread is already running the source: the source itself
    // loads, or it has switched to another greenlet or fiber of the thread.
    FT_LOCAL_ERR_REENTRANT = -6,
    // The host interrupted the wait or the fill. Nothing was lost.
    FT_LOCAL_ERR_INTERRUPTED = -7,
    // The library panicked: a defect of its own. Only this handle is affected; it can be freed.
    FT_LOCAL_ERR_PANIC = -8,
    // The thread that fills this batch waits, itself or through others, for a batch that the
    // calling thread fills: the wait would never end. Also if one of the waits has a timeout, which
    // would end it later and no better.
    FT_LOCAL_ERR_DEADLOCK = -9,
    // The source has ended, and all that it made was handed out. A source returns this to end.
    FT_LOCAL_ERR_END = -10,
    // The batch was closed.
    FT_LOCAL_ERR_CLOSED = -11,
    // No result came in the time that there was. Nothing was lost.
    FT_LOCAL_ERR_TIMED_OUT = -12,
    // No result is ready, and the function does not wait for one.
    FT_LOCAL_ERR_EMPTY = -13,
    // This process is a fork, and the batch was made with FT_LOCAL_FORK_ERROR.
    FT_LOCAL_ERR_FORKED = -14,
} ft_local_status_code;

// What a function returns: `FT_LOCAL_OK`, one of the library's errors, which are negative, or a
// positive code that comes from the host's own source.
typedef int32_t ft_local_status;

// Says in English what a status means.
//
// Ownership: the text is borrowed, and good for ever.
// Errors: none. A positive status and an unknown one get a text too.
FT_LOCAL_MUST_USE const char *ft_local_status_text(ft_local_status status);

// Says which argument the last `FT_LOCAL_ERR_ARGUMENT` in the calling thread was about, and what
// is wrong with it. An empty text if there was none.
//
// Ownership: the text is borrowed, and good for ever.
// Threads: any thread, at once; each has its own last error.
// Blocks: no. (The first use in a thread may take memory for the thread's own variables.)
FT_LOCAL_MUST_USE const char *ft_local_last_error(void);

// Host: what the library must know of your runtime ------------------------------------------------

// Initializer for ft_local_host; `ft_local_host_init` is the same for languages without macros.
#define FT_LOCAL_HOST_INIT                                                                         \
    { sizeof(ft_local_host), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }

// A function that blocks, which the library hands to the host's `block`. It returns, and never
// throws or jumps.
typedef void (*ft_local_wait)(void *arg);

// What the library must know of the runtime that owns the objects.
//
// Begin with `FT_LOCAL_HOST_INIT` or `ft_local_host_init`, then set what your runtime needs; all
// that is left NULL is not used. The library copies the struct. Every function in it may be
// called from any thread that uses a handle made with it; the library holds no lock meanwhile,
// so it may use the library in its turn. It must return: no C++ exception, no longjmp.
//
// Where a function comes with and without `ctx`, give one of the two. The form without takes the
// address of a function that the runtime already has, such as Py_NewRef or g_object_unref.
//
// With neither way to retain nor to release, objects are plain values of the size of a pointer,
// NULL among them.
typedef struct ft_local_host {
    // `sizeof(ft_local_host)` in the header that the host was compiled with.
    size_t struct_size;
    // Passed to each function that takes it. The library does nothing else with it.
    void *ctx;
    // Takes a reference to `object` and returns the handle that stands for it, which may be
    // `object` itself. NULL if it cannot.
    void *(*retain)(void *ctx, void *object);
    // Gives up the reference that `handle` stands for.
    void (*release)(void *ctx, void *handle);
    // `retain` without `ctx`.
    void *(*retain_plain)(void *object);
    // `release` without `ctx`.
    void (*release_plain)(void *handle);
    // Calls `wait(arg)` once, outside the runtime: with an interpreter's lock given up, or
    // whatever else a thread of the runtime does before it blocks. Called only to wait. It may
    // come back without the call if the thread is interrupted: `interrupted` is asked next.
    void (*block)(void *ctx, ft_local_wait wait, void *arg);
    // `block` in two halves, for runtimes that already have them, such as PyEval_SaveThread:
    // leaves the runtime, before a wait. What it returns goes to `attach`.
    void *(*detach)(void);
    // Comes back to the runtime, after a wait.
    void (*attach)(void *token);
    // Whether the calling thread must stop what it does, because of a signal for example: 0 if
    // not. Asked about every 50 ms while a thread waits, and now and then while it fills, always
    // inside the runtime.
    int32_t (*interrupted)(void *ctx);
    // `interrupted` without `ctx`.
    int32_t (*interrupted_plain)(void);
    // Whether the calling thread can be interrupted at all: 0 if not. A thread that cannot be
    // sleeps until it is woken, instead of looking up every 50 ms to be asked `interrupted`. Asked
    // inside the runtime before each wait. If NULL, every thread can be.
    int32_t (*interruptible)(void *ctx);
    // `interruptible` without `ctx`.
    int32_t (*interruptible_plain)(void);
} ft_local_host;

// Sets a host's struct to zero and its size: `FT_LOCAL_HOST_INIT` for languages without macros.
//
// Ownership: `host` stays the caller's.
// Errors: FT_LOCAL_ERR_ARGUMENT if `host` is NULL, or `struct_size` is not the size of an
// `ft_local_host` in any version of the header.
FT_LOCAL_MUST_USE
ft_local_status ft_local_host_init(struct ft_local_host *host,
                                   size_t struct_size);

// Source: what makes results ----------------------------------------------------------------------

// Initializer for ft_local_source; `ft_local_source_init` is the same for languages without macros.
#define FT_LOCAL_SOURCE_INIT { sizeof(ft_local_source), NULL, NULL, NULL, NULL, NULL }

// Where the results of a batch come from: `fill`, or `next_plain` for one at a time.
//
// One thread at a time calls it, not always the same one. It may use other batches; loading from
// the batch it fills is FT_LOCAL_ERR_REENTRANT. It must return: no C++ exception, no longjmp.
//
// Begin with `FT_LOCAL_SOURCE_INIT` or `ft_local_source_init`. The library copies the struct.
typedef struct ft_local_source {
    // `sizeof(ft_local_source)` in the header that the host was compiled with.
    size_t struct_size;
    // Passed to the function below. It must be good as long as the batch lives.
    void *ctx;
    // Makes between 1 and `capacity` objects: writes them to `out`, whose slots are NULL, from
    // the first on, sets `*produced`, which is 0, to their number, and returns 0. Each object
    // comes with one reference, which moves to the library.
    //
    // To fail, it returns a positive code of its own, which `ft_local_batch_load` returns to
    // the caller in whose thread the source ran. Objects counted in `*produced` are kept then
    // too.
    //
    // To end, it returns FT_LOCAL_ERR_END: it is not called again, and what it counted is kept.
    int32_t (*fill)(void *ctx, void **out, size_t capacity, size_t *produced);
    // Instead of `fill`: makes one object and returns it, with one reference, which moves to the
    // library. NULL if it fails, which `ft_local_batch_load` tells as FT_LOCAL_ERR_SOURCE. For
    // functions that the runtime already has, such as PyObject_CallNoArgs.
    void *(*next_plain)(void *ctx);
    // Asked after `next_plain` has returned NULL, in the same thread: not 0 if that means that the
    // source has ended, and has not failed. Without it, NULL is a failure.
    int32_t (*ended_plain)(void *ended_ctx);
    // Passed to `ended_plain`.
    void *ended_ctx;
} ft_local_source;

// Sets a source's struct to zero and its size: `FT_LOCAL_SOURCE_INIT` for languages without
// macros.
//
// Ownership: `source` stays the caller's.
// Errors: FT_LOCAL_ERR_ARGUMENT if `source` is NULL, or `struct_size` is not the size of an
// `ft_local_source` in any version of the header.
FT_LOCAL_MUST_USE
ft_local_status ft_local_source_init(struct ft_local_source *source,
                                     size_t struct_size);

// Wrapper: one object for one thread --------------------------------------------------------------

// Holds one object, retained once. Make one for each thread that uses the object: the object's
// reference count is then touched when the wrapper is made and when it is freed, not in between.
typedef struct ft_local_wrapper ft_local_wrapper;

// Shown one object; returns 0 to go on, anything else to stop. Does nothing but look.
typedef int32_t (*ft_local_visitor)(void *object, void *arg);

// Makes a wrapper of `object`.
//
// Ownership: `object` is borrowed during the call and retained once by the host's `retain`;
// `*out` is new: free it with `ft_local_wrapper_free`.
// Blocks: briefly.
// Calls host: retain, release: `retain` once; `release` if there is no memory for the wrapper.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_NO_MEMORY, FT_LOCAL_ERR_RETAIN. `*out` is then
// NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_wrapper_new(const ft_local_host *host,
                                     void *object,
                                     struct ft_local_wrapper **out);

// The object in a wrapper.
//
// Ownership: the object is borrowed, and good until the wrapper is freed.
// Errors: NULL if `wrapper` is not a wrapper; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE void *ft_local_wrapper_get(const struct ft_local_wrapper *wrapper);

// Shows the object to `visitor`, for a garbage collector that wants to know what is referred to.
//
// Ownership: the object is borrowed during the call of `visitor`.
// Calls host: visitor: once.
// Errors: what `visitor` returns; FT_LOCAL_ERR_ARGUMENT.
int32_t ft_local_wrapper_visit(const struct ft_local_wrapper *wrapper,
                               ft_local_visitor visitor,
                               void *arg);

// Frees a wrapper and releases its object. NULL is ignored.
//
// Ownership: `wrapper` is moved: no longer yours.
// Threads: when nobody else uses the handle.
// Blocks: briefly.
// Calls host: release: once.
// Errors: none that are told. What is not a wrapper, or was freed, is left alone.
void ft_local_wrapper_free(struct ft_local_wrapper *wrapper);

// Batch: options ----------------------------------------------------------------------------------

// Initializer for ft_local_batch_options; `ft_local_batch_options_init` is the same for languages
// without macros.
#define FT_LOCAL_BATCH_OPTIONS_INIT { sizeof(ft_local_batch_options), 0, 0, 0, 0 }

// In the child of a fork: drop the results that the parent had in the buffer. The parent hands
// them out.
#define FT_LOCAL_FORK_DISCARD 0

// In the child of a fork: hand them out too, so that they are there twice.
#define FT_LOCAL_FORK_KEEP 1

// In the child of a fork: every use of the batch but to free it is FT_LOCAL_ERR_FORKED.
#define FT_LOCAL_FORK_ERROR 2

// Choices for a batch. Zero is the default of each.
//
// Begin with `FT_LOCAL_BATCH_OPTIONS_INIT` or `ft_local_batch_options_init`.
typedef struct ft_local_batch_options {
    // `sizeof(ft_local_batch_options)` in the header that the host was compiled with.
    size_t struct_size;
    // After how many results a thread that runs the source hands that on to another; 0 for as
    // many as fit. With a slow source, a small number keeps the load that happens to fill from
    // taking `size` times as long as the source.
    size_t fill_budget;
    // A load that leaves fewer results than this runs the source, while other threads go on with
    // what is left; 0 for never. At most the size of the batch.
    size_t low_water;
    // FT_LOCAL_FORK_DISCARD, FT_LOCAL_FORK_KEEP or FT_LOCAL_FORK_ERROR.
    int32_t on_fork;
    // 0.
    int32_t reserved;
} ft_local_batch_options;

// Sets the options of a batch to zero and their size: `FT_LOCAL_BATCH_OPTIONS_INIT` for languages
// without macros.
//
// Ownership: `options` stays the caller's.
// Errors: FT_LOCAL_ERR_ARGUMENT if `options` is NULL, or `struct_size` is not the size of an
// `ft_local_batch_options` in any version of the header.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_options_init(struct ft_local_batch_options *options,
                                            size_t struct_size);

// Batch: results made by one thread at a time, each for exactly one load --------------------------

// The largest size of a batch. Its memory is taken when it is made: 16 bytes for each result.
#define FT_LOCAL_BATCH_MAX_SIZE 1073741824

// Runs a source to fill a buffer of results, in one thread at a time, and hands each result to
// exactly one of the threads that load, in the order in which the source made them. (When a fill
// fails, its first result comes after those that other threads have taken meanwhile; and a
// cursor claims several results at once.)
//
// After a fork, the child drops the results that the parent had in the buffer, which the parent
// hands out, and asks the source for new ones, unless the batch's options say otherwise.
typedef struct ft_local_batch ft_local_batch;

// Makes a batch that asks `source` for up to `size` results whenever it has none.
//
// Ownership: `host` and `source` are copied; `*out` is new: free it with `ft_local_batch_free`.
// Blocks: briefly.
// Errors: FT_LOCAL_ERR_ARGUMENT, also if `size` is 0 or above FT_LOCAL_BATCH_MAX_SIZE;
// FT_LOCAL_ERR_NO_MEMORY. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_new(const ft_local_host *host,
                                   const ft_local_source *source,
                                   size_t size,
                                   struct ft_local_batch **out);

// Makes a batch with options.
//
// Ownership: `host`, `source` and `options` are copied; `*out` is new: free it with
// `ft_local_batch_free`.
// Blocks: briefly.
// Errors: as for `ft_local_batch_new`. FT_LOCAL_ERR_ARGUMENT also if an option has no such value.
// `options` may be NULL, which is the default.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_new_with(const ft_local_host *host,
                                        const ft_local_source *source,
                                        size_t size,
                                        const ft_local_batch_options *options,
                                        struct ft_local_batch **out);

// How many results are ready; a moment later there may be others.
//
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE size_t ft_local_batch_len(const struct ft_local_batch *batch);

// How many results one fill makes at most, as the batch was made.
//
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE size_t ft_local_batch_size(const struct ft_local_batch *batch);

// Shows each result in the buffer to `visitor`, for a garbage collector that wants to know what
// is referred to. Not shown are results that the source is just handing over, which the host still
// knows of, and those that a cursor has in hand: see `ft_local_cursor_visit`. Nor is what a thread
// that was stopped inside the library is just handing over: a result between its claim and the
// store to `*out`, an object that is given back before it is there. Only that thread's registers
// and stack refer to it, so a collector that does not look there stops threads elsewhere.
//
// Ownership: each object is borrowed during the call of `visitor`.
// Threads: when nobody else uses the handle, because the world is stopped for instance. It may
// have been stopped at any point, in the middle of a fill too.
// Calls host: visitor: once for each result.
// Errors: what `visitor` returns if that is not 0, which also ends the visit;
// FT_LOCAL_ERR_ARGUMENT.
int32_t ft_local_batch_visit(const struct ft_local_batch *batch,
                             ft_local_visitor visitor,
                             void *arg);

// Releases all results in the buffer. The batch works on.
//
// Ownership: the batch's references to the results are given up.
// Blocks: briefly.
// Calls host: release: once for each result.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_clear(const struct ft_local_batch *batch);

// Ends a batch: releases the results in the buffer, and every load from now on, and every one that
// waits, gets FT_LOCAL_ERR_CLOSED. What the source is just making is released too, but for the one
// result of the load that runs it; what cursors have in hand they still hand out. Closing again
// does nothing.
//
// Ownership: the batch's references to the results are given up.
// Blocks: briefly.
// Calls host: release: once for each result.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_close(const struct ft_local_batch *batch);

// Whether a batch was closed: 1 if so, 0 if not.
//
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE int32_t ft_local_batch_is_closed(const struct ft_local_batch *batch);

// Frees a batch and releases the results in its buffer. NULL is nothing to free.
//
// If cursors of the batch are still there, that happens when the last of them is freed.
//
// Ownership: `batch` is moved: no longer yours.
// Threads: when nobody else uses the handle.
// Blocks: briefly.
// Calls host: release: once for each result in the buffer.
// Errors: none that are told. What is not a batch, or was freed, is left alone.
void ft_local_batch_free(struct ft_local_batch *batch);

// Batch: load -------------------------------------------------------------------------------------

// Takes the next result. If there is none, runs the source, or waits for the thread that runs it.
//
// Ownership: `*out` is new: it holds the reference that the source made, and you owe its release.
// Blocks: yes, while another thread runs the source and no result is ready.
// Calls host: source, block, interrupted, release: none of them if a result is ready, unless that
// leaves fewer than `low_water`, and the source is run for more. `release` for results that are
// the parent's of a fork, or that came while the batch was closed.
// Errors: a positive code is the source's own, FT_LOCAL_ERR_SOURCE stands for its other failures
// and FT_LOCAL_ERR_NOTHING_PRODUCED for its having nothing: these go only to the caller that ran
// the source, and what it had produced before is kept. FT_LOCAL_ERR_REENTRANT if the source
// loads from its own batch; FT_LOCAL_ERR_DEADLOCK if two sources load from each other's batch in
// two threads; FT_LOCAL_ERR_INTERRUPTED if the host wants it; FT_LOCAL_ERR_ARGUMENT. `*out` is then
// NULL, and the batch works on. For good: FT_LOCAL_ERR_END, FT_LOCAL_ERR_CLOSED,
// FT_LOCAL_ERR_FORKED, FT_LOCAL_ERR_PANIC.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_load(const ft_local_batch *batch, void **out);

// Takes the next result, as `ft_local_batch_load`, but does not wait for another thread longer than
// `timeout_ns` nanoseconds. If this thread comes to run the source itself, that takes as long as
// it takes.
//
// Ownership: `*out` is new: it holds the reference that the source made, and you owe its release.
// Blocks: yes, as `ft_local_batch_load`, for at most `timeout_ns`; without limit if that is
// negative.
// Calls host: source, block, interrupted, release: as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load`, and FT_LOCAL_ERR_TIMED_OUT. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_load_for(const ft_local_batch *batch,
                                        int64_t timeout_ns,
                                        void **out);

// Takes the next result if one is ready. Never runs the source.
//
// Ownership: `*out` is new: it holds the reference that the source made, and you owe its release.
// Blocks: briefly.
// Calls host: release: only for results that are the parent's of a fork, or that came while the
// batch was closed.
// Errors: FT_LOCAL_ERR_EMPTY if none is ready; FT_LOCAL_ERR_END, FT_LOCAL_ERR_CLOSED,
// FT_LOCAL_ERR_FORKED, FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC. `*out` is then NULL.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_try_load(const ft_local_batch *batch, void **out);

// Takes the next `n` results, as `n` times `ft_local_batch_load_for` with what is left of the time,
// but claims as many at once as are ready.
//
// Ownership: the first `*count` of `objects` are new: each holds the reference that the source
// made, and you owe its release, after an error too. The other slots are as they were.
// Blocks: yes, as `ft_local_batch_load`, for at most `timeout_ns` nanoseconds; without limit if
// that is negative.
// Calls host: source, block, interrupted, release: as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load_for`. If the source has ended or the batch was closed, that is
// an error only if `*count` is 0, and otherwise `*count` is less than `n`. `objects` may be NULL if
// `n` is 0.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_load_many(const ft_local_batch *batch,
                                         size_t n,
                                         int64_t timeout_ns,
                                         void **objects,
                                         size_t *count);

// Gives back objects that were loaded from the batch and are not wanted: they are handed out again
// before anything newer. A closed batch releases them.
//
// Ownership: the `n` objects are moved, unless there is an error.
// Blocks: briefly.
// Calls host: release: only if the batch was closed, and for results that are the parent's of a
// fork.
// Errors: FT_LOCAL_ERR_ARGUMENT, also if an object is NULL and the host has no plain values;
// FT_LOCAL_ERR_NO_MEMORY, since this takes memory, as no other function of a batch does;
// FT_LOCAL_ERR_FORKED. The objects are then still yours.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_give_back(const ft_local_batch *batch,
                                         void *const *objects,
                                         size_t n);

// Waits until fewer than `low_water` results are ready, then runs the source until it has made
// `max` results or the buffer is full, and says in `*made` how many it made: 0 if the time ran out,
// or another thread is filling and there is no time to wait. For a thread of the host's own, which
// calls it again and again, so that loads never find the buffer empty.
//
// Blocks: yes, until there is room, for at most `timeout_ns` nanoseconds; without limit if that is
// negative.
// Calls host: source, block, interrupted, release: `release` as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load`. What was made before an error is kept. `*made` is then 0.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_prefill(const ft_local_batch *batch,
                                       size_t low_water,
                                       size_t max,
                                       int64_t timeout_ns,
                                       size_t *made);

// Cursor: one thread's way to take many results ---------------------------------------------------

// Takes several results of a batch at once, guided by how many are left and how many cursors there
// are, and hands them out without touching anything that other threads write. Make one for each
// thread.
//
// When a cursor is freed, what it has in hand goes back to the batch, and is handed out before
// anything newer. In the child of a fork, what it had in hand is the parent's, unless the batch was
// made with FT_LOCAL_FORK_KEEP.
//
// A child that no handler of `pthread_atfork` sees, made by `_Fork` or by a bare `clone`, calls any
// function of a batch or `ft_local_cursor_len` before it takes the next result of a cursor or
// makes a thread: `next` looks at nothing while there are results in hand, which is why it is so
// quick, and nobody has dropped them yet.
typedef struct ft_local_cursor ft_local_cursor;

// How a cursor begins, for ever: the results in hand are those from `next` to before `end`.
typedef struct ft_local_cursor_frame {
    // The next result, if this is not `end`.
    void **next;
    // Where the results in hand end.
    void **end;
} ft_local_cursor_frame;

// Makes a cursor of a batch.
//
// Ownership: `*out` is new: free it with `ft_local_cursor_free`. It keeps the batch alive, so that
// the two may be freed in either order.
// Blocks: briefly.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_NO_MEMORY. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_cursor_new(const ft_local_batch *batch,
                                    struct ft_local_cursor **out);

// Takes the next result: one in hand, or else as `ft_local_batch_load` does.
// `ft_local_cursor_next_inline` is the same without a call where there is one in hand.
//
// Ownership: `*out` is new: it holds the reference that the source made, and you owe its release.
// Threads: any thread, one at a time.
// Blocks: yes, as `ft_local_batch_load`; not if there is a result in hand.
// Calls host: source, block, interrupted, release: none of them if a result is in hand; else as
// `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load`. `*out` is then NULL.
FT_LOCAL_MUST_USE ft_local_status ft_local_cursor_next(struct ft_local_cursor *cursor, void **out);

// Takes the next result, as `ft_local_cursor_next`, but does not wait for another thread longer than
// `timeout_ns` nanoseconds.
//
// Ownership: `*out` is new: it holds the reference that the source made, and you owe its release.
// Threads: any thread, one at a time.
// Blocks: yes, as `ft_local_cursor_next`, for at most `timeout_ns` nanoseconds; without limit if
// that is negative.
// Calls host: source, block, interrupted, release: as `ft_local_cursor_next`.
// Errors: as for `ft_local_batch_load_for`. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_cursor_next_for(struct ft_local_cursor *cursor,
                                         int64_t timeout_ns,
                                         void **out);

// How many results a cursor has in hand.
//
// Threads: any thread, one at a time.
// Errors: 0 if `cursor` is not a cursor; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE size_t ft_local_cursor_len(const struct ft_local_cursor *cursor);

// Shows each result that a cursor has in hand to `visitor`, for a garbage collector that wants to
// know what is referred to.
//
// Ownership: each object is borrowed during the call of `visitor`.
// Threads: when nobody else uses the handle, because the world is stopped for instance.
// Calls host: visitor: once for each result.
// Errors: what `visitor` returns if that is not 0, which also ends the visit;
// FT_LOCAL_ERR_ARGUMENT.
int32_t ft_local_cursor_visit(const struct ft_local_cursor *cursor,
                              ft_local_visitor visitor,
                              void *arg);

// Frees a cursor and gives what it has in hand back to the batch. NULL is nothing to free.
//
// Ownership: `cursor` is moved: no longer yours.
// Threads: when nobody else uses the handle.
// Blocks: briefly.
// Calls host: release: for results in hand if the batch was closed or they are the parent's of a
// fork, and for all that is left if the batch was freed before.
// Errors: none that are told. What is not a cursor, or was freed, is left alone.
void ft_local_cursor_free(struct ft_local_cursor *cursor);

// Batch: statistics -------------------------------------------------------------------------------

// Initializer for ft_local_stats; `ft_local_stats_init` is the same for languages without macros.
#define FT_LOCAL_STATS_INIT { sizeof(ft_local_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

// Counts of what a batch has done. Nothing counts on the path of a load that finds a result: what
// was loaded is known from the buffer's own counts.
//
// When no thread uses the batch, the books are exact: `produced + given_back` equals `loads +
// claimed + released + dropped_on_fork` and `ft_local_batch_len`.
//
// Begin with `FT_LOCAL_STATS_INIT` or `ft_local_stats_init`.
typedef struct ft_local_stats {
    // `sizeof(ft_local_stats)` in the header that the host was compiled with.
    size_t struct_size;
    // Results handed out by loads.
    uint64_t loads;
    // Claims by cursors.
    uint64_t claims;
    // Results that cursors have claimed.
    uint64_t claimed;
    // How often a thread took the role of running the source, and ran it.
    uint64_t fills;
    // Results that the source has made.
    uint64_t produced;
    // Loads that had to wait for another thread.
    uint64_t waits;
    // How long they waited, in nanoseconds.
    uint64_t wait_ns;
    // How long fills took, from the first call of the source to the last, in nanoseconds.
    uint64_t source_ns;
    // Failures of the source.
    uint64_t errors;
    // Results that cursors had in hand, or that were loaded, and came back.
    uint64_t given_back;
    // Results that nobody got, because the batch was cleared or closed.
    uint64_t released;
    // Results that the child of a fork dropped, because the parent hands them out.
    uint64_t dropped_on_fork;
} ft_local_stats;

// Tells what a batch has done so far. While threads use it, the counts may be of slightly
// different moments.
//
// Ownership: `out` stays the caller's. Fields of a newer header are set to 0.
// Blocks: briefly: takes the lock of the list of all cursors, which the making and freeing of any
// cursor takes too.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC. `*out` is then as it was.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_stats(const ft_local_batch *batch,
                                     struct ft_local_stats *out);

// Sets the counts of a batch to zero and their size: `FT_LOCAL_STATS_INIT` for languages without
// macros.
//
// Ownership: `stats` stays the caller's.
// Errors: FT_LOCAL_ERR_ARGUMENT if `stats` is NULL, or `struct_size` is not the size of an
// `ft_local_stats` in any version of the header.
FT_LOCAL_MUST_USE
ft_local_status ft_local_stats_init(struct ft_local_stats *stats,
                                    size_t struct_size);

// Define FT_LOCAL_NO_INLINE for programs that read this file and know declarations only.
#if !defined(FT_LOCAL_H_INLINE) && !defined(FT_LOCAL_NO_INLINE)
#define FT_LOCAL_H_INLINE

// `ft_local_cursor_next`, without a call if there is a result in hand: 1.5 times as fast or more.
// `cursor` and `out` are not checked. Not exported: see `ft_local_cursor_next`.
FT_LOCAL_MUST_USE
static inline ft_local_status ft_local_cursor_next_inline(ft_local_cursor *cursor, void **out)
{
    ft_local_cursor_frame *frame = (ft_local_cursor_frame *)(void *)cursor;
    if (frame->next != frame->end) {
        *out = *frame->next++;
        return FT_LOCAL_OK;
    }
    return ft_local_cursor_next(cursor, out);
}

#endif

#ifdef __cplusplus
}
#endif

#endif // FT_LOCAL_H
