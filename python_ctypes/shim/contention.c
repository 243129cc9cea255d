/*
 * What threads write to when they share an object: the shared part of its reference count.
 *
 * It is a field of a free-threaded CPython's public header. It is read and never written here, while
 * other threads change it, hence the atomic loads. Nothing hangs on their order.
 */

#include "shim.h"

#ifdef Py_GIL_DISABLED

static Py_ssize_t read_count(PyObject *object) {
    return _Py_atomic_load_ssize_relaxed(&object->ob_ref_shared);
}

#else

static Py_ssize_t read_count(PyObject *Py_UNUSED(object)) {
    return 0;
}

#endif

static PyObject *shared_count(PyObject *Py_UNUSED(module), PyObject *object) {
    return PyLong_FromSsize_t(read_count(object));
}

/* Reads the count of each of `objects`, keeps it in `last`, and appends to `changed` the index of
 * each that has changed. */
static int compare_counts(PyObject *objects, Py_ssize_t *last, PyObject *changed) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(objects); i++) {
        Py_ssize_t count = read_count(PyTuple_GET_ITEM(objects, i));
        if (count == last[i]) {
            continue;
        }
        last[i] = count;
        PyObject *index = PyLong_FromSsize_t(i);
        int status = index == NULL ? -1 : PyList_Append(changed, index);
        Py_XDECREF(index);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *changed_counts(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *objects;
    Py_buffer last;
    if (!PyArg_ParseTuple(args, "O!w*:changed_counts", &PyTuple_Type, &objects, &last)) {
        return NULL;
    }
    PyObject *changed = NULL;
    if (last.len != PyTuple_GET_SIZE(objects) * (Py_ssize_t)sizeof(Py_ssize_t) ||
        (uintptr_t)last.buf % sizeof(Py_ssize_t) != 0) {
        PyErr_SetString(PyExc_ValueError, "last must have room for a count of each object");
    } else {
        changed = PyList_New(0);
    }
    if (changed != NULL && compare_counts(objects, last.buf, changed) < 0) {
        Py_CLEAR(changed);
    }
    PyBuffer_Release(&last);
    return changed;
}

static PyObject *count_changes(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *object;
    Py_ssize_t reads;
    if (!PyArg_ParseTuple(args, "On:count_changes", &object, &reads)) {
        return NULL;
    }
    Py_ssize_t changes = 0;
    Py_ssize_t last = read_count(object);
    for (Py_ssize_t i = 0; i < reads; i++) {
        Py_ssize_t count = read_count(object);
        changes += count != last;
        last = count;
    }
    return PyLong_FromSsize_t(changes);
}

PyMethodDef shim_contention_functions[] = {
    {"shared_count", shared_count, METH_O,
     PyDoc_STR("shared_count(object, /)\n--\n\n"
               "The shared part of a reference count, as the interpreter keeps it.")},
    {"changed_counts", changed_counts, METH_VARARGS,
     PyDoc_STR("changed_counts(objects, last, /)\n--\n\n"
               "The indexes of the objects whose shared count is not as in `last`, which it "
               "updates.")},
    {"count_changes", count_changes, METH_VARARGS,
     PyDoc_STR("count_changes(object, reads, /)\n--\n\n"
               "How often the shared count was another one in so many reads in a row.")},
    {NULL, NULL, 0, NULL},
};
