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
 * - Where the object has a dictionary, which hides methods, the interpreter is asked for the method
 *   without binding it (`_PyObject_GetMethod`), and the answer must be the same as before.
 *
 * What is kept is used by the first thread that asked for a method, and by no other.
 */
#ifndef FT_LOCAL_SHIM_WRAPPER_CACHE_H
#define FT_LOCAL_SHIM_WRAPPER_CACHE_H

#include "shim.h"

#include <stdint.h>

#pragma GCC visibility push(hidden)

typedef struct {
    PyObject *name;
    /* What the type has by that name. */
    PyObject *found;
    /* `found` bound to the object, or NULL for a member that is to be read. */
    PyObject *bound;
    /* 0 if `found` is to be compared with what `_PyObject_GetMethod` gives. */
    unsigned int version;
} shim_method;

#define SHIM_CACHE_SIZE 8

typedef struct {
#ifdef Py_GIL_DISABLED
    uintptr_t owner;
#endif
    shim_method methods[SHIM_CACHE_SIZE];
} shim_cache;

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
static inline size_t shim_cache_place(const PyObject *name) {
    uintptr_t address = (uintptr_t)name;
    return ((address >> 4) ^ (address >> 8)) % SHIM_CACHE_SIZE;
}

/* What `type` has by the name of `name`, as a new reference. NULL without an exception. */
static inline PyObject *shim_type_attribute(PyTypeObject *type, PyObject *name) {
#if PY_VERSION_HEX >= 0x030D0000
    return _PyType_LookupRef(type, name);
#else
    return Py_XNewRef(_PyType_Lookup(type, name));
#endif
}

/* wrapper_cache.c */
int shim_cache_traverse(const shim_cache *cache, visitproc visit, void *arg);
void shim_cache_free(shim_cache *cache);

#pragma GCC visibility pop

#endif
