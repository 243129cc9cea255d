/* LocalWrapper: the names of attributes that a class knows. wrapper_keys.h says what for. */

#include "wrapper_keys.h"

#ifdef SHIM_READS_NAMES

/* A table of names that objects share, and how many names and free places one has in all. */
enum { SHARED_TABLE = 2, MOST_NAMES = 30 };

/* An entry of such a table; the value is in the objects. */
typedef struct {
    PyObject *name;
    PyObject *unused;
} entry;

static bool looks_right(const shim_values *values, const shim_names *names, Py_ssize_t count) {
    Py_ssize_t usable = __atomic_load_n(&names->usable, __ATOMIC_ACQUIRE);
    bool embedded = values->embedded == 1 && values->capacity <= MOST_NAMES;
    /* Each new object takes away a place that is still free. */
    return embedded && names->kind == SHARED_TABLE && names->log2_size < 8 && count >= 0 &&
           usable >= 0 && count + usable <= MOST_NAMES;
}

static bool has_name(const shim_names *names, Py_ssize_t count, PyObject *name) {
    const entry *entries =
        (const entry *)(const void *)(names->indices + ((size_t)1 << names->log2_index_bytes));
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *found = __atomic_load_n(&entries[i].name, __ATOMIC_ACQUIRE);
        if (found == name || PyUnicode_Compare(found, name) == 0) {
            return true;
        }
    }
    return false;
}

Py_ssize_t shim_count_names_without(PyObject *object, PyObject *name) {
    Py_ssize_t count = shim_count_names(object);
    if (count < 0) {
        return count;
    }
    const shim_names *names =
        (const shim_names *)((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys;
    bool is_free =
        looks_right(shim_values_of(object), names, count) && !has_name(names, count, name);
    return is_free ? count : SHIM_UNKNOWN_NAMES;
}

#else

Py_ssize_t shim_count_names_without(PyObject *object, PyObject *Py_UNUSED(name)) {
    return shim_count_names(object);
}

#endif
