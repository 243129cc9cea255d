/*
 * The ranges that another thread prepares for an executor over integers, while the last ones are in
 * use: the thread that fills goes on to them without a call of Python code.
 */

#include "batch.h"

#include <time.h>

shim_ranges *shim_read_ranges(PyObject *self, PyObject *list) {
    size_t count = (size_t)PyList_GET_SIZE(list);
    if (count == 0) {
        return shim_refuse(self, "no_integers", NULL);
    }
    shim_ranges *ranges = PyMem_RawMalloc(sizeof *ranges + count * sizeof ranges->ranges[0]);
    if (ranges == NULL) {
        (void)PyErr_NoMemory();
        return NULL;
    }
    ranges->count = count;
    ranges->used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!shim_read_range(self, PyList_GET_ITEM(list, (Py_ssize_t)i), &ranges->ranges[i])) {
            PyMem_RawFree(ranges);
            return NULL;
        }
    }
    return ranges;
}

bool shim_append_range(PyObject *list, const shim_range *range) {
    if (range->count == 0) {
        return true;
    }
    PyObject *item = Py_BuildValue("(nnn)", range->next, range->step, (Py_ssize_t)range->count);
    int appended = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return appended == 0;
}

static int64_t now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Only the thread that fills, and `_withdraw` after the end, make the place free. The time comes
 * first, for a thread that then sees the free place. */
shim_ranges *shim_take_ahead(shim_batch *batch) {
    if (atomic_load_explicit(&batch->ahead, memory_order_relaxed) == NULL) {
        return NULL;
    }
    atomic_store_explicit(&batch->taken_at, now(), memory_order_relaxed);
    return atomic_exchange_explicit(&batch->ahead, NULL, memory_order_acq_rel);
}

static PyObject *offer(PyObject *self, PyObject *list) {
    shim_batch *batch = (shim_batch *)self;
    if (!PyList_CheckExact(list)) {
        return PyErr_Format(PyExc_TypeError, "_offer() takes a list of ranges");
    }
    shim_ranges *ranges = shim_read_ranges(self, list);
    if (ranges == NULL) {
        return NULL;
    }
    shim_ranges *there = NULL;
    if (atomic_compare_exchange_strong_explicit(&batch->ahead, &there, ranges, memory_order_release,
                                                memory_order_relaxed)) {
        Py_RETURN_NONE;
    }
    PyMem_RawFree(ranges);
    return PyErr_Format(PyExc_RuntimeError, "the ranges that were offered before are not in use");
}

static PyObject *taken_at(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    const double nanosecond = 1e-9;
    shim_batch *batch = (shim_batch *)self;
    if (atomic_load_explicit(&batch->ahead, memory_order_acquire) != NULL) {
        Py_RETURN_NONE;
    }
    int64_t time = atomic_load_explicit(&batch->taken_at, memory_order_relaxed);
    return PyFloat_FromDouble((double)time * nanosecond);
}

static PyObject *withdraw(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_batch *batch = (shim_batch *)self;
    PyObject *list = PyList_New(0);
    shim_ranges *ranges = list == NULL ? NULL : atomic_exchange(&batch->ahead, NULL);
    for (size_t i = 0; ranges != NULL && list != NULL && i < ranges->count; i++) {
        if (!shim_append_range(list, &ranges->ranges[i])) {
            Py_CLEAR(list);
        }
    }
    PyMem_RawFree(ranges);
    return list;
}

PyMethodDef shim_range_methods[] = {
    {"_drain", shim_range_drain, METH_NOARGS,
     PyDoc_STR(
         "_drain($self)\n--\n\n"
         "Closes. Returns a list of the integers that were ready, and one of the ranges that\n"
         "are left, each as the next integer, the step and how many. None if another call is\n"
         "at it.")},
    {"_offer", offer, METH_O,
     PyDoc_STR("_offer($self, ranges, /)\n--\n\n"
               "Has fills go on with these ranges, a list, before they ask the source.")},
    {"_taken_at", taken_at, METH_NOARGS,
     PyDoc_STR("_taken_at($self)\n--\n\n"
               "When a fill went on with what was offered, as of time.monotonic(); 0 if none ever\n"
               "did. None if what was offered has not been needed.")},
    {"_withdraw", withdraw, METH_NOARGS,
     PyDoc_STR("_withdraw($self)\n--\n\nTakes back what was offered: a list as of _drain().")},
    {NULL, NULL, 0, NULL},
};
