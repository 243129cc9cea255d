/*
 * Arguments of the constructors.
 *
 * The parser of the C API counts keywords before it looks at their names, and so reports a
 * misspelt keyword as one argument too many. A user wants to be told the name.
 */

#include "shim.h"

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
    for (Py_ssize_t i = 0; i < parameters->count; i++) {
        if (values[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s'",
                         parameters->function, parameters->names[i]);
            return false;
        }
    }
    return true;
}

bool shim_parse(const shim_parameters *parameters, PyObject *args, PyObject *kwargs,
                bool others_are_errors, PyObject **values) {
    Py_ssize_t given = PyTuple_GET_SIZE(args);
    Py_ssize_t count = parameters->count;
    if (given > count && others_are_errors) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd positional argument%s but %zd were given",
                     parameters->function, count, count == 1 ? "" : "s", given);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        values[i] = i < given ? PyTuple_GET_ITEM(args, i) : NULL;
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
