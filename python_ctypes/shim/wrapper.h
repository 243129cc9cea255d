/*
 * What the files about LocalWrapper share.
 *
 * A wrapper never changes what it wraps. The caller of a slot holds a reference to the wrapper for
 * as long as the slot runs, and the wrapper holds one to the wrapped object, so that a slot needs
 * none of its own: the shared count stays untouched, which is what a wrapper is for.
 */
#ifndef FT_LOCAL_SHIM_WRAPPER_H
#define FT_LOCAL_SHIM_WRAPPER_H

#include "shim.h"
#include "wrapper_cache.h"

#pragma GCC visibility push(hidden)

typedef struct shim_wrapper {
    PyObject ob_base;
    /* The same as `wrapped` if it can be asked as it is, which one look tells; NULL if something is
     * to be seen to first. */
    PyObject *direct;
    shim_cache *cache;
    /* Whether what is asked of the wrapped object may come back to a wrapper without any Python
     * code in between, whose depth the interpreter would limit. */
    bool nested;
    /* Made by localize(): stands for the object as `self` of its methods. */
    bool localized;
    /* `fold` of a wrapped datetime, else 0, and where a datetime has it: zoneinfo reads it there
     * in whatever has the attributes of a datetime, and takes it for an index below 2. */
    unsigned char gap[9 - sizeof(void *)];
    unsigned char fold;
    vectorcallfunc vectorcall;
    /* The one reference to the object, which the garbage collector must see. The library's wrapper
     * would be a second block of memory for it. NULL only after the collector has cleared this. */
    PyObject *wrapped;
    PyObject *weak_references;
} shim_wrapper;

void shim_wrapper_dealloc(PyObject *self);

/* wrapper_fold.c: the fold of `object`, for its wrapper, -1 with an exception. Nothing smaller has one. */
#define SHIM_SIZE_OF_DATETIME (Py_ssize_t)(sizeof(PyObject) + 4 * sizeof(void *))
int shim_fold_of(PyObject *object);

/* Sets the exception for a wrapper without a wrapped object; returns NULL. */
static inline PyObject *shim_wrapper_is_cleared(PyObject *self) {
    return shim_refuse(self, "wrapped_is_gone", NULL);
}

/* Only LocalWrapper itself and its kinds deallocate with this function; a subclass has the
 * interpreter's. So no search through the module's state is needed to recognise the type. */
static inline bool shim_is_wrapper_type(PyTypeObject *type) {
    return type->tp_dealloc == shim_wrapper_dealloc;
}

/* LocalWrapper, or a kind of it, for an instance of LocalWrapper or of a subclass, and NULL for
 * anything else. The layout of LocalWrapper is its own, so that the chain of `tp_base` of a
 * subclass, which follows the layout, always leads to it. */
static inline PyTypeObject *shim_wrapper_type_of(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    /* Every subclass inherits this, and few other types have it. */
    if (type->tp_vectorcall_offset != offsetof(shim_wrapper, vectorcall)) {
        return NULL;
    }
    while (type != NULL && !shim_is_wrapper_type(type)) {
        type = type->tp_base;
    }
    return type;
}

/* The object in a wrapper, borrowed, if it can be asked at once. NULL without an exception if it is
 * to be asked between `shim_enter` and `shim_leave`. */
static inline PyObject *shim_direct(PyObject *self) {
    return ((shim_wrapper *)self)->direct;
}

/* The same for an operand, which may be a wrapper or not. */
static inline PyObject *shim_direct_operand(PyObject *operand) {
    return shim_wrapper_type_of(operand) == NULL ? operand : shim_direct(operand);
}

/* The object in a wrapper, borrowed, to ask something of it. NULL with an exception. After
 * anything but NULL `shim_leave` must follow. */
