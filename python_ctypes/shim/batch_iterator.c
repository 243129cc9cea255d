/* iter(executor): what it loads, until there will be no more. */

#include "batch.h"

typedef struct {
    PyObject ob_base;
    /* NULL only after the garbage collector has cleared the iterator. */
    PyObject *executor;
} shim_batch_iterator;

/* As for a method, the caller holds a reference to `self`, which holds one to the executor. */
static PyObject *next(PyObject *self) {
    PyObject *executor = ((shim_batch_iterator *)self)->executor;
    void *result;
    if (executor == NULL) {
        return NULL;
    }
    ft_local_status status = ft_local_batch_load(shim_batch_handle(executor), &result);
    if (status == FT_LOCAL_OK) {
        return shim_result(executor, result);
    }
    return shim_is_over(status) ? NULL : shim_batch_raise(executor, status);
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((shim_batch_iterator *)self)->executor);
    return 0;
}

static int clear(PyObject *self) {
    Py_CLEAR(((shim_batch_iterator *)self)->executor);
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, dealloc);
    (void)clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

PyObject *shim_batch_iter(PyObject *self) {
    shim_state *state = shim_state_of(self);
    if (state == NULL) {
        return NULL;
    }
    PyTypeObject *type = state->batch_iterator_type;
    shim_batch_iterator *iterator = (shim_batch_iterator *)type->tp_alloc(type, 0);
    if (iterator != NULL) {
        iterator->executor = Py_NewRef(self);
    }
    return (PyObject *)iterator;
}

static PyType_Slot slots[] = {
    SHIM_SLOT(Py_tp_dealloc, dealloc), SHIM_SLOT(Py_tp_traverse, traverse),
    SHIM_SLOT(Py_tp_clear, clear),     SHIM_SLOT(Py_tp_iter, PyObject_SelfIter),
    SHIM_SLOT(Py_tp_iternext, next),   {0, NULL},
};

static PyType_Spec spec = {
    .name = "ft_local._shim.BatchIterator",
    .basicsize = sizeof(shim_batch_iterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyTypeObject *shim_batch_iterator_type(PyObject *module) {
    return shim_make_type(module, &spec, NULL);
}
