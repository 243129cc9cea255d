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
