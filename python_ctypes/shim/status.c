/* The exceptions that stand for the library's statuses. */

#include "shim.h"

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
                        "the source called load() of the BatchExecutor that it fills");
    } else if (status == FT_LOCAL_ERR_ARGUMENT) {
        PyErr_Format(exception_of(status), "libft_local: %s", ft_local_last_error());
    } else {
        PyErr_Format(exception_of(status), "libft_local: %s", ft_local_status_text(status));
    }
    return NULL;
}
