/* The exceptions that stand for the library's statuses. */

#include "batch.h"

static PyObject *exception_of(ft_local_status status) {
    switch (status) {
    case FT_LOCAL_ERR_NO_MEMORY:
        return PyExc_MemoryError;
    case FT_LOCAL_ERR_ARGUMENT:
    case FT_LOCAL_ERR_RETAIN:
    case FT_LOCAL_ERR_PANIC:
        /* None of these can come from what a Python program does. */
        return PyExc_SystemError;
    default:
        return PyExc_RuntimeError;
    }
}

void *shim_raise(ft_local_status status) {
    if (PyErr_Occurred()) {
        /* The source's own exception, or that of a signal handler: it says more than a status. */
        return NULL;
    }
    if (status == FT_LOCAL_ERR_REENTRANT) {
        PyErr_SetString(PyExc_RuntimeError,
                        "no result is ready, and this thread is already running the source: the "
                        "source itself loads, or another greenlet of this thread; keep results "
                        "ready by prefill() in a thread of its own");
    } else if (status == FT_LOCAL_ERR_ARGUMENT) {
        PyErr_Format(exception_of(status), "libft_local: %s", ft_local_last_error());
    } else {
        PyErr_Format(exception_of(status), "libft_local: %s", ft_local_status_text(status));
    }
    return NULL;
}

static bool set_exception(const shim_state *state, ft_local_status status) {
    switch (status) {
    case FT_LOCAL_ERR_END:
        PyErr_SetString(state->end_of_source,
                        "the source has ended, and all that it made was handed out");
        return true;
    case FT_LOCAL_ERR_CLOSED:
        PyErr_SetString(state->executor_closed, "this BatchExecutor was closed");
        return true;
    case FT_LOCAL_ERR_FORKED:
        PyErr_SetString(
            state->forked_error,
            "this BatchExecutor is the parent's, as its on_fork is 'error': make another "
            "one here");
        return true;
    case FT_LOCAL_ERR_TIMED_OUT:
        PyErr_SetString(PyExc_TimeoutError, "no result within the timeout");
        return true;
    case FT_LOCAL_ERR_ARGUMENT:
        /* Every argument but the handle was checked. */
        PyErr_SetString(PyExc_RuntimeError,
                        "this BatchExecutor has no source any more: the garbage collector took it");
        return true;
    default:
        return false;
    }
}

void *shim_batch_raise(PyObject *self, ft_local_status status) {
    if (PyErr_Occurred()) {
        return NULL;
    }
    const shim_state *state = shim_state_of(self);
    return state == NULL || set_exception(state, status) ? NULL : shim_raise(status);
}