static inline PyObject *shim_enter(PyObject *self) {
    shim_wrapper *wrapper = (shim_wrapper *)self;
    if (wrapper->wrapped == NULL) {
        return shim_wrapper_is_cleared(self);
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

/* A reference to `object` of its own, if the wrapper holds the only one; else NULL.
 *
 * Some code takes an object with one reference for a temporary that nobody else knows. numpy then
 * writes the result of an operator into the operand, and pandas warns that what is assigned to is
 * about to vanish. Nobody contends for such a count. */
static inline PyObject *shim_hold(PyObject *object) {
    return Py_REFCNT(object) == 1 ? Py_NewRef(object) : NULL;
}

/* The wrapper itself if it is to be passed as `self` of the object's methods, else NULL. */
static inline PyObject *shim_stand_in(PyObject *self) {
    return ((shim_wrapper *)self)->localized ? self : NULL;
}

/* The body of a slot that asks the wrapped object, which `expression` calls `wrapped`. */
#define SHIM_ASK(result_type, failure, self, expression)                                           \
    PyObject *wrapped = shim_direct(self);                                                         \
    if (SHIM_LIKELY(wrapped != NULL)) {                                                            \
        return (expression);                                                                       \
    }                                                                                              \
    wrapped = shim_enter(self);                                                                    \
    if (wrapped == NULL) {                                                                         \
        return (failure);                                                                          \
    }                                                                                              \
    result_type shim_result = (expression);                                                        \
    shim_leave(self);                                                                              \
    return shim_result

/* What `wrapper` has kept for a name, if it still holds; else NULL. */
static inline const shim_method *shim_cache_find(const shim_wrapper *wrapper, PyObject *name) {
    shim_cache *cache = __atomic_load_n(&wrapper->cache, __ATOMIC_ACQUIRE);
    if (cache == NULL || !shim_cache_is_ours(cache)) {
        return NULL;
    }
    const shim_method *method = shim_cache_entry(cache, name);
    bool holds =
        method->name == name && method->version == shim_type_version(Py_TYPE(wrapper->wrapped)) &&
        (method->names == SHIM_NO_DICTIONARY ||
         (method->names >= 0 && method->names == shim_count_names(wrapper->wrapped)) ||
         (method->names <= SHIM_FIRST_VALUE &&
          shim_is_value_at(wrapper->wrapped, SHIM_FIRST_VALUE - method->names, method->found)));
    return holds ? method : NULL;
}

/* The slots by subject, each list ended by a slot of number 0. */
extern const PyType_Slot shim_wrapper_object_slots[];
extern const PyType_Slot shim_wrapper_attribute_slots[];
extern const PyType_Slot shim_wrapper_number_slots[];
extern const PyType_Slot shim_wrapper_container_slots[];
extern const PyType_Slot shim_wrapper_async_slots[];

/* wrapper_special.c: the special methods that have no slot, and those of them that only some kinds
 * have. */
extern PyMethodDef shim_wrapper_methods[];

enum {
    SHIM_ENTER,
    SHIM_EXIT,
    SHIM_AENTER,
    SHIM_AEXIT,
    SHIM_ROUND,
    SHIM_TRUNC,
    SHIM_FLOOR,
    SHIM_CEIL,
    SHIM_COMPLEX,
    SHIM_BYTES,
    SHIM_FSPATH,
    SHIM_ARRAY_UFUNC,
    SHIM_ARRAY_FUNCTION,
    SHIM_OPTIONAL_METHODS,
};

extern PyMethodDef shim_wrapper_optional_methods[SHIM_OPTIONAL_METHODS];

/* wrapper_static.c: `self.__signature__` and `self.__array__`, which only inspect and numpy ask for.
 */
PyObject *shim_wrapper_signature(PyObject *self, PyObject *name);
PyObject *shim_wrapper_array(PyObject *self, PyObject *name);
PyObject *shim_wrapper_static_attributes(PyObject *self, void *closure);

/* The order of lookup of `type`, which another thread may be about to replace: only with the GIL may
 * it be read as it is. NULL with an exception. */
PyObject *shim_wrapper_mro(PyObject *self, PyTypeObject *type);

/* What `type` itself defines, by name. */
static inline PyObject *shim_type_dictionary(PyTypeObject *type) {
#if PY_VERSION_HEX >= 0x030C0000
    return PyType_GetDict(type);
#else
    return Py_NewRef(type->tp_dict);
#endif
}

/* wrapper_attribute.c */
PyObject *shim_wrapper_dir(PyObject *self, PyObject *ignored);

/* wrapper_kind.c: the kind of `base`, which is LocalWrapper, that fits `object`. Borrowed; NULL with
 * an exception. */
PyTypeObject *shim_kind_of(PyTypeObject *base, PyObject *object);

/* LocalWrapper, if `type` is that, or a kind of it. Borrowed. */
static inline PyTypeObject *shim_public_type(PyTypeObject *type) {
    return shim_is_wrapper_type(type->tp_base) ? type->tp_base : type;
}

/* wrapper_copy.c */
PyObject *shim_wrapper_copy(PyObject *self, PyObject *ignored);
PyObject *shim_wrapper_deepcopy(PyObject *self, PyObject *memo);
PyObject *shim_wrapper_reduce(PyObject *self, PyObject *ignored);
PyObject *shim_wrapper_reduce_ex(PyObject *self, PyObject *protocol);

#pragma GCC visibility pop

#endif
