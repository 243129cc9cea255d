/* LocalWrapper: the special methods for which a type has no slot. */

#include "wrapper_ability.h"

/* `function(wrapped, argument)`; without the argument if it is NULL. */
static PyObject *call_with_wrapped(PyObject *self, PyObject *function, PyObject *argument) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *args[] = {wrapped, argument};
    PyObject *result = PyObject_Vectorcall(function, args, argument == NULL ? 1 : 2, NULL);
    shim_leave(self);
    return result;
}

/* `wrapped.name(*args)`, at most three of them. */
static PyObject *call_method(PyObject *self, PyObject *name, PyObject *const *args,
                             Py_ssize_t count) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *all[4] = {wrapped, NULL, NULL, NULL};
    for (Py_ssize_t i = 0; i < count; i++) {
        all[i + 1] = args[i];
    }
    size_t given = (size_t)count + 1;
    PyObject *method =
        shim_cache_special(&((shim_wrapper *)self)->cache, wrapped, name, shim_stand_in(self));
    if (method != NULL && PyFunction_Check(method) && shim_stand_in(self) != NULL) {
        all[0] = self;
    }
    PyObject *result = method != NULL ? PyObject_Vectorcall(method, all, given, NULL)
                                      : PyObject_VectorcallMethod(name, all, given, NULL);
    shim_leave(self);
    return result;
}

static bool check_count(const char *method, Py_ssize_t given, Py_ssize_t least, Py_ssize_t most) {
    if (given < least || given > most) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd argument%s but %zd were given", method, most,
                     most == 1 ? "" : "s", given);
        return false;
    }
    return true;
}

static bool type_has(PyTypeObject *type, PyObject *name) {
    PyObject *found = shim_type_attribute(type, name);
    Py_XDECREF(found);
    return found != NULL;
}

/* A `with` looks for both methods before it calls one, and finds both here if there is one, and on a
 * subclass in any case. A wrapper in this one answers for itself when it is called. */
static PyObject *call_enter(PyObject *self, PyObject *enter_name, PyObject *leave_name,
                            const char *protocol) {
    PyObject *wrapped = ((shim_wrapper *)self)->wrapped;
    PyTypeObject *type = wrapped == NULL ? NULL : Py_TYPE(wrapped);
    if (shim_direct(self) != NULL && shim_cache_special(&((shim_wrapper *)self)->cache, wrapped,
                                                        enter_name, shim_stand_in(self)) != NULL) {
        return call_method(self, enter_name, NULL, 0);
    }
    if (type != NULL && !type_has(type, enter_name) && !type_has(type, leave_name)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object does not support the %s protocol",
                     type->tp_name, protocol);
        return NULL;
    }
    return call_method(self, enter_name, NULL, 0);
}

static PyObject *enter(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    return state == NULL ? NULL
                         : call_enter(self, state->name_enter, state->name_exit, "context manager");
}

static PyObject *leave(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    shim_state *state = shim_state_of(self);
    if (state == NULL || !check_count("__exit__", count, 3, 3)) {
        return NULL;
    }
    return call_method(self, state->name_exit, args, count);
}

static PyObject *async_enter(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    return state == NULL ? NULL
                         : call_enter(self, state->name_aenter, state->name_aexit,
                                      "asynchronous context manager");
}

static PyObject *async_leave(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    shim_state *state = shim_state_of(self);
    if (state == NULL || !check_count("__aexit__", count, 3, 3)) {
        return NULL;
    }
    return call_method(self, state->name_aexit, args, count);
}

static PyObject *round_it(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    shim_state *state = shim_state_of(self);
    if (state == NULL || !check_count("__round__", count, 0, 1)) {
        return NULL;
    }
    return call_with_wrapped(self, state->round, count == 1 ? args[0] : NULL);
}

static PyObject *trunc_it(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    return state == NULL ? NULL : call_with_wrapped(self, state->trunc, NULL);
}

static PyObject *floor_it(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    return state == NULL ? NULL : call_with_wrapped(self, state->floor, NULL);
}

