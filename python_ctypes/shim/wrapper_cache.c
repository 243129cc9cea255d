/* LocalWrapper: methods that a wrapper keeps. wrapper_cache.h says how. */

#include "wrapper_cache.h"

/* The cache in `place` for this thread. NULL without an exception if it is another's, or if there is
 * no memory. */
static shim_cache *our_cache(shim_cache **place) {
    shim_cache *cache = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (cache == NULL) {
        shim_cache *made = PyMem_Calloc(1, sizeof *made);
        if (made == NULL) {
            return NULL;
        }
#ifdef Py_GIL_DISABLED
        made->owner = _Py_ThreadId();
#endif
        if (__atomic_compare_exchange_n(place, &cache, made, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            return made;
        }
        PyMem_Free(made);
    }
    return shim_cache_is_ours(cache) ? cache : NULL;
}

/* Takes over the reference to `found`. */
static void keep(shim_cache **place, PyObject *name, PyObject *found, PyObject *bound,
                 unsigned int version) {
    shim_cache *cache = our_cache(place);
    if (cache == NULL) {
        Py_DECREF(found);
        return;
    }
    shim_method *method = &cache->methods[shim_cache_place(name)];
    shim_method old = *method;
    *method = (shim_method){Py_NewRef(name), found, Py_XNewRef(bound), version};
    /* Last, because it may run any Python code, which may come back here. */
    Py_XDECREF(old.name);
    Py_XDECREF(old.found);
    Py_XDECREF(old.bound);
}

PyObject *shim_cache_read(const shim_method *member, PyObject *object) {
    return Py_TYPE(member->found)->tp_descr_get(member->found, object, NULL);
}

static PyObject *get_from_type(shim_cache **place, PyObject *object, PyObject *name) {
    PyTypeObject *type = Py_TYPE(object);
    unsigned int version = shim_type_version(type);
    PyObject *result = PyObject_GenericGetAttr(object, name);
    /* A property may have given the object another class, and `type` may be gone. If it has no
     * version, the look-up has given it one, and the next one will keep the method. */
    if (result == NULL || version == SHIM_NO_VERSION || type != Py_TYPE(object)) {
        return result;
    }
    shim_hold_type(type);
    PyObject *found = shim_type_attribute(type, name);
    shim_let_go_of_type(type);
    if (found == NULL) {
        return result;
    }
    bool is_method = PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR);
    /* Reading a member runs no Python code, which could make us forget the member meanwhile. */
    bool is_known = is_method || Py_IS_TYPE(found, &PyMemberDescr_Type);
    if (is_known && type == Py_TYPE(object) && version == shim_type_version(type)) {
        keep(place, name, found, is_method ? result : NULL, version);
    } else {
        Py_DECREF(found);
    }
    return result;
}

static PyObject *get_beside_dictionary(shim_cache **place, PyObject *object, PyObject *name) {
    PyObject *found = NULL;
    if (shim_get_method(object, name, &found) == 0) {
        return found;
    }
    const shim_cache *cache = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (cache != NULL && shim_cache_is_ours(cache)) {
        const shim_method *method = &cache->methods[shim_cache_place(name)];
        if (method->name == name && method->found == found && method->bound != NULL) {
            Py_DECREF(found);
            return Py_NewRef(method->bound);
        }
    }
    PyObject *bound = Py_TYPE(found)->tp_descr_get(found, object, (PyObject *)Py_TYPE(object));
    if (bound == NULL) {
        Py_DECREF(found);
        return NULL;
    }
    keep(place, name, found, bound, 0);
    return bound;
}

PyObject *shim_cache_get(shim_cache **place, PyObject *object, PyObject *name) {
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_getattro != PyObject_GenericGetAttr || !PyUnicode_CheckExact(name)) {
        return PyObject_GetAttr(object, name);
    }
    return shim_has_dictionary(type) ? get_beside_dictionary(place, object, name)
                                     : get_from_type(place, object, name);
}

int shim_cache_traverse(const shim_cache *cache, visitproc visit, void *arg) {
    for (size_t i = 0; cache != NULL && i < SHIM_CACHE_SIZE; i++) {
        Py_VISIT(cache->methods[i].found);
        Py_VISIT(cache->methods[i].bound);
    }
    return 0;
}

void shim_cache_free(shim_cache *cache) {
    for (size_t i = 0; cache != NULL && i < SHIM_CACHE_SIZE; i++) {
        Py_XDECREF(cache->methods[i].name);
        Py_XDECREF(cache->methods[i].found);
        Py_XDECREF(cache->methods[i].bound);
    }
    PyMem_Free(cache);
}
