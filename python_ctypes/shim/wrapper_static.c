/*
 * LocalWrapper: what code finds that looks at attributes without asking for them, and what inspect
 * and numpy are told of objects that they know by their type alone.
 *
 * `inspect.getattr_static`, which isinstance() for a protocol with data members uses, takes the
 * dictionary of an object from its type and past any `__getattribute__`, and then looks into the
 * classes of the type, where those of the wrapped object are not. So the `__dict__` that is found
 * that way has all attributes of the wrapped object, its classes' too. `wrapper.__dict__` is the
 * wrapped object's own.
 */

#include "wrapper.h"

/* The dictionary that an object, which is no class, has for itself; NULL without an exception if it
 * has none, or with one. */
static PyObject *own_dictionary(PyObject *object) {
    return shim_has_dictionary(Py_TYPE(object)) ? PyObject_GenericGetDict(object, NULL) : NULL;
}

/* Adds what the classes of `type` define to `names`. Returns -1 with an exception. */
static int add_classes(PyObject *self, PyObject *names, PyTypeObject *type) {
    PyObject *mro = shim_wrapper_mro(self, type);
    int failed = mro == NULL ? -1 : 0;
    for (Py_ssize_t i = failed == 0 ? PyTuple_GET_SIZE(mro) - 1 : -1; i >= 0 && failed == 0; i--) {
        PyObject *defined = shim_type_dictionary((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        failed = PyDict_Update(names, defined);
        Py_DECREF(defined);
    }
    Py_XDECREF(mro);
    return failed;
}

/* 1 if a class has a data descriptor by this name, which goes before what the object has. */
static bool is_hidden(PyObject *names, PyObject *name) {
    PyObject *found = PyDict_GetItemWithError(names, name);
    return found != NULL && Py_TYPE(found)->tp_descr_get != NULL &&
           Py_TYPE(found)->tp_descr_set != NULL;
}

/* Adds what an object has for itself. Returns -1 with an exception. */
static int add_own(PyObject *names, PyObject *object) {
    PyObject *own = own_dictionary(object);
    if (own == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *copy = PyDict_Copy(own);
    Py_DECREF(own);
    int failed = copy == NULL ? -1 : 0;
    PyObject *name;
    PyObject *value;
    Py_ssize_t place = 0;
    while (failed == 0 && PyDict_Next(copy, &place, &name, &value)) {
        failed = is_hidden(names, name) ? 0 : PyDict_SetItem(names, name, value);
    }
    Py_XDECREF(copy);
    return failed;
}

/* All attributes of `object`, as they lie in it and in its classes. NULL with an exception. */
static PyObject *attributes_of(PyObject *self, PyObject *object) {
    if (shim_wrapper_type_of(object) != NULL) {
        return shim_wrapper_static_attributes(object, NULL);
    }
    PyObject *names = PyDict_New();
    if (names == NULL) {
        return NULL;
    }
    int failed = add_classes(self, names, Py_TYPE(object));
    if (failed == 0) {
        failed = PyType_Check(object) ? add_classes(self, names, (PyTypeObject *)object)
                                      : add_own(names, object);
    }
    if (failed != 0) {
        Py_CLEAR(names);
    }
    return names;
}

PyObject *shim_wrapper_static_attributes(PyObject *self, void *Py_UNUSED(closure)) {
    SHIM_ASK(PyObject *, NULL, self, attributes_of(self, wrapped));
}

/* `inspect.signature` looks for what a class or an object calls in the type of what it is given. */
static PyObject *computed_signature(PyObject *object) {
    PyObject *inspect = PyImport_ImportModule("inspect");
    PyObject *signature =
        inspect == NULL ? NULL : PyObject_CallMethod(inspect, "signature", "(O)", object);
    Py_XDECREF(inspect);
    return signature;
}

static PyObject *signature_of(PyObject *object, PyObject *name) {
    PyObject *signature = PyObject_GetAttr(object, name);
    bool is_for_us =
        PyType_Check(object) ||
        (PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_HEAPTYPE) && PyCallable_Check(object));
    if (signature != NULL || !is_for_us || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return signature;
    }
    PyErr_Clear();
    signature = computed_signature(object);
    if (signature == NULL &&
        (PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_TypeError))) {
        PyErr_SetObject(PyExc_AttributeError, name);
    }
    return signature;
}

/* numpy knows numbers and texts by their type, and would take a wrapper of one for an object without
 * parts. */
static PyObject *array_of(PyObject *object, PyObject *name) {
    bool is_known = PyLong_CheckExact(object) || PyFloat_CheckExact(object) ||
                    PyBool_Check(object) || PyComplex_CheckExact(object) ||
                    PyUnicode_CheckExact(object) || PyBytes_CheckExact(object);
    if (!is_known) {
        return PyObject_GetAttr(object, name);
    }
    PyObject *module = PyImport_ImportModule("ft_local._arrays");
    PyObject *result =
        module == NULL ? NULL : PyObject_CallMethod(module, "array_of", "(O)", object);
    Py_XDECREF(module);
    return result;
}

PyObject *shim_wrapper_array(PyObject *self, PyObject *name) {
    SHIM_ASK(PyObject *, NULL, self, array_of(wrapped, name));
}

PyObject *shim_wrapper_signature(PyObject *self, PyObject *name) {
    SHIM_ASK(PyObject *, NULL, self, signature_of(wrapped, name));
}