static PyObject *ceil_it(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    return state == NULL ? NULL : call_with_wrapped(self, state->ceil, NULL);
}

static PyObject *to_complex(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return call_with_wrapped(self, (PyObject *)&PyComplex_Type, NULL);
}

static PyObject *to_bytes(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return call_with_wrapped(self, (PyObject *)&PyBytes_Type, NULL);
}

static PyObject *reverse(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return call_with_wrapped(self, (PyObject *)&PyReversed_Type, NULL);
}

static PyObject *format(PyObject *self, PyObject *specification) {
    if (!PyUnicode_Check(specification)) {
        return PyErr_Format(PyExc_TypeError, "__format__() argument must be str, not %.200s",
                            Py_TYPE(specification)->tp_name);
    }
    SHIM_ASK(PyObject *, NULL, self, PyObject_Format(wrapped, specification));
}

static PyObject *to_path(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    SHIM_ASK(PyObject *, NULL, self, PyOS_FSPath(wrapped));
}

static PyObject *length_hint(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    /* -1 for an object that has no hint, which leaves it to the caller to have a default. */
    Py_ssize_t hint = PyObject_LengthHint(wrapped, -1);
    shim_leave(self);
    if (hint >= 0) {
        return PyLong_FromSsize_t(hint);
    }
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_NotImplemented);
}

static PyObject *instance_check(PyObject *self, PyObject *instance) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    int result = PyObject_IsInstance(instance, wrapped);
    shim_leave(self);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

static PyObject *subclass_check(PyObject *self, PyObject *type) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    int result = PyObject_IsSubclass(type, wrapped);
    shim_leave(self);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

/* Called of whatever a class statement has put into a class. */
static PyObject *set_name(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    PyObject *wrapped = ((shim_wrapper *)self)->wrapped;
    PyObject *name = PyUnicode_InternFromString("__set_name__");
    PyObject *result = NULL;
    if (wrapped != NULL && name != NULL && check_count("__set_name__", count, 2, 2)) {
        result = type_has(Py_TYPE(wrapped), name) ? call_method(self, name, args, count)
                                                  : Py_NewRef(Py_None);
    } else if (!PyErr_Occurred()) {
        shim_wrapper_is_cleared(self);
    }
    Py_XDECREF(name);
    return result;
}

/* `class C(LocalWrapper(base))` is `class C(base)`. */
static PyObject *bases(PyObject *self, PyObject *all_bases) {
    PyObject *wrapped = shim_enter(self);
    if (wrapped == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    PyObject *method =
        PyType_Check(wrapped) ? NULL : PyObject_GetAttrString(wrapped, "__mro_entries__");
    if (method != NULL) {
        result = PyObject_CallOneArg(method, all_bases);
        Py_DECREF(method);
    } else if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        result = PyTuple_Pack(1, wrapped);
    }
    shim_leave(self);
    return result;
}

static PyObject *call_of_numpy(const char *name, PyObject *args) {
    PyObject *module = PyImport_ImportModule("ft_local._arrays");
    PyObject *function = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    PyObject *result = function == NULL ? NULL : PyObject_CallObject(function, args);
    Py_XDECREF(function);
    return result;
}

/* `self.__array_ufunc__(function, method, *args, **kwargs)` */
static PyObject *array_ufunc(PyObject *Py_UNUSED(self), PyObject *args, PyObject *kwargs) {
    PyObject *function;
    PyObject *method;
    PyObject *head = PyTuple_GetSlice(args, 0, 2);
    if (head == NULL || !PyArg_ParseTuple(head, "OU:__array_ufunc__", &function, &method)) {
        Py_XDECREF(head);
        return NULL;
    }
    PyObject *inputs = PyTuple_GetSlice(args, 2, PY_SSIZE_T_MAX);
    PyObject *keywords = kwargs == NULL ? PyDict_New() : Py_NewRef(kwargs);
    PyObject *all = inputs == NULL || keywords == NULL
                        ? NULL
                        : PyTuple_Pack(4, function, method, inputs, keywords);
    PyObject *result = all == NULL ? NULL : call_of_numpy("ufunc", all);
    Py_XDECREF(all);
    Py_XDECREF(keywords);
    Py_XDECREF(inputs);
    Py_DECREF(head);
    return result;
}

