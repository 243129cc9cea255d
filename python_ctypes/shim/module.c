/* The extension module `ft_local._shim`. */

#include "shim.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>

shim_state *shim_state_of_module(PyObject *module) {
    shim_state *state = module == NULL ? NULL : PyModule_GetState(module);
    if (state != NULL && state->alive) {
        return state;
    }
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_ReferenceError,
                        "ft_local is gone: the interpreter shuts down, or its module was deleted");
    }
    return NULL;
}

#ifdef Py_GIL_DISABLED

/* Only the interpreter may read the field of a class whose bases another thread may change. A
 * metaclass may say otherwise what `__mro__` is. */
PyObject *shim_mro_of(PyTypeObject *type) {
    PyObject *members = PyType_GetDict(&PyType_Type), *reader = NULL, *mro = NULL;
    if (members != NULL && PyDict_GetItemStringRef(members, "__mro__", &reader) == 1) {
        mro = Py_TYPE(reader)->tp_descr_get(reader, (PyObject *)type, (PyObject *)Py_TYPE(type));
    }
    Py_XDECREF(members);
    Py_XDECREF(reader);
    return mro;
}

/* The module of a class that it made. Borrowed from the class. */
static PyObject *module_of_own(PyTypeObject *type) {
    PyObject *module =
        PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) ? ((PyHeapTypeObject *)type)->ht_module : NULL;
    return module != NULL && PyModule_GetDef(module) == &shim_module ? module : NULL;
}

static PyObject *module_of(PyTypeObject *type) {
    PyObject *module = module_of_own(type);
    if (module != NULL) {
        return module;
    }
    PyObject *mro = shim_mro_of(type);
    Py_ssize_t count = mro != NULL && PyTuple_Check(mro) ? PyTuple_GET_SIZE(mro) : 0;
    for (Py_ssize_t i = 1; i < count && module == NULL; i++) {
        module = module_of_own((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
    }
    Py_XDECREF(mro);
    return module;
}

#else

PyObject *shim_mro_of(PyTypeObject *type) {
    return Py_XNewRef(type->tp_mro);
}

static PyObject *module_of(PyTypeObject *type) {
    return type->tp_mro == NULL ? NULL : PyType_GetModuleByDef(type, &shim_module);
}

#endif

shim_state *shim_state_of_type(PyTypeObject *type) {
    /* Finalizers that run late may meet a type that the garbage collector has cleared. */
    return shim_state_of_module(module_of(type));
}

static PyObject *library_version(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return PyUnicode_FromString(ft_local_version());
}

static PyObject *abi_version(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return PyLong_FromUnsignedLong(ft_local_abi_version());
}

static PyObject *library_path(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    /* The text of the version lies in the library, and unlike the address of a function, which may
     * be that of a stub in this module, its address is sure to lie there too. */
    Dl_info info;
    if (dladdr(ft_local_version(), &info) == 0 || info.dli_fname == NULL) {
        PyErr_SetString(PyExc_OSError, "the dynamic linker does not know where libft_local is");
        return NULL;
    }
    char path[PATH_MAX];
    const char *absolute = realpath(info.dli_fname, path);
    return PyUnicode_DecodeFSDefault(absolute == NULL ? info.dli_fname : absolute);
}

static PyMethodDef functions[] = {
    {"library_version", library_version, METH_NOARGS,
     PyDoc_STR("library_version()\n--\n\nThe version of the libft_local that was loaded.")},
    {"abi_version", abi_version, METH_NOARGS,
     PyDoc_STR("abi_version()\n--\n\nThe version of the binary interface of the libft_local that "
               "was loaded.")},
    {"library_path", library_path, METH_NOARGS,
     PyDoc_STR("library_path()\n--\n\nThe absolute path of the libft_local that was loaded.")},
    {NULL, NULL, 0, NULL},
};

static int check_library(void) {
    unsigned int loaded = ft_local_abi_version();
    if (loaded == FT_LOCAL_ABI_VERSION) {
        return 0;
    }
    PyObject *path = library_path(NULL, NULL);
    if (path != NULL) {
        PyErr_Format(PyExc_ImportError,
                     "ft_local._shim was compiled for version %d of the binary interface of "
                     "libft_local, but %U, which is libft_local %s, has version %u: reinstall "
                     "ft_local, or remove that library from where the dynamic linker looks",
                     FT_LOCAL_ABI_VERSION, path, ft_local_version(), loaded);
        Py_DECREF(path);
    }
    return -1;
}

/* Each step of what follows ends at its first error, which the next call could clear. */
static bool find(PyObject **place, PyObject *module, const char *name) {
    *place = PyObject_GetAttrString(module, name);
    return *place != NULL;
}

static int find_functions(shim_state *state) {
    PyObject *math = PyImport_ImportModule("math");
    PyObject *builtins = math == NULL ? NULL : PyImport_ImportModule("builtins");
    bool all = builtins != NULL && find(&state->trunc, math, "trunc") &&
               find(&state->floor, math, "floor") && find(&state->ceil, math, "ceil") &&
               find(&state->round, builtins, "round");
    Py_XDECREF(math);
    Py_XDECREF(builtins);
    return all ? 0 : -1;
}

static bool intern(PyObject **place, const char *name) {
    *place = PyUnicode_InternFromString(name);
    return *place != NULL;
}

static int make_names(shim_state *state) {
    bool all = intern(&state->name_call, "__call__") && intern(&state->name_enter, "__enter__") &&
               intern(&state->name_exit, "__exit__") && intern(&state->name_aenter, "__aenter__") &&
               intern(&state->name_aexit, "__aexit__") &&
               intern(&state->name_array_priority, "__array_priority__");
    return all ? 0 : -1;
}

/* What both backends do in the same way. */
static int find_shared_modules(shim_state *state) {
    state->settings = PyImport_ImportModule("ft_local._settings");
    if (state->settings != NULL) {
        state->outcomes = PyImport_ImportModule("ft_local._outcomes");
    }
    return state->outcomes == NULL ? -1 : 0;
}

PyTypeObject *shim_make_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, (PyObject *)base);
    if (type == NULL && !PyErr_Occurred()) {
        (void)PyErr_NoMemory();
    }
    return (PyTypeObject *)type;
}

