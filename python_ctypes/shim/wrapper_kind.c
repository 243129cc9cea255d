/*
 * LocalWrapper: its kinds.
 *
 * `callable(w)` and `isinstance(w, Iterable)` look at the type of `w` and not at what is in it. So
 * there are hidden subclasses of LocalWrapper, each of which lacks some abilities, and a wrapper is
 * of the kind that lacks what its object lacked when it was wrapped. A kind lacks as little as makes
 * these answers right: nearly all slots stay and ask the wrapped object, so that they follow a class
 * that changes, and so that what is raised is what the object raises. An entry of None in the
 * dictionary of a class is what abstract base classes understand.
 *
 * A kind is made when it is first needed. Which one a type gets is kept under the type's version.
 */

#include "wrapper.h"

#include <string.h>

enum {
    LACKS_CALL,
    LACKS_ITER,
    LACKS_NEXT,
    LACKS_LEN,
    LACKS_CONTAINS,
    LACKS_HASH,
    LACKS_GETITEM,
    LACKS_SETITEM,
    LACKS_DELITEM,
    LACKS_REVERSED,
    LACKS_AWAIT,
    LACKS_AITER,
    LACKS_ANEXT,
    LACKS_EXIT,
    LACKS_AEXIT,
    LACKS_INT,
    LACKS_FLOAT,
    LACKS_INDEX,
    LACKS_ABS,
    LACKS_FSPATH,
    LACKS_BUFFER,
    NAMES,
    /* Abilities without a name that an abstract base class could ask for. */
    LACKS_NUMBERED_ITEMS = NAMES,
    LACKS_MEMORY,
    IS_SEQUENCE_PATTERN,
    IS_MAPPING_PATTERN,
    IS_DESCRIPTOR,
    IS_DATA_DESCRIPTOR,
};

#define BIT(number) (UINT64_C(1) << (number))

static const char *const names[NAMES] = {
    "__call__",    "__iter__",    "__next__",    "__len__",      "__contains__", "__hash__",
    "__getitem__", "__setitem__", "__delitem__", "__reversed__", "__await__",    "__aiter__",
    "__anext__",   "__exit__",    "__aexit__",   "__int__",      "__float__",    "__index__",
    "__abs__",     "__fspath__",  "__buffer__",
};

static bool has(PyTypeObject *type, PyObject *name) {
    PyObject *found = shim_type_attribute(type, name);
    Py_XDECREF(found);
    return found != NULL && found != Py_None;
}

static uint64_t flag(bool condition, int number) {
    return condition ? BIT(number) : 0;
}

static uint64_t slots_of(PyTypeObject *type) {
    PySequenceMethods *sequence = type->tp_as_sequence;
    bool numbered = sequence != NULL && sequence->sq_item != NULL &&
                    !PyType_HasFeature(type, Py_TPFLAGS_DICT_SUBCLASS);
    PyBufferProcs *buffer = type->tp_as_buffer;
    return flag(!numbered, LACKS_NUMBERED_ITEMS) |
           flag(buffer == NULL || buffer->bf_getbuffer == NULL, LACKS_MEMORY) |
           flag(PyType_HasFeature(type, Py_TPFLAGS_SEQUENCE), IS_SEQUENCE_PATTERN) |
           flag(PyType_HasFeature(type, Py_TPFLAGS_MAPPING), IS_MAPPING_PATTERN) |
           flag(type->tp_descr_get != NULL, IS_DESCRIPTOR) |
           flag(type->tp_descr_set != NULL, IS_DATA_DESCRIPTOR);
}

/* What objects of `type` lack. */
static uint64_t abilities_of(shim_state *state, PyTypeObject *type) {
    uint64_t lacks = slots_of(type);
    for (int i = 0; i < NAMES; i++) {
        lacks |= flag(!has(type, PyTuple_GET_ITEM(state->kind_names, i)), i);
    }
    lacks &= ~BIT(LACKS_CALL);
    lacks |= flag(type->tp_call == NULL, LACKS_CALL);
    /* reversed() does without the method. */
    if ((lacks & (BIT(LACKS_LEN) | BIT(LACKS_GETITEM))) == 0) {
        lacks &= ~BIT(LACKS_REVERSED);
    }
    /* Half a context manager is entered before it fails. */
    if (has(type, state->name_enter)) {
        lacks &= ~BIT(LACKS_EXIT);
    }
    if (has(type, state->name_aenter)) {
        lacks &= ~BIT(LACKS_AEXIT);
    }
    /* A path may be a text too. Before 3.12 the interpreter tries to call the None. */
    if (PY_VERSION_HEX < 0x030C0000 ||
        PyType_HasFeature(type, Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS)) {
        lacks &= ~BIT(LACKS_FSPATH);
    }
    return lacks;
}

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

static int mark_as_lacking(shim_state *state, PyTypeObject *type, uint64_t lacks) {
    for (int i = 0; i < NAMES; i++) {
        if ((lacks & BIT(i)) != 0 &&
            PyDict_SetItem(type->tp_dict, PyTuple_GET_ITEM(state->kind_names, i), Py_None) < 0) {
            return -1;
        }
    }
    if ((lacks & BIT(LACKS_CALL)) != 0) {
        type->tp_call = NULL;
        type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
    }
    if ((lacks & BIT(LACKS_MEMORY)) != 0) {
        type->tp_as_buffer->bf_getbuffer = NULL;
    }
    if ((lacks & BIT(LACKS_NUMBERED_ITEMS)) != 0) {
        type->tp_as_sequence->sq_item = NULL;
    }
    PyType_Modified(type);
    return 0;
}

