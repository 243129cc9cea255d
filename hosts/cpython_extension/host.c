#include "host.h"

static void *retain(void *object) {
    return Py_NewRef((PyObject *)object);
}

static void release(void *object) {
    Py_DECREF((PyObject *)object);
}

// Without the GIL too: a thread that sleeps attached would hold up the garbage collector.
static void *detach(void) {
    return PyEval_SaveThread();
}

static void attach(void *thread_state) {
    PyEval_RestoreThread(thread_state);
}

static int32_t interrupted(void) {
    return PyErr_CheckSignals();
}

// Exported by CPython, if not declared. Without it, each thread looks for signals now and then.
extern int _PyOS_IsMainThread(void) __attribute__((weak));

// Handlers of signals run in the main thread alone.
static int32_t interruptible(void) {
    return _PyOS_IsMainThread == NULL || _PyOS_IsMainThread();
}

const ft_local_host python_host = {
    .struct_size = sizeof(ft_local_host),
    .retain_plain = retain,
    .release_plain = release,
    .detach = detach,
    .attach = attach,
    .interrupted_plain = interrupted,
    .interruptible_plain = interruptible,
};

PyObject *python_raise(ft_local_status status) {
    if (PyErr_Occurred()) {
        return NULL;
    }
    switch (status) {
    case FT_LOCAL_ERR_NO_MEMORY:
        return PyErr_NoMemory();
    case FT_LOCAL_ERR_ARGUMENT:
        PyErr_SetString(PyExc_ValueError, ft_local_last_error());
        return NULL;
    default:
        PyErr_SetString(PyExc_RuntimeError, ft_local_status_text(status));
        return NULL;
    }
}

typedef struct traversal {
    visitproc visit;
    void *arg;
} traversal;

static int32_t visit_object(void *object, void *arg) {
    traversal *collector = arg;
    return collector->visit(object, collector->arg);
}

int python_traverse(const ft_local_batch *batch, visitproc visit, void *arg) {
    traversal collector = {visit, arg};
    return batch == NULL ? 0 : ft_local_batch_visit(batch, visit_object, &collector);
}
