/* CPython as the host of libft_local. */

#include "shim.h"

static void *retain(void *object) {
    return Py_NewRef((PyObject *)object);
}

static void release(void *object) {
    Py_DECREF((PyObject *)object);
}

static void *detach(void) {
    return PyEval_SaveThread();
}

/* While the interpreter shuts down this may end the thread instead of returning. */
static void attach(void *token) {
    PyEval_RestoreThread(token);
}

static int32_t interrupted(void) {
    return PyErr_CheckSignals();
}

/* CPython has no public way to ask; where it has none at all, every thread looks up now and then. */
extern int _PyOS_IsMainThread(void) __attribute__((weak));

/* CPython runs handlers of signals in the main thread of the main interpreter alone. */
static int32_t interruptible(void) {
    return (_PyOS_IsMainThread == NULL || _PyOS_IsMainThread()) &&
           PyInterpreterState_Get() == PyInterpreterState_Main();
}

/* Whether one thread of the interpreter runs at a time. A free-threaded build that is run with a lock
 * works as one without. */
#ifdef Py_GIL_DISABLED
#define ONE_LOCK 0
#else
#define ONE_LOCK 1
#endif

static const ft_local_host object_host = {
    .struct_size = sizeof(ft_local_host),
    .retain_plain = retain,
    .release_plain = release,
    .detach = detach,
    .attach = attach,
    .interrupted_plain = interrupted,
    .interruptible_plain = interruptible,
    .one_lock = ONE_LOCK,
    .whole_fills = 1,
};

/* For results that are words and not objects. */
static const ft_local_host integer_host = {
    .struct_size = sizeof(ft_local_host),
    .detach = detach,
    .attach = attach,
    .interrupted_plain = interrupted,
    .interruptible_plain = interruptible,
    .one_lock = ONE_LOCK,
    .whole_fills = 1,
};

/* The greenlet that the thread runs, by its address. `getcurrent` is greenlet's. */
static uint64_t fiber(void *getcurrent) {
    PyObject *current = PyObject_CallNoArgs(getcurrent);
    if (current == NULL) {
        PyErr_Clear();
        return 0;
    }
    uint64_t number = (uintptr_t)current;
    Py_DECREF(current);
    return number;
}

static void free_getcurrent(void *getcurrent) {
    Py_DECREF((PyObject *)getcurrent);
}

/* Programs that have not imported greenlet are not asked. */
ft_local_host shim_host(bool integers) {
    ft_local_host host = integers ? integer_host : object_host;
    PyObject *name = PyUnicode_FromString("greenlet");
    PyObject *module = name == NULL ? NULL : PyImport_GetModule(name);
    host.ctx = module == NULL ? NULL : PyObject_GetAttrString(module, "getcurrent");
    /* Another module of that name, perhaps. */
    PyErr_Clear();
    Py_XDECREF(module);
    Py_XDECREF(name);
    if (host.ctx != NULL) {
        host.fiber = fiber;
        host.free_ctx = free_getcurrent;
    }
    return host;
}

int32_t shim_visit_object(void *object, void *arg) {
    shim_visit *visit = arg;
    return visit->visit(object, visit->arg);
}
