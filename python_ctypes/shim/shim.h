/*
 * What the files of the extension module share.
 *
 * The module keeps nothing in static variables that change: all state is in the module object, so
 * that every interpreter of a process has its own.
 */
#ifndef FT_LOCAL_SHIM_H
#define FT_LOCAL_SHIM_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ft_local.h"

#pragma GCC visibility push(hidden)

/* ISO C has no conversion from a function's address to `void *`. Every platform that CPython runs
 * on has it, and CPython's tables of slots are built on it. */
#define SHIM_SLOT(id, function) {(id), __extension__(void *)(function)}
#define SHIM_DATA(id, data) {(id), (void *)(data)}

/* A function of METH_FASTCALL, as CPython's table of methods has it. */
#define SHIM_FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

/* A timeout, in nanoseconds, that never ends. */
enum { SHIM_FOREVER = -1 };

/* A kind of LocalWrapper, known by what it can and cannot do, which is 0 at a free place. */
typedef struct {
    uint64_t abilities;
    PyTypeObject *type;
} shim_kind;

#define SHIM_KINDS 512
#define SHIM_KIND_PLACES 256

typedef struct {
    /* False once the garbage collector has begun to clear the module. */
    bool alive;
    PyTypeObject *wrapper_type;
    /* wrapper_ability.c: the names that a kind may lack, and the methods that it may have. */
    PyObject *kind_names;
    PyObject *optional_methods;
    /* wrapper_kind.c: the kinds that were made, filled from the front, and which of them is for what
     * version of a type. */
    shim_kind kinds[SHIM_KINDS];
    uint64_t kind_of_version[SHIM_KIND_PLACES];
    PyTypeObject *batch_type;
    PyTypeObject *batch_iterator_type;
    PyTypeObject *cursor_type;
    /* What both backends share: the modules `_settings` and `_outcomes`. */
    PyObject *settings;
    PyObject *outcomes;
    /* Functions without a counterpart in the C API, and names that are looked up often. */
    PyObject *round;
    PyObject *trunc;
    PyObject *floor;
    PyObject *ceil;
    PyObject *name_call;
    PyObject *name_enter;
    PyObject *name_exit;
    PyObject *name_aenter;
    PyObject *name_aexit;
    PyObject *name_array_priority;
} shim_state;

/* module.c */
extern struct PyModuleDef shim_module;

/* module.c: the state of a module, or of the one that made `type`, or a base of it. NULL with an
 * exception if there is none, or if the garbage collector has cleared it. */
shim_state *shim_state_of_module(PyObject *module);
shim_state *shim_state_of_type(PyTypeObject *type);

/* module.c: the order of lookup of a class, a new reference. NULL, maybe without an exception, or
 * None if the garbage collector has cleared it. */
PyObject *shim_mro_of(PyTypeObject *type);

static inline shim_state *shim_state_of(PyObject *object) {
    return shim_state_of_type(Py_TYPE(object));
}

/* host.c: CPython as a host, for a batch that is made now. Its `ctx` holds a reference, which the
 * batch's end gives up; if there is no batch, `free_ctx` has to be called. */
ft_local_host shim_host(bool integers);

/* A visit by the garbage collector, as `arg` of `shim_visit_object`. The collector's visitor takes a
 * `PyObject *` where the library's takes a `void *`, so neither can be called as the other. */
typedef struct {
    visitproc visit;
    void *arg;
} shim_visit;

int32_t shim_visit_object(void *object, void *arg);

/* status.c: sets the exception that stands for `status`, unless one is pending; returns NULL. `type`
 * is one of this module's. */
void *shim_raise(PyTypeObject *type, ft_local_status status);

/* status.c: sets the exception that the function `why` of `ft_local._outcomes` makes, of `argument`
 * if that is not NULL; returns NULL. */
void *shim_refuse(PyObject *self, const char *why, PyObject *argument);

/* The parameters of a function. The last ones may be left out, or be given by keyword only. */
typedef struct {
    const char *function;
    Py_ssize_t count;
    const char *const *names;
    Py_ssize_t optional;
    Py_ssize_t keyword_only;
} shim_parameters;

/* arguments.c: fills `values` with the arguments of METH_FASTCALL | METH_KEYWORDS, borrowed from the
 * caller, who holds them until the function returns, or NULL for one that was left out. Returns
 * false with a TypeError. */
bool shim_parse_call(const shim_parameters *parameters, PyObject *const *args, Py_ssize_t given,
                     PyObject *kwnames, PyObject **values);

/* arguments.c: calls a function of `ft_local._settings`. `type` is one of this module's. */
PyObject *shim_ask_settings(PyTypeObject *type, const char *function, const char *format, ...);

/* The keywords of a call for such a function, borrowed. */
static inline PyObject *shim_keywords(PyObject *kwargs) {
    return kwargs == NULL ? Py_None : kwargs;
}

/* A whole number between two bounds, for the parameter `name` of a method of `self`. Returns false
 * with a TypeError or a ValueError. */
bool shim_parse_size(PyObject *self, const char *name, PyObject *given, size_t least, size_t most,
                     size_t *size);

/* A number of seconds in nanoseconds; SHIM_FOREVER for NULL, None and a number that is too large.
 * Returns false with a TypeError or a ValueError. */
bool shim_parse_timeout(PyObject *self, PyObject *given, int64_t *nanoseconds);

/* module.c: PyType_FromModuleAndSpec; where that has no memory it may forget to say so. */
PyTypeObject *shim_make_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base);

/* wrapper.c, batch.c, ranges.c, batch_iterator.c and cursor.c: new references to the types. */
PyTypeObject *shim_wrapper_type(PyObject *module);
PyTypeObject *shim_batch_type(PyObject *module);
PyTypeObject *shim_range_type(PyObject *module, PyTypeObject *batch_type);
PyTypeObject *shim_batch_iterator_type(PyObject *module);
PyTypeObject *shim_cursor_type(PyObject *module);

/* wrapper_ability.c: needs the type of wrappers. */
int shim_abilities_init(shim_state *state);

/* wrapper_kind.c: what a module's traverse and clear do about the kinds. */
int shim_kinds_traverse(shim_state *state, visitproc visit, void *arg);
void shim_kinds_clear(shim_state *state);

/* sharing.c and contention.c: functions of the module. */
extern PyMethodDef shim_sharing_functions[];
extern PyMethodDef shim_contention_functions[];

/* wrapper_local.c: likewise. */
extern PyMethodDef shim_local_functions[];

/* wrapper.c: a new wrapper of `object`; its constructor is not called. */
PyObject *shim_wrapper_make(PyTypeObject *type, PyObject *object);

#pragma GCC visibility pop

#endif
