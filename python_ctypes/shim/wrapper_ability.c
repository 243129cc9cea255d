/*
 * LocalWrapper: what its kinds can do.
 *
 * C code looks at the slots of a type, and branches, before it calls one. So a slot that somebody
 * looks at is empty in the kinds whose objects have it empty. All other slots stay in all kinds and
 * ask the wrapped object, so that they follow a class that changes, and so that what is raised is
 * what the object raises. Who looks, without calling:
 *
 *   tp_call              callable(), PyCallable_Check
 *   tp_iternext          PyIter_Check: executemany() of sqlite3, what `__iter__` returned, `await`
 *   tp_descr_get, _set   every look-up of an attribute on a class
 *   nb_index             PyIndex_Check: paths that may be numbers of files (os.stat), bytes(),
 *                        items of sequences, repetition
 *   nb_int, nb_float     PyNumber_Check: "%d" % x, csv with QUOTE_NONNUMERIC; and who takes the
 *                        next conversion if there is none: int() __trunc__ and the buffer, float()
 *                        and math __index__
 *   mp_subscript         PyMapping_Check: the locals of eval() and exec(), MappingProxyType,
 *                        "%(key)s" % x, environments of processes, namespaces of classes
 *   sq_item              PySequence_Check, numpy; reversed(), iter() without `__iter__`
 *   am_anext             anext(), which before 3.13.1 crashes if it has a default and this raises
 *   bf_getbuffer         PyObject_CheckBuffer: bytes(), join(), re, codecs, sockets, paths
 *   Py_TPFLAGS_SEQUENCE, _MAPPING                                    `match`
 *
 * Nobody looks at these, but to call them: tp_hash, tp_iter, tp_richcompare, tp_repr, tp_str,
 * nb_bool and all operators, sq_length and mp_length, sq_concat, sq_contains, mp_ass_subscript,
 * am_await, am_aiter, am_send. Abstract base classes and protocols look for names in the dictionary
 * of the class, where None says no.
 *
 * Methods without a slot are looked up in the class too, and where there is none another way is
 * taken: by bytes() and "%b" past `__bytes__`, complex() past `__complex__`, math.floor() and ceil()
 * past `__floor__` and `__ceil__`; numpy makes an array of what has no `__array_ufunc__`; contextlib.ExitStack asks whether a class has `__exit__`. None
 * would not do there. So LocalWrapper itself has none of them, and kinds have those of their object.
 */

#include "wrapper_ability.h"

static const char *const names[SHIM_NAMES] = {
    "__call__",    "__iter__",    "__next__",    "__len__",      "__contains__", "__hash__",
    "__getitem__", "__setitem__", "__delitem__", "__reversed__", "__await__",    "__aiter__",
    "__anext__",   "__int__",     "__float__",   "__index__",    "__abs__",      "__buffer__",
};

enum presence { ABSENT, REFUSED, PRESENT };

static enum presence presence_of(PyTypeObject *type, PyObject *name) {
    PyObject *found = shim_type_attribute(type, name);
    enum presence presence = found == NULL ? ABSENT : found == Py_None ? REFUSED : PRESENT;
    Py_XDECREF(found);
    return presence;
}

static uint64_t flag(bool condition, int number) {
    return condition ? BIT(number) : 0;
}

static uint64_t conversions_of(PyTypeObject *type) {
    /* int() and float() read a text, which they know by its type. */
    if (PyType_HasFeature(type, Py_TPFLAGS_UNICODE_SUBCLASS)) {
        return 0;
    }
    PyNumberMethods *number = type->tp_as_number;
    return flag(number == NULL || number->nb_int == NULL, EMPTY_INT) |
           flag(number == NULL || number->nb_float == NULL, EMPTY_FLOAT);
}

static uint64_t slots_of(PyTypeObject *type) {
    PySequenceMethods *sequence = type->tp_as_sequence;
    bool numbered = sequence != NULL && sequence->sq_item != NULL &&
                    !PyType_HasFeature(type, Py_TPFLAGS_DICT_SUBCLASS);
    PyMappingMethods *mapping = type->tp_as_mapping;
    bool subscript = mapping != NULL && mapping->mp_subscript != NULL;
    /* The interpreter asks a class itself for an item. */
    bool is_class = PyType_HasFeature(type, Py_TPFLAGS_TYPE_SUBCLASS);
    PyBufferProcs *buffer = type->tp_as_buffer;
    return conversions_of(type) | flag(!numbered, EMPTY_ITEM_AT) |
           flag(!subscript && !is_class, EMPTY_SUBSCRIPT) |
           flag(buffer == NULL || buffer->bf_getbuffer == NULL, EMPTY_BUFFER) |
           flag(PyType_HasFeature(type, Py_TPFLAGS_SEQUENCE), IS_SEQUENCE_PATTERN) |
           flag(PyType_HasFeature(type, Py_TPFLAGS_MAPPING), IS_MAPPING_PATTERN) |
           flag(type->tp_descr_get != NULL, IS_DESCRIPTOR) |
           flag(type->tp_descr_set != NULL, IS_DATA_DESCRIPTOR);
}

