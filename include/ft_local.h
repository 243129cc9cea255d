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
// Unless a comment says otherwise: nothing changes hands, any thread may call the function at once,
// it does not block, calls nothing of the host, cannot fail, and exists since 0.1.
//
// Ownership terms. New: the caller must release it. Borrowed: the caller must not, and it is valid
// for as long as the comment says. Moved: it is no longer the caller's.
//
// Threads. "Any thread, at once": several threads may call it at the same time. "Any thread, one at
// a time": any thread, but only one at a time. "When nobody else uses the handle": no other thread
// is inside a call with the same handle, or starts one.
//
// Blocks. "No": takes no lock and neither allocates nor frees, so a signal handler may call it.
// "Briefly": may allocate, and take a lock of the library, which no thread holds while it waits or
// calls the host. "Yes": may wait for another thread, through the host's `block`.
//
// Calls host. The functions of the host that it may call, with or without `ctx`. "block" includes
// `detach` and `attach`, "interrupted" includes `interruptible`, "source" the functions of the
// source, and `fiber`.
//
// Arguments are checked: a bad one gets FT_LOCAL_ERR_ARGUMENT and changes nothing. NULL is ignored
// by the `_free` functions and refused everywhere else. A handle of another kind and a freed handle
// are usually detected, but do not rely on it. With `FT_LOCAL_CHECK_HANDLES=1` in the environment,
// for tests, the memory of freed handles is kept, so that every use of one is detected; so is a
// cursor that two threads use, when it claims. An out parameter is set to NULL, or to 0, before
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
// Ownership: the text is borrowed and valid for the life of the process.
FT_LOCAL_MUST_USE const char *ft_local_version(void);

// The version of the library that was loaded, as an increasing number: major * 1000000 +
// minor * 1000 + patch. Compare with `FT_LOCAL_VERSION_NUMBER`, the version of the header.
FT_LOCAL_MUST_USE uint32_t ft_local_version_number(void);

// The version of the binary interface of the library that was loaded, which is also the number in
// its SONAME. A program needs a library whose number is `FT_LOCAL_ABI_VERSION`.
FT_LOCAL_MUST_USE uint32_t ft_local_abi_version(void);

// Status ------------------------------------------------------------------------------------------

// The library's own values of `ft_local_status`. Numbers are never reused.
typedef enum ft_local_status_code {
    // Success.
    FT_LOCAL_OK = 0,
    // Invalid argument; `ft_local_last_error` says which. Nothing was changed.
    FT_LOCAL_ERR_ARGUMENT = -1,
    // Out of memory. Nothing was changed.
    FT_LOCAL_ERR_NO_MEMORY = -2,
    // The host could not retain the object. Nothing was changed.
    FT_LOCAL_ERR_RETAIN = -3,
    // The source failed without a code of its own, or broke its contract: it counted a NULL
    // object, or more objects than fit. What it produced is kept.
    FT_LOCAL_ERR_SOURCE = -4,
    // The source reported success and produced nothing.
    FT_LOCAL_ERR_NOTHING_PRODUCED = -5,
    // Nothing is ready, and the calling thread is already running the source: the source itself
    // loads, or it has switched to another greenlet or fiber of the thread.
    FT_LOCAL_ERR_REENTRANT = -6,
    // The host interrupted the wait or the fill. Nothing was lost.
    FT_LOCAL_ERR_INTERRUPTED = -7,
    // The library panicked, which is a bug in it. Only this handle is affected; free it.
    FT_LOCAL_ERR_PANIC = -8,
    // The thread that fills this batch waits, directly or through other threads, for a batch that
    // the calling thread fills. The wait would never end, or only when one of the waits times out.
    FT_LOCAL_ERR_DEADLOCK = -9,
    // The source has ended, and all its results were handed out. A source returns this to end.
    FT_LOCAL_ERR_END = -10,
    // The batch was closed.
    FT_LOCAL_ERR_CLOSED = -11,
    // Timed out. Nothing was lost.
    FT_LOCAL_ERR_TIMED_OUT = -12,
    // No result is ready, and the function does not wait.
    FT_LOCAL_ERR_EMPTY = -13,
    // This process is a fork, and the batch was made with FT_LOCAL_FORK_ERROR.
    FT_LOCAL_ERR_FORKED = -14,
    // Another thread runs the source, no result is ready, and the function does not wait.
    FT_LOCAL_ERR_WOULD_WAIT = -15,
} ft_local_status_code;

// What a function returns: `FT_LOCAL_OK`, one of the library's errors, which are negative, or a
// positive code that comes from the host's own source.
typedef int32_t ft_local_status;

// The meaning of a status, in English.
//
// Ownership: the text is borrowed and valid for the life of the process.
// Errors: none. Positive and unknown statuses have a text too.
FT_LOCAL_MUST_USE const char *ft_local_status_text(ft_local_status status);

