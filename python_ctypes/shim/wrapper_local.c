/*
 * LocalWrapper: those that stand for their object in its own methods, made by `ft_local.localize`.
 *
 * A method written in Python counts its `self`, and what it reads from it, whoever calls it. If it gets
 * the wrapper as `self`, it counts that, which is the thread's own, and reads through it. What a part
 * of an object becomes for a thread is said in Python, since it is asked once for each part.
 */

#include "wrapper.h"

PyObject *shim_localized_part(PyObject *value) {
    PyObject *module = PyImport_ImportModule("ft_local._localizing");
    PyObject *part = module == NULL ? NULL : PyObject_CallMethod(module, "part", "O", value);
    Py_XDECREF(module);
    return part;
}

#ifdef SHIM_READS_NAMES
static PyObject *make_stand_in(PyObject *module, PyObject *object) {
    shim_state *state = shim_state_of_module(module);
    PyObject *made = state == NULL ? NULL : shim_wrapper_make(state->wrapper_type, object);
    if (made != NULL) {
        ((shim_wrapper *)made)->localized = true;
    }
    return made;
}
#endif

PyMethodDef shim_local_functions[] = {
#ifdef SHIM_READS_NAMES
    {"_make_stand_in", make_stand_in, METH_O,
     PyDoc_STR("_make_stand_in(object, /)\n--\n\n"
               "A LocalWrapper that its object's methods get as self.")},
#endif
    {NULL, NULL, 0, NULL},
};
