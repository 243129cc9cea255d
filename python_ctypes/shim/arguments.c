/*
 * Arguments.
 *
 * The parser of the C API counts keywords before it looks at their names, and so reports a
 * misspelt keyword as one argument too many. A user wants to be told the name.
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
                          bool others_are_errors, PyObject **values) {
    if (!PyUnicode_Check(key)) {
        PyErr_Format(PyExc_TypeError, "%s() keywords must be strings, got '%.200s'",
                     parameters->function, Py_TYPE(key)->tp_name);
        return false;
    }
    Py_ssize_t index = index_of(parameters, key);
    if (index < 0) {
        if (others_are_errors) {
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'",
                         parameters->function, key);
        }
        return !others_are_errors;
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
                            Py_ssize_t given, bool others_are_errors, PyObject **values) {
    Py_ssize_t most = parameters->count - parameters->keyword_only;
    if (given > most && others_are_errors) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd positional argument%s but %zd were given",
                     parameters->function, most, most == 1 ? "" : "s", given);
        return false;
    }
    for (Py_ssize_t i = 0; i < parameters->count; i++) {
        values[i] = i < given && i < most ? args[i] : NULL;
    }
    return true;
}

static bool parse_borrowed(const shim_parameters *parameters, PyObject *args, PyObject *kwargs,
                           bool others_are_errors, PyObject **values) {
    if (!take_positional(parameters, &PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args),
                         others_are_errors, values)) {
        return false;
    }
    PyObject *key;
    PyObject *value;
    Py_ssize_t position = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        if (!parse_keyword(parameters, key, value, others_are_errors, values)) {
            return false;
        }
    }
    return check_complete(parameters, values);
}

bool shim_parse(const shim_parameters *parameters, PyObject *args, PyObject *kwargs,
                bool others_are_errors, PyObject **values) {
    if (!parse_borrowed(parameters, args, kwargs, others_are_errors, values)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < parameters->count; i++) {
        Py_XINCREF(values[i]);
    }
    return true;
}

void shim_let_go(const shim_parameters *parameters, PyObject **values) {
    for (Py_ssize_t i = 0; i < parameters->count; i++) {
        Py_XDECREF(values[i]);
    }
}

bool shim_parse_call(const shim_parameters *parameters, PyObject *const *args, Py_ssize_t given,
                     PyObject *kwnames, PyObject **values) {
    if (!take_positional(parameters, args, given, true, values)) {
        return false;
    }
    Py_ssize_t count = kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!parse_keyword(parameters, PyTuple_GET_ITEM(kwnames, i), args[given + i], true,
                           values)) {
            return false;
        }
    }
    return check_complete(parameters, values);
}

/* The interpreter refuses to write out a number of thousands of digits. */
static void refuse(PyObject *given, const char *why) {
    PyObject *shown = PyObject_Repr(given);
    if (shown == NULL && PyLong_Check(given)) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "%s a number too long to show", why);
    } else if (shown != NULL) {
        PyErr_Format(PyExc_ValueError, "%s %U", why, shown);
        Py_DECREF(shown);
    }
}

static void refuse_number(const char *name, PyObject *number, size_t least, size_t most) {
    char why[128];
    (void)PyOS_snprintf(why, sizeof why, "%s must be between %zu and %zu, got", name, least, most);
    refuse(number, why);
}

bool shim_parse_size(const char *name, PyObject *given, size_t least, size_t most, size_t *size) {
    if (PyBool_Check(given) || !PyIndex_Check(given)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, got '%.200s'", name,
                     Py_TYPE(given)->tp_name);
        return false;
    }
    PyObject *number = PyNumber_Index(given);
    if (number == NULL) {
        return false;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    bool good = overflow == 0 && value >= 0 && (size_t)value >= least && (size_t)value <= most;
    if (!good) {
        refuse_number(name, number, least, most);
    }
    Py_DECREF(number);
    *size = (size_t)value;
    return good;
}

static bool is_number(PyObject *given) {
    const PyNumberMethods *methods = Py_TYPE(given)->tp_as_number;
    return methods != NULL && (methods->nb_float != NULL || methods->nb_index != NULL);
}

/* A whole number too large for a float is as good as an infinite one. -1 with an exception. */
static double seconds_of(PyObject *given) {
    double seconds = PyFloat_AsDouble(given);
    if (!PyErr_Occurred() || !PyErr_ExceptionMatches(PyExc_OverflowError) ||
        !PyIndex_Check(given)) {
        return seconds;
    }
    PyErr_Clear();
    PyObject *number = PyNumber_Index(given);
    if (number == NULL) {
        return -1;
    }
    int sign;
    (void)PyLong_AsLongLongAndOverflow(number, &sign);
    Py_DECREF(number);
    return sign < 0 ? -HUGE_VAL : HUGE_VAL;
}

bool shim_parse_timeout(PyObject *given, int64_t *nanoseconds) {
    const double second = 1e9;
    *nanoseconds = SHIM_FOR_EVER;
    if (given == NULL || given == Py_None) {
        return true;
    }
    if (!is_number(given)) {
        PyErr_Format(PyExc_TypeError, "timeout must be a number of seconds or None, got '%.200s'",
                     Py_TYPE(given)->tp_name);
        return false;
    }
    double seconds = seconds_of(given);
    if (PyErr_Occurred()) {
        return false;
    }
    if (isnan(seconds) || seconds < 0) {
        refuse(given, "timeout must be 0 seconds or more, or None for no limit, got");
        return false;
    }
    /* What has no place in 64 bits is 292 years or more: as good as for ever. Rounded up, so that
     * no wait is shorter than was asked for. */
    double rounded = ceil(seconds * second);
    if (rounded < (double)INT64_MAX) {
        *nanoseconds = (int64_t)rounded;
    }
    return true;
}