// What was wrong with which argument, for the last `FT_LOCAL_ERR_ARGUMENT` in the calling thread.
// Empty if there was none.
//
// Ownership: the text is borrowed and valid for the life of the process.
// Threads: any thread, at once; each has its own last error.
// Blocks: no. (The first use in a thread may take memory for the thread's own variables.)
FT_LOCAL_MUST_USE const char *ft_local_last_error(void);

// Host: what the library must know of your runtime ------------------------------------------------

// Initializer for ft_local_host; `ft_local_host_init` is the same for languages without macros.
#define FT_LOCAL_HOST_INIT                                                                         \
    {                                                                                              \
        sizeof(ft_local_host), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,   \
            NULL, NULL, 0, NULL, 0                                                                 \
    }

// A function that waits, which the library passes to the host's `block`. It returns normally.
typedef void (*ft_local_wait)(void *arg);

// What the library must know of the runtime that owns the objects.
//
// Start from `FT_LOCAL_HOST_INIT` or `ft_local_host_init` and set what your runtime needs; fields
// left NULL are not used. The library copies the struct. It calls the functions from any thread
// that uses a handle made with them. It holds no lock while it does, so they may call the library.
// They must return: no C++ exception, no longjmp.
//
// If a function comes with and without `ctx`, set one of the two. The form without `ctx` is for
// functions that the runtime already has, such as Py_NewRef or g_object_unref.
//
// Without functions to retain and release, objects are plain values of pointer size, and NULL is a
// value too.
typedef struct ft_local_host {
    // `sizeof(ft_local_host)`.
    size_t struct_size;
    // Passed to the functions that take it. The library does not look at it. It must stay valid
    // until each batch made with it is freed, with its last cursor, which `free_ctx` says, and each
    // wrapper.
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
    // return without the call if the thread is interrupted; FT_LOCAL_ERR_INTERRUPTED then says so.
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
    // Called with `ctx` once for each batch that was made with it, when the batch and its last
    // cursor are freed, after the source's `free_ctx`: see there. A wrapper does not call it: its
    // last use of `ctx` is its `release`.
    void (*free_ctx)(void *ctx);
    // 1 if one thread of the runtime runs at a time, because of a lock that `block`, or `detach` and
    // `attach`, give up and take again, such as CPython's; 0 if not. Waiting threads are then woken
    // for many results of a quick source at once, and a thread that has made results leaves the
    // runtime for a moment, as to wait, so that others get some.
    size_t one_lock;
    // Which fiber, greenlet or virtual thread the calling thread runs: a number that no other of them
    // has while it lives, neither 0 nor UINT64_MAX; 0 for the thread itself. Asked inside the
    // runtime, before the thread runs the source or waits. With it, `ft_local_batch_load_now` tells a
    // fiber that shares the thread of the one that runs the source, and gets
    // FT_LOCAL_ERR_WOULD_WAIT, from a source that loads from its own batch. A function that waits
    // still returns FT_LOCAL_ERR_REENTRANT there, since the wait would stop the source; if the batch
    // has several `fillers`, only if all of them are fibers of this thread. A fiber may go on in
    // another thread while it runs the source, but must not fork there.
    uint64_t (*fiber)(void *ctx);
    // 1 if a thread that waits for a quick source had better wait until the fill ends than take each
    // result as soon as it is made; 0 if not. It waits for some 300 microseconds at most. For runtimes
    // whose threads count references to the same objects, such as CPython without its GIL: the thread
    // that uses a result and the source would slow each other down. It changes nothing if `one_lock`
    // is 1.
    size_t whole_fills;
} ft_local_host;

// Does what `FT_LOCAL_HOST_INIT` does, for languages without macros.
//
// Ownership: `host` stays the caller's.
// Errors: FT_LOCAL_ERR_ARGUMENT if `host` is NULL, or `struct_size` is not the size of an
// `ft_local_host` in any version of the header.
FT_LOCAL_MUST_USE
ft_local_status ft_local_host_init(struct ft_local_host *host,
                                   size_t struct_size);

// Source: what makes results ----------------------------------------------------------------------

// Initializer for ft_local_source; `ft_local_source_init` is the same for languages without macros.
#define FT_LOCAL_SOURCE_INIT { sizeof(ft_local_source), NULL, NULL, NULL, NULL, NULL, NULL, NULL }

