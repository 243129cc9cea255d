/* LocalWrapper: the fold of a wrapped datetime, where zoneinfo looks for it. */

#include "wrapper.h"

#include <assert.h>
#include <datetime.h>

static_assert(offsetof(shim_wrapper, fold) == offsetof(PyDateTime_DateTime, fold),
              "zoneinfo would read another byte of a wrapper than its fold");
static_assert(SHIM_SIZE_OF_DATETIME == sizeof(PyDateTime_DateTime),
              "an object that is smaller than a datetime would be taken for one, or not asked");

int shim_fold_init(shim_state *state) {
    /* Each interpreter has its own: not the variable that the header has for it. */
    (void)PyDateTimeAPI;
    const PyDateTime_CAPI *api = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
    if (api != NULL) {
        state->datetime_type = (PyTypeObject *)Py_NewRef((PyObject *)api->DateTimeType);
        return 0;
    }
    /* Where datetimes are written in Python, zoneinfo is too, and reads an attribute. */
    if (!PyErr_ExceptionMatches(PyExc_ImportError) &&
        !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

unsigned char shim_fold_of(PyObject *self, PyObject *object) {
    if (shim_wrapper_type_of(object) != NULL) {
        return ((shim_wrapper *)object)->fold;
    }
    const shim_state *state = PyType_GetModuleState(shim_wrapper_type_of(self));
    if (state == NULL) {
        PyErr_Clear();
        return 0;
    }
    /* A subclass has the layout of its base. */
    PyTypeObject *type = Py_TYPE(object);
    while (type != NULL && type != state->datetime_type) {
        type = type->tp_base;
    }
    return type == NULL ? 0 : PyDateTime_DATE_GET_FOLD(object);
}
