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

/* An iterator of what the source returns. NULL with a status. */
static PyObject *ask_for_iterator(shim_batch *batch, size_t n, int32_t *status) {
    PyObject *results = shim_batch_ask(batch, n, status);
    if (results == NULL) {
        return NULL;
    }
    PyObject *iterator = NULL;
    if (Py_TYPE(results)->tp_iter == NULL && !PySequence_Check(results)) {
        (void)shim_refuse((PyObject *)batch, "not_iterable", results);
    } else {
        iterator = PyObject_GetIter(results);
    }
    Py_DECREF(results);
    *status = iterator == NULL ? SHIM_EXCEPTION_IS_PENDING : 0;
    return iterator;
}

/* What the source returns becomes the rest. */
static int32_t ask(shim_batch *batch, size_t n) {
    int32_t status;
    batch->rest = ask_for_iterator(batch, n, &status);
    return status;
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

/* Takes what there is room for from an iterator. An exception is its end, as it would end a loop. */
static int32_t take_from(PyObject *rest, void **out, size_t capacity, size_t *produced,
                         bool *at_end) {
    bool interrupted = false;
    PyObject *result = NULL;
    while (*produced < capacity && !interrupted && (result = next_of(rest)) != NULL) {
        out[(*produced)++] = result;
        interrupted = *produced % SIGNAL_STRIDE == 0 && PyErr_CheckSignals() < 0;
    }
    *at_end = result == NULL;
    bool failed = interrupted || (*at_end && PyErr_Occurred() != NULL && !stop_iteration(NULL));
    return failed ? SHIM_EXCEPTION_IS_PENDING : 0;
}

/* Takes what there is room for from the rest, and forgets it at its end. */
static int32_t take(shim_batch *batch, void **out, size_t capacity, size_t *produced) {
    /* A reference of its own: in a child of a fork in another thread, the executor drops the rest,
     * which would otherwise die while the thread that did not come along is inside it. */
    PyObject *rest = Py_NewRef(batch->rest);
    bool at_end;
    int32_t status = take_from(rest, out, capacity, produced, &at_end);
    if (at_end) {
        Py_CLEAR(batch->rest);
    }
    Py_DECREF(rest);
    return status;
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

/* An iterator that an earlier call of this process has left, or NULL, with an exception if there is
 * no memory. Several threads may be here. */
static PyObject *pop_rest(shim_batch *batch) {
    while (PyList_Size(batch->rests) > 0) {
        PyObject *pair = PyObject_CallMethod(batch->rests, "pop", NULL);
        if (pair == NULL) {
            if (PyErr_ExceptionMatches(PyExc_IndexError)) {
                /* Another thread has taken the last. */
                PyErr_Clear();
            }
            return NULL;
        }
        bool parents = PyLong_AsLong(PyTuple_GET_ITEM(pair, 0)) != getpid();
        PyObject *rest = parents && batch->set.policy != FT_LOCAL_FORK_KEEP
                             ? NULL
                             : Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        Py_DECREF(pair);
        if (rest != NULL) {
            return rest;
        }
    }
    return NULL;
}

/* Takes results from an iterator, whose reference it takes over, and keeps it if it has more. */
static int32_t take_some(shim_batch *batch, PyObject *rest, void **out, size_t capacity,
                         size_t *produced) {
    bool at_end;
    int32_t status = take_from(rest, out, capacity, produced, &at_end);
    if (!at_end && status == 0) {
        PyObject *pair = Py_BuildValue("(lO)", (long)getpid(), rest);
        if (pair == NULL || PyList_Append(batch->rests, pair) < 0) {
            status = SHIM_EXCEPTION_IS_PENDING;
        }
        Py_XDECREF(pair);
    }
    Py_DECREF(rest);
    return status;
}

/* As fill, in several threads at the same time. */
static int32_t fill_as_one_of_several(void *ctx, void **out, size_t capacity, size_t *produced) {
    shim_batch *batch = ctx;
    PyObject *rest = pop_rest(batch);
    while (rest != NULL) {
        int32_t status = take_some(batch, rest, out, capacity, produced);
        if (status != 0 || *produced > 0) {
            return status;
        }
        rest = pop_rest(batch);
    }
    if (PyErr_Occurred()) {
        return SHIM_EXCEPTION_IS_PENDING;
    }
    int32_t status;
    rest = ask_for_iterator(batch, capacity, &status);
    if (rest == NULL) {
        return status;
    }
    status = take_some(batch, rest, out, capacity, produced);
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
        source.fill = batch->set.fillers > 1 ? fill_as_one_of_several : fill;
    } else {
        source.ctx = batch->set.source;
        source.next_plain = make_result;
        source.ended_plain = stop_iteration;
    }
    return source;
}
