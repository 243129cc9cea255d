// ft_local: shared, reference-counted objects in many threads without fighting over their counts.
//
// This file is made from src/capi/ by `make header`; do not edit it.
//
// Three words say who owes a release. New: you do, from now on. Borrowed: you do not, and it is
// good for as long as the comment says. Moved: no longer yours.
//
// Four phrases say what threads may do. Any thread, at once. Any thread, one at a time. Owner
// thread only. When nobody else uses the handle.
//
// Every pointer is checked. A handle parameter takes NULL, which is an argument error except to
// `_free`, or a handle of its kind that was not freed; a handle of another kind, and most that were
// freed, are told from good ones, but do not count on it. An out parameter is the address of a
// pointer, which is set to NULL before anything else happens.


#ifndef FT_LOCAL_H
#define FT_LOCAL_H

#include <stddef.h>
#include <stdint.h>

// A function returns a status that has to be looked at.
#if defined(__GNUC__)
#define FT_LOCAL_MUST_USE __attribute__((warn_unused_result))
#else
#define FT_LOCAL_MUST_USE
#endif

// The version of this header. `ft_local_version_number` asks the library that was loaded.
#define FT_LOCAL_VERSION_NUMBER                                                                    \
    (FT_LOCAL_VERSION_MAJOR * 1000000 + FT_LOCAL_VERSION_MINOR * 1000 + FT_LOCAL_VERSION_PATCH)

// What a host's struct begins as. `ft_local_host_init` is the same for languages without macros.
#define FT_LOCAL_HOST_INIT                                                                         \
    { sizeof(ft_local_host), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }

// What a source's struct begins as. `ft_local_source_init` is the same for languages without
// macros.
#define FT_LOCAL_SOURCE_INIT { sizeof(ft_local_source), NULL, NULL }

#define FT_LOCAL_VERSION_MAJOR 0
#define FT_LOCAL_VERSION_MINOR 1
#define FT_LOCAL_VERSION_PATCH 0
#define FT_LOCAL_ABI_VERSION 0


// The largest size of a batch. Its memory is taken when it is made: 16 bytes for each result.
#define FT_LOCAL_BATCH_MAX_SIZE 1073741824

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
    // The source loads from the batch that it is filling.
    FT_LOCAL_ERR_REENTRANT = -6,
    // The host interrupted the wait. Nothing was lost.
    FT_LOCAL_ERR_INTERRUPTED = -7,
    // The library panicked: a defect of its own. Only this handle is affected; it can be freed.
    FT_LOCAL_ERR_PANIC = -8,
} ft_local_status_code;

// Runs a source to fill a buffer of results, in one thread at a time, and hands each result to
// exactly one of the threads that load, in the order in which the source made them.
typedef struct ft_local_batch ft_local_batch;

// Holds one object, retained once. Make one for each thread that uses the object: the object's
// reference count is then touched when the wrapper is made and when it is freed, not in between.
typedef struct ft_local_wrapper ft_local_wrapper;

// What a function returns: `FT_LOCAL_OK`, one of the library's errors, which are negative, or a
// positive code that comes from the host's own source.
typedef int32_t ft_local_status;

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
    // whatever else a thread of the runtime does before it blocks. Called only to wait.
    void (*block)(void *ctx, ft_local_wait wait, void *arg);
    // `block` in two halves, for runtimes that already have them, such as PyEval_SaveThread:
    // leaves the runtime, before a wait. What it returns goes to `attach`.
    void *(*detach)(void);
    // Comes back to the runtime, after a wait.
    void (*attach)(void *token);
    // Whether the calling thread must stop waiting: 0 if not. Asked about every 50 ms while a
    // thread waits, and inside the runtime.
    int32_t (*interrupted)(void *ctx);
    // `interrupted` without `ctx`.
    int32_t (*interrupted_plain)(void);
} ft_local_host;