// Where the results of a batch come from: `fill`, `next_plain` for one at a time, or `fill_with`.
//
// One thread at a time calls it, not always the same one, or as many as `fillers` in
// `ft_local_batch_options` says. It may use other batches. If it loads
// from the batch that it fills, it gets what is ready, or FT_LOCAL_ERR_REENTRANT. It must return: no
// C++ exception, no longjmp.
//
// Start from `FT_LOCAL_SOURCE_INIT` or `ft_local_source_init`. The library copies the struct.
typedef struct ft_local_source {
    // `sizeof(ft_local_source)`.
    size_t struct_size;
    // Passed to the source. It must stay valid until the batch and its last cursor are freed, which
    // `free_ctx` says.
    void *ctx;
    // Makes 1 to `capacity` objects, writes them to `out`, stores their number in `*produced` and
    // returns 0. The slots of `out` are NULL and `*produced` is 0 before the call. Each object
    // comes with one reference, which moves to the library.
    //
    // To fail, it returns a positive code, which `ft_local_batch_load` returns in the thread that
    // ran the source. Objects counted in `*produced` are kept.
    //
    // To end, it returns FT_LOCAL_ERR_END. It is not called again; counted objects are kept.
    int32_t (*fill)(void *ctx, void **out, size_t capacity, size_t *produced);
    // Instead of `fill`: makes one object and returns it with one reference, which moves to the
    // library. NULL is a failure, which `ft_local_batch_load` returns as FT_LOCAL_ERR_SOURCE. For
    // functions that the runtime already has, such as PyObject_CallNoArgs.
    void *(*next_plain)(void *ctx);
    // Called after `next_plain` has returned NULL, in the same thread: nonzero if the source has
    // ended, 0 if it has failed. Without this function, NULL is a failure.
    int32_t (*ended_plain)(void *ended_ctx);
    // Passed to `ended_plain`.
    void *ended_ctx;
    // Instead of `fill`: the same, with the `arg` of the `ft_local_batch_load_with` or
    // `ft_local_cursor_next_with` that runs the source. NULL if another function runs it. For
    // sources that travel with the call: `arg` is that of the thread that runs the source, and the
    // objects may go to other threads.
    int32_t (*fill_with)(void *ctx, void *arg, void **out, size_t capacity, size_t *produced);
    // Called once with `ctx`, when the batch and its last cursor are freed: the end of `ctx`. The
    // last results are released before. It is called by the thread that frees the last of them,
    // inside the runtime, and may use other handles. In the child of a fork it is called again,
    // with the child's copy, if the child frees them too. If making the batch fails, it is not
    // called, and `ctx` stays the caller's.
    void (*free_ctx)(void *ctx);
} ft_local_source;

// Does what `FT_LOCAL_SOURCE_INIT` does, for languages without macros.
//
// Ownership: `source` stays the caller's.
// Errors: FT_LOCAL_ERR_ARGUMENT if `source` is NULL, or `struct_size` is not the size of an
// `ft_local_source` in any version of the header.
FT_LOCAL_MUST_USE
ft_local_status ft_local_source_init(struct ft_local_source *source,
                                     size_t struct_size);

// Wrapper: one object for one thread --------------------------------------------------------------

// Holds one object, retained once. Make one for each thread that uses the object: the object's
// reference count then changes only when the wrapper is made and when it is freed.
typedef struct ft_local_wrapper ft_local_wrapper;

// Called with one object; returns 0 to continue, anything else to stop. It must only look.
typedef int32_t (*ft_local_visitor)(void *object, void *arg);

// The first two words of a wrapper, which never change their place.
typedef struct ft_local_wrapper_frame {
    // The library's own.
    size_t mark;
    // The object.
    void *object;
} ft_local_wrapper_frame;

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

// The object in a wrapper. `ft_local_wrapper_get_inline` does the same without a call.
//
// Ownership: the object is borrowed and valid until the wrapper is freed.
// Errors: NULL if `wrapper` is not a wrapper; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE void *ft_local_wrapper_get(const struct ft_local_wrapper *wrapper);

// Calls `visitor` with the object, for garbage collectors.
//
// Ownership: the object is borrowed during the call of `visitor`.
// Calls host: visitor: once.
// Errors: what `visitor` returns; FT_LOCAL_ERR_ARGUMENT.
int32_t ft_local_wrapper_visit(const struct ft_local_wrapper *wrapper,
                               ft_local_visitor visitor,
                               void *arg);

// Frees a wrapper and releases its object. NULL is ignored.
//
// Ownership: `wrapper` is moved.
// Threads: when nobody else uses the handle.
// Blocks: briefly.
// Calls host: release: once.
// Errors: not reported. What is not a wrapper, or was freed, is left alone.
void ft_local_wrapper_free(struct ft_local_wrapper *wrapper);

// Batch: options ----------------------------------------------------------------------------------

// Initializer for ft_local_batch_options; `ft_local_batch_options_init` is the same for languages
// without macros.
#define FT_LOCAL_BATCH_OPTIONS_INIT { sizeof(ft_local_batch_options), 0, 0, 0, 0, 0, 0, 0 }

