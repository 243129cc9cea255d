/* LocalWrapper: methods that a wrapper keeps. wrapper_cache.h says how. */

#include "wrapper_cache.h"

#include <string.h>

/* The cache in `place` for this thread. NULL without an exception if it is another's, or if there is
 * no memory. */
static shim_cache *our_cache(shim_cache **place, PyObject *stand_in) {
    shim_cache *cache = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (cache == NULL) {
        size_t size = stand_in == NULL ? SHIM_CACHE_SIZE : SHIM_CACHE_SIZE_FOR_VALUES;
        shim_cache *made = PyMem_Calloc(1, sizeof *made + size * sizeof(shim_method));
        if (made == NULL) {
            return NULL;
        }
#ifdef Py_GIL_DISABLED
        made->owner = _Py_ThreadId();
#endif
        made->size = size;
        if (__atomic_compare_exchange_n(place, &cache, made, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            return made;
        }
        PyMem_Free(made);
    }
    return shim_cache_is_ours(cache) ? cache : NULL;
}

/* Takes over the references of `method`. Whether it was kept. */
static bool keep(shim_cache **place, shim_method method, PyObject *stand_in) {
    shim_cache *cache = our_cache(place, stand_in);
    shim_method old = method;
    if (cache != NULL) {
        shim_method *entry = &cache->methods[shim_cache_place(cache, method.name)];
        if (entry->name != NULL && entry->name != method.name) {
            entry = shim_cache_entry(cache, method.name);
        }
        old = *entry;
        *entry = method;
    }
    /* Last, because it may run any Python code, which may come back here. */
    Py_XDECREF(old.name);
    Py_XDECREF(old.found);
    Py_XDECREF(old.bound);
    return cache != NULL;
}

PyObject *shim_cache_read(const shim_method *member, PyObject *object) {
    return Py_TYPE(member->found)->tp_descr_get(member->found, object, NULL);
}

static bool is_method_descriptor(PyObject *found) {
    return PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR);
}

static PyObject *get_from_type(shim_cache **place, PyObject *object, PyObject *name,
                               PyObject *stand_in) {
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
    bool is_method = is_method_descriptor(found);
    /* Reading a member runs no Python code, which could make us forget the member meanwhile. */
    bool is_known = is_method || Py_IS_TYPE(found, &PyMemberDescr_Type);
    if (is_known && type == Py_TYPE(object) && version == shim_type_version(type)) {
        PyObject *bound = is_method ? Py_NewRef(result) : NULL;
        (void)keep(place, (shim_method){Py_NewRef(name), found, bound, version, SHIM_NO_DICTIONARY},
                   stand_in);
    } else {
        Py_DECREF(found);
    }
    return result;
}

/* What is kept for `name`, if it is `found`, bound; else NULL. Borrowed. */
static PyObject *find_bound(shim_cache **place, PyObject *name, PyObject *found) {
    shim_cache *cache = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (cache == NULL || !shim_cache_is_ours(cache)) {
        return NULL;
    }
    const shim_method *method = shim_cache_entry(cache, name);
    return method->name == name && method->found == found ? method->bound : NULL;
}

