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

enum answerer { OBJECT, WRAPPER, MODULE_FOR_SIGNATURES, MODULE_FOR_ARRAYS };

static enum answerer if_text(PyObject *name, const char *text, enum answerer answerer) {
    return is_text(name, text) ? answerer : OBJECT;
}

/* The wrapper answers to `wrapped` and to names that copying, pickling and class statements look up
 * in the instance. The length tells nearly all other names apart without a look at the letters. */
static enum answerer answerer_of(PyObject *name) {
    if (!PyUnicode_Check(name)) {
        return OBJECT;
    }
    switch (PyUnicode_GET_LENGTH(name)) {
    case 7:
        return if_text(name, "wrapped", WRAPPER);
    case 8:
        return if_text(name, "__copy__", WRAPPER);
    case 9:
        return if_text(name, "__array__", MODULE_FOR_ARRAYS);
    case 10:
        return if_text(name, "__reduce__", WRAPPER);
    case 12:
        return if_text(name, "__deepcopy__", WRAPPER);
    case 13:
        return is_text(name, "__reduce_ex__")
                   ? WRAPPER
                   : if_text(name, "__signature__", MODULE_FOR_SIGNATURES);
    case 15:
        return if_text(name, "__mro_entries__", WRAPPER);
    default:
        return OBJECT;
    }
}

/* What every class statement puts into the class, so that being there does not mean that somebody
 * wants it to hide the wrapped object's. */
