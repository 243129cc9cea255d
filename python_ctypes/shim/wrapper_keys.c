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

/* Where `name` is among the names; `count` if it is not. */
static Py_ssize_t place_among(const shim_names *names, Py_ssize_t count, PyObject *name) {
    const entry *entries =
        (const entry *)(const void *)(names->indices + ((size_t)1 << names->log2_index_bytes));
    Py_ssize_t place = 0;
    for (; place < count; place++) {
        PyObject *found = __atomic_load_n(&entries[place].name, __ATOMIC_ACQUIRE);
        if (found == name || PyUnicode_Compare(found, name) == 0) {
            break;
        }
    }
    return place;
}

/* The same for the class of `object`; SHIM_UNKNOWN_NAMES if nothing is known. */
static Py_ssize_t find_place(PyObject *object, PyObject *name, Py_ssize_t *count) {
    *count = shim_count_names(object);
    if (*count < 0) {
        return SHIM_UNKNOWN_NAMES;
    }
    const shim_names *names =
        (const shim_names *)((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys;
    return looks_right(shim_values_of(object), names, *count) ? place_among(names, *count, name)
                                                              : SHIM_UNKNOWN_NAMES;
}

Py_ssize_t shim_count_names_without(PyObject *object, PyObject *name) {
    Py_ssize_t count;
    return find_place(object, name, &count) == count ? count : SHIM_UNKNOWN_NAMES;
}

Py_ssize_t shim_place_of(PyObject *object, PyObject *name, PyObject *value) {
    Py_ssize_t count;
    Py_ssize_t place = find_place(object, name, &count);
    bool is_there = place >= 0 && place < count && place < shim_values_of(object)->capacity &&
                    shim_is_value_at(object, place, value);
    return is_there ? place : -1;
}

#else

Py_ssize_t shim_place_of(PyObject *Py_UNUSED(object), PyObject *Py_UNUSED(name),
                         PyObject *Py_UNUSED(value)) {
    return -1;
}

Py_ssize_t shim_count_names_without(PyObject *object, PyObject *Py_UNUSED(name)) {
    return shim_count_names(object);
}

#endif