// Where the results of a batch come from.
//
// Begin with `FT_LOCAL_SOURCE_INIT` or `ft_local_source_init`. The library copies the struct.
typedef struct ft_local_source {
    // `sizeof(ft_local_source)` in the header that the host was compiled with.
    size_t struct_size;
    // Passed to `fill`. It must be good as long as the batch lives.
    void *ctx;
    // Makes between 1 and `capacity` objects: writes them to `out`, whose slots are NULL, from
    // the first on, sets `*produced`, which is 0, to their number, and returns 0. Each object
    // comes with one reference, which moves to the library.
    //
    // To fail, it returns a positive code of its own, which `ft_local_batch_load` returns to
    // the caller in whose thread the source ran. Objects counted in `*produced` are kept then
    // too.
    //
    // One thread at a time calls it, not always the same one. It may use other batches; loading
    // from the batch it fills is FT_LOCAL_ERR_REENTRANT. It must return: no C++ exception, no
    // longjmp.
    int32_t (*fill)(void *ctx, void **out, size_t capacity, size_t *produced);
} ft_local_source;

// Shown one object; returns 0 to go on, anything else to stop. Does nothing but look.
typedef int32_t (*ft_local_visitor)(void *object, void *arg);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that was loaded, as "major.minor.patch".
//
// Ownership: the text is borrowed, and good for ever.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: none.
// Since: 0.1.
FT_LOCAL_MUST_USE const char *ft_local_version(void);

// The version of the library that was loaded, as a number that grows from version to version:
// major * 1000000 + minor * 1000 + patch. `FT_LOCAL_VERSION_NUMBER` is that of the header.
//
// Ownership: nothing changes hands.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: none.
// Since: 0.1.
FT_LOCAL_MUST_USE uint32_t ft_local_version_number(void);

// The version of the binary interface that the loaded library has, which is also the number in
// its SONAME. A program works with a library whose number is `FT_LOCAL_ABI_VERSION`.
//
// Ownership: nothing changes hands.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: none.
// Since: 0.1.
FT_LOCAL_MUST_USE uint32_t ft_local_abi_version(void);

// Says in English what a status means.
//
// Ownership: the text is borrowed, and good for ever.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: none. A positive status and an unknown one get a text too.
// Since: 0.1.
FT_LOCAL_MUST_USE const char *ft_local_status_text(ft_local_status status);

// Says which argument the last `FT_LOCAL_ERR_ARGUMENT` in the calling thread was about, and what
// is wrong with it. An empty text if there was none.
//
// Ownership: the text is borrowed, and good for ever.
// Threads: any thread, at once; each has its own last error.
// Blocks: no.
// Calls host: no.
// Errors: none.
// Since: 0.1.
FT_LOCAL_MUST_USE const char *ft_local_last_error(void);

// Sets a host's struct to zero and its size: `FT_LOCAL_HOST_INIT` for languages without macros.
//
// Ownership: `host` stays the caller's.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: FT_LOCAL_ERR_ARGUMENT if `host` is NULL, or `struct_size` is not the size of an
// `ft_local_host` in any version of the header.
// Since: 0.1.
FT_LOCAL_MUST_USE
ft_local_status ft_local_host_init(struct ft_local_host *host,
                                   size_t struct_size);

// Sets a source's struct to zero and its size: `FT_LOCAL_SOURCE_INIT` for languages without
// macros.
//
// Ownership: `source` stays the caller's.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: FT_LOCAL_ERR_ARGUMENT if `source` is NULL, or `struct_size` is not the size of an
// `ft_local_source` in any version of the header.
// Since: 0.1.
FT_LOCAL_MUST_USE
ft_local_status ft_local_source_init(struct ft_local_source *source,
                                     size_t struct_size);

// Makes a wrapper of `object`.
//
// Ownership: `object` is borrowed during the call and retained once by the host's `retain`;
// `*out` is new: free it with `ft_local_wrapper_free`.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: retain, once.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_NO_MEMORY, FT_LOCAL_ERR_RETAIN. `*out` is then NULL.
// Since: 0.1.
FT_LOCAL_MUST_USE
ft_local_status ft_local_wrapper_new(const struct ft_local_host *host,
                                     void *object,
                                     struct ft_local_wrapper **out);

// The object in a wrapper.
//
// Ownership: the object is borrowed, and good until the wrapper is freed.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: NULL if `wrapper` is not a wrapper; `ft_local_last_error` then says so.
// Since: 0.1.
FT_LOCAL_MUST_USE void *ft_local_wrapper_get(const struct ft_local_wrapper *wrapper);

// Shows the object to `visitor`, for a garbage collector that wants to know what is referred to.
//
// Ownership: the object is borrowed during the call of `visitor`.
// Threads: any thread, at once.
// Blocks: no, and takes no lock.
// Calls host: `visitor`, once.
// Errors: what `visitor` returns; FT_LOCAL_ERR_ARGUMENT.
// Since: 0.1.
int32_t ft_local_wrapper_visit(const struct ft_local_wrapper *wrapper,
                               ft_local_visitor visitor,
                               void *arg);

