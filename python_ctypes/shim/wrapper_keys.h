/*
 * Whether an attribute of an object can hide a method of its class, found without a reference.
 *
 * `_PyObject_GetMethod` answers that too, but gives a reference to the method, for which all threads
 * that use objects of the class would contend. So this reads what the interpreter's own specialised
 * instructions read. Objects of a class keep their attributes in places that the class has names
 * for, and names are only ever added: as long as there are as many names as when the method was
 * looked up, and the method's was not among them, no object of the class hides it, unless it has a
 * dictionary of another kind, which is marked in the object.
 *
 * It only reads. The layout is that of free-threaded CPython 3.13 to 3.15; an object whose fields do
 * not agree with each other is taken for one about which nothing is known.
 */
#ifndef FT_LOCAL_SHIM_WRAPPER_KEYS_H
#define FT_LOCAL_SHIM_WRAPPER_KEYS_H

#include "shim.h"

#pragma GCC visibility push(hidden)

/* Instead of a number of names: the object has no dictionary; or nothing is known about it; or, from
 * SHIM_FIRST_VALUE downwards, the place that the name has in all objects of the class. */
enum { SHIM_NO_DICTIONARY = -1, SHIM_UNKNOWN_NAMES = -2, SHIM_FIRST_VALUE = -3 };

#if defined(Py_GIL_DISABLED) && !defined(SHIM_ONLY_PUBLIC_NAMES) &&                                \
    PY_VERSION_HEX >= 0x030D0000 && PY_VERSION_HEX < 0x03100000
#define SHIM_READS_NAMES 1

typedef struct {
    Py_ssize_t references;
    uint8_t log2_size;
    uint8_t log2_index_bytes;
    uint8_t kind;
    uint8_t mutex;
    uint32_t version;
    Py_ssize_t usable;
    Py_ssize_t entries;
    char indices[];
} shim_names;

typedef struct {
    uint8_t capacity;
    uint8_t size;
    uint8_t embedded;
    uint8_t valid;
    PyObject *values[];
} shim_values;

static inline const shim_values *shim_values_of(PyObject *object) {
    return (const shim_values *)((const char *)object + Py_TYPE(object)->tp_basicsize);
}

/* How many names the class of `object` has for the attributes of its objects. */
static inline Py_ssize_t shim_count_names(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    if (!PyType_HasFeature(type, Py_TPFLAGS_INLINE_VALUES) ||
        !__atomic_load_n(&shim_values_of(object)->valid, __ATOMIC_ACQUIRE)) {
        return SHIM_UNKNOWN_NAMES;
    }
    const shim_names *names = (const shim_names *)((PyHeapTypeObject *)type)->ht_cached_keys;
    return names == NULL ? SHIM_UNKNOWN_NAMES : __atomic_load_n(&names->entries, __ATOMIC_ACQUIRE);
}

/* Whether `object` has `value` at a place that shim_place_of has given for its class. It takes no
 * reference: the addresses are compared, and the caller has a reference to `value`. */
static inline bool shim_is_value_at(PyObject *object, Py_ssize_t place, PyObject *value) {
    const shim_values *values = shim_values_of(object);
    return __atomic_load_n(&values->valid, __ATOMIC_ACQUIRE) &&
           __atomic_load_n(&values->values[place], __ATOMIC_ACQUIRE) == value;
}
#else
static inline Py_ssize_t shim_count_names(PyObject *object) {
    (void)object;
    return SHIM_UNKNOWN_NAMES;
}

static inline bool shim_is_value_at(PyObject *object, Py_ssize_t place, PyObject *value) {
    (void)object, (void)place, (void)value;
    return false;
}
#endif

/* wrapper_keys.c: the same, if `name` is not among them; SHIM_UNKNOWN_NAMES if it is. */
Py_ssize_t shim_count_names_without(PyObject *object, PyObject *name);

/* wrapper_keys.c: the place at which objects of the class of `object` keep `name`, if this one has
 * `value` there; -1 otherwise. */
Py_ssize_t shim_place_of(PyObject *object, PyObject *name, PyObject *value);

#pragma GCC visibility pop

#endif