static PyTypeObject *make_type(shim_state *state, PyTypeObject *base, uint64_t lacks) {
    PyType_Slot slots[5] = {
        SHIM_SLOT(Py_tp_dealloc, shim_wrapper_dealloc),
        SHIM_DATA(Py_tp_doc, base->tp_doc),
    };
    size_t count = 2;
    if ((lacks & BIT(IS_DESCRIPTOR)) != 0) {
        slots[count++] = (PyType_Slot)SHIM_SLOT(Py_tp_descr_get, descriptor_get);
    }
    if ((lacks & BIT(IS_DATA_DESCRIPTOR)) != 0) {
        slots[count++] = (PyType_Slot)SHIM_SLOT(Py_tp_descr_set, descriptor_set);
    }
    PyType_Spec spec = {
        .name = "ft_local.LocalWrapper",
        .basicsize = sizeof(shim_wrapper),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    if ((lacks & BIT(IS_SEQUENCE_PATTERN)) != 0) {
        spec.flags |= Py_TPFLAGS_SEQUENCE;
    } else if ((lacks & BIT(IS_MAPPING_PATTERN)) != 0) {
        spec.flags |= Py_TPFLAGS_MAPPING;
    }
    PyObject *module = PyType_GetModule(base);
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, (PyObject *)base);
    if (type == NULL) {
        return NULL;
    }
    type->tp_vectorcall = shim_wrapper_construct;
    /* Which 3.11 does not let types inherit. */
    type->tp_as_async->am_send = base->tp_as_async->am_send;
    if (mark_as_lacking(state, type, lacks) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

/* A kind that lacks nothing is told from a free place by this. */
#define IS_TAKEN BIT(63)

/* The type of the kind at a place, or NULL if none was made yet. */
static PyTypeObject *type_at(shim_state *state, int place) {
    return __atomic_load_n(&state->kinds[place].type, __ATOMIC_ACQUIRE);
}

/* The place for the kind that `lacks` this; SHIM_KINDS if there are too many kinds. */
static int place_for(shim_state *state, uint64_t lacks) {
    uint64_t wanted = lacks | IS_TAKEN;
    for (int i = 0; i < SHIM_KINDS; i++) {
        uint64_t *place = &state->kinds[i].lacks;
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
static int fill_place(shim_state *state, PyTypeObject *base, int place, uint64_t lacks) {
    if (type_at(state, place) != NULL) {
        return 0;
    }
    PyTypeObject *made = make_type(state, base, lacks);
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
    (void)has(type, state->name_enter);
    unsigned int version = shim_type_version(type);
    uint64_t lacks = abilities_of(state, type);
    int place = place_for(state, lacks);
    if (place == SHIM_KINDS) {
        return base;
    }
    if (fill_place(state, base, place, lacks) < 0) {
        return NULL;
    }
    if (version != SHIM_NO_VERSION && version == shim_type_version(type)) {
        __atomic_store_n(&state->kind_of_version[version % SHIM_KIND_PLACES],
                         ((uint64_t)version << 32) | (uint64_t)place, __ATOMIC_RELEASE);
    }
    return type_at(state, place);
}

PyTypeObject *shim_kind_of(PyTypeObject *type, PyObject *object) {
    shim_state *state = PyType_GetModuleState(type);
    if (state == NULL) {
        return NULL;
    }
    unsigned int version = shim_type_version(Py_TYPE(object));
    uint64_t known =
        __atomic_load_n(&state->kind_of_version[version % SHIM_KIND_PLACES], __ATOMIC_ACQUIRE);
    if (SHIM_LIKELY(known >> 32 == version)) {
        return type_at(state, (int)(uint32_t)known);
    }
    PyTypeObject *base = shim_is_wrapper_type(type->tp_base) ? type->tp_base : type;
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

int shim_kinds_init(shim_state *state) {
    state->kind_names = PyTuple_New(NAMES);
    for (int i = 0; state->kind_names != NULL && i < NAMES; i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        if (name == NULL) {
            Py_CLEAR(state->kind_names);
        } else {
            PyTuple_SET_ITEM(state->kind_names, i, name);
        }
    }
    return state->kind_names == NULL ? -1 : 0;
}

int shim_kinds_traverse(shim_state *state, visitproc visit, void *arg) {
    for (int i = 0; i < SHIM_KINDS && state->kinds[i].lacks != 0; i++) {
        Py_VISIT(type_at(state, i));
    }
    return 0;
}

void shim_kinds_clear(shim_state *state) {
    Py_CLEAR(state->kind_names);
    memset(state->kind_of_version, 0, sizeof state->kind_of_version);
    for (int i = 0; i < SHIM_KINDS; i++) {
        state->kinds[i].lacks = 0;
        Py_CLEAR(state->kinds[i].type);
    }
}
