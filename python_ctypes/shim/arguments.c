/*
 * Arguments.
 *
 * The parser of the C API counts keywords before it looks at their names, and so reports a
 * misspelt keyword as one argument too many. The error must give the name.
 */

#include "shim.h"

#include <math.h>

static Py_ssize_t index_of(const shim_parameters *parameters, PyObject *key) {
    for (Py_ssize_t i = 0; i < parameters->count; i++) {
        if (PyUnicode_CompareWithASCIIString(key, parameters->names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static bool parse_keyword(const shim_parameters *parameters, PyObject *key, PyObject *value,
                          PyObject **values) {
    if (!PyUnicode_Check(key)) {
        PyErr_Format(PyExc_TypeError, "%s() keywords must be strings, got '%.200s'",
                     parameters->function, Py_TYPE(key)->tp_name);
        return false;
    }
    Py_ssize_t index = index_of(parameters, key);
    if (index < 0) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'",
                     parameters->function, key);
        return false;
    }
    if (values[index] != NULL) {
        PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'",
                     parameters->function, parameters->names[index]);
        return false;
    }
    values[index] = value;
    return true;
}

static bool check_complete(const shim_parameters *parameters, PyObject **values) {
    for (Py_ssize_t i = 0; i < parameters->count - parameters->optional; i++) {
        if (values[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s'",
                         parameters->function, parameters->names[i]);
            return false;
        }
    }
    return true;
}

static bool take_positional(const shim_parameters *parameters, PyObject *const *args,
                            Py_ssize_t given, PyObject **values) {
    Py_ssize_t most = parameters->count - parameters->keyword_only;
    if (given > most) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd positional argument%s but %zd were given",
                     parameters->function, most, most == 1 ? "" : "s", given);
        return false;
    }
    for (Py_ssize_t i = 0; i < parameters->count; i++) {
        values[i] = i < given ? args[i] : NULL;
    }
    return true;
}

bool shim_parse_call(const shim_parameters *parameters, PyObject *const *args, Py_ssize_t given,
                     PyObject *kwnames, PyObject **values) {
    if (!take_positional(parameters, args, given, values)) {
        return false;
    }
    Py_ssize_t count = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!parse_keyword(parameters, PyTuple_GET_ITEM(kwnames, i), args[given + i], values)) {
            return false;
        }
    }
    return check_complete(parameters, values);
}

PyObject *shim_ask_settings(PyTypeObject *type, const char *function, const char *format, ...) {
    shim_state *state = shim_state_of_type(type);
    PyObject *asked = state == NULL ? NULL : PyObject_GetAttrString(state->settings, function);
    if (asked == NULL) {
        return NULL;
    }
    va_list list;
    va_start(list, format);
    PyObject *arguments = Py_VaBuildValue(format, list);
    va_end(list);
    PyObject *answer = arguments == NULL ? NULL : PyObject_CallObject(asked, arguments);
    Py_XDECREF(arguments);
    Py_DECREF(asked);
    return answer;
}

bool shim_parse_size(PyObject *self, const char *name, PyObject *given, size_t least, size_t most,
                     size_t *size) {
    if (PyLong_CheckExact(given)) {
        *size = PyLong_AsSize_t(given);
        if (!PyErr_Occurred() && *size >= least && *size <= most) {
            return true;
        }
        PyErr_Clear();
    }
    PyObject *number = shim_ask_settings(Py_TYPE(self), "checked_size", "(sOnn)", name, given,
                                         (Py_ssize_t)least, (Py_ssize_t)most);
    if (number == NULL) {
        return false;
    }
    *size = PyLong_AsSize_t(number);
    Py_DECREF(number);
    return !PyErr_Occurred();
}

bool shim_parse_timeout(PyObject *self, PyObject *given, int64_t *nanoseconds) {
    const double second = 1e9;
    *nanoseconds = SHIM_FOREVER;
    if (given == NULL || given == Py_None) {
        return true;
    }
    if (PyFloat_CheckExact(given) || PyLong_CheckExact(given)) {
        double seconds = PyFloat_AsDouble(given);
        PyErr_Clear();
        if (seconds >= 0 && seconds * second < (double)INT64_MAX) {
            /* Rounded up, so that no wait is shorter than was asked for. */
            *nanoseconds = (int64_t)ceil(seconds * second);
            return true;
        }
    }
    PyObject *number = shim_ask_settings(Py_TYPE(self), "nanoseconds", "(O)", given);
    if (number == NULL) {
        return false;
    }
    *nanoseconds = PyLong_AsLongLong(number);
    Py_DECREF(number);
    return !PyErr_Occurred();
}
