/* What a BatchExecutor is made with: the arguments of its constructor, and its attributes. */

#include "batch.h"

static const char *const names[] = {"source",      "size",      "bulk",
                                    "fill_budget", "low_water", "on_fork"};
static const shim_parameters parameters = {
    .function = "BatchExecutor",
    .count = sizeof names / sizeof *names,
    .names = names,
    .optional = 4,
    .keyword_only = 4,
};

/* In the order of their numbers. */
static const char *const policies[] = {
    [FT_LOCAL_FORK_DISCARD] = "discard",
    [FT_LOCAL_FORK_KEEP] = "keep",
    [FT_LOCAL_FORK_ERROR] = "error",
};

static bool parse_policy(PyObject *given, int32_t *policy) {
    *policy = FT_LOCAL_FORK_DISCARD;
    if (given == NULL) {
        return true;
    }
    if (!PyUnicode_Check(given)) {
        PyErr_Format(PyExc_TypeError, "on_fork must be a str, got '%.200s'",
                     Py_TYPE(given)->tp_name);
        return false;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(policies); i++) {
        if (PyUnicode_CompareWithASCIIString(given, policies[i]) == 0) {
            *policy = (int32_t)i;
            return true;
        }
    }
    PyErr_Format(PyExc_ValueError, "on_fork must be 'discard', 'keep' or 'error', got %R", given);
    return false;
}

static bool parse_budget(PyObject *given, size_t size, size_t *budget) {
    *budget = size;
    return given == NULL || given == Py_None ||
           shim_parse_size("fill_budget", given, 1, size, budget);
}

static bool parse_low_water(PyObject *given, size_t size, size_t *low_water) {
    *low_water = 0;
    return given == NULL || shim_parse_size("low_water", given, 0, size, low_water);
}

static bool parse_flag(PyObject *given, bool *flag) {
    int truth = given == NULL ? 0 : PyObject_IsTrue(given);
    *flag = truth == 1;
    return truth >= 0;
}

static bool take_values(PyObject **values, shim_batch_settings *settings) {
    if (!PyCallable_Check(values[0])) {
        PyErr_Format(PyExc_TypeError, "source must be callable, got '%.200s'",
                     Py_TYPE(values[0])->tp_name);
        return false;
    }
    return shim_parse_size("size", values[1], 1, FT_LOCAL_BATCH_MAX_SIZE, &settings->size) &&
           parse_flag(values[2], &settings->bulk) &&
           parse_budget(values[3], settings->size, &settings->fill_budget) &&
           parse_low_water(values[4], settings->size, &settings->low_water) &&
           parse_policy(values[5], &settings->on_fork);
}

bool shim_batch_parse(PyObject *args, PyObject *kwargs, bool others_are_errors,
                      shim_batch_settings *settings) {
    PyObject *values[Py_ARRAY_LENGTH(names)];
    if (!shim_parse(&parameters, args, kwargs, others_are_errors, values)) {
        return false;
    }
    bool good = take_values(values, settings);
    settings->source = good ? Py_NewRef(values[0]) : NULL;
    shim_let_go(&parameters, values);
    return good;
}

bool shim_batch_same_settings(const shim_batch_settings *one, const shim_batch_settings *other) {
    return one->source == other->source && one->size == other->size && one->bulk == other->bulk &&
           one->fill_budget == other->fill_budget && one->low_water == other->low_water &&
           one->on_fork == other->on_fork;
}

static const shim_batch_settings *settings_of(PyObject *self) {
    return &((shim_batch *)self)->set;
}

static PyObject *get_source(PyObject *self, void *Py_UNUSED(closure)) {
    PyObject *source = settings_of(self)->source;
    return Py_NewRef(source == NULL ? Py_None : source);
}

static PyObject *get_size(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromSize_t(settings_of(self)->size);
}

static PyObject *get_bulk(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(settings_of(self)->bulk);
}

static PyObject *get_fill_budget(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromSize_t(settings_of(self)->fill_budget);
}

static PyObject *get_low_water(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromSize_t(settings_of(self)->low_water);
}

static PyObject *get_on_fork(PyObject *self, void *Py_UNUSED(closure)) {
    return PyUnicode_FromString(policies[settings_of(self)->on_fork]);
}

static PyObject *get_closed(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(ft_local_batch_is_closed(shim_batch_handle(self)));
}

PyGetSetDef shim_batch_attributes[] = {
    {"source", get_source, NULL, PyDoc_STR("The callable that makes the results."), NULL},
    {"size", get_size, NULL, PyDoc_STR("How many results one fill makes at most."), NULL},
    {"bulk", get_bulk, NULL, PyDoc_STR("Whether the source makes many results in one call."), NULL},
    {"fill_budget", get_fill_budget, NULL,
     PyDoc_STR("After how many results the thread that fills hands the role on."), NULL},
    {"low_water", get_low_water, NULL,
     PyDoc_STR("With fewer ready, a thread that loads has more made; 0 if never."), NULL},
    {"on_fork", get_on_fork, NULL,
     PyDoc_STR("What the child of a fork does with the results: 'discard', 'keep' or 'error'."),
     NULL},
    {"closed", get_closed, NULL, PyDoc_STR("Whether close() was called."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
