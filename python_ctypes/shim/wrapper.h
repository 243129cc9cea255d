/*
 * What the files about LocalWrapper share.
 *
 * A wrapper never changes what it wraps. Whoever runs a slot holds a reference to the wrapper for
 * as long as the slot runs, and the wrapper holds one to the wrapped object, so that a slot needs
 * none of its own: the shared count stays untouched, which is what a wrapper is for.
 */
#ifndef FT_LOCAL_SHIM_WRAPPER_H
#define FT_LOCAL_SHIM_WRAPPER_H

#include "shim.h"

#pragma GCC visibility push(hidden)

typedef struct {
    PyObject ob_base;
    ft_local_wrapper *handle;
    /* What `handle` holds. NULL only after the garbage collector has cleared the wrapper. */
    PyObject *wrapped;
    vectorcallfunc vectorcall;
    PyObject *weak_references;
    /* Whether what is asked of the wrapped object may come back to a wrapper without any Python
     * code in between, whose depth the interpreter would limit. */
    bool nested;
} shim_wrapper;

void shim_wrapper_dealloc(PyObject *self);

/* Sets the exception for a wrapper without a wrapped object; returns NULL. */
PyObject *shim_wrapper_is_cleared(void);

/* Only LocalWrapper itself deallocates with this function; a subclass has the interpreter's. So
 * no search through the module's state is needed to recognise the type. */
static inline bool shim_is_wrapper_type(PyTypeObject *type) {
    return type->tp_dealloc == shim_wrapper_dealloc;
}

/* LocalWrapper for an instance of LocalWrapper or of a subclass, and NULL for anything else. The
 * layout of LocalWrapper is its own, so that the chain of `tp_base` of a subclass, which follows
 * the layout, always leads to it. */
static inline PyTypeObject *shim_wrapper_type_of(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    while (type != NULL && !shim_is_wrapper_type(type)) {
        type = type->tp_base;
    }
    return type;
}

/* The object in a wrapper, borrowed, to ask something of it. NULL with an exception. After
 * anything but NULL `shim_leave` must follow. */
static inline PyObject *shim_enter(PyObject *self) {
    shim_wrapper *wrapper = (shim_wrapper *)self;
    if (wrapper->wrapped == NULL) {
        return shim_wrapper_is_cleared();
    }
    if (wrapper->nested && Py_EnterRecursiveCall(" in nested LocalWrapper objects")) {
        return NULL;
    }
    return wrapper->wrapped;
}

static inline void shim_leave(PyObject *self) {
    if (((shim_wrapper *)self)->nested) {
        Py_LeaveRecursiveCall();
    }
}

/* The same for an operand, which may be a wrapper or not. */
static inline PyObject *shim_enter_operand(PyObject *operand) {
    return shim_wrapper_type_of(operand) == NULL ? operand : shim_enter(operand);
}

static inline void shim_leave_operand(PyObject *operand) {
    if (shim_wrapper_type_of(operand) != NULL) {
        shim_leave(operand);
    }
}

/* The slots by subject, each list ended by a slot of number 0. */
extern const PyType_Slot shim_wrapper_object_slots[];
extern const PyType_Slot shim_wrapper_attribute_slots[];
extern const PyType_Slot shim_wrapper_number_slots[];
extern const PyType_Slot shim_wrapper_container_slots[];
extern const PyType_Slot shim_wrapper_async_slots[];

/* wrapper_special.c: the special methods that have no slot. */
extern PyMethodDef shim_wrapper_methods[];

/* wrapper_attribute.c */
PyObject *shim_wrapper_dir(PyObject *self, PyObject *ignored);

/* wrapper_copy.c */
PyObject *shim_wrapper_copy(PyObject *self, PyObject *ignored);
PyObject *shim_wrapper_deepcopy(PyObject *self, PyObject *memo);
PyObject *shim_wrapper_reduce(PyObject *self, PyObject *ignored);

#pragma GCC visibility pop

#endif
