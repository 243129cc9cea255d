/* The exceptions that stand for the library's statuses: `ft_local._outcomes` makes them. */

#include "batch.h"

/* Takes over the reference to `exception`; NULL if making it has failed. */
static void *raise(PyObject *exception) {
    if (exception != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

void *shim_raise(PyTypeObject *type, ft_local_status status) {
    if (PyErr_Occurred()) {
        /* The source's own exception, or that of a signal handler: it says more than a status. */
        return NULL;
    }
    shim_state *state = shim_state_of_type(type);
    return state == NULL
               ? NULL
               : raise(PyObject_CallMethod(state->outcomes, "failure", "iss", (int)status,
                                           ft_local_status_text(status), ft_local_last_error()));
}

void *shim_refuse(PyObject *self, const char *why, PyObject *argument) {
    shim_state *state = shim_state_of_type(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    return raise(argument == NULL ? PyObject_CallMethod(state->outcomes, why, NULL)
                                  : PyObject_CallMethod(state->outcomes, why, "(O)", argument));
}

void *shim_load_raise(PyObject *self, ft_local_status status) {
    /* Every argument but the handle was checked. */
    return status == FT_LOCAL_ERR_ARGUMENT && !PyErr_Occurred()
               ? shim_refuse(self, "source_is_gone", NULL)
               : shim_raise(Py_TYPE(self), status);
}

void *shim_refuse_in_another_interpreter(const char *what) {
    /* Nothing that the object refers to is asked: all of it is the other interpreter's. */
    return PyErr_Format(PyExc_RuntimeError,
                        "this %s belongs to another interpreter of the process; make one in each",
                        what);
}

void *shim_batch_raise(PyObject *self, ft_local_status status) {
    if (shim_batch_is_at_home(self)) {
        return shim_load_raise(self, status);
    }
    return shim_refuse_in_another_interpreter("BatchExecutor");
}
