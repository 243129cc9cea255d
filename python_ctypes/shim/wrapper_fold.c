/* LocalWrapper: the fold of a wrapped datetime, where zoneinfo looks for it. */

#include "wrapper.h"

#include <assert.h>
#include <datetime.h>

static_assert(offsetof(shim_wrapper, fold) == offsetof(PyDateTime_DateTime, fold),
              "zoneinfo would read another byte of a wrapper than its fold");
static_assert(SHIM_SIZE_OF_DATETIME == sizeof(PyDateTime_DateTime),
              "an object that is smaller than a datetime would be taken for one, or not asked");

/* Whether it is `datetime.datetime`, as written in C: where that is a class written in Python,
 * zoneinfo is too, and reads an attribute. -1 with an exception. The name comes first, as the rest
 * imports `datetime`, which is quick only if the program has done so. */
static int is_datetime(const PyTypeObject *type) {
    if (strcmp(type->tp_name, "datetime.datetime") != 0) {
        return 0;
    }
    /* Each interpreter has its own: not the variable that the header has for it. */
    (void)PyDateTimeAPI;
    const PyDateTime_CAPI *api = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
    if (api != NULL) {
        return type == api->DateTimeType;
    }
    if (!PyErr_ExceptionMatches(PyExc_ImportError) &&
        !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

int shim_fold_of(PyObject *object) {
    if (shim_wrapper_type_of(object) != NULL) {
        return ((shim_wrapper *)object)->fold;
    }
    /* A subclass has the layout of its base. */
    int found = 0;
    for (const PyTypeObject *type = Py_TYPE(object); type != NULL && found == 0;
         type = type->tp_base) {
        found = is_datetime(type);
    }
    return found == 1 ? PyDateTime_DATE_GET_FOLD(object) : found;
}
