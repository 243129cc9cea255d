/*
 * RangeBase: an executor over the integers of ranges, for `ft_local.lease.RangeExecutor`.
 *
 * The core holds integers as words, and a fill counts them out of the last range: it makes no
 * object, and runs no Python code until the range is used up. The load makes the `int`.
 */

#include "batch.h"

#include <unistd.h>

/* The status of a fill that makes no more, because drain() has begun. */
enum { DRAINED = 2 };

PyObject *shim_integer(PyObject *self, void *word) {
    PyObject *integer = PyLong_FromSsize_t((Py_ssize_t)(intptr_t)word);
    if (integer == NULL &&
        ft_local_batch_give_back(shim_batch_handle(self), &word, 1) != FT_LOCAL_OK) {
        /* There is no memory for that either: the integer is left out. */
        return PyErr_NoMemory();
    }
    return integer;
}

PyObject *shim_integers_into(PyObject *list, void *const *words, size_t count) {
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *integer = PyLong_FromSsize_t((Py_ssize_t)(intptr_t)words[i]);
        if (integer == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, integer);
        }
    }
    return list;
}

static bool read_words(PyObject *self, PyObject *const *args, Py_ssize_t nargs, void **words) {
    for (Py_ssize_t i = 0; i < nargs; i++) {
        Py_ssize_t integer = PyLong_AsSsize_t(args[i]);
        if (integer == -1 && PyErr_Occurred()) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
                PyErr_Clear();
                (void)shim_refuse(self, "beyond_a_word", args[i]);
            }
            return false;
        }
        words[i] = (void *)(intptr_t)integer;
    }
    return true;
}

PyObject *shim_range_give_back(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    void **words = PyMem_New(void *, nargs);
    if (words == NULL) {
        return PyErr_NoMemory();
    }
    bool good = read_words(self, args, nargs, words);
    ft_local_status status =
        good ? ft_local_batch_give_back(shim_batch_handle(self), words, (size_t)nargs) : 0;
    PyMem_Free(words);
    if (!good) {
        return NULL;
    }
    return status == FT_LOCAL_OK ? Py_NewRef(Py_None) : shim_batch_raise(self, status);
}

/* Takes over the reference to `value`. Returns false with an exception. */
static bool read_word(PyObject *value, Py_ssize_t *word) {
    *word = value == NULL ? -1 : PyLong_AsSsize_t(value);
    Py_XDECREF(value);
    return *word != -1 || !PyErr_Occurred();
}

bool shim_read_range(PyObject *self, PyObject *returned, shim_range *result) {
    if (!PyRange_Check(returned)) {
        return shim_refuse(self, "not_a_range", returned);
    }
    Py_ssize_t count = PyObject_Size(returned);
    if (count == 0) {
        return shim_refuse(self, "no_integers", NULL);
    }
    shim_range range = {.step = 1, .count = (size_t)count};
    Py_ssize_t last;
    if (count > 0 && read_word(PySequence_GetItem(returned, 0), &range.next) &&
        read_word(PySequence_GetItem(returned, -1), &last) &&
        (count == 1 || read_word(PyObject_GetAttrString(returned, "step"), &range.step))) {
        *result = range;
        return true;
    }
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        return shim_refuse(self, "beyond_a_word", returned);
    }
    return false;
}

/* Goes on to the next range. False if there is none. */
static bool go_on(shim_batch *batch) {
    shim_ranges *ranges = batch->following;
    if (ranges == NULL) {
        return false;
    }
    batch->left = ranges->ranges[ranges->used++];
    if (ranges->used == ranges->count) {
        batch->following = NULL;
        PyMem_RawFree(ranges);
    }
    return true;
}

/* Asks the source for a range, or a list of them. */
static int32_t ask(shim_batch *batch, size_t n) {
    int32_t status;
    PyObject *self = (PyObject *)batch;
    PyObject *returned = shim_batch_ask(batch, n, &status);
    if (returned == NULL) {
        return status;
    }
    bool good;
    if (PyList_CheckExact(returned)) {
        batch->following = shim_read_ranges(self, returned);
        good = go_on(batch);
    } else {
        good = shim_read_range(self, returned, &batch->left);
    }
    Py_DECREF(returned);
    return good ? 0 : SHIM_EXCEPTION_IS_PENDING;
}

static int32_t find_range(shim_batch *batch, size_t n) {
    if (batch->left.count > 0 || go_on(batch)) {
        return 0;
    }
    batch->following = shim_take_ahead(batch);
    return go_on(batch) ? 0 : ask(batch, n);
}

