/* The methods of a BatchExecutor that take results, or have them made. */

#include "batch.h"

#include <stdlib.h>

bool shim_parse_load(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                     int64_t *nanoseconds) {
    static const char *const names[] = {"timeout"};
    static const shim_parameters parameters = {
        .function = "load", .count = 1, .names = names, .optional = 1};
    *nanoseconds = SHIM_FOREVER;
    PyObject *timeout;
    return (nargs == 0 && kwnames == NULL) ||
           (shim_parse_call(&parameters, args, nargs, kwnames, &timeout) &&
            shim_parse_timeout(self, timeout, nanoseconds));
}

/* The caller of a method holds a reference to `self` until the method returns, even if the source
 * drops all others; so none is taken here, where many threads would fight over the count. */
PyObject *shim_batch_load(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames) {
    int64_t nanoseconds;
    if (!shim_parse_load(self, args, nargs, kwnames, &nanoseconds)) {
        return NULL;
    }
    ft_local_batch *handle = shim_batch_handle(self);
    void *result;
    ft_local_status status = nanoseconds == SHIM_FOREVER
                                 ? ft_local_batch_load(handle, &result)
                                 : ft_local_batch_load_for(handle, nanoseconds, &result);
    return status == FT_LOCAL_OK ? shim_result(self, result) : shim_batch_raise(self, status);
}

/* What `load` takes, or the only argument, `default`, if its status is `nothing`. */
static inline PyObject *load_or_default(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                        const char *method, ft_local_status nothing,
                                        ft_local_status (*load)(const ft_local_batch *, void **)) {
    PyObject *otherwise = shim_default(method, args, nargs);
    if (otherwise == NULL) {
        return NULL;
    }
    void *result;
    ft_local_status status = load(shim_batch_handle(self), &result);
    if (status == FT_LOCAL_OK) {
        return shim_result(self, result);
    }
    return status == nothing ? Py_NewRef(otherwise) : shim_batch_raise(self, status);
}

PyObject *shim_batch_try_load(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    return load_or_default(self, args, nargs, "try_load", FT_LOCAL_ERR_EMPTY,
                           ft_local_batch_try_load);
}

PyObject *shim_batch_load_now(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    return load_or_default(self, args, nargs, "load_now", FT_LOCAL_ERR_WOULD_WAIT,
                           ft_local_batch_load_now);
}

/* A list to which the results are moved; NULL with a MemoryError, and then they are not. */
static PyObject *list_of(PyObject *self, void **results, size_t count) {
    PyObject *list = PyList_New((Py_ssize_t)count);
    if (((shim_batch *)self)->integers) {
        return shim_integers_into(list, results, count);
    }
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyList_SET_ITEM(list, (Py_ssize_t)i, results[i]);
    }
    return list;
}

/* Gives back what a load that failed had taken, and leaves the exception pending. Where there is no
 * memory to keep the results in, they are returned after all, and the exception is only reported:
 * one of the two has to go, and results must not be lost. */
static PyObject *give_back(PyObject *self, ft_local_batch *handle, void **results, size_t count) {
    if (ft_local_batch_give_back(handle, results, count) == FT_LOCAL_OK) {
        return NULL;
    }
    PyErr_WriteUnraisable(self);
    return list_of(self, results, count);
}

static PyObject *load_into(PyObject *self, void **results, size_t n, int64_t nanoseconds) {
    ft_local_batch *handle = shim_batch_handle(self);
    size_t count;
    ft_local_status status = ft_local_batch_load_many(handle, n, nanoseconds, results, &count);
    if (status == FT_LOCAL_OK) {
        PyObject *list = list_of(self, results, count);
        return list != NULL ? list : give_back(self, handle, results, count);
    }
    (void)shim_batch_raise(self, status);
    return count == 0 ? NULL : give_back(self, handle, results, count);
}

PyObject *shim_batch_load_many(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    static const char *const names[] = {"n", "timeout"};
    static const shim_parameters parameters = {
        .function = "load_many", .count = 2, .names = names, .optional = 1};
    PyObject *values[2];
    size_t n;
    int64_t nanoseconds;
    if (!shim_parse_call(&parameters, args, nargs, kwnames, values) ||
        !shim_parse_size(self, "n", values[0], 0, PY_SSIZE_T_MAX / sizeof(void *), &n) ||
        !shim_parse_timeout(self, values[1], &nanoseconds)) {
        return NULL;
    }
    if (n == 0) {
        return PyList_New(0);
    }
    /* Not the list itself: the source could find it, unfinished, through the garbage collector.
     * Not Python's own memory, which it fills in its debug mode: of a large array only what is used
     * takes memory. */
    void **results = malloc(n * sizeof *results);
    if (results == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *list = load_into(self, results, n, nanoseconds);
    free(results);
    return list;
}

/* The library takes over a reference to each. */
PyObject *shim_batch_give_back(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    if (nargs == 0) {
        Py_RETURN_NONE;
    }
    if (((shim_batch *)self)->integers) {
        return shim_range_give_back(self, args, nargs);
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        Py_INCREF(args[i]);
    }
    ft_local_status status =
        ft_local_batch_give_back(shim_batch_handle(self), (void *const *)args, (size_t)nargs);
    if (status == FT_LOCAL_OK) {
        Py_RETURN_NONE;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        Py_DECREF(args[i]);
    }
    return shim_batch_raise(self, status);
}

PyObject *shim_batch_prefill(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames) {
    static const char *const names[] = {"low_water", "max", "timeout"};
    static const shim_parameters parameters = {
        .function = "prefill", .count = 3, .names = names, .optional = 3, .keyword_only = 1};
    PyObject *values[3];
    ft_local_batch *handle = shim_batch_handle(self);
    size_t low_water = (size_t)((shim_batch *)self)->set.size;
    size_t max = low_water;
    int64_t nanoseconds = 0;
    if (!shim_parse_call(&parameters, args, nargs, kwnames, values)) {
        return NULL;
    }
    bool good =
        (values[0] == NULL || values[0] == Py_None ||
         shim_parse_size(self, "low_water", values[0], 1, low_water, &low_water)) &&
        (values[1] == NULL || values[1] == Py_None ||
         shim_parse_size(self, "max", values[1], 1, PY_SSIZE_T_MAX / sizeof(void *), &max)) &&
        (values[2] == NULL || shim_parse_timeout(self, values[2], &nanoseconds));
    if (!good) {
        return NULL;
    }
    size_t made;
    ft_local_status status = ft_local_batch_prefill(handle, low_water, max, nanoseconds, &made);
    return status == FT_LOCAL_OK ? PyLong_FromSize_t(made) : shim_batch_raise(self, status);
}
