/* LocalWrapper: its life, and the parts of its type put together. */

#include "wrapper.h"

#include <structmember.h>

/* PyObject_Vectorcall without what its callers do again to the result. */
static inline PyObject *call_object(PyObject *object, PyObject *const *args, size_t nargsf,
                                    PyObject *kwnames) {
    PyTypeObject *type = Py_TYPE(object);
    if (PyType_HasFeature(type, Py_TPFLAGS_HAVE_VECTORCALL)) {
        vectorcallfunc *call = (vectorcallfunc *)((char *)object + type->tp_vectorcall_offset);
        if (SHIM_LIKELY(*call != NULL)) {
            return (*call)(object, args, nargsf, kwnames);
        }
    }
    return PyObject_Vectorcall(object, args, nargsf, kwnames);
}

static PyObject *call_wrapped(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *kwnames) {
    SHIM_ASK(PyObject *, NULL, self, call_object(wrapped, args, nargsf, kwnames));
}

/* Calls a Python function with `first` in the place before the arguments, which the caller lends. */
static inline PyObject *call_lent(PyObject *function, PyObject *first, PyObject *const *args,
                                  size_t nargsf, PyObject *kwnames) {
    PyObject **all = (PyObject **)args - 1;
    PyObject *lent = all[0];
    all[0] = first;
    PyObject *result = ((PyFunctionObject *)function)
                           ->vectorcall(function, all, PyVectorcall_NARGS(nargsf) + 1, kwnames);
    all[0] = lent;
    return result;
}

/* For a bound method of a Python function: calls the function, with the object in the place before
 * the arguments, which the caller lends. The method never changes either of the two, and lives as
 * long as the wrapper, which the caller holds. */
static PyObject *call_method(PyObject *self, PyObject *const *args, size_t nargsf,
                             PyObject *kwnames) {
    PyObject *method = shim_direct(self);
    if (method == NULL || (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) == 0) {
        return call_wrapped(self, args, nargsf, kwnames);
    }
    return call_lent(PyMethod_GET_FUNCTION(method), PyMethod_GET_SELF(method), args, nargsf,
                     kwnames);
}

/* For a Python function, which is known to have such a pointer, and where. */
static PyObject *call_function(PyObject *self, PyObject *const *args, size_t nargsf,
                               PyObject *kwnames) {
    PyObject *function = shim_direct(self);
    return function == NULL
               ? call_wrapped(self, args, nargsf, kwnames)
               : ((PyFunctionObject *)function)->vectorcall(function, args, nargsf, kwnames);
}

/* For an object of a class written in Python, as call_method. The interpreter's own way leads through
 * a tuple of the arguments. */
static PyObject *call_instance(PyObject *self, PyObject *const *args, size_t nargsf,
                               PyObject *kwnames) {
    PyObject *wrapped = shim_direct(self);
    shim_state *state = wrapped == NULL ? NULL : PyType_GetModuleState(Py_TYPE(self));
    PyObject *function = NULL;
    if (state != NULL && state->alive && (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) != 0) {
        function = shim_cache_special(&((shim_wrapper *)self)->cache, wrapped, state->name_call,
                                      shim_stand_in(self));
    }
    if (function == NULL || !PyFunction_Check(function)) {
        return call_wrapped(self, args, nargsf, kwnames);
    }
    PyObject *first = ((shim_wrapper *)self)->localized ? self : wrapped;
    return call_lent(function, first, args, nargsf, kwnames);
}

static bool is_callable_instance(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    return PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) && type->tp_call != NULL &&
           !PyType_HasFeature(type, Py_TPFLAGS_HAVE_VECTORCALL) && !PyType_Check(object);
}

static vectorcallfunc call_of(PyTypeObject *type, PyObject *object) {
    if (PyFunction_Check(object)) {
        return call_function;
    }
    if (shim_is_wrapper_type(type) && is_callable_instance(object)) {
        return call_instance;
    }
    bool is_method = PyMethod_Check(object) && PyFunction_Check(PyMethod_GET_FUNCTION(object));
    return is_method ? call_method : call_wrapped;
}

PyObject *shim_wrapper_make(PyTypeObject *type, PyObject *object) {
    if (shim_is_wrapper_type(type)) {
        type = shim_kind_of(shim_public_type(type), object);
        if (type == NULL) {
            return NULL;
        }
    }
    shim_wrapper *self = (shim_wrapper *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->wrapped = Py_NewRef(object);
    self->vectorcall = call_of(type, object);
    self->nested = shim_wrapper_type_of(object) != NULL || PyWeakref_CheckProxy(object);
    self->direct = self->nested ? NULL : self->wrapped;
    if (Py_TYPE(object)->tp_basicsize >= SHIM_SIZE_OF_DATETIME) {
        int fold = shim_fold_of(object);
        if (fold < 0) {
            Py_DECREF(self);
            return NULL;
        }
        self->fold = (unsigned char)fold;
    }
    return (PyObject *)self;
}

static int init(PyObject *self, PyObject *args, PyObject *kwargs);

/* A subclass whose `__init__` takes more arguments than the object is not made to write a
 * `__new__` as well: the object is taken here, and `__init__` judges the other arguments. */
static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    if (PyTuple_GET_SIZE(args) == 1 && kwargs == NULL) {
        return shim_wrapper_make(type, PyTuple_GET_ITEM(args, 0));
    }
    PyObject *wrapped =
        shim_ask_settings(type, "object_to_wrap", "(OOO)", args, shim_keywords(kwargs),
                          type->tp_init == init ? Py_True : Py_False);
    PyObject *self = wrapped == NULL ? NULL : shim_wrapper_make(type, wrapped);
    Py_XDECREF(wrapped);
    return self;
}