/* Counts out what there is room for. */
static size_t take(shim_batch *batch, void **out, size_t capacity) {
    shim_range *left = &batch->left;
    size_t count = capacity < left->count ? capacity : left->count;
    size_t next = (size_t)left->next;
    for (size_t i = 0; i < count; i++) {
        out[i] = (void *)next;
        /* Beyond the last one this may wrap around. */
        next += (size_t)left->step;
    }
    left->next = (Py_ssize_t)next;
    left->count -= count;
    return count;
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    shim_batch *batch = ctx;
    if (shim_batch_is_forked(batch)) {
        /* Not freed: the thread that is gone may have been in the middle of that. */
        batch->left.count = 0;
        batch->following = NULL;
        atomic_store_explicit(&batch->ahead, NULL, memory_order_relaxed);
    }
    if (atomic_load_explicit(&batch->draining, memory_order_relaxed)) {
        (void)shim_refuse((PyObject *)batch, "executor_is_closed", NULL);
        return DRAINED;
    }
    int32_t status = find_range(batch, capacity);
    if (status == 0) {
        *produced = take(batch, out, capacity);
    }
    return status;
}

ft_local_source shim_range_source(shim_batch *batch) {
    batch->process = getpid();
    batch->left.step = 1;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = batch;
    source.fill = fill;
    return source;
}

/* Appends what `load` takes to `list`, until it fails, and returns its status; or
 * another, with an exception, if there is no memory. */
static ft_local_status load_all(PyObject *self, PyObject *list,
                                ft_local_status (*load)(const ft_local_batch *, void **)) {
    void *word;
    ft_local_status status;
    while ((status = load(shim_batch_handle(self), &word)) == FT_LOCAL_OK) {
        PyObject *integer = shim_integer(self, word);
        int appended = integer == NULL ? -1 : PyList_Append(list, integer);
        Py_XDECREF(integer);
        if (appended < 0) {
            return FT_LOCAL_ERR_NO_MEMORY;
        }
    }
    return status;
}

/* Loads what is ready, and what fills that are under way make. `*ended` is whether this thread has
 * just run the source, which makes no more in any thread. False with an exception. */
static bool load_rest(PyObject *self, PyObject *list, bool *ended) {
    ft_local_status status = load_all(self, list, ft_local_batch_load);
    *ended = status == DRAINED;
    if (*ended) {
        /* What it had made before that is ready. */
        PyErr_Clear();
        status = load_all(self, list, ft_local_batch_try_load);
    }
    return status == FT_LOCAL_ERR_EMPTY || shim_is_over(status) || shim_batch_raise(self, status);
}

/* A list of the ranges that fills would have gone on with. */
static PyObject *ranges_left(shim_batch *batch) {
    PyObject *list = PyList_New(0);
    bool good = list != NULL && shim_append_range(list, &batch->left);
    while (good && go_on(batch)) {
        good = shim_append_range(list, &batch->left);
    }
    batch->left.count = 0;
    if (!good) {
        Py_CLEAR(list);
    }
    return list;
}

PyObject *shim_range_drain(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_batch *batch = (shim_batch *)self;
    if (atomic_exchange_explicit(&batch->draining, true, memory_order_relaxed)) {
        Py_RETURN_NONE;
    }
    PyObject *list = PyList_New(0);
    PyObject *result = NULL;
    bool ended;
    if (list != NULL && load_rest(self, list, &ended)) {
        ft_local_status status = ft_local_batch_close(batch->handle);
        PyObject *left = status != FT_LOCAL_OK ? shim_batch_raise(self, status)
                         : ended               ? ranges_left(batch)
                                               : PyList_New(0);
        result = left == NULL ? NULL : Py_BuildValue("(ON)", list, left);
    }
    Py_XDECREF(list);
    if (result == NULL) {
        atomic_store_explicit(&batch->draining, false, memory_order_relaxed);
    }
    return result;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    return shim_batch_make(type, args, kwargs, true);
}

static PyType_Slot slots[] = {
    SHIM_SLOT(Py_tp_new, new),
    SHIM_DATA(Py_tp_methods, shim_range_methods),
    {0, NULL},
};

/* All else is inherited, the functions for the garbage collector too. */
static PyType_Spec spec = {
    .name = "ft_local._shim.RangeBase",
    .basicsize = sizeof(shim_batch),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *shim_range_type(PyObject *module, PyTypeObject *batch_type) {
    return shim_make_type(module, &spec, batch_type);
}