/* The form of `value`, which is `object.name`, that a thread gets. Takes over the reference. */
static PyObject *localize_value(shim_cache **place, PyObject *object, PyObject *name,
                                unsigned int version, PyObject *value, PyObject *stand_in) {
    Py_ssize_t at = shim_place_of(object, name, value);
    if (at < 0 || version != shim_type_version(Py_TYPE(object)) ||
        our_cache(place, stand_in) == NULL) {
        return value;
    }
    PyObject *part = shim_localized_part(value);
    if (part == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    shim_method kept = {Py_NewRef(name), value, Py_NewRef(part), version, SHIM_FIRST_VALUE - at};
    (void)keep(place, kept, stand_in);
    return part;
}

/* A method of `object`. A function gets the stand-in, if there is one, as `self`. */
static PyObject *bind(PyObject *found, PyObject *object, PyObject *stand_in) {
    if (stand_in != NULL && PyFunction_Check(found)) {
        return PyMethod_New(found, stand_in);
    }
    return Py_TYPE(found)->tp_descr_get(found, object, (PyObject *)Py_TYPE(object));
}

static PyObject *get_beside_dictionary(shim_cache **place, PyObject *object, PyObject *name,
                                       PyObject *stand_in) {
    PyTypeObject *type = Py_TYPE(object);
    unsigned int version = shim_type_version(type);
    PyObject *found = NULL;
    if (shim_get_method(object, name, &found) == 0) {
        return stand_in == NULL || found == NULL
                   ? found
                   : localize_value(place, object, name, version, found, stand_in);
    }
    PyObject *bound = Py_XNewRef(find_bound(place, name, found));
    Py_ssize_t names = type == Py_TYPE(object) && version == shim_type_version(type)
                           ? shim_count_names_without(object, name)
                           : SHIM_UNKNOWN_NAMES;
    if (bound != NULL && names == SHIM_UNKNOWN_NAMES) {
        Py_DECREF(found);
        return bound;
    }
    if (bound == NULL) {
        bound = bind(found, object, stand_in);
    }
    if (bound == NULL) {
        Py_DECREF(found);
        return NULL;
    }
    if (names == SHIM_UNKNOWN_NAMES) {
        version = 0;
    }
    shim_method kept = {Py_NewRef(name), found, Py_NewRef(bound), version, names};
    (void)keep(place, kept, stand_in);
    return bound;
}

PyObject *shim_cache_special(shim_cache **place, PyObject *object, PyObject *name,
                             PyObject *stand_in) {
    PyTypeObject *type = Py_TYPE(object);
    unsigned int version = shim_type_version(type);
    shim_cache *cache = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (cache != NULL && shim_cache_is_ours(cache)) {
        const shim_method *method = shim_cache_entry(cache, name);
        if (method->name == name && method->version == version) {
            return is_method_descriptor(method->found) ? method->found : NULL;
        }
    }
    shim_hold_type(type);
    PyObject *found = shim_type_attribute(type, name);
    bool is_method = found != NULL && version == shim_type_version(type) &&
                     version != SHIM_NO_VERSION && is_method_descriptor(found);
    shim_let_go_of_type(type);
    if (!is_method) {
        Py_XDECREF(found);
        return NULL;
    }
    shim_method method = {Py_NewRef(name), found, NULL, version, SHIM_UNKNOWN_NAMES};
    return keep(place, method, stand_in) ? found : NULL;
}

/* From Python 3.15 on, an import may wait in the dictionary until the module is asked for it. */
static bool is_lazy_import(PyObject *value) {
    return PY_VERSION_HEX >= 0x030F0000 && strcmp(Py_TYPE(value)->tp_name, "lazy_import") == 0;
}

/* A module has the same dictionary for life, and only what its type does not have is looked for
 * there: the interpreter would take a reference to the dictionary. */
static PyObject *get_from_module(PyObject *module, PyObject *name) {
    PyObject *of_type = shim_type_attribute(Py_TYPE(module), name);
    PyObject *value = of_type == NULL ? shim_item_of(PyModule_GetDict(module), name) : NULL;
    Py_XDECREF(of_type);
    if (value != NULL && !is_lazy_import(value)) {
        return value;
    }
    Py_XDECREF(value);
    return PyErr_Occurred() ? NULL : PyObject_GetAttr(module, name);
}

PyObject *shim_cache_get(shim_cache **place, PyObject *object, PyObject *name, PyObject *stand_in) {
    PyTypeObject *type = Py_TYPE(object);
    if (type->tp_getattro != PyObject_GenericGetAttr || !PyUnicode_CheckExact(name)) {
        return PyModule_CheckExact(object) && PyUnicode_CheckExact(name)
                   ? get_from_module(object, name)
                   : PyObject_GetAttr(object, name);
    }
    return shim_has_dictionary(type) ? get_beside_dictionary(place, object, name, stand_in)
                                     : get_from_type(place, object, name, stand_in);
}

int shim_cache_traverse(const shim_cache *cache, visitproc visit, void *arg) {
    for (size_t i = 0; cache != NULL && i < shim_cache_size(cache); i++) {
        Py_VISIT(cache->methods[i].found);
        Py_VISIT(cache->methods[i].bound);
    }
    return 0;
}

void shim_cache_free(shim_cache *cache) {
    for (size_t i = 0; i < shim_cache_size(cache); i++) {
        Py_XDECREF(cache->methods[i].name);
        Py_XDECREF(cache->methods[i].found);
        Py_XDECREF(cache->methods[i].bound);
    }
    PyMem_Free(cache);
}
