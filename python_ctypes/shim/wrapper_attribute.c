/*
 * LocalWrapper: attributes.
 *
 * The wrapped object is asked first, once, and in its own way, so that properties run once and
 * overridden attribute access is obeyed. The wrapper itself answers to a few names only, and to
 * those that a subclass defines.
 */

#include "wrapper.h"

#include <string.h>

static bool is_text(PyObject *name, const char *text) {
    size_t length = (size_t)PyUnicode_GET_LENGTH(name);
    return PyUnicode_KIND(name) == PyUnicode_1BYTE_KIND &&
           memcmp(PyUnicode_1BYTE_DATA(name), text, length) == 0;
}

/* Those which copying, pickling and class statements look up in the instance, and `wrapped`. The
 * length tells nearly all other names apart without a look at the letters. */
static bool is_own_name(PyObject *name) {
    if (!PyUnicode_Check(name)) {
        return false;
    }
    switch (PyUnicode_GET_LENGTH(name)) {
    case 7:
        return is_text(name, "wrapped");
    case 8:
        return is_text(name, "__copy__");
    case 10:
        return is_text(name, "__reduce__");
    case 12:
        return is_text(name, "__deepcopy__");
    case 13:
        return is_text(name, "__reduce_ex__");
    case 15:
        return is_text(name, "__mro_entries__");
    default:
        return false;
    }
}

/* What every class statement puts into the class, so that being there does not mean that somebody
 * wants it to hide the wrapped object's. */