static uint64_t names_of(shim_state *state, PyTypeObject *type) {
    uint64_t lacks = 0;
    for (int i = 0; i < SHIM_NAMES; i++) {
        PyObject *name = PyTuple_GET_ITEM(state->kind_names, i);
        lacks |= flag(presence_of(type, name) != PRESENT, i);
    }
    lacks &= ~BIT(LACKS_CALL);
    lacks |= flag(type->tp_call == NULL, LACKS_CALL);
    /* reversed() does without the method, unless the class refuses: a Mapping does. */
    bool is_refused =
        presence_of(type, PyTuple_GET_ITEM(state->kind_names, LACKS_REVERSED)) == REFUSED;
    if ((lacks & (BIT(LACKS_LEN) | BIT(LACKS_GETITEM))) == 0 && !is_refused) {
        lacks &= ~BIT(LACKS_REVERSED);
    }
    return lacks;
}

/* Both methods if there is one: half a context manager is entered before it fails. */
static uint64_t complete_pair(uint64_t methods, int enter, int exit) {
    uint64_t both = BIT(HAS_METHOD + enter) | BIT(HAS_METHOD + exit);
    return (methods & both) == 0 ? methods : methods | both;
}

/* Whether arrays leave operations to objects of `type` in the way of before there was a method for
 * it. numpy's own scalars have a priority too, below that of arrays, which their class computes. */
static bool has_priority(shim_state *state, PyTypeObject *type) {
    PyObject *found = shim_type_attribute(type, state->name_array_priority);
    bool has = found != NULL && !Py_IS_TYPE(found, &PyGetSetDescr_Type);
    Py_XDECREF(found);
    return has;
}

/* An array leaves an operation to an object that wants no part in numpy's functions, or that asks for
 * that by its priority. It must leave it to the wrapper then. */
static void complete_arrays(shim_state *state, PyTypeObject *type, uint64_t *methods) {
    uint64_t has = BIT(HAS_METHOD + SHIM_ARRAY_UFUNC);
    uint64_t refuses = BIT(REFUSES_METHOD + SHIM_ARRAY_UFUNC);
    if ((*methods & has) == 0 && has_priority(state, type)) {
        *methods |= refuses;
    }
    if ((*methods & refuses) == 0) {
        *methods |= has;
    }
    *methods |= BIT(HAS_METHOD + SHIM_ARRAY_FUNCTION);
}

static uint64_t methods_of(shim_state *state, PyTypeObject *type) {
    uint64_t methods = 0;
    for (int i = 0; i < SHIM_OPTIONAL_METHODS; i++) {
        PyDescrObject *method = (PyDescrObject *)PyTuple_GET_ITEM(state->optional_methods, i);
        enum presence presence = presence_of(type, method->d_name);
        methods |= flag(presence == PRESENT, HAS_METHOD + i);
        methods |= flag(presence == REFUSED, REFUSES_METHOD + i);
    }
    methods = complete_pair(methods, SHIM_ENTER, SHIM_EXIT);
    methods = complete_pair(methods, SHIM_AENTER, SHIM_AEXIT);
    complete_arrays(state, type, &methods);
    /* What knows a text by its type, to take or to refuse it, would do something else. */
    if (PyType_HasFeature(type, Py_TPFLAGS_UNICODE_SUBCLASS)) {
        methods |= BIT(HAS_METHOD + SHIM_COMPLEX) | BIT(HAS_METHOD + SHIM_BYTES) |
                   BIT(HAS_METHOD + SHIM_FLOOR) | BIT(HAS_METHOD + SHIM_CEIL);
    }
    if (PyType_HasFeature(type, Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS)) {
        methods |= BIT(HAS_METHOD + SHIM_FSPATH);
    }
    return methods;
}

