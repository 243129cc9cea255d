/* The source of a BatchExecutor, as the library calls it. */

#include "batch.h"

#include <unistd.h>

/* How many results are taken from an iterator in C before signals are looked at. */
enum { SIGNAL_STRIDE = 1024 };

/* One result for each call, which the library hands out at once, so that a thread that waits need
 * not wait for the whole batch. */
static void *make_result(void *source) {
    return PyObject_CallNoArgs(source);
}

/* Whether the source has ended. StopIteration has then done its work, and is no error of a load. */
static int32_t stop_iteration(void *Py_UNUSED(ctx)) {
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return 0;
    }
    PyErr_Clear();
    return 1;
}

bool shim_batch_is_forked(shim_batch *batch) {
    pid_t process = getpid();
    if (batch->process == process) {
        return false;
    }
    batch->process = process;
    return batch->set.policy != FT_LOCAL_FORK_KEEP;
}

PyObject *shim_batch_ask(shim_batch *batch, size_t n, int32_t *status) {
    *status = SHIM_EXCEPTION_IS_PENDING;
    PyObject *number = PyLong_FromSize_t(n);
    if (number == NULL) {
        return NULL;
    }
    PyObject *results = PyObject_CallOneArg(batch->set.source, number);
    Py_DECREF(number);
    if (results == NULL && stop_iteration(NULL)) {
        *status = FT_LOCAL_ERR_END;
    }
    return results;
}

/* What the source returns becomes the rest. */
static int32_t ask(shim_batch *batch, size_t n) {
    int32_t status;
    PyObject *results = shim_batch_ask(batch, n, &status);
    if (results == NULL) {
        return status;
    }
    if (Py_TYPE(results)->tp_iter == NULL && !PySequence_Check(results)) {
        (void)shim_refuse((PyObject *)batch, "not_iterable", results);
    } else {
        batch->rest = PyObject_GetIter(results);
    }
    Py_DECREF(results);
    return batch->rest == NULL ? SHIM_EXCEPTION_IS_PENDING : 0;
}

/* Looked up anew each time: the class of an iterator may change, to one that is none. */
static PyObject *next_of(PyObject *iterator) {
    iternextfunc next = Py_TYPE(iterator)->tp_iternext;
    if (next == NULL) {
        return PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                            Py_TYPE(iterator)->tp_name);
    }
    return next(iterator);
}

/* Takes what there is room for from the rest, and forgets it at its end. An exception ends it too,
 * as it would end a loop. */
static int32_t take(shim_batch *batch, void **out, size_t capacity, size_t *produced) {
    /* A reference of its own: in a child of a fork in another thread, the executor drops the rest,
     * which would otherwise die while the thread that did not come along is inside it. */
    PyObject *rest = Py_NewRef(batch->rest);
    bool interrupted = false;
    PyObject *result = NULL;
    while (*produced < capacity && !interrupted && (result = next_of(rest)) != NULL) {
        out[(*produced)++] = result;
        interrupted = *produced % SIGNAL_STRIDE == 0 && PyErr_CheckSignals() < 0;
    }
    bool at_end = result == NULL;
    bool failed = interrupted || (at_end && PyErr_Occurred() != NULL && !stop_iteration(NULL));
    if (at_end) {
        Py_CLEAR(batch->rest);
    }
    Py_DECREF(rest);
    return failed ? SHIM_EXCEPTION_IS_PENDING : 0;
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    shim_batch *batch = ctx;
    if (shim_batch_is_forked(batch)) {
        Py_CLEAR(batch->rest);
    }
    if (batch->rest != NULL) {
        int32_t status = take(batch, out, capacity, produced);
        if (status != 0 || *produced > 0) {
            return status;
        }
        /* All of it had been taken by earlier fills. */
    }
    int32_t status = ask(batch, capacity);
    if (status == 0) {
        status = take(batch, out, capacity, produced);
    }
    if (status == 0 && *produced == 0) {
        (void)shim_refuse((PyObject *)batch, "no_results", NULL);
        return SHIM_EXCEPTION_IS_PENDING;
    }
    return status;
}

ft_local_source shim_batch_source(shim_batch *batch) {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    if (batch->set.bulk) {
        batch->process = getpid();
        source.ctx = batch;
        source.fill = fill;
    } else {
        source.ctx = batch->set.source;
        source.next_plain = make_result;
        source.ended_plain = stop_iteration;
    }
    return source;
}