// In the child of a fork: drop the results in the buffer. The parent hands them out.
#define FT_LOCAL_FORK_DISCARD 0

// In the child of a fork: hand them out as well, so that each exists twice.
#define FT_LOCAL_FORK_KEEP 1

// In the child of a fork: the batch can only be freed; all else is FT_LOCAL_ERR_FORKED.
#define FT_LOCAL_FORK_ERROR 2

// Options of a batch. Zero is the default of each.
//
// Start from `FT_LOCAL_BATCH_OPTIONS_INIT` or `ft_local_batch_options_init`.
typedef struct ft_local_batch_options {
    // `sizeof(ft_local_batch_options)`.
    size_t struct_size;
    // How many results one thread makes before another may take over. With a slow source, a small
    // budget bounds the time that one load spends running the source. With 0, one thread makes as
    // many as fit, but hands over after about a millisecond if other threads load meanwhile.
    size_t fill_budget;
    // A load that leaves fewer results than this runs the source, while other threads load what is
    // left; 0 for never. At most the size of the batch. Then few loads find nothing and wait, but
    // the one that runs the source takes as long as that. `ft_local_batch_prefill` in a thread of
    // your own spares all loads.
    size_t low_water;
    // FT_LOCAL_FORK_DISCARD, FT_LOCAL_FORK_KEEP or FT_LOCAL_FORK_ERROR.
    int32_t on_fork;
    // Must be 0.
    int32_t reserved;
    // 1: each result is overwritten in the batch's own memory as soon as it is handed out or
    // dropped, so that a later leak of that memory shows no plain value that was a key or a token.
    // Loads take longer, and a cursor claims one result at a time. Only the words are wiped: what
    // they point to, registers, stacks and the caller's copies are not. The child of a fork wipes
    // what it drops when it first uses the batch or frees it.
    int32_t wipe;
    // Must be 0.
    int32_t reserved_after_wipe;
    // How many threads may call the source at the same time, for sources that wait, such as for a
    // server; 0 means 1, and 256 is the most. With 2 or more, a load that finds nothing calls the
    // source while other threads do, and waits only if so many are. Results come in the order in
    // which the calls end, and the first of a call is for the load that made it. One such load makes
    // one result for itself, and more for others only as `fill_budget` says, or for as long as the
    // source is quick. `fill` may be asked for `size` results by each thread, and all may be ready:
    // a batch then allocates 16 bytes for each result and thread. When one call says that the source
    // has ended, none is made any more; what running calls bring is handed out before the end is.
    size_t fillers;
} ft_local_batch_options;

// Does what `FT_LOCAL_BATCH_OPTIONS_INIT` does, for languages without macros.
//
// Ownership: `options` stays the caller's.
// Errors: FT_LOCAL_ERR_ARGUMENT if `options` is NULL, or `struct_size` is not the size of an
// `ft_local_batch_options` in any version of the header.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_options_init(struct ft_local_batch_options *options,
                                            size_t struct_size);

// Batch: results made by one thread at a time, each for exactly one load --------------------------

// The largest size of a batch. A batch allocates 16 bytes for each result when it is made.
#define FT_LOCAL_BATCH_MAX_SIZE 1073741824

// Runs a source in one thread at a time to fill a buffer with results, and hands each result to
// exactly one of the threads that load, in the order in which the source made them. (Two
// exceptions: if a fill fails, its first result is handed out after those that other threads have
// taken since; and a cursor claims several results at once.)
//
// After a fork, the child drops the results in the buffer, because the parent hands them out, and
// asks the source for new ones, unless the batch's options say otherwise.
typedef struct ft_local_batch ft_local_batch;

// Makes a batch that runs `source` for up to `size` results whenever it has none.
//
// Ownership: `host` and `source` are copied; what their `ctx` point to is the batch's if there is a
// `free_ctx` and no error; `*out` is new: free it with `ft_local_batch_free`.
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
// Ownership: `host`, `source` and `options` are copied; what their `ctx` point to is the batch's if
// there is a `free_ctx` and no error; `*out` is new: free it with `ft_local_batch_free`.
// Blocks: briefly.
// Errors: as for `ft_local_batch_new`. FT_LOCAL_ERR_ARGUMENT also if an option is out of range.
// `options` may be NULL for the defaults.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_new_with(const ft_local_host *host,
                                        const ft_local_source *source,
                                        size_t size,
                                        const ft_local_batch_options *options,
                                        struct ft_local_batch **out);

// How many results are ready, which other threads may change at any time.
//
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE size_t ft_local_batch_len(const struct ft_local_batch *batch);

// The size of the batch, as passed to `ft_local_batch_new`.
//
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE size_t ft_local_batch_size(const struct ft_local_batch *batch);