static bool comes_with_every_class(PyObject *name) {
    static const char *const names[] = {
        "__module__",      "__qualname__",    "__doc__",
        "__dict__",        "__weakref__",     "__slots__",
        "__annotations__", "__firstlineno__", "__static_attributes__",
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The order of lookup of the class of `self`, which another thread may be about to replace: only with
 * the GIL may it be read as it is. NULL with an exception. */
static PyObject *mro_of(PyObject *self, PyTypeObject *type) {
#ifdef Py_GIL_DISABLED
    shim_state *state = shim_state_of(self);
    PyObject *reader = state == NULL ? NULL : state->mro_reader;
    PyObject *mro = reader == NULL ? NULL
                                   : Py_TYPE(reader)->tp_descr_get(reader, (PyObject *)type,
                                                                   (PyObject *)Py_TYPE(type));
#else
    (void)self;
    PyObject *mro = Py_XNewRef(type->tp_mro);
#endif
    if (mro != NULL && PyTuple_Check(mro)) {
        return mro;
    }
    Py_XDECREF(mro);
    return PyErr_Occurred() ? NULL : shim_wrapper_is_cleared();
}

/* The classes in front of LocalWrapper in the order of lookup are the subclass and what was mixed
 * into it: how many of them there are. A metaclass may have left LocalWrapper out. */
static Py_ssize_t count_subclasses(PyObject *mro) {
    Py_ssize_t count = 0;
    while (count < PyTuple_GET_SIZE(mro) &&
           !shim_is_wrapper_type((PyTypeObject *)PyTuple_GET_ITEM(mro, count))) {
        count++;
    }
    return count;
}

/* 1 if the subclass of `self` defines `name`, 0 if not, -1 with an exception. */
static int subclass_defines(PyObject *self, PyTypeObject *type, PyObject *name) {
    int found = 0;
    PyObject *mro = mro_of(self, type);
    Py_ssize_t count = mro == NULL ? 0 : count_subclasses(mro);
    for (Py_ssize_t i = 0; i < count && found == 0; i++) {
        PyObject *dict = shim_type_dictionary((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        found = PyDict_Contains(dict, name);
        Py_DECREF(dict);
    }
    Py_XDECREF(mro);
    return mro == NULL ? -1 : found;
}

/* Most names are those of the wrapped object alone, for which the type's own cache knows that no
 * class has them. */
static bool may_be_declared(PyTypeObject *type, PyObject *name) {
    if (!PyUnicode_Check(name)) {
        return false;
    }
    PyObject *found = shim_type_attribute(type, name);
    Py_XDECREF(found);
    return found != NULL && !comes_with_every_class(name);
}

/* 1 if `name` is an attribute of the wrapper and not of what it wraps, 0 if not, -1 with an
 * exception. */
static inline int is_answered_here(PyObject *self, PyObject *name, bool own_name) {
    PyTypeObject *type = Py_TYPE(self);
    if (own_name || shim_is_wrapper_type(type)) {
        return own_name;
    }
    shim_hold_type(type);
    int found = may_be_declared(type, name) ? subclass_defines(self, type, name) : 0;
    shim_let_go_of_type(type);
    return found;
}

/* Apart from its caller, which needs none of the registers that this one does. */
__attribute__((noinline)) static PyObject *look_up(PyObject *self, PyObject *name) {
    int here = is_answered_here(self, name, is_own_name(name));
    if (here != 0) {
        return here < 0 ? NULL : PyObject_GenericGetAttr(self, name);
    }
    SHIM_ASK(PyObject *, NULL, self, shim_cache_get((shim_wrapper *)self, wrapped, name));
}

static PyObject *get_attribute(PyObject *self, PyObject *name) {
    const shim_method *method = shim_cache_find((shim_wrapper *)self, name);
    if (method == NULL) {
        return look_up(self, name);
    }
    return method->bound != NULL ? Py_NewRef(method->bound)
                                 : shim_cache_read((shim_wrapper *)self, method);
}

/* What PyObject_SetAttr does once it knows, as our caller does, that the name is one. */
static inline int set_attribute_of(PyObject *object, PyObject *name, PyObject *value) {
    setattrofunc set = Py_TYPE(object)->tp_setattro;
    return set != NULL && PyUnicode_CheckExact(name) ? set(object, name, value)
                                                     : PyObject_SetAttr(object, name, value);
}

/* Sets an attribute, or deletes it if `value` is NULL. */
static int set_attribute(PyObject *self, PyObject *name, PyObject *value) {
    bool is_wrapped =
        PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) == 7 && is_text(name, "wrapped");
    int here = is_answered_here(self, name, is_wrapped);
    if (here != 0) {
        return here < 0 ? -1 : PyObject_GenericSetAttr(self, name, value);
    }
    SHIM_ASK(int, -1, self, set_attribute_of(wrapped, name, value));
}

static PyObject *get_wrapped(PyObject *self, void *Py_UNUSED(closure)) {
    PyObject *wrapped = ((shim_wrapper *)self)->wrapped;
    return wrapped == NULL ? shim_wrapper_is_cleared() : Py_NewRef(wrapped);
}

static int add_names(PyObject *names, PyObject *self) {
    PyObject *mro = mro_of(self, Py_TYPE(self));
    if (mro == NULL) {
        return -1;
    }
    Py_ssize_t count = count_subclasses(mro);
    PyObject *updated = Py_NewRef(Py_None);
    for (Py_ssize_t i = 0; i < count && updated != NULL; i++) {
        PyObject *dict = shim_type_dictionary((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        Py_SETREF(updated, PyObject_CallMethod(names, "update", "(O)", dict));
        Py_DECREF(dict);
    }
    Py_DECREF(mro);
    Py_XDECREF(updated);
    return updated == NULL ? -1 : 0;
}

PyObject *shim_wrapper_dir(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *list = PyObject_Dir(wrapped);
    shim_leave(self);
    if (list == NULL) {
        return NULL;
    }
    PyObject *names = PySet_New(list);
    Py_DECREF(list);
    PyObject *own = PyUnicode_FromString("wrapped");
    bool complete =
        names != NULL && own != NULL && PySet_Add(names, own) == 0 && add_names(names, self) == 0;
    Py_XDECREF(own);
    if (!complete) {
        Py_CLEAR(names);
    }
    return names;
}

static PyGetSetDef attributes[] = {
    {"wrapped", get_wrapped, NULL, PyDoc_STR("The object in this wrapper."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

const PyType_Slot shim_wrapper_attribute_slots[] = {
    SHIM_SLOT(Py_tp_getattro, get_attribute),
    SHIM_SLOT(Py_tp_setattro, set_attribute),
    SHIM_DATA(Py_tp_getset, attributes),
    {0, NULL},
};
