/*
 * Methods that a wrapper keeps, bound once.
 *
 * `wrapper.method()` is two steps, of which the first makes a bound method: an allocation, and on a
 * shared object two changes of the shared count. A wrapper keeps the bound method instead, for as
 * long as a look-up would lead to it again:
 *
 * - A type has a version, which is taken from it when it or one of its bases changes and never given
 *   to any type again, so that the version of the wrapped object's type tells that the object has
 *   the same type and the type the same attributes. 0 is no version.
 * - Where the object has a dictionary, which hides methods, that dictionary must still be without the
 *   name, which wrapper_keys.h can tell on some interpreters. On others the interpreter is asked for
 *   the method without binding it (`_PyObject_GetMethod`), and the answer must be the same as before.
 *
 * What is kept is used by the first thread that asked for a method, and by no other.
 *
 * A wrapper that localize() has made keeps the values of attributes too, in the form that the thread
 * gets. Such a value holds for as long as the object has it, which is seen without taking a
 * reference to it, since the place at which the object keeps it is known.
 */
#ifndef FT_LOCAL_SHIM_WRAPPER_CACHE_H
#define FT_LOCAL_SHIM_WRAPPER_CACHE_H

#include "wrapper_keys.h"

#include <stdint.h>

/* Not promised by CPython, but exported by every version so far: each is taken if it is there, and
 * what is slower does without it. */
#ifndef SHIM_ONLY_PUBLIC_NAMES
#if PY_VERSION_HEX >= 0x030D0000
extern __attribute__((weak)) PyObject *_PyType_LookupRef(PyTypeObject *type, PyObject *name);
#else
extern __attribute__((weak)) PyObject *_PyType_Lookup(PyTypeObject *type, PyObject *name);
#endif
#endif

#define SHIM_LIKELY(condition) __builtin_expect(!!(condition), 1)

#pragma GCC visibility push(hidden)

typedef struct {
    PyObject *name;
    /* What the type has by that name; of a value, what the object has. */
    PyObject *found;
    /* `found` bound to the object, or NULL for a member that is to be read; the form of a value that
     * the thread gets. */
    PyObject *bound;
    /* Of the type. 0 if `found` is to be compared with what `_PyObject_GetMethod` gives. */
    unsigned int version;
    /* How many names of attributes the type has while none of its objects hides `found`, or one of
     * the values in wrapper_keys.h. With SHIM_UNKNOWN_NAMES it is no attribute of the object for
     * sure, but still the type's special method. */
    Py_ssize_t names;
} shim_method;

/* How many, a power of two. One for values has more places, as it costs more to lose one. */
enum { SHIM_CACHE_SIZE = 8, SHIM_CACHE_SIZE_FOR_VALUES = 32 };

typedef struct {
#ifdef Py_GIL_DISABLED
    uintptr_t owner;
#endif
    size_t size;
    shim_method methods[];
} shim_cache;

static inline size_t shim_cache_size(const shim_cache *cache) {
    return cache->size;
}

/* Without a version a type gets this, which no method that was kept has. */
#define SHIM_NO_VERSION UINT_MAX

static inline unsigned int shim_type_version(PyTypeObject *type) {
    unsigned int version = __atomic_load_n(&type->tp_version_tag, __ATOMIC_ACQUIRE);
    return version == 0 ? SHIM_NO_VERSION : version;
}

static inline bool shim_cache_is_ours(const shim_cache *cache) {
#ifdef Py_GIL_DISABLED
    return cache->owner == _Py_ThreadId();
#else
    (void)cache;
    return true;
#endif
}

/* Names in programs are interned: the same name is the same object. */
static inline size_t shim_cache_place(const shim_cache *cache, const PyObject *name) {
    uintptr_t address = (uintptr_t)name;
    return ((address >> 4) ^ (address >> 8)) & (shim_cache_size(cache) - 1);
}

/* Where `name` is if it was kept: at its place, or beside it if another name came first. Two names
 * that are used in turns, such as __enter__ and __exit__, may have the same place. */
static inline shim_method *shim_cache_entry(shim_cache *cache, const PyObject *name) {
    size_t place = shim_cache_place(cache, name);
    shim_method *first = &cache->methods[place];
    return SHIM_LIKELY(first->name == name) ? first : &cache->methods[place ^ 1];
}

/* A look-up in a class may run Python code: the `__eq__` of a key that is no str. The code may give
 * the object another class, and so free the one that is looked at. Without the GIL, where all
 * threads would fight over the count of a class, classes are only freed by the garbage collector. */
static inline void shim_hold_type(PyTypeObject *type) {
#ifdef Py_GIL_DISABLED
    (void)type;
#else
    Py_INCREF(type);
#endif
}

static inline void shim_let_go_of_type(PyTypeObject *type) {
#ifdef Py_GIL_DISABLED
    (void)type;
#else
    Py_DECREF(type);
#endif
}

/* Whether objects of `type` have a dictionary. */
static inline bool shim_has_dictionary(PyTypeObject *type) {
#ifdef Py_TPFLAGS_MANAGED_DICT
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT)) {
        return true;
    }
#endif
    return type->tp_dictoffset != 0;
}

/* wrapper_private.c: what `type` has by the name of `name`, as a new reference. NULL without an
 * exception. */
PyObject *shim_search_type(PyTypeObject *type, PyObject *name);

/* The same by the interpreter's own function, which is not among those that it promises to keep. */
static inline PyObject *shim_type_attribute(PyTypeObject *type, PyObject *name) {
#ifndef SHIM_ONLY_PUBLIC_NAMES
#if PY_VERSION_HEX >= 0x030D0000
    if (SHIM_LIKELY(_PyType_LookupRef != NULL)) {
        return _PyType_LookupRef(type, name);
    }
#else
    if (SHIM_LIKELY(_PyType_Lookup != NULL)) {
        return Py_XNewRef(_PyType_Lookup(type, name));
    }
#endif
#endif
    return shim_search_type(type, name);
}

/* wrapper_private.c: an item of a dictionary, as a new reference; NULL if there is none, perhaps with
 * an exception. */
PyObject *shim_item_of(PyObject *dict, PyObject *name);

/* wrapper_private.c: `_PyObject_GetMethod`, or what does the same. */
int shim_get_method(PyObject *object, PyObject *name, PyObject **method);

/* wrapper_cache.c: `object.name` of an object of which the cache is in `cache`, NULL if there is none
 * yet; and what it takes to be faster the next time. `stand_in` is NULL, or what methods get as
 * `self` in place of the object, whose values are then localized. */
PyObject *shim_cache_get(shim_cache **cache, PyObject *object, PyObject *name, PyObject *stand_in);
PyObject *shim_cache_read(const shim_method *member, PyObject *object);

/* wrapper_cache.c: what the type of `object` has by a name, if that is a method: what the interpreter
 * calls for an operator. Borrowed from the cache; NULL without an exception if it is no method, or
 * cannot be kept. */
PyObject *shim_cache_special(shim_cache **cache, PyObject *object, PyObject *name,
                             PyObject *stand_in);

/* wrapper_local.c: what a thread gets in place of a value, as a new reference. NULL with an
 * exception. */
PyObject *shim_localized_part(PyObject *value);

int shim_cache_traverse(const shim_cache *cache, visitproc visit, void *arg);
void shim_cache_free(shim_cache *cache);

#pragma GCC visibility pop

#endif