// Calls `visitor` with each result in the buffer, for garbage collectors. It does not see results
// that the source is currently returning, which the host still knows, and those that a cursor has
// in hand: see `ft_local_cursor_visit`. Nor does it see what a thread stopped inside the library is
// handing over at that moment: a result between its claim and the store to `*out`, or an object on
// its way back. Only the registers and stack of that thread refer to it; a collector that does not
// scan them must stop threads outside the library.
//
// Ownership: each object is borrowed during the call of `visitor`.
// Threads: when nobody else uses the handle, for example because all threads are stopped. They may
// be stopped at any point, even in the middle of a fill.
// Calls host: visitor: once for each result.
// Errors: the first nonzero result of `visitor`, which ends the visit; FT_LOCAL_ERR_ARGUMENT.
int32_t ft_local_batch_visit(const struct ft_local_batch *batch,
                             ft_local_visitor visitor,
                             void *arg);

// Releases all results in the buffer. The batch remains usable.
//
// Ownership: the batch's references to the results are given up.
// Blocks: briefly.
// Calls host: release, wake: `release` once for each result; `wake` only if results come back in
// other threads meanwhile.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_clear(const struct ft_local_batch *batch);

// Closes a batch: releases the results in the buffer, and makes loads that wait, and all later
// ones, return FT_LOCAL_ERR_CLOSED. Registered waiters are called. If the source is running, its
// results are released too, except the one for the load that runs it. Cursors still hand out what
// they have in hand. Closing again does nothing.
//
// Ownership: the batch's references to the results are given up.
// Blocks: briefly.
// Calls host: release, wake: once for each result, and for each registered waiter.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC, FT_LOCAL_ERR_FORKED.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_close(const struct ft_local_batch *batch);

// Whether a batch was closed: 1 if so, 0 if not.
//
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE int32_t ft_local_batch_is_closed(const struct ft_local_batch *batch);

// Frees a batch and releases the results in its buffer, once the last of its cursors is freed. NULL
// is ignored.
//
// Ownership: `batch` is moved.
// Threads: when nobody else uses the handle.
// Blocks: briefly.
// Calls host: release, wake, free_ctx: once for each result in the buffer, and for each registered
// waiter; `free_ctx` once at the end.
// Errors: not reported. What is not a batch, or was freed, is left alone.
void ft_local_batch_free(struct ft_local_batch *batch);

// Batch: load -------------------------------------------------------------------------------------

// Takes the next result. If there is none, runs the source, or waits for the thread that runs it.
//
// Ownership: `*out` is new: the caller must release it.
// Blocks: yes, while another thread runs the source and no result is ready.
// Calls host: source, block, interrupted, release, wake: none of them if a result is ready, unless
// fewer than `low_water` are left, when it runs the source for more. `release` for results that belong to
// the parent of a fork, or that came while the batch was closed.
// Errors: the source's own positive code, FT_LOCAL_ERR_SOURCE for its other failures,
// FT_LOCAL_ERR_NOTHING_PRODUCED if it made nothing: these go only to the caller that ran the
// source, and results made before are kept. FT_LOCAL_ERR_REENTRANT if the source loads from its own
// batch; FT_LOCAL_ERR_DEADLOCK if two sources load from each other's batch in two threads;
// FT_LOCAL_ERR_INTERRUPTED; FT_LOCAL_ERR_ARGUMENT. `*out` is then NULL, and the batch remains
// usable. Permanent errors: FT_LOCAL_ERR_END, FT_LOCAL_ERR_CLOSED, FT_LOCAL_ERR_FORKED,
// FT_LOCAL_ERR_PANIC.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_load(const ft_local_batch *batch,
                                    void **out);

// Takes the next result as `ft_local_batch_load` does, but waits for other threads for at most
// `timeout_ns` nanoseconds. The timeout does not limit running the source in this thread.
//
// Ownership: `*out` is new: the caller must release it.
// Blocks: yes, as `ft_local_batch_load`, for at most `timeout_ns`; without limit if that is
// negative.
// Calls host: source, block, interrupted, release, wake: as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load`, and FT_LOCAL_ERR_TIMED_OUT. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_load_for(const ft_local_batch *batch,
                                        int64_t timeout_ns,
                                        void **out);

// Takes the next result as `ft_local_batch_load_for` does, and if it runs the source, passes `arg`
// to its `fill_with`. Other sources do not get it. Any other function that runs the source passes
// NULL. With 0 as `timeout_ns` it does not wait, as `ft_local_batch_load_now`.
//
// Ownership: `*out` is new: the caller must release it. `arg` stays the caller's; the source gets it
// only during the call.
// Blocks: yes, as `ft_local_batch_load_for`; briefly if `timeout_ns` is 0.
// Calls host: source, block, interrupted, release, wake: as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load_for`, but FT_LOCAL_ERR_WOULD_WAIT if `timeout_ns` is 0,
// another thread runs the source, and no result is ready. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_load_with(const ft_local_batch *batch,
                                         void *arg,
                                         int64_t timeout_ns,
                                         void **out);