uint64_t shim_abilities_of(shim_state *state, PyTypeObject *type) {
    return slots_of(type) | names_of(state, type) | methods_of(state, type);
}

/* Whether this CPython crashes in `anext(x, default)` if there is a slot and it raises. */
static bool anext_crashes(void) {
    return Py_Version < 0x030c08f0 || (Py_Version >= 0x030d0000 && Py_Version < 0x030d01f0);
}

static void empty_slots(PyTypeObject *type, uint64_t abilities) {
    if ((abilities & BIT(LACKS_CALL)) != 0) {
        type->tp_call = NULL;
        type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
    }
    if ((abilities & BIT(LACKS_NEXT)) != 0) {
        type->tp_iternext = NULL;
    }
    if ((abilities & BIT(LACKS_INDEX)) != 0) {
        type->tp_as_number->nb_index = NULL;
    }
    if ((abilities & BIT(LACKS_ANEXT)) != 0 && anext_crashes()) {
        type->tp_as_async->am_anext = NULL;
    }
    if ((abilities & BIT(EMPTY_INT)) != 0) {
        type->tp_as_number->nb_int = NULL;
    }
    if ((abilities & BIT(EMPTY_FLOAT)) != 0) {
        type->tp_as_number->nb_float = NULL;
    }
    if ((abilities & BIT(EMPTY_SUBSCRIPT)) != 0) {
        type->tp_as_mapping->mp_subscript = NULL;
    }
    if ((abilities & BIT(EMPTY_ITEM_AT)) != 0) {
        type->tp_as_sequence->sq_item = NULL;
    }
    if ((abilities & BIT(EMPTY_BUFFER)) != 0) {
        type->tp_as_buffer->bf_getbuffer = NULL;
    }
}

static int set_method(shim_state *state, PyTypeObject *type, int number, bool refused) {
    PyObject *method = PyTuple_GET_ITEM(state->optional_methods, number);
    return PyDict_SetItem(type->tp_dict, ((PyDescrObject *)method)->d_name,
                          refused ? Py_None : method);
}

int shim_ability_apply(shim_state *state, PyTypeObject *type, uint64_t abilities) {
    for (int i = 0; i < SHIM_NAMES; i++) {
        PyObject *name = PyTuple_GET_ITEM(state->kind_names, i);
        if ((abilities & BIT(i)) != 0 && PyDict_SetItem(type->tp_dict, name, Py_None) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < SHIM_OPTIONAL_METHODS; i++) {
        bool has = (abilities & BIT(HAS_METHOD + i)) != 0;
        bool refused = (abilities & BIT(REFUSES_METHOD + i)) != 0;
        if ((has || refused) && set_method(state, type, i, refused && !has) < 0) {
            return -1;
        }
    }
    empty_slots(type, abilities);
    PyType_Modified(type);
    return 0;
}

int shim_ability_add_all(shim_state *state, PyTypeObject *type) {
    for (int i = 0; i < SHIM_OPTIONAL_METHODS; i++) {
        PyObject *method = PyTuple_GET_ITEM(state->optional_methods, i);
        PyObject *name = ((PyDescrObject *)method)->d_name;
        if (presence_of(type, name) != ABSENT) {
            continue;
        }
        int failed = shim_is_wrapper_type(type)
                         ? PyDict_SetItem(type->tp_dict, name, method)
                         : PyType_Type.tp_setattro((PyObject *)type, name, method);
        if (failed < 0) {
            return -1;
        }
    }
    PyType_Modified(type);
    return 0;
}

static PyObject *make_names(void) {
    PyObject *tuple = PyTuple_New(SHIM_NAMES);
    for (int i = 0; tuple != NULL && i < SHIM_NAMES; i++) {
        PyObject *name = PyUnicode_InternFromString(names[i]);
        if (name == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, name);
        }
    }
    return tuple;
}

static PyObject *make_methods(PyTypeObject *type) {
    PyObject *tuple = PyTuple_New(SHIM_OPTIONAL_METHODS);
    for (int i = 0; tuple != NULL && i < SHIM_OPTIONAL_METHODS; i++) {
        PyObject *method = PyDescr_NewMethod(type, &shim_wrapper_optional_methods[i]);
        if (method == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, method);
        }
    }
    return tuple;
}

int shim_abilities_init(shim_state *state) {
    state->kind_names = make_names();
    if (state->kind_names != NULL) {
        state->optional_methods = make_methods(state->wrapper_type);
    }
    return state->optional_methods == NULL ? -1 : 0;
}
