/* LocalWrapper: copying and pickling, which give a wrapper of the copied object. What a subclass adds
 * is copied by `ft_local._copying`. */

#include "wrapper.h"

/* `copy.function(wrapped, memo)`; without `memo` if it is NULL. */
static PyObject *copy_wrapped(PyObject *self, const char *function, PyObject *memo) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    PyObject *module = PyImport_ImportModule("copy");
    if (module != NULL) {
        result = memo == NULL ? PyObject_CallMethod(module, function, "(O)", wrapped)
                              : PyObject_CallMethod(module, function, "(OO)", wrapped, memo);
        Py_DECREF(module);
    }
    shim_leave(self);
    return result;
}

/* Takes over the reference to `object`. */
static PyObject *wrap_as(PyObject *self, PyObject *object) {
    if (object == NULL) {
        return NULL;
    }
    PyObject *wrapper = shim_wrapper_make(shim_public_type(Py_TYPE(self)), object);
    Py_DECREF(object);
    return wrapper;
}

static bool is_of_subclass(PyObject *self) {
    return !shim_is_wrapper_type(Py_TYPE(self));
}

/* `function(self, wrapped)` of our module for subclasses, or with `memo` if it is not NULL. */
static PyObject *copy_of_subclass(PyObject *self, const char *function, PyObject *memo) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    PyObject *module = PyImport_ImportModule("ft_local._copying");
    if (module != NULL) {
        result = memo == NULL ? PyObject_CallMethod(module, function, "(OO)", self, wrapped)
                              : PyObject_CallMethod(module, function, "(OOO)", self, wrapped, memo);
        Py_DECREF(module);
    }
    shim_leave(self);
    return result;
}

PyObject *shim_wrapper_copy(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return is_of_subclass(self) ? copy_of_subclass(self, "shallow", NULL)
                                : wrap_as(self, copy_wrapped(self, "copy", NULL));
}

/* An object that refers to its own wrapper is reached again while it is copied. The wrapper that
 * was made then is the copy. */
static PyObject *made_meanwhile(PyObject *self, PyObject *memo) {
    PyObject *key = PyLong_FromVoidPtr(self);
    if (key == NULL) {
        return NULL;
    }
    PyObject *copy = PyObject_CallMethod(memo, "get", "(O)", key);
    Py_DECREF(key);
    return copy;
}

PyObject *shim_wrapper_deepcopy(PyObject *self, PyObject *memo) {
    if (is_of_subclass(self)) {
        return copy_of_subclass(self, "deep", memo);
    }
    PyObject *object = copy_wrapped(self, "deepcopy", memo);
    PyObject *made = object == NULL ? NULL : made_meanwhile(self, memo);
    if (made != NULL && made != Py_None) {
        Py_DECREF(object);
        return made;
    }
    if (made == NULL) {
        Py_CLEAR(object);
    }
    Py_XDECREF(made);
    return wrap_as(self, object);
}

PyObject *shim_wrapper_reduce(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    PyObject *wrapped = ((shim_wrapper *)self)->wrapped;
    if (wrapped == NULL) {
        return shim_wrapper_is_cleared(self);
    }
    return is_of_subclass(self) ? copy_of_subclass(self, "reduce", NULL)
                                : Py_BuildValue("O(O)", shim_public_type(Py_TYPE(self)), wrapped);
}

/* As that of every object: in favour of a `__reduce__` of a subclass. */
PyObject *shim_wrapper_reduce_ex(PyObject *self, PyObject *Py_UNUSED(protocol)) {
    return is_of_subclass(self) ? PyObject_CallMethod(self, "__reduce__", NULL)
                                : shim_wrapper_reduce(self, NULL);
}
