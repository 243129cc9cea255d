/* LocalWrapper: items, iteration, and the memory of what it wraps. */

#include "wrapper.h"

static Py_ssize_t length(PyObject *self) {
    SHIM_ASK(Py_ssize_t, -1, self, PyObject_Size(wrapped));
}

/* What PyObject_GetItem tries first, without a second call of it. */
static inline PyObject *get_item_of(PyObject *object, PyObject *key) {
    PyMappingMethods *methods = Py_TYPE(object)->tp_as_mapping;
    return methods != NULL && methods->mp_subscript != NULL ? methods->mp_subscript(object, key)
                                                            : PyObject_GetItem(object, key);
}

static PyObject *get_item(PyObject *self, PyObject *key) {
    SHIM_ASK(PyObject *, NULL, self, get_item_of(wrapped, key));
}

static int set_item_of(PyObject *object, PyObject *key, PyObject *value) {
    PyObject *held = shim_hold(object);
    int result =
        value == NULL ? PyObject_DelItem(object, key) : PyObject_SetItem(object, key, value);
    Py_XDECREF(held);
    return result;
}

static int set_item(PyObject *self, PyObject *key, PyObject *value) {
    SHIM_ASK(int, -1, self, set_item_of(wrapped, key, value));
}

static int contains(PyObject *self, PyObject *item) {
    SHIM_ASK(int, -1, self, PySequence_Contains(wrapped, item));
}

/* For C code that reads sequences by number. The caller has already added the length to a negative
 * index, and that must not be done a second time. */
static PyObject *item_at(PyObject *self, Py_ssize_t index) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PySequenceMethods *methods = Py_TYPE(wrapped)->tp_as_sequence;
    PyObject *result = methods != NULL && methods->sq_item != NULL
                           ? methods->sq_item(wrapped, index)
                           : PySequence_GetItem(wrapped, index);
    shim_leave(self);
    return result;
}

static PyObject *concatenate(PyObject *self, PyObject *other) {
    PyObject *result = NULL;
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *bare_other = shim_enter_operand(other);
    if (bare_other != NULL) {
        PyObject *held = shim_hold(wrapped);
        PyObject *held_other = other == bare_other ? NULL : shim_hold(bare_other);
        result = PySequence_Concat(wrapped, bare_other);
        Py_XDECREF(held);
        Py_XDECREF(held_other);
        shim_leave_operand(other);
    }
    shim_leave(self);
    return result;
}

static PyObject *iterate(PyObject *self) {
    SHIM_ASK(PyObject *, NULL, self, PyObject_GetIter(wrapped));
}

static PyObject *next(PyObject *self) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PyIter_Check(wrapped)) {
        /* Not PyIter_Next, which drops a StopIteration and with it the value in it. */
        result = Py_TYPE(wrapped)->tp_iternext(wrapped);
    } else {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator",
                     Py_TYPE(wrapped)->tp_name);
    }
    shim_leave(self);
    return result;
}

/* The view refers to the exporter of the wrapped object, which then also releases it. */
static int get_buffer(PyObject *self, Py_buffer *view, int flags) {
    int result = -1;
    PyObject *wrapped = shim_enter(self);
    if (wrapped != NULL) {
        result = PyObject_GetBuffer(wrapped, view, flags);
        shim_leave(self);
    }
    if (result < 0) {
        view->obj = NULL;
    }
    return result;
}

const PyType_Slot shim_wrapper_container_slots[] = {
    SHIM_SLOT(Py_mp_length, length),
    SHIM_SLOT(Py_mp_subscript, get_item),
    SHIM_SLOT(Py_mp_ass_subscript, set_item),
    SHIM_SLOT(Py_sq_length, length),
    SHIM_SLOT(Py_sq_item, item_at),
    SHIM_SLOT(Py_sq_concat, concatenate),
    SHIM_SLOT(Py_sq_contains, contains),
    SHIM_SLOT(Py_tp_iter, iterate),
    SHIM_SLOT(Py_tp_iternext, next),
    SHIM_SLOT(Py_bf_getbuffer, get_buffer),
    {0, NULL},
};
