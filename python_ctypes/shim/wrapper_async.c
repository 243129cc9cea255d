/* LocalWrapper: coroutines, awaitables and asynchronous iterators. */

#include "wrapper.h"

/* A generator that `types.coroutine` has made awaitable, which is known by a flag of its code. */
static int is_awaitable_generator(PyObject *object) {
    if (!PyGen_CheckExact(object)) {
        return 0;
    }
    PyObject *code = PyObject_GetAttrString(object, "gi_code");
    if (code == NULL) {
        return -1;
    }
    int flag = ((PyCodeObject *)code)->co_flags & CO_ITERABLE_COROUTINE;
    Py_DECREF(code);
    return flag != 0;
}

static PyObject *await_without_slot(PyObject *self, PyObject *wrapped) {
    int generator = is_awaitable_generator(wrapped);
    if (generator == 0) {
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                     Py_TYPE(wrapped)->tp_name);
    }
    /* The interpreter refuses such a generator as the answer of `__await__`. A wrapper of it passes
     * on all that is sent to it, and is not refused. */
    return generator == 1 ? Py_NewRef(self) : NULL;
}

static PyObject *await(PyObject *self) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyAsyncMethods *methods = Py_TYPE(wrapped)->tp_as_async;
    PyObject *result = methods != NULL && methods->am_await != NULL
                           ? methods->am_await(wrapped)
                           : await_without_slot(self, wrapped);
    shim_leave(self);
    return result;
}

static PyObject *iterate(PyObject *self) {
    SHIM_ASK(PyObject *, NULL, self, PyObject_GetAIter(wrapped));
}

static PyObject *next(PyObject *self) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PyAIter_Check(wrapped)) {
        result = Py_TYPE(wrapped)->tp_as_async->am_anext(wrapped);
    } else {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an async iterator",
                     Py_TYPE(wrapped)->tp_name);
    }
    shim_leave(self);
    return result;
}

/* What an event loop does to a task's coroutine, which is not an iterator. */
static PySendResult send(PyObject *self, PyObject *value, PyObject **result) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        *result = NULL;
        return PYGEN_ERROR;
    }
    PySendResult kind = PyIter_Send(wrapped, value, result);
    shim_leave(self);
    return kind;
}

const PyType_Slot shim_wrapper_async_slots[] = {
    SHIM_SLOT(Py_am_await, await),
    SHIM_SLOT(Py_am_aiter, iterate),
    SHIM_SLOT(Py_am_anext, next),
    SHIM_SLOT(Py_am_send, send),
    {0, NULL},
};
