/* LocalWrapper: what every object has: its texts, its hash, comparison. */

#include "wrapper.h"

#include <string.h>

static const char *name_of(PyObject *self) {
    const char *full = Py_TYPE(self)->tp_name;
    const char *dot = strrchr(full, '.');
    return dot == NULL ? full : dot + 1;
}

static PyObject *repr(PyObject *self) {
    int active = Py_ReprEnter(self);
    if (active != 0) {
        return active < 0 ? NULL : PyUnicode_FromFormat("<%s: ...>", name_of(self));
    }
    PyObject *result = NULL;
    PyObject *wrapped = shim_enter(self);
    if (wrapped != NULL) {
        result = PyUnicode_FromFormat("<%s: %R>", name_of(self), wrapped);
        shim_leave(self);
    }
    Py_ReprLeave(self);
    return result;
}

static PyObject *str(PyObject *self) {
    SHIM_ASK(PyObject *, NULL, self, PyObject_Str(wrapped));
}

static Py_hash_t hash(PyObject *self) {
    SHIM_ASK(Py_hash_t, -1, self, PyObject_Hash(wrapped));
}

static PyObject *compare_nested(PyObject *self, PyObject *other, int operation) {
    PyObject *result = NULL;
    PyObject *left = shim_enter(self);
    if (left == NULL) {
        return NULL;
    }
    PyObject *right = shim_enter_operand(other);
    if (right != NULL) {
        result = PyObject_RichCompare(left, right, operation);
        shim_leave_operand(other);
    }
    shim_leave(self);
    return result;
}

static PyObject *compare(PyObject *self, PyObject *other, int operation) {
    PyObject *left = shim_direct(self);
    PyObject *right = shim_direct_operand(other);
    if (SHIM_LIKELY(left != NULL && right != NULL)) {
        return PyObject_RichCompare(left, right, operation);
    }
    return compare_nested(self, other, operation);
}

const PyType_Slot shim_wrapper_object_slots[] = {
    SHIM_SLOT(Py_tp_repr, repr),
    SHIM_SLOT(Py_tp_str, str),
    SHIM_SLOT(Py_tp_hash, hash),
    SHIM_SLOT(Py_tp_richcompare, compare),
    {0, NULL},
};