// Takes the next result if one is ready. Never runs the source.
//
// Ownership: `*out` is new: the caller must release it.
// Blocks: briefly.
// Calls host: release, wake: `release` only for results that belong to the parent of a fork, or that
// came while the batch was closed; `wake` only if results come back in other threads meanwhile.
// Errors: FT_LOCAL_ERR_EMPTY if none is ready; FT_LOCAL_ERR_END, FT_LOCAL_ERR_CLOSED,
// FT_LOCAL_ERR_FORKED, FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_try_load(const ft_local_batch *batch,
                                        void **out);

// Takes the next `n` results, as `n` calls of `ft_local_batch_load_for` within one timeout would,
// but claims all that are ready at once.
//
// Ownership: the first `*count` of `objects` are new, after an error too. The other slots are
// unchanged.
// Blocks: yes, as `ft_local_batch_load`, for at most `timeout_ns` nanoseconds; without limit if
// that is negative.
// Calls host: source, block, interrupted, release, wake: as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load_for`. FT_LOCAL_ERR_END and FT_LOCAL_ERR_CLOSED only if
// `*count` is 0; otherwise `*count` is less than `n`. `objects` may be NULL if `n` is 0.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_load_many(const ft_local_batch *batch,
                                         size_t n,
                                         int64_t timeout_ns,
                                         void **objects,
                                         size_t *count);

// Gives back objects that were loaded from the batch. They are handed out again before newer ones.
// A closed batch releases them.
//
// Ownership: the `n` objects are moved, unless there is an error.
// Blocks: briefly.
// Calls host: release, wake: `release` only if the batch was closed, and for results that belong to
// the parent of a fork; `wake` for registered waiters.
// Errors: FT_LOCAL_ERR_ARGUMENT, also if an object is NULL and the host has no plain values;
// FT_LOCAL_ERR_NO_MEMORY, since this function allocates, unlike the others of a batch;
// FT_LOCAL_ERR_FORKED. The objects then remain the caller's.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_give_back(const ft_local_batch *batch,
                                         void *const *objects,
                                         size_t n);

// Waits until fewer than `low_water` results are ready, then runs the source until it has made
// `max` results or the buffer is full. `*made` is how many it made: 0 if it timed out. Call it in a
// loop in a thread of your own, and loads rarely find the buffer empty.
//
// Blocks: yes, until there is room, for at most `timeout_ns` nanoseconds; without limit if that is
// negative.
// Calls host: source, block, interrupted, release, wake: `release` as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load`. Results made before an error are kept. `*made` is then 0.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_prefill(const ft_local_batch *batch,
                                       size_t low_water,
                                       size_t max,
                                       int64_t timeout_ns,
                                       size_t *made);

// Waiting without blocking: loads that do not wait, and a call when to try again ------------------

// A function that tells a waiter to try again. The library calls it once, with the `arg` of
// `ft_local_batch_notify`, in any thread that uses the batch, and inside that thread's runtime. It
// holds no lock meanwhile. The function must not block: it makes an event loop or a scheduler run
// the waiter, and returns. It must return: no C++ exception, no longjmp.
typedef void (*ft_local_wake)(void *arg);

// Takes the next result as `ft_local_batch_load` does, and runs the source if no thread does, but
// does not wait for another thread that runs it. For threads that must not block: event loops,
// fibers, virtual threads.
//
// Ownership: `*out` is new: the caller must release it.
// Blocks: briefly.
// Calls host: source, interrupted, release, wake: none of them if a result is ready; else as
// `ft_local_batch_load`.
// Errors: FT_LOCAL_ERR_WOULD_WAIT if another thread runs the source and no result is ready:
// `ft_local_batch_notify` says when to try again. Otherwise as for `ft_local_batch_load`. `*out` is
// then NULL.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_load_now(const ft_local_batch *batch, void **out);

// Registers a waiter: `wake(arg)` is called once, when there is a result, when no thread runs the
// source any more, or when there will be no more results, because the source has ended or the batch
// was closed or freed. That may be in this call, and before `*ticket` is set.
//
// The waiter then loads again, by `ft_local_batch_load_now` or `ft_local_cursor_next_now`, and if
// it would wait, registers again. One result wakes one waiter, be it a thread or a registration, and
// the oldest registration comes first.
//
// In the child of a fork, no registration of the parent is called.
//
// Ownership: `arg` is the library's until it passes it to `wake`, or `ft_local_batch_forget`
// returns 1. `*ticket` is a number. It needs no freeing.
// Blocks: briefly.
// Calls host: wake, release: `wake` if there is something to load already; `release` for results
// that belong to the parent of a fork.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_NO_MEMORY, FT_LOCAL_ERR_FORKED, FT_LOCAL_ERR_PANIC.
// `wake` is then not called, and `*ticket` is 0, which is no ticket.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_notify(const ft_local_batch *batch,
                                      ft_local_wake wake,
                                      void *arg,
                                      uint64_t *ticket);