static int make_types(PyObject *module, shim_state *state) {
    state->wrapper_type = shim_wrapper_type(module);
    if (state->wrapper_type == NULL || PyModule_AddType(module, state->wrapper_type) < 0) {
        return -1;
    }
    state->batch_type = shim_batch_type(module);
    if (state->batch_type == NULL || PyModule_AddType(module, state->batch_type) < 0) {
        return -1;
    }
    PyTypeObject *range_type = shim_range_type(module, state->batch_type);
    int added = range_type == NULL ? -1 : PyModule_AddType(module, range_type);
    Py_XDECREF(range_type);
    if (added < 0) {
        return -1;
    }
    state->cursor_type = shim_cursor_type(module);
    if (state->cursor_type == NULL || PyModule_AddType(module, state->cursor_type) < 0) {
        return -1;
    }
    state->batch_iterator_type = shim_batch_iterator_type(module);
    return state->batch_iterator_type == NULL ? -1 : 0;
}

static int add_constants(PyObject *module) {
    // By looking at counts, the C shim changes none.
    PyObject *touched = PyTuple_New(0);
    int added = PyModule_AddObjectRef(module, "TOUCHED_BY_LOOKING", touched);
    Py_XDECREF(touched);
    return added;
}

static int execute(PyObject *module) {
    shim_state *state = PyModule_GetState(module);
    if (check_library() < 0 || find_functions(state) < 0 || find_shared_modules(state) < 0 ||
        make_names(state) < 0 || make_types(module, state) < 0 || shim_abilities_init(state) < 0) {
        return -1;
    }
    if (PyModule_AddFunctions(module, shim_sharing_functions) < 0 ||
        PyModule_AddFunctions(module, shim_contention_functions) < 0 ||
        PyModule_AddFunctions(module, shim_local_functions) < 0 || add_constants(module) < 0) {
        return -1;
    }
    state->alive = true;
    return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
    shim_state *state = PyModule_GetState(module);
    int stopped = shim_kinds_traverse(state, visit, arg);
    if (stopped != 0) {
        return stopped;
    }
    Py_VISIT(state->wrapper_type);
    Py_VISIT(state->batch_type);
    Py_VISIT(state->batch_iterator_type);
    Py_VISIT(state->cursor_type);
    Py_VISIT(state->settings);
    Py_VISIT(state->outcomes);
    Py_VISIT(state->round);
    Py_VISIT(state->trunc);
    Py_VISIT(state->floor);
    Py_VISIT(state->ceil);
    return 0;
}

static int clear(PyObject *module) {
    shim_state *state = PyModule_GetState(module);
    state->alive = false;
    shim_kinds_clear(state);
    Py_CLEAR(state->wrapper_type);
    Py_CLEAR(state->batch_type);
    Py_CLEAR(state->batch_iterator_type);
    Py_CLEAR(state->cursor_type);
    Py_CLEAR(state->settings);
    Py_CLEAR(state->outcomes);
    Py_CLEAR(state->round);
    Py_CLEAR(state->trunc);
    Py_CLEAR(state->floor);
    Py_CLEAR(state->ceil);
    Py_CLEAR(state->name_call);
    Py_CLEAR(state->name_enter);
    Py_CLEAR(state->name_exit);
    Py_CLEAR(state->name_aenter);
    Py_CLEAR(state->name_aexit);
    Py_CLEAR(state->name_array_priority);
    return 0;
}

static void free_module(void *module) {
    (void)clear(module);
}

static PyModuleDef_Slot slots[] = {
    SHIM_SLOT(Py_mod_exec, execute),
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

struct PyModuleDef shim_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ft_local._shim",
    .m_doc = PyDoc_STR("LocalWrapper and BatchExecutor, compiled."),
    .m_size = sizeof(shim_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC PyInit__shim(void) {
    return PyModuleDef_Init(&shim_module);
}
