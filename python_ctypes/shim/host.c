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

const ft_local_host shim_host = {
    .struct_size = sizeof(ft_local_host),
    .retain_plain = retain,
    .release_plain = release,
    .detach = detach,
    .attach = attach,
    .interrupted_plain = interrupted,
};

int32_t shim_visit_object(void *object, void *arg) {
    shim_visit *visit = arg;
    return visit->visit(object, visit->arg);
}
