/* What a BatchExecutor is made with: the arguments of its constructor, and its attributes. */

#include "batch.h"

bool shim_batch_parse(PyTypeObject *type, PyObject *args, PyObject *kwargs, bool others_are_errors,
                      shim_batch_settings *settings) {
    settings->all = shim_ask_settings(type, "settings_of", "(OOO)", args, shim_keywords(kwargs),
                                      others_are_errors ? Py_True : Py_False);
    if (settings->all == NULL) {
        return false;
    }
    Py_ssize_t fill_budget;
    PyObject *on_fork;
    bool good = PyArg_ParseTuple(settings->all, "OnpnnOinn", &settings->source, &settings->size,
                                 &settings->bulk, &fill_budget, &settings->low_water, &on_fork,
                                 &settings->policy, &settings->budget, &settings->fillers);
    if (!good) {
        Py_CLEAR(settings->all);
    }
    return good;
}

/* The attributes that are settings, by their places among these. */
static PyObject *get_setting(PyObject *self, void *place) {
    PyObject *all = ((shim_batch *)self)->set.all;
    return Py_NewRef(all == NULL ? Py_None : PyTuple_GET_ITEM(all, (Py_ssize_t)(intptr_t)place));
}

#define SETTING(place, name, text)                                                                 \
    {name, get_setting, NULL, PyDoc_STR(text), (void *)(intptr_t)(place)}

static PyObject *get_closed(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(ft_local_batch_is_closed(shim_batch_handle(self)));
}

PyGetSetDef shim_batch_attributes[] = {
    SETTING(0, "source", "The callable that makes the results."),
    SETTING(1, "size", "How many results one fill makes at most."),
    SETTING(2, "bulk", "Whether the source makes many results in one call."),
    SETTING(3, "fill_budget", "After how many results the thread that fills hands the role on."),
    SETTING(4, "low_water",
            "With fewer ready, a load makes more; 0 if never. `prefilling` spares loads that."),
    SETTING(5, "on_fork",
            "What the child of a fork does with the results: 'discard', 'keep' or 'error'."),
    SETTING(8, "fillers", "How many threads may run the source at the same time."),
    {"closed", get_closed, NULL, PyDoc_STR("Whether close() was called."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
