/* What the files about BatchExecutor and Cursor share. */
#ifndef FT_LOCAL_SHIM_BATCH_H
#define FT_LOCAL_SHIM_BATCH_H

#include "shim.h"

#include <stdatomic.h>
#include <sys/types.h>

#pragma GCC visibility push(hidden)

/* What a BatchExecutor is made with, and never changes. */
typedef struct {
    /* The `Settings` of `ft_local._settings`, which holds all of it. */
    PyObject *all;
    PyObject *source;
    Py_ssize_t size;
    Py_ssize_t budget;
    Py_ssize_t low_water;
    Py_ssize_t fillers;
    int bulk;
    int policy;
} shim_batch_settings;

/* `count` integers, from `next` on. */
typedef struct {
    Py_ssize_t next;
    Py_ssize_t step;
    size_t count;
} shim_range;

/* Ranges in their order, of which `used` are used up. */
typedef struct {
    size_t count;
    size_t used;
    shim_range ranges[];
} shim_ranges;

typedef struct {
    PyObject ob_base;
    /* This and the settings are NULL only after the garbage collector has cleared the executor. */
    ft_local_batch *handle;
    /* The one whose objects the results are. */
    PyInterpreterState *interpreter;
    shim_batch_settings set;
    /* What a bulk source returned and was not taken yet, as an iterator, or NULL; and the process
     * in which it was returned. Only the thread that fills uses the two. */
    PyObject *rest;
    pid_t process;
    /* The same if several threads fill: a list of pairs of a process and an iterator, or NULL. */
    PyObject *rests;
    PyObject *weak_references;
    /* ranges.c: whether results are integers, which the core holds as words. Then only the thread that
     * fills uses these two: what is left of a range, and the ranges that follow, or NULL. */
    bool integers;
    shim_range left;
    shim_ranges *following;
    _Atomic(bool) draining;
    /* ranges_ahead.c: what another thread has prepared for the time after that, or NULL; and when the
     * last was taken from there, in nanoseconds. */
    _Atomic(shim_ranges *) ahead;
    _Atomic(int64_t) taken_at;
} shim_batch;

static inline bool shim_batch_is_at_home(PyObject *self) {
    return ((shim_batch *)self)->interpreter == PyInterpreterState_Get();
}

/* NULL, which the library refuses, in another interpreter of the process than the executor's: no
 * reference may go from one to the other. */
static inline ft_local_batch *shim_batch_handle(PyObject *self) {
    return shim_batch_is_at_home(self) ? ((shim_batch *)self)->handle : NULL;
}

/* batch_settings.c: reads the arguments of the constructor of `type`. Those for which there is no
 * parameter are errors, or left to the `__init__` of a subclass. `all` is a new reference. Returns
 * false with an exception. */
bool shim_batch_parse(PyTypeObject *type, PyObject *args, PyObject *kwargs, bool others_are_errors,
                      shim_batch_settings *settings);

extern PyGetSetDef shim_batch_attributes[];

/* batch.c: a new executor, whose results are integers or any objects. */
PyObject *shim_batch_make(PyTypeObject *type, PyObject *args, PyObject *kwargs, bool integers);

/* The library takes a positive code for the source's own. Python knows the exception that is
 * pending, so this one is enough. */
enum { SHIM_EXCEPTION_IS_PENDING = 1 };

/* batch_source.c: how the library asks the source of `batch`. */
ft_local_source shim_batch_source(shim_batch *batch);

/* batch_source.c: calls source(n). NULL with a status, if it has ended or failed. */
PyObject *shim_batch_ask(shim_batch *batch, size_t n, int32_t *status);

/* batch_source.c: whether this is the child of a fork since it was last asked, in which what the
 * parent's source returned is the parent's to hand out. */
bool shim_batch_is_forked(shim_batch *batch);

/* ranges.c: how the library asks a source of ranges. */
ft_local_source shim_range_source(shim_batch *batch);