// Frees a wrapper and releases its object. NULL is nothing to free.
//
// Ownership: `wrapper` is moved: no longer yours.
// Threads: when nobody else uses the handle.
// Blocks: no.
// Calls host: release, once.
// Errors: none that are told. What is not a wrapper, or was freed, is left alone.
// Since: 0.1.
void ft_local_wrapper_free(struct ft_local_wrapper *wrapper);

// Makes a batch that asks `source` for up to `size` results whenever it has none.
//
// Ownership: `host` and `source` are copied; `*out` is new: free it with `ft_local_batch_free`.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: FT_LOCAL_ERR_ARGUMENT, also if `size` is 0 or above FT_LOCAL_BATCH_MAX_SIZE;
// FT_LOCAL_ERR_NO_MEMORY. `*out` is then NULL.
// Since: 0.1.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_new(const struct ft_local_host *host,
                                   const struct ft_local_source *source,
                                   size_t size,
                                   struct ft_local_batch **out);

// Takes the next result. If there is none, runs the source, or waits for the thread that runs it.
//
// Ownership: `*out` is new: it holds the reference that the source made, and you owe its release.
// Threads: any thread, at once.
// Blocks: while another thread runs the source and nothing is ready, through the host's `block`.
// Calls host: the source, block, interrupted; nothing if a result is ready.
// Errors: a positive code is the source's own, FT_LOCAL_ERR_SOURCE stands for its other failures
// and FT_LOCAL_ERR_NOTHING_PRODUCED for its having nothing: these go only to the caller that ran
// the source, and what it had produced before is kept. FT_LOCAL_ERR_REENTRANT if the source
// loads from its own batch; FT_LOCAL_ERR_INTERRUPTED if the host ends the wait;
// FT_LOCAL_ERR_ARGUMENT; FT_LOCAL_ERR_PANIC. `*out` is then NULL, and after all but the last the
// batch works on.
// Since: 0.1.
FT_LOCAL_MUST_USE
ft_local_status ft_local_batch_load(const struct ft_local_batch *batch,
                                    void **out);

// How many results are ready; a moment later there may be others.
//
// Ownership: nothing changes hands.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
// Since: 0.1.
FT_LOCAL_MUST_USE size_t ft_local_batch_len(const struct ft_local_batch *batch);

// How many results one fill makes at most, as the batch was made.
//
// Ownership: nothing changes hands.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: no.
// Errors: 0 if `batch` is not a batch; `ft_local_last_error` then says so.
// Since: 0.1.
FT_LOCAL_MUST_USE size_t ft_local_batch_size(const struct ft_local_batch *batch);

// Shows each result in the buffer to `visitor`, for a garbage collector that wants to know what
// is referred to. Results that the source is just handing over are not shown.
//
// Ownership: each object is borrowed during the call of `visitor`.
// Threads: when nobody else uses the handle, because the world is stopped for instance.
// Blocks: no, and takes no lock.
// Calls host: `visitor`, once for each result.
// Errors: what `visitor` returns if that is not 0, which also ends the visit;
// FT_LOCAL_ERR_ARGUMENT.
// Since: 0.1.
int32_t ft_local_batch_visit(const struct ft_local_batch *batch,
                             ft_local_visitor visitor,
                             void *arg);

// Releases all results in the buffer. The batch works on.
//
// Ownership: the batch's references to the results are given up.
// Threads: any thread, at once.
// Blocks: no.
// Calls host: release, once for each result.
// Errors: FT_LOCAL_ERR_ARGUMENT, FT_LOCAL_ERR_PANIC.
// Since: 0.1.
FT_LOCAL_MUST_USE ft_local_status ft_local_batch_clear(const struct ft_local_batch *batch);

// Frees a batch and releases the results in its buffer. NULL is nothing to free.
//
// Ownership: `batch` is moved: no longer yours.
// Threads: when nobody else uses the handle.
// Blocks: no.
// Calls host: release, once for each result in the buffer.
// Errors: none that are told. What is not a batch, or was freed, is left alone.
// Since: 0.1.
void ft_local_batch_free(struct ft_local_batch *batch);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FT_LOCAL_H */