static PyObject *array_function(PyObject *Py_UNUSED(self), PyObject *args) {
    return call_of_numpy("function", args);
}

/* A subclass has all methods that some kinds lack, since its instances may wrap anything. */
static PyObject *init_subclass(PyObject *type, PyObject *args, PyObject *kwargs) {
    shim_state *state = shim_state_of_type((PyTypeObject *)type);
    if (state == NULL || shim_ability_add_all(state, (PyTypeObject *)type) < 0) {
        return NULL;
    }
    PyObject *next = PyObject_CallFunctionObjArgs((PyObject *)&PySuper_Type,
                                                  (PyObject *)state->wrapper_type, type, NULL);
    PyObject *method = next == NULL ? NULL : PyObject_GetAttrString(next, "__init_subclass__");
    Py_XDECREF(next);
    PyObject *result = method == NULL ? NULL : PyObject_Call(method, args, kwargs);
    Py_XDECREF(method);
    return result;
}

#define NO_ARGUMENT(name, function) {name, function, METH_NOARGS, NULL}
#define ONE_ARGUMENT(name, function) {name, function, METH_O, NULL}
#define ARGUMENTS(name, function)                                                                  \
    {name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL, NULL}

PyMethodDef shim_wrapper_optional_methods[SHIM_OPTIONAL_METHODS] = {
    [SHIM_ENTER] = NO_ARGUMENT("__enter__", enter),
    [SHIM_EXIT] = ARGUMENTS("__exit__", leave),
    [SHIM_AENTER] = NO_ARGUMENT("__aenter__", async_enter),
    [SHIM_AEXIT] = ARGUMENTS("__aexit__", async_leave),
    [SHIM_ROUND] = ARGUMENTS("__round__", round_it),
    [SHIM_TRUNC] = NO_ARGUMENT("__trunc__", trunc_it),
    [SHIM_FLOOR] = NO_ARGUMENT("__floor__", floor_it),
    [SHIM_CEIL] = NO_ARGUMENT("__ceil__", ceil_it),
    [SHIM_COMPLEX] = NO_ARGUMENT("__complex__", to_complex),
    [SHIM_BYTES] = NO_ARGUMENT("__bytes__", to_bytes),
    [SHIM_FSPATH] = NO_ARGUMENT("__fspath__", to_path),
    [SHIM_ARRAY_UFUNC] = {"__array_ufunc__", (PyCFunction)(void (*)(void))array_ufunc,
                          METH_VARARGS | METH_KEYWORDS, NULL},
    [SHIM_ARRAY_FUNCTION] = {"__array_function__", array_function, METH_VARARGS, NULL},
};

PyMethodDef shim_wrapper_methods[] = {
    NO_ARGUMENT("__reversed__", reverse),
    ONE_ARGUMENT("__format__", format),
    NO_ARGUMENT("__length_hint__", length_hint),
    NO_ARGUMENT("__dir__", shim_wrapper_dir),
    ONE_ARGUMENT("__instancecheck__", instance_check),
    ONE_ARGUMENT("__subclasscheck__", subclass_check),
    ONE_ARGUMENT("__mro_entries__", bases),
    ARGUMENTS("__set_name__", set_name),
    NO_ARGUMENT("__copy__", shim_wrapper_copy),
    ONE_ARGUMENT("__deepcopy__", shim_wrapper_deepcopy),
    NO_ARGUMENT("__reduce__", shim_wrapper_reduce),
    ONE_ARGUMENT("__reduce_ex__", shim_wrapper_reduce_ex),
    {"__init_subclass__", (PyCFunction)(void (*)(void))init_subclass,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};
