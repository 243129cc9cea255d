/* LocalWrapper: what takes the place of functions that CPython exports without promising to. */

#include "wrapper.h"

#ifndef SHIM_ONLY_PUBLIC_NAMES
/* In no header for everybody; CPython's own compiled code for `object.method()` rested on it. */
extern __attribute__((weak)) int _PyObject_GetMethod(PyObject *object, PyObject *name,
                                                     PyObject **method);
#endif

PyObject *shim_item_of(PyObject *dict, PyObject *name) {
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *item;
    (void)PyDict_GetItemRef(dict, name, &item);
    return item;
#else
    return Py_XNewRef(PyDict_GetItemWithError(dict, name));
#endif
}

PyObject *shim_search_type(PyTypeObject *type, PyObject *name) {
    PyObject *found = NULL;
    PyObject *mro = PyObject_GetAttrString((PyObject *)type, "__mro__");
    Py_ssize_t count = mro == NULL || !PyTuple_Check(mro) ? 0 : PyTuple_GET_SIZE(mro);
    for (Py_ssize_t i = 0; i < count && found == NULL; i++) {
        PyObject *dict = shim_type_dictionary((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        found = shim_item_of(dict, name);
        Py_DECREF(dict);
    }
    Py_XDECREF(mro);
    if (found == NULL) {
        PyErr_Clear();
    }
    return found;
}

/* Whether the dictionary of `object` has `name`, or may have it. */
static bool is_hidden(PyObject *object, PyObject *name) {
    PyObject *dict = PyObject_GenericGetDict(object, NULL);
    int has = dict == NULL ? -1 : PyDict_Contains(dict, name);
    Py_XDECREF(dict);
    PyErr_Clear();
    return has != 0;
}

int shim_get_method(PyObject *object, PyObject *name, PyObject **method) {
#ifndef SHIM_ONLY_PUBLIC_NAMES
    if (SHIM_LIKELY(_PyObject_GetMethod != NULL)) {
        return _PyObject_GetMethod(object, name, method);
    }
#endif
    PyObject *found = shim_type_attribute(Py_TYPE(object), name);
    bool is_method =
        found != NULL && PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR);
    if (is_method && !is_hidden(object, name)) {
        *method = found;
        return 1;
    }
    Py_XDECREF(found);
    *method = PyObject_GetAttr(object, name);
    return 0;
}
