/*
 * Objects that cost little in many threads: deferred counts and immortality, where CPython has them.
 *
 * Their functions are found when the module is loaded, because an older interpreter lacks them.
 */

#include "shim.h"

#define SHIM_WEAK __attribute__((weak, visibility("default")))

extern int PyUnstable_Object_EnableDeferredRefcount(PyObject *object) SHIM_WEAK;
extern int PyUnstable_SetImmortal(PyObject *object) SHIM_WEAK;
extern int PyUnstable_IsImmortal(PyObject *object) SHIM_WEAK;

static PyObject *enable_deferred(PyObject *Py_UNUSED(module), PyObject *object) {
    return PyBool_FromLong(PyUnstable_Object_EnableDeferredRefcount != NULL &&
                           PyUnstable_Object_EnableDeferredRefcount(object));
}

/* CPython makes an object immortal only while nobody but its maker refers to it, so no Python
 * variable may hold the result before that. */
static PyObject *call_immortal(PyObject *Py_UNUSED(module), PyObject *factory) {
    PyObject *result = PyObject_CallNoArgs(factory);
    if (result != NULL && PyUnstable_SetImmortal != NULL) {
        (void)PyUnstable_SetImmortal(result);
    }
    return result;
}

static PyObject *is_immortal(PyObject *Py_UNUSED(module), PyObject *object) {
    return PyBool_FromLong(PyUnstable_IsImmortal != NULL && PyUnstable_IsImmortal(object));
}

PyMethodDef shim_sharing_functions[] = {
    {"enable_deferred", enable_deferred, METH_O,
     PyDoc_STR("enable_deferred(object, /)\n--\n\n"
               "Defers the count of an object; whether that changed anything.")},
    {"call_immortal", call_immortal, METH_O,
     PyDoc_STR("call_immortal(factory, /)\n--\n\n"
               "What factory() returns, immortal if the interpreter can make it so.")},
    {"is_immortal", is_immortal, METH_O,
     PyDoc_STR("is_immortal(object, /)\n--\n\n"
               "Whether an object is immortal; False if the interpreter cannot say.")},
    {NULL, NULL, 0, NULL},
};