/* ranges.c: reads a range. Returns false with an exception. */
bool shim_read_range(PyObject *self, PyObject *range, shim_range *result);

/* ranges_ahead.c: reads a list of ranges. NULL with an exception. */
shim_ranges *shim_read_ranges(PyObject *self, PyObject *list);

/* ranges_ahead.c: appends a range that is not empty to a list. Returns false with an exception. */
bool shim_append_range(PyObject *list, const shim_range *range);

/* ranges_ahead.c: takes what was prepared, for the thread that fills; or NULL. */
shim_ranges *shim_take_ahead(shim_batch *batch);

extern PyMethodDef shim_range_methods[];

/* ranges.c: _drain(). */
PyObject *shim_range_drain(PyObject *self, PyObject *ignored);

/* Frees the ranges, when nobody uses the executor. */
static inline void shim_ranges_clear(shim_batch *batch) {
    PyMem_RawFree(batch->following);
    batch->following = NULL;
    PyMem_RawFree(atomic_exchange(&batch->ahead, NULL));
}

/* ranges.c: an integer that the core held. NULL with a MemoryError; the executor then has it back. */
PyObject *shim_integer(PyObject *self, void *word);

/* What a load returns for a result of the core's, to which it takes over the reference. */
static inline PyObject *shim_result(PyObject *self, void *result) {
    return ((shim_batch *)self)->integers ? shim_integer(self, result) : (PyObject *)result;
}

/* ranges.c: fills a new list, and returns it. NULL, and there is no list, if there is no memory. */
PyObject *shim_integers_into(PyObject *list, void *const *words, size_t count);

/* ranges.c: give_back() of integers. */
PyObject *shim_range_give_back(PyObject *self, PyObject *const *args, Py_ssize_t nargs);

/* The only argument, `default`, of a method: borrowed, None if it is left out. NULL with a TypeError
 * if there are more. */
static inline PyObject *shim_default(const char *method, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs > 1) {
        return PyErr_Format(PyExc_TypeError, "%s() takes 1 positional argument but %zd were given",
                            method, nargs);
    }
    return nargs == 1 ? args[0] : Py_None;
}

/* batch_load.c: the methods that take results, or have them made. */
PyObject *shim_batch_load(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames);
PyObject *shim_batch_try_load(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *shim_batch_load_now(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *shim_batch_load_many(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames);
PyObject *shim_batch_give_back(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *shim_batch_prefill(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames);

/* batch_wait.c: the methods that tell when to try again. */
PyObject *shim_batch_notify(PyObject *self, PyObject *waiter);

/* batch_wait.c: aload() of an executor or a cursor, and what `async for` asks for. */
PyObject *shim_aload(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *shim_aiter(PyObject *self);

/* batch_wait.c: prefilling() of an executor. */
PyObject *shim_batch_prefilling(PyObject *self, PyObject *args, PyObject *kwargs);

/* The timeout among the arguments of load(). */
bool shim_parse_load(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                     int64_t *nanoseconds);

/* batch_iterator.c and cursor.c: the methods that make one. */
PyObject *shim_batch_iter(PyObject *self);
PyObject *shim_batch_cursor(PyObject *self, PyObject *ignored);

/* batch_stats.c */
PyObject *shim_batch_stats(PyObject *self, PyObject *ignored);

/* status.c: as shim_raise, for what was done with the handle of `self`, an executor. */
void *shim_batch_raise(PyObject *self, ft_local_status status);

/* status.c: the same for a cursor, which is `self` and no executor. */
void *shim_load_raise(PyObject *self, ft_local_status status);

/* status.c: a RuntimeError, and NULL, for `what`, an object of another interpreter of the process. */
void *shim_refuse_in_another_interpreter(const char *what);

/* Whether `status` says that there will never be another result. */
static inline bool shim_is_over(ft_local_status status) {
    return status == FT_LOCAL_ERR_END || status == FT_LOCAL_ERR_CLOSED;
}

#pragma GCC visibility pop

#endif