/* For `super().__init__(wrapped)` in a subclass. There is nothing left to do, and where a subclass
 * has a `__new__` of its own, what that has wrapped is up to the subclass. */
static int init(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *wrapped = ((shim_wrapper *)self)->wrapped;
    bool is_same =
        kwargs == NULL && PyTuple_GET_SIZE(args) == 1 && PyTuple_GET_ITEM(args, 0) == wrapped;
    if (is_same || Py_TYPE(self)->tp_new != new) {
        return 0;
    }
    PyObject *nothing =
        shim_ask_settings(Py_TYPE(self), "check_wraps", "(OOO)",
                          wrapped == NULL ? Py_None : wrapped, args, shim_keywords(kwargs));
    Py_XDECREF(nothing);
    return nothing == NULL ? -1 : 0;
}

/* `LocalWrapper(object)`, by far the most frequent form, without a tuple made for it. */
static PyObject *construct(PyObject *type, PyObject *const *args, size_t nargsf,
                           PyObject *kwnames) {
    Py_ssize_t given = PyVectorcall_NARGS(nargsf);
    if (given == 1 && kwnames == NULL) {
        return shim_wrapper_make((PyTypeObject *)type, args[0]);
    }
    PyObject *result = NULL;
    PyObject *positional = PyTuple_New(given);
    PyObject *keywords = PyDict_New();
    if (positional == NULL || keywords == NULL) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < given; i++) {
        PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; kwnames != NULL && i < PyTuple_GET_SIZE(kwnames); i++) {
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(kwnames, i), args[given + i]) < 0) {
            goto done;
        }
    }
    result = new((PyTypeObject *)type, positional, keywords);
done:
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((shim_wrapper *)self)->wrapped);
    return shim_cache_traverse(((shim_wrapper *)self)->cache, visit, arg);
}

static int clear(PyObject *self) {
    shim_wrapper *wrapper = (shim_wrapper *)self;
    /* First forgotten, then freed: freeing may run any Python code, which may come back here. */
    PyObject *wrapped = wrapper->wrapped;
    shim_cache *cache = wrapper->cache;
    wrapper->wrapped = NULL;
    wrapper->direct = NULL;
    wrapper->cache = NULL;
    if (cache != NULL) {
        shim_cache_free(cache);
    }
    Py_XDECREF(wrapped);
    return 0;
}

void shim_wrapper_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    /* A long chain of wrappers, each of which wraps the next, is not taken down by recursion. */
    Py_TRASHCAN_BEGIN(self, shim_wrapper_dealloc);
    if (((shim_wrapper *)self)->weak_references != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    (void)clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(shim_wrapper, vectorcall), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(shim_wrapper, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(
    documentation,
    "LocalWrapper(wrapped)\n"
    "--\n"
    "\n"
    "A transparent proxy of one object, for one thread.\n"
    "\n"
    "Threads that use one object at the same time contend for its reference count. Give each "
    "thread\n"
    "a LocalWrapper of its own: the count of the shared object then changes when the wrapper is "
    "made\n"
    "and when it dies, and the counting in between falls on the wrapper.\n"
    "\n"
    "Operators, items, iteration, calls and attributes are those of the wrapped object, and so "
    "are\n"
    "the errors. `wrapped` is the object itself. In-place operators give the same wrapper if the\n"
    "object changes in place, and otherwise a new one: a wrapper never changes what it wraps.");

static const PyType_Slot life_slots[] = {
    SHIM_SLOT(Py_tp_new, new),
    SHIM_SLOT(Py_tp_init, init),
    SHIM_SLOT(Py_tp_dealloc, shim_wrapper_dealloc),
    SHIM_SLOT(Py_tp_traverse, traverse),
    SHIM_SLOT(Py_tp_clear, clear),
    SHIM_SLOT(Py_tp_call, PyVectorcall_Call),
    SHIM_DATA(Py_tp_methods, shim_wrapper_methods),
    SHIM_DATA(Py_tp_members, members),
    SHIM_DATA(Py_tp_doc, documentation),
    {0, NULL},
};

PyTypeObject *shim_wrapper_type(PyObject *module) {
    const PyType_Slot *const subjects[] = {
        life_slots,
        shim_wrapper_object_slots,
        shim_wrapper_attribute_slots,
        shim_wrapper_number_slots,
        shim_wrapper_container_slots,
        shim_wrapper_async_slots,
    };
    PyType_Slot slots[128];
    size_t count = 0;
    for (size_t i = 0; i < Py_ARRAY_LENGTH(subjects); i++) {
        for (const PyType_Slot *slot = subjects[i]; slot->slot != 0; slot++) {
            slots[count++] = *slot;
        }
    }
    assert(count < Py_ARRAY_LENGTH(slots));
    slots[count] = (PyType_Slot){0, NULL};
    PyType_Spec spec = {
        .name = "ft_local.LocalWrapper",
        .basicsize = sizeof(shim_wrapper),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                 Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    PyTypeObject *type = shim_make_type(module, &spec, NULL);
    if (type != NULL) {
        type->tp_vectorcall = construct;
    }
    return type;
}
