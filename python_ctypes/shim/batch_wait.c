/* Waiting without blocking: calls when to try again. `ft_local._waiting` makes of them, and of
 * load_now(), what can be awaited. And threads that wait for others: `ft_local._prefilling`. */

#include "batch.h"

/* Calls the waiter, whose reference it takes over. It may come in the middle of an exception which is
 * not its own: that of the source, for instance. */
static void wake(void *waiter) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *nothing = PyObject_CallNoArgs(waiter);
    if (nothing == NULL) {
        PyErr_WriteUnraisable(waiter);
    }
    Py_XDECREF(nothing);
    Py_DECREF((PyObject *)waiter);
    PyErr_Restore(type, value, traceback);
}

/* forget(): its `self` is a tuple of the executor, the waiter and the ticket. */
static PyObject *forget(PyObject *registration, PyObject *Py_UNUSED(ignored)) {
    PyObject *waiter = PyTuple_GET_ITEM(registration, 1);
    uint64_t ticket = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(registration, 2));
    PyObject *executor = PyTuple_GET_ITEM(registration, 0);
    int was_waiting = ft_local_batch_forget(shim_batch_handle(executor), ticket);
    if (was_waiting) {
        Py_DECREF(waiter);
    }
    return PyBool_FromLong(was_waiting);
}

static PyMethodDef forget_method = {
    "forget", forget, METH_NOARGS,
    PyDoc_STR(
        "forget()\n--\n\n"
        "Ends a registration. True if its waiter was not called and never will be; else what\n"
        "it was called for goes to the next waiter.")};

PyObject *shim_batch_notify(PyObject *self, PyObject *waiter) {
    if (!PyCallable_Check(waiter)) {
        return PyErr_Format(PyExc_TypeError, "the waiter must be callable, got %R",
                            (PyObject *)Py_TYPE(waiter));
    }
    uint64_t ticket;
    ft_local_status status =
        ft_local_batch_notify(shim_batch_handle(self), wake, Py_NewRef(waiter), &ticket);
    if (status != FT_LOCAL_OK) {
        Py_DECREF(waiter);
        return shim_batch_raise(self, status);
    }
    PyObject *registration = Py_BuildValue("(OOK)", self, waiter, (unsigned long long)ticket);
    PyObject *function =
        registration == NULL ? NULL : PyCFunction_New(&forget_method, registration);
    Py_XDECREF(registration);
    if (function == NULL && ft_local_batch_forget(shim_batch_handle(self), ticket)) {
        Py_DECREF(waiter);
    }
    return function;
}

/* What a function of a module of the package makes of `self`, and of more arguments if `args` is
 * not NULL. */
static PyObject *ask(const char *module_name, const char *function, PyObject *self, PyObject *args,
                     PyObject *kwargs) {
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *asked = module == NULL ? NULL : PyObject_GetAttrString(module, function);
    PyObject *first = asked == NULL ? NULL : PyTuple_Pack(1, self);
    PyObject *all =
        first == NULL || args == NULL ? Py_XNewRef(first) : PySequence_Concat(first, args);
    PyObject *answer = all == NULL ? NULL : PyObject_Call(asked, all, kwargs);
    Py_XDECREF(all);
    Py_XDECREF(first);
    Py_XDECREF(asked);
    Py_XDECREF(module);
    return answer;
}

PyObject *shim_aload(PyObject *self, PyObject *args, PyObject *kwargs) {
    if (PyTuple_GET_SIZE(args) != 0) {
        return PyErr_Format(PyExc_TypeError, "aload() takes no positional arguments");
    }
    return ask("ft_local._waiting", "aload", self, NULL, kwargs);
}

PyObject *shim_aiter(PyObject *self) {
    return ask("ft_local._waiting", "AsyncLoads", self, NULL, NULL);
}

PyObject *shim_batch_prefilling(PyObject *self, PyObject *args, PyObject *kwargs) {
    return ask("ft_local._prefilling", "prefilling", self, args, kwargs);
}