static bool comes_with_every_class(PyObject *name) {
    static const char *const names[] = {
        "__module__",        "__qualname__",
        "__doc__",           "__dict__",
        "__weakref__",       "__slots__",
        "__annotations__",   "__annotate__",
        "__annotate_func__", "__annotations_cache__",
        "__firstlineno__",   "__static_attributes__",
        "__orig_bases__",    "__parameters__",
        "__type_params__",   "__abstractmethods__",
        "_abc_impl",
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

PyObject *shim_wrapper_mro(PyObject *self, PyTypeObject *type) {
    PyObject *mro = shim_mro_of(type);
    if (mro != NULL && PyTuple_Check(mro)) {
        return mro;
    }
    Py_XDECREF(mro);
    return PyErr_Occurred() ? NULL : shim_wrapper_is_cleared(self);
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

/* Whether it is one of the methods that every subclass is given. */
static bool is_optional_method(PyObject *value) {
    return Py_IS_TYPE(value, &PyMethodDescr_Type) &&
           shim_is_wrapper_type(((PyDescrObject *)value)->d_type);
}

static int dict_defines(PyTypeObject *type, PyObject *name) {
    PyObject *dict = shim_type_dictionary(type);
    PyObject *value = NULL;
#if PY_VERSION_HEX >= 0x030D0000
    int found = PyDict_GetItemRef(dict, name, &value);
#else
    value = Py_XNewRef(PyDict_GetItemWithError(dict, name));
    int found = value != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
#endif
    if (found == 1 && is_optional_method(value)) {
        found = 0;
    }
    Py_XDECREF(value);
    Py_DECREF(dict);
    return found;
}

/* 1 if the subclass of `self` defines `name`, 0 if not, -1 with an exception. */
static int subclass_defines(PyObject *self, PyTypeObject *type, PyObject *name) {
    int found = 0;
    PyObject *mro = shim_wrapper_mro(self, type);
    Py_ssize_t count = mro == NULL ? 0 : count_subclasses(mro);
    for (Py_ssize_t i = 0; i < count && found == 0; i++) {
        found = dict_defines((PyTypeObject *)PyTuple_GET_ITEM(mro, i), name);
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
    enum answerer answerer = answerer_of(name);
    int here = is_answered_here(self, name, answerer == WRAPPER);
    if (here != 0) {
        return here < 0 ? NULL : PyObject_GenericGetAttr(self, name);
    }
    if (answerer != OBJECT) {
        return answerer == MODULE_FOR_ARRAYS ? shim_wrapper_array(self, name)
                                             : shim_wrapper_signature(self, name);
    }
    /* A subclass may define any name at any time, and what was kept is looked at before that. */
    SHIM_ASK(
        PyObject *, NULL, self,
        shim_is_wrapper_type(Py_TYPE(self))
            ? shim_cache_get(&((shim_wrapper *)self)->cache, wrapped, name, shim_stand_in(self))
            : PyObject_GetAttr(wrapped, name));
}

static PyObject *get_attribute(PyObject *self, PyObject *name) {
    const shim_method *method = shim_cache_find((shim_wrapper *)self, name);
    if (method == NULL) {
        return look_up(self, name);
    }
    return method->bound != NULL ? Py_NewRef(method->bound)
                                 : shim_cache_read(method, ((shim_wrapper *)self)->wrapped);
}

/* What PyObject_SetAttr does once it knows, as our caller does, that the name is one. */
static inline int set_attribute_of(PyObject *object, PyObject *name, PyObject *value) {
    setattrofunc set = Py_TYPE(object)->tp_setattro;
    return set != NULL && PyUnicode_CheckExact(name) ? set(object, name, value)
                                                     : PyObject_SetAttr(object, name, value);
}

static bool is_named(PyObject *name, Py_ssize_t length, const char *text) {
    return PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) == length && is_text(name, text);
}

/* A method that stores a part of its object must not store this thread's form of it. Borrowed. */
static PyObject *bare_of_local(PyObject *value) {
    bool is_local = shim_wrapper_type_of(value) != NULL && shim_stand_in(value) != NULL;
    PyObject *wrapped = is_local ? ((shim_wrapper *)value)->wrapped : NULL;
    return wrapped == NULL ? value : wrapped;
}

/* Sets an attribute, or deletes it if `value` is NULL. */
static int set_attribute(PyObject *self, PyObject *name, PyObject *value) {
    if (is_named(name, 14, "__orig_class__")) {
        /* LocalWrapper[int](x) tries to leave that in the wrapper, and goes on without it. */
        PyErr_SetObject(PyExc_AttributeError, name);
        return -1;
    }
    int here = is_answered_here(self, name, is_named(name, 7, "wrapped"));
    if (here != 0) {
        return here < 0 ? -1 : PyObject_GenericSetAttr(self, name, value);
    }
    if (shim_stand_in(self) != NULL && value != NULL) {
        value = bare_of_local(value);
    }
    SHIM_ASK(int, -1, self, set_attribute_of(wrapped, name, value));
}

static PyObject *get_wrapped(PyObject *self, void *Py_UNUSED(closure)) {
    PyObject *wrapped = ((shim_wrapper *)self)->wrapped;
    return wrapped == NULL ? shim_wrapper_is_cleared(self) : Py_NewRef(wrapped);
}

static int add_defined(PyObject *names, PyTypeObject *type) {
    PyObject *dict = shim_type_dictionary(type);
    PyObject *keys = PyDict_Keys(dict);
    Py_DECREF(dict);
    int failed = keys == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; failed == 0 && i < PyList_GET_SIZE(keys); i++) {
        PyObject *name = PyList_GET_ITEM(keys, i);
        int defined = dict_defines(type, name);
        failed = defined <= 0 ? defined : PySet_Add(names, name);
    }
    Py_XDECREF(keys);
    return failed;
}

static int add_names(PyObject *names, PyObject *self) {
    PyObject *mro = shim_wrapper_mro(self, Py_TYPE(self));
    if (mro == NULL) {
        return -1;
    }
    Py_ssize_t count = count_subclasses(mro);
    int failed = 0;
    for (Py_ssize_t i = 0; i < count && failed == 0; i++) {
        failed = add_defined(names, (PyTypeObject *)PyTuple_GET_ITEM(mro, i));
    }
    Py_DECREF(mro);
    return failed;
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
    {"__dict__", shim_wrapper_static_attributes, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

const PyType_Slot shim_wrapper_attribute_slots[] = {
    SHIM_SLOT(Py_tp_getattro, get_attribute),
    SHIM_SLOT(Py_tp_setattro, set_attribute),
    SHIM_DATA(Py_tp_getset, attributes),
    {0, NULL},
};