// Makes every thread that sleeps in a load of this batch, or in `ft_local_batch_prefill`, ask the
// host's `interrupted` now. Without this call it asks within 50 ms. For a runtime that interrupts its
// threads from outside: Ruby's unblock function, `Thread.interrupt` of Java. Let `interrupted` be true
// first. A thread that is just about to sleep may still ask 50 ms later.
//
// Errors: FT_LOCAL_ERR_ARGUMENT.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_interrupt(const ft_local_batch *batch);

// Ends the registration of a waiter that will not load: 1 if `wake` was not called and never will
// be. 0 if it was called, or is being called in another thread; what it was called for then goes to
// the next waiter. So a waiter that was called and has loaded need not, and should not, call this.
//
// In the child of a fork, it is 0 for a ticket of the parent, since a thread of the parent may have
// been calling `wake`.
//
// Ownership: after 1, `arg` is the caller's again.
// Blocks: briefly.
// Calls host: wake, release: `wake` for the next waiter; `release` for results that belong to the
// parent of a fork.
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
int32_t ft_local_batch_forget(const ft_local_batch *batch, uint64_t ticket);

// Gives up the right to run the source, for a fiber that was ended in the middle of the source and
// will never run again: 1 if it had it, 0 if not. `fiber` is what the host's `fiber` returned in it.
// What the fiber had made is kept, and the next load runs the source. Objects that the source had
// written and not yet returned are still the source's. Call it before the memory of the fiber's stack
// is given back, and in one thread. The fiber must not have died in a wait of the library.
//
// Blocks: briefly.
// Calls host: release, wake: `release` if the batch was closed, and for results that belong to the
// parent of a fork; `wake` for registered waiters.
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
int32_t ft_local_batch_abandon(const ft_local_batch *batch,
                               uint64_t fiber);

// Cursor: one thread's way to take many results ---------------------------------------------------

// Claims several results of a batch at once, how many depends on how many are left and how many
// cursors there are, and hands them out without touching memory that other threads write. Make one
// for each thread.
//
// When a cursor is freed, the results in hand go back to the batch and are handed out before newer
// ones. In the child of a fork, results in hand belong to the parent, unless the batch was made
// with FT_LOCAL_FORK_KEEP.
//
// A child that handlers of `pthread_atfork` do not see, made by `_Fork` or a bare `clone`, must
// call some function of a batch, or `ft_local_cursor_len`, before it takes the next result of a
// cursor or starts a thread. While there are results in hand, `next` looks at nothing else, so it
// would hand out the parent's.
typedef struct ft_local_cursor ft_local_cursor;

// The first two words of a cursor, which never change: the results in hand are `next` to `end - 1`.
typedef struct ft_local_cursor_frame {
    // The next result, if this is not `end`.
    void **next;
    // The end of the results in hand.
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
// `ft_local_cursor_next_inline` does the same without a call if there is one in hand.
//
// Ownership: `*out` is new: the caller must release it.
// Threads: any thread, one at a time.
// Blocks: yes, as `ft_local_batch_load`; not if there is a result in hand.
// Calls host: source, block, interrupted, release, wake: none of them if a result is in hand; else
// as `ft_local_batch_load`.
// Errors: as for `ft_local_batch_load`. `*out` is then NULL.
FT_LOCAL_MUST_USE ft_local_status ft_local_cursor_next(struct ft_local_cursor *cursor, void **out);

// Takes the next result as `ft_local_cursor_next` does, but waits for other threads for at most
// `timeout_ns` nanoseconds.
//
// Ownership: `*out` is new: the caller must release it.
// Threads: any thread, one at a time.
// Blocks: yes, as `ft_local_cursor_next`, for at most `timeout_ns` nanoseconds; without limit if
// that is negative.
// Calls host: source, block, interrupted, release, wake: as `ft_local_cursor_next`.
// Errors: as for `ft_local_batch_load_for`. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_cursor_next_for(struct ft_local_cursor *cursor,
                                         int64_t timeout_ns,
                                         void **out);

