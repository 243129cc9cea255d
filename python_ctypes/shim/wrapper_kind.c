/*
 * LocalWrapper: its kinds.
 *
 * `callable(w)` and `isinstance(w, Iterable)` look at the type of `w` and not at what is in it. So
 * there are hidden subclasses of LocalWrapper, each of which has some abilities and lacks others, and
 * a wrapper is of the kind that its object was of when it was wrapped. A kind differs as little as
 * makes these answers right; wrapper_ability.c says in what.
 *
 * A kind is made when it is first needed. Which one a type gets is kept under the type's version.
 */

#include "wrapper_ability.h"

#include <string.h>

static PyObject *descriptor_get_of(PyObject *wrapped, PyObject *self, PyObject *object,
                                   PyObject *type) {
    descrgetfunc get = Py_TYPE(wrapped)->tp_descr_get;
    return get == NULL ? Py_NewRef(self) : get(wrapped, object, type);
}

static PyObject *descriptor_get(PyObject *self, PyObject *object, PyObject *type) {
    SHIM_ASK(PyObject *, NULL, self, descriptor_get_of(wrapped, self, object, type));
}

static int descriptor_set_of(PyObject *wrapped, PyObject *object, PyObject *value) {
    descrsetfunc set = Py_TYPE(wrapped)->tp_descr_set;
    if (set == NULL) {
        PyErr_Format(PyExc_AttributeError, "'%.200s' object is not a data descriptor",
                     Py_TYPE(wrapped)->tp_name);
        return -1;
    }
    return set(wrapped, object, value);
}

static int descriptor_set(PyObject *self, PyObject *object, PyObject *value) {
    SHIM_ASK(int, -1, self, descriptor_set_of(wrapped, object, value));
}

static PyTypeObject *make_type(shim_state *state, PyTypeObject *base, uint64_t abilities) {
    PyType_Slot slots[5] = {
        SHIM_SLOT(Py_tp_dealloc, base->tp_dealloc),
        SHIM_DATA(Py_tp_doc, base->tp_doc),
    };
    size_t count = 2;
    if ((abilities & BIT(IS_DESCRIPTOR)) != 0) {
        slots[count++] = (PyType_Slot)SHIM_SLOT(Py_tp_descr_get, descriptor_get);
    }
    if ((abilities & BIT(IS_DATA_DESCRIPTOR)) != 0) {
        slots[count++] = (PyType_Slot)SHIM_SLOT(Py_tp_descr_set, descriptor_set);
    }
    PyType_Spec spec = {
        .name = "ft_local.LocalWrapper",
        .basicsize = (int)base->tp_basicsize,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    if ((abilities & BIT(IS_SEQUENCE_PATTERN)) != 0) {
        spec.flags |= Py_TPFLAGS_SEQUENCE;
    } else if ((abilities & BIT(IS_MAPPING_PATTERN)) != 0) {
        spec.flags |= Py_TPFLAGS_MAPPING;
    }
    PyTypeObject *type = shim_make_type(PyType_GetModule(base), &spec, base);
    if (type == NULL) {
        return NULL;
    }
    type->tp_vectorcall = base->tp_vectorcall;
    /* Which 3.11 does not let types inherit. */
    type->tp_as_async->am_send = base->tp_as_async->am_send;
    if (shim_ability_apply(state, type, abilities) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

/* Tells any kind from a free place. */
#define IS_TAKEN BIT(63)

/* The type of the kind at a place, or NULL if none was made yet. */
static PyTypeObject *type_at(shim_state *state, int place) {
    return __atomic_load_n(&state->kinds[place].type, __ATOMIC_ACQUIRE);
}

/* The place for the kind with these abilities; SHIM_KINDS if there are too many kinds. */
static int place_for(shim_state *state, uint64_t abilities) {
    uint64_t wanted = abilities | IS_TAKEN;
    for (int i = 0; i < SHIM_KINDS; i++) {
        uint64_t *place = &state->kinds[i].abilities;
        uint64_t found = __atomic_load_n(place, __ATOMIC_RELAXED);
        if ((found == 0 && __atomic_compare_exchange_n(place, &found, wanted, false,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED)) ||
            found == wanted) {
            return i;
        }
    }
    return SHIM_KINDS;
}

/* Makes the type of the kind at a place, unless it is there. No lock, since making a type may run
 * any Python code: where two threads make one, the first is kept. Returns -1 with an exception. */
static int fill_place(shim_state *state, PyTypeObject *base, int place, uint64_t abilities) {
    if (type_at(state, place) != NULL) {
        return 0;
    }
    PyTypeObject *made = make_type(state, base, abilities);
    if (made == NULL) {
        return -1;
    }
    PyTypeObject *found = NULL;
    if (!__atomic_compare_exchange_n(&state->kinds[place].type, &found, made, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        Py_DECREF(made);
    }
    return 0;
}

/* Apart from its caller, which needs none of the registers that this one does. */
__attribute__((noinline)) static PyTypeObject *kind_for(shim_state *state, PyTypeObject *base,
                                                        PyTypeObject *type) {
    /* Asking for any attribute gives a type without a version a new one. */
    Py_XDECREF(shim_type_attribute(type, state->name_enter));
    unsigned int version = shim_type_version(type);
    uint64_t abilities = shim_abilities_of(state, type);
    int place = place_for(state, abilities);
    if (place == SHIM_KINDS) {
        return shim_ability_add_all(state, base) < 0 ? NULL : base;
    }
    if (fill_place(state, base, place, abilities) < 0) {
        return NULL;
    }
    if (version != SHIM_NO_VERSION && version == shim_type_version(type)) {
        __atomic_store_n(&state->kind_of_version[version % SHIM_KIND_PLACES],
                         ((uint64_t)version << 32) | (uint64_t)place, __ATOMIC_RELEASE);
    }
    return type_at(state, place);
}

PyTypeObject *shim_kind_of(PyTypeObject *base, PyObject *object) {
    shim_state *state = PyType_GetModuleState(base);
    if (state == NULL) {
        return NULL;
    }
    unsigned int version = shim_type_version(Py_TYPE(object));
    uint64_t known =
        __atomic_load_n(&state->kind_of_version[version % SHIM_KIND_PLACES], __ATOMIC_ACQUIRE);
    if (SHIM_LIKELY(known >> 32 == version)) {
        return type_at(state, (int)(uint32_t)known);
    }
    /* Finalizers that run when the module is gone get what serves them. */
    if (!state->alive) {
        return base;
    }
    PyTypeObject *wrapped = Py_TYPE(object);
    shim_hold_type(wrapped);
    PyTypeObject *kind = kind_for(state, base, wrapped);
    shim_let_go_of_type(wrapped);
    return kind;
}

int shim_kinds_traverse(shim_state *state, visitproc visit, void *arg) {
    Py_VISIT(state->optional_methods);
    for (int i = 0; i < SHIM_KINDS && state->kinds[i].abilities != 0; i++) {
        Py_VISIT(type_at(state, i));
    }
    return 0;
}

void shim_kinds_clear(shim_state *state) {
    Py_CLEAR(state->kind_names);
    Py_CLEAR(state->optional_methods);
    memset(state->kind_of_version, 0, sizeof state->kind_of_version);
    for (int i = 0; i < SHIM_KINDS; i++) {
        state->kinds[i].abilities = 0;
        Py_CLEAR(state->kinds[i].type);
    }
}
