/* BatchExecutor. */

#include "shim.h"

#include <structmember.h>

typedef struct {
    PyObject ob_base;
    /* Both are NULL only after the garbage collector has cleared the executor. */
    ft_local_batch *handle;
    PyObject *source;
    PyObject *weak_references;
} shim_batch;

/* One result for each call, which the library hands out at once, so that a thread that waits need
 * not wait for the whole batch. */
static void *make_result(void *source) {
    return PyObject_CallNoArgs(source);
}

static void refuse_size(PyObject *number) {
    PyObject *digits = PyObject_Str(number);
    if (digits == NULL) {
        /* The interpreter refuses to write out a number of thousands of digits. */
        PyErr_Clear();
    }
    PyErr_Format(PyExc_ValueError, "size must be between 1 and %d, got %V", FT_LOCAL_BATCH_MAX_SIZE,
                 digits, "a number too long to show");
    Py_XDECREF(digits);
}

static bool check_size(PyObject *given, size_t *size) {
    if (PyBool_Check(given) || !PyIndex_Check(given)) {
        PyErr_Format(PyExc_TypeError, "size must be an int, got '%.200s'", Py_TYPE(given)->tp_name);
        return false;
    }
    PyObject *number = PyNumber_Index(given);
    if (number == NULL) {
        return false;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    bool good = overflow == 0 && value >= 1 && value <= FT_LOCAL_BATCH_MAX_SIZE;
    if (!good) {
        refuse_size(number);
    }
    Py_DECREF(number);
    *size = (size_t)value;
    return good;
}

static const char *const names[] = {"source", "size"};
static const shim_parameters parameters = {"BatchExecutor", sizeof names / sizeof *names, names};

static int init(PyObject *self, PyObject *args, PyObject *kwargs);

/* As for LocalWrapper, a subclass may have an `__init__` that takes more arguments. */
static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *values[Py_ARRAY_LENGTH(names)];
    size_t size;
    if (!shim_parse(&parameters, args, kwargs, type->tp_init == init, values)) {
        return NULL;
    }
    if (!PyCallable_Check(values[0])) {
        PyErr_Format(PyExc_TypeError, "source must be callable, got '%.200s'",
                     Py_TYPE(values[0])->tp_name);
        return NULL;
    }
    if (!check_size(values[1], &size)) {
        return NULL;
    }
    shim_batch *self = (shim_batch *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->source = Py_NewRef(values[0]);
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = self->source;
    source.next_plain = make_result;
    ft_local_status status = ft_local_batch_new(&shim_host, &source, size, &self->handle);
    if (status != FT_LOCAL_OK) {
        Py_DECREF(self);
        return shim_raise(status);
    }
    return (PyObject *)self;
}

/* For `super().__init__(source, size)` in a subclass. There is nothing left to do. */
static int init(PyObject *self, PyObject *args, PyObject *kwargs) {
    shim_batch *batch = (shim_batch *)self;
    PyObject *values[Py_ARRAY_LENGTH(names)];
    size_t size;
    if (Py_TYPE(self)->tp_new != new) {
        return 0;
    }
    if (!shim_parse(&parameters, args, kwargs, true, values) || !check_size(values[1], &size)) {
        return -1;
    }
    if (values[0] != batch->source || size != ft_local_batch_size(batch->handle)) {
        PyErr_SetString(PyExc_TypeError, "a BatchExecutor never changes its source or its size; a "
                                         "subclass that chooses them itself needs __new__");
        return -1;
    }
    return 0;
}

/* The caller of a method holds a reference to `self` until the method returns, even if the source
 * drops all others; so none is taken here, where many threads would fight over the count. */
static PyObject *load(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    void *result;
    ft_local_status status = ft_local_batch_load(((shim_batch *)self)->handle, &result);
    if (status == FT_LOCAL_OK) {
        return result;
    }
    if (((shim_batch *)self)->handle == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this BatchExecutor has no source any more: the garbage collector took it");
    }
    return shim_raise(status);
}

static PyObject *as_local(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    return state == NULL ? NULL : shim_wrapper_make(state->wrapper_type, self);
}

static Py_ssize_t ready(PyObject *self) {
    return (Py_ssize_t)ft_local_batch_len(((shim_batch *)self)->handle);
}

/* An executor is not false because its buffer happens to be empty. */
static int truth(PyObject *Py_UNUSED(self)) {
    return 1;
}

static PyObject *get_size(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromSize_t(ft_local_batch_size(((shim_batch *)self)->handle));
}

static PyObject *get_source(PyObject *self, void *Py_UNUSED(closure)) {
    PyObject *source = ((shim_batch *)self)->source;
    return Py_NewRef(source == NULL ? Py_None : source);
}

static PyObject *repr(PyObject *self) {
    int active = Py_ReprEnter(self);
    if (active != 0) {
        return active < 0 ? NULL : PyUnicode_FromString("<BatchExecutor: ...>");
    }
    PyObject *source = get_source(self, NULL);
    PyObject *result =
        PyUnicode_FromFormat("<BatchExecutor: source=%R, size=%zu, ready=%zd>", source,
                             ft_local_batch_size(((shim_batch *)self)->handle), ready(self));
    Py_DECREF(source);
    Py_ReprLeave(self);
    return result;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    shim_batch *batch = (shim_batch *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(batch->source);
    shim_visit visit_object = {visit, arg};
    return batch->handle == NULL
               ? 0
               : ft_local_batch_visit(batch->handle, shim_visit_object, &visit_object);
}

static int clear(PyObject *self) {
    shim_batch *batch = (shim_batch *)self;
    ft_local_batch *handle = batch->handle;
    /* First forgotten, then freed: what dies with the results may come back to load(). The source
     * goes last, because the handle has its address. */
    batch->handle = NULL;
    ft_local_batch_free(handle);
    Py_CLEAR(batch->source);
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    shim_batch *batch = (shim_batch *)self;
    PyObject_GC_UnTrack(self);
    /* A result may be an executor whose results are executors, and so on. */
    Py_TRASHCAN_BEGIN(self, dealloc);
    if (batch->weak_references != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    (void)clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyMethodDef methods[] = {
    {"load", load, METH_NOARGS,
     PyDoc_STR("load($self)\n--\n\n"
               "The next result. Runs the source if none is ready, or waits for the thread that\n"
               "does. Any number of threads may load; each result goes to one of them.")},
    {"as_local", as_local, METH_NOARGS,
     PyDoc_STR("as_local($self)\n--\n\nA LocalWrapper of this executor, for one thread.")},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"source", get_source, NULL, PyDoc_STR("The callable that makes the results."), NULL},
    {"size", get_size, NULL, PyDoc_STR("How many results are made at a time."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(shim_batch, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(
    documentation,
    "BatchExecutor(source, size)\n"
    "--\n"
    "\n"
    "Calls source() `size` times in one go, in one thread at a time, and hands each result to\n"
    "exactly one of the threads that call load().\n"
    "\n"
    "An exception in the source goes to the caller in whose thread it ran; what was made before\n"
    "is kept, and the next load() goes on. len() is the number of results that are ready.");

static PyType_Slot slots[] = {
    /* Its life. */
    SHIM_SLOT(Py_tp_new, new),
    SHIM_SLOT(Py_tp_init, init),
    SHIM_SLOT(Py_tp_dealloc, dealloc),
    SHIM_SLOT(Py_tp_traverse, traverse),
    SHIM_SLOT(Py_tp_clear, clear),
    /* Its use. */
    SHIM_SLOT(Py_tp_repr, repr),
    SHIM_SLOT(Py_sq_length, ready),
    SHIM_SLOT(Py_nb_bool, truth),
    SHIM_DATA(Py_tp_methods, methods),
    SHIM_DATA(Py_tp_getset, attributes),
    SHIM_DATA(Py_tp_members, members),
    SHIM_DATA(Py_tp_doc, documentation),
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "ft_local.BatchExecutor",
    .basicsize = sizeof(shim_batch),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *shim_batch_type(PyObject *module) {
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