// Takes the next result as `ft_local_cursor_next` does, but does not wait for another thread that
// runs the source: see `ft_local_batch_load_now`.
//
// Ownership: `*out` is new: the caller must release it.
// Threads: any thread, one at a time.
// Blocks: briefly.
// Calls host: source, interrupted, release, wake: none of them if a result is in hand; else as
// `ft_local_batch_load_now`.
// Errors: as for `ft_local_batch_load_now`. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_cursor_next_now(struct ft_local_cursor *cursor,
                                         void **out);

// Takes the next result as `ft_local_cursor_next_for` does, and if it runs the source, passes `arg`
// to its `fill_with`: see `ft_local_batch_load_with`.
//
// Ownership: `*out` is new: the caller must release it.
// Threads: any thread, one at a time.
// Blocks: yes, as `ft_local_batch_load_with`; not if there is a result in hand.
// Calls host: source, block, interrupted, release, wake: as `ft_local_cursor_next`.
// Errors: as for `ft_local_batch_load_with`. `*out` is then NULL.
FT_LOCAL_MUST_USE
ft_local_status ft_local_cursor_next_with(struct ft_local_cursor *cursor,
                                          void *arg,
                                          int64_t timeout_ns,
                                          void **out);

// How many results a cursor has in hand.
//
// Threads: any thread, one at a time.
// Errors: 0 if `cursor` is not a cursor; `ft_local_last_error` then says so.
FT_LOCAL_MUST_USE size_t ft_local_cursor_len(const struct ft_local_cursor *cursor);

// Calls `visitor` with each result that a cursor has in hand, for garbage collectors.
//
// Ownership: each object is borrowed during the call of `visitor`.
// Threads: when nobody else uses the handle, for example because all threads are stopped.
// Calls host: visitor: once for each result.
// Errors: the first nonzero result of `visitor`, which ends the visit; FT_LOCAL_ERR_ARGUMENT.
int32_t ft_local_cursor_visit(const struct ft_local_cursor *cursor,
                              ft_local_visitor visitor,
                              void *arg);

// Frees a cursor and gives the results in hand back to the batch. NULL is ignored.
//
// Ownership: `cursor` is moved.
// Threads: when nobody else uses the handle.
// Blocks: briefly.
// Calls host: release, wake, free_ctx: `release` for results in hand if the batch was closed or
// they belong to the parent of a fork, and for all that is left if the batch was freed before;
// `wake` for registered waiters; `free_ctx` if the batch was freed before, and this is its last
// cursor.
// Errors: not reported. What is not a cursor, or was freed, is left alone.
void ft_local_cursor_free(struct ft_local_cursor *cursor);

// Batch: statistics -------------------------------------------------------------------------------

// Initializer for ft_local_stats; `ft_local_stats_init` is the same for languages without macros.
#define FT_LOCAL_STATS_INIT { sizeof(ft_local_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

// What a batch has done. Counting costs a load that finds a result nothing.
//
// While no thread uses the batch, the counters balance: `produced + given_back` equals `loads +
// claimed + released + dropped_on_fork` plus `ft_local_batch_len`.
//
// Start from `FT_LOCAL_STATS_INIT` or `ft_local_stats_init`.
typedef struct ft_local_stats {
    // `sizeof(ft_local_stats)`.
    size_t struct_size;
    // Results handed out by loads.
    uint64_t loads;
    // Claims by cursors.
    uint64_t claims;
    // Results that cursors have claimed.
    uint64_t claimed;
    // How often a thread became the one that runs the source, and ran it.
    uint64_t fills;
    // Results that the source made.
    uint64_t produced;
    // Loads that had to wait for another thread.
    uint64_t waits;
    // How long they waited, in nanoseconds.
    uint64_t wait_ns;
    // How long fills took, from the first call of the source to the last, in nanoseconds.
    uint64_t source_ns;
    // Failures of the source.
    uint64_t errors;
    // Results given back, by callers and by cursors that were freed.
    uint64_t given_back;
    // Results released because the batch was cleared or closed.
    uint64_t released;
    // Results that the child of a fork dropped because the parent hands them out.
    uint64_t dropped_on_fork;
} ft_local_stats;

// Reads the counters of a batch. While threads use the batch, they are not an atomic snapshot.
//
// Ownership: `out` stays the caller's. Fields of a newer header are set to 0.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC. `*out` is then unchanged.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_stats(const ft_local_batch *batch,
                                     struct ft_local_stats *out);

// Does what `FT_LOCAL_STATS_INIT` does, for languages without macros.
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

// `ft_local_wrapper_get`, without a call: one read. `wrapper` is not checked. Not exported: see
// `ft_local_wrapper_get`.
FT_LOCAL_MUST_USE
static inline void *ft_local_wrapper_get_inline(const ft_local_wrapper *wrapper)
{
    return ((const ft_local_wrapper_frame *)(const void *)wrapper)->object;
}

#endif

#ifdef __cplusplus
}
#endif

#endif // FT_LOCAL_H
