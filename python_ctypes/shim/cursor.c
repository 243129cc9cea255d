/* Cursor: one thread's own handle on a BatchExecutor. */

#include "batch.h"

#include <stdatomic.h>
#include <structmember.h>

typedef struct {
    PyObject ob_base;
    /* NULL once the cursor is closed, which any thread may ask, but only the owner may look at the
     * handle. */
    ft_local_cursor *handle;
    _Atomic(bool) closed;
    /* NULL only after the garbage collector has cleared the cursor. */
    PyObject *executor;
    /* The executor's. */
    PyInterpreterState *interpreter;
    /* The thread that first used the cursor, or 0. */
    _Atomic(unsigned long) owner;
    /* How often the owner is inside the library with this cursor: more than once if it came back
     * from there through the source or the handler of a signal, which is fine but for a close. */
    unsigned int depth;
    /* As of the executor, whose memory other threads write. */
    bool integers;
    PyObject *weak_references;
} shim_cursor;

static bool is_mine(shim_cursor *cursor) {
    unsigned long thread = PyThread_get_thread_ident();
    unsigned long owner = atomic_load_explicit(&cursor->owner, memory_order_relaxed);
    return owner == thread || (owner == 0 && atomic_compare_exchange_strong_explicit(
                                                 &cursor->owner, &owner, thread,
                                                 memory_order_relaxed, memory_order_relaxed));
}

/* Whether the calling thread may use the cursor, in this interpreter. A RuntimeError if not. */
static bool enter(shim_cursor *cursor) {
    if (cursor->interpreter != PyInterpreterState_Get()) {
        shim_refuse_in_another_interpreter("Cursor");
        return false;
    }
    if (is_mine(cursor)) {
        return true;
    }
    (void)shim_refuse((PyObject *)cursor, "cursor_of_another_thread", NULL);
    return false;
}

/* The next result, or a status. A closed cursor is reported as a closed executor. */
static ft_local_status take(shim_cursor *cursor, int64_t nanoseconds, void **result) {
    if (cursor->handle == NULL) {
        return FT_LOCAL_ERR_CLOSED;
    }
    cursor->depth++;
    ft_local_status status = nanoseconds == SHIM_FOREVER
                                 ? ft_local_cursor_next_inline(cursor->handle, result)
                                 : ft_local_cursor_next_for(cursor->handle, nanoseconds, result);
    cursor->depth--;
    return status;
}

static PyObject *result_of(shim_cursor *cursor, void *result) {
    return cursor->integers ? shim_integer(cursor->executor, result) : (PyObject *)result;
}

static void *raise(PyObject *self, ft_local_status status) {
    bool is_own_end = status == FT_LOCAL_ERR_CLOSED && ((shim_cursor *)self)->handle == NULL;
    return is_own_end ? shim_refuse(self, "cursor_is_closed", NULL) : shim_load_raise(self, status);
}

/* As for a method, the caller holds a reference to `self`. */
static PyObject *next(PyObject *self) {
    shim_cursor *cursor = (shim_cursor *)self;
    void *result;
    if (!enter(cursor)) {
        return NULL;
    }
    ft_local_status status = take(cursor, SHIM_FOREVER, &result);
    if (status == FT_LOCAL_OK) {
        return result_of(cursor, result);
    }
    return shim_is_over(status) ? NULL : raise(self, status);
}

static PyObject *load(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    shim_cursor *cursor = (shim_cursor *)self;
    int64_t nanoseconds;
    void *result;
    if (!shim_parse_load(self, args, nargs, kwnames, &nanoseconds) || !enter(cursor)) {
        return NULL;
    }
    ft_local_status status = take(cursor, nanoseconds, &result);
    return status == FT_LOCAL_OK ? result_of(cursor, result) : raise(self, status);
}

static PyObject *load_now(PyObject *self, PyObject *const *args, Py_ssize_t nargs) {
    shim_cursor *cursor = (shim_cursor *)self;
    void *result;
    PyObject *otherwise = shim_default("load_now", args, nargs);
    if (otherwise == NULL || !enter(cursor)) {
        return NULL;
    }
    ft_local_status status = FT_LOCAL_ERR_CLOSED;
    if (cursor->handle != NULL) {
        cursor->depth++;
        status = ft_local_cursor_next_now(cursor->handle, &result);
        cursor->depth--;
    }
    if (status == FT_LOCAL_ERR_WOULD_WAIT) {
        return Py_NewRef(otherwise);
    }
    return status == FT_LOCAL_OK ? result_of(cursor, result) : raise(self, status);
}

/* Gives back what is in hand. */
static void give_back(shim_cursor *cursor) {
    ft_local_cursor *handle = cursor->handle;
    cursor->handle = NULL;
    atomic_store_explicit(&cursor->closed, true, memory_order_relaxed);
    ft_local_cursor_free(handle);
}

static PyObject *shut(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_cursor *cursor = (shim_cursor *)self;
    if (!enter(cursor)) {
        return NULL;
    }
    if (cursor->depth > 0) {
        return shim_refuse(self, "cursor_is_in_use", NULL);
    }
    give_back(cursor);
    Py_RETURN_NONE;
}

static PyObject *enter_with(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return Py_NewRef(self);
}

static PyObject *exit_with(PyObject *self, PyObject *Py_UNUSED(args)) {
    return shut(self, NULL);
}

static PyObject *refuse_to_reduce(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return shim_refuse(self, "cursor_cannot_be_copied", NULL);
}

/* Not a use that makes the calling thread the owner. */
static Py_ssize_t in_hand(PyObject *self) {
    shim_cursor *cursor = (shim_cursor *)self;
    unsigned long owner = atomic_load_explicit(&cursor->owner, memory_order_relaxed);
    if (owner == 0) {
        return 0;
    }
    if (owner != PyThread_get_thread_ident()) {
        (void)shim_refuse(self, "length_for_another_thread", NULL);
        return -1;
    }
    return cursor->handle == NULL ? 0 : (Py_ssize_t)ft_local_cursor_len(cursor->handle);
}

/* A cursor is not false because it has nothing in hand. */
static int truth(PyObject *Py_UNUSED(self)) {
    return 1;
}

static bool is_closed(PyObject *self) {
    return atomic_load_explicit(&((shim_cursor *)self)->closed, memory_order_relaxed);
}

static PyObject *get_closed(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(is_closed(self));
}

static PyObject *get_executor(PyObject *self, void *Py_UNUSED(closure)) {
    PyObject *executor = ((shim_cursor *)self)->executor;
    return Py_NewRef(executor == NULL ? Py_None : executor);
}

static PyObject *repr(PyObject *self) {
    int active = Py_ReprEnter(self);
    if (active != 0) {
        return active < 0 ? NULL : PyUnicode_FromString("<Cursor: ...>");
    }
    PyObject *executor = get_executor(self, NULL);
    PyObject *result = PyUnicode_FromFormat("<Cursor: executor=%R, %s>", executor,
                                            is_closed(self) ? "closed" : "open");
    Py_DECREF(executor);
    Py_ReprLeave(self);
    return result;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    shim_cursor *cursor = (shim_cursor *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(cursor->executor);
    shim_visit visit_object = {visit, arg};
    return cursor->handle == NULL || cursor->integers
               ? 0
               : ft_local_cursor_visit(cursor->handle, shim_visit_object, &visit_object);
}

static int clear(PyObject *self) {
    shim_cursor *cursor = (shim_cursor *)self;
    give_back(cursor);
    Py_CLEAR(cursor->executor);
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    /* A result may hold a cursor of an executor whose results hold cursors, and so on. */
    Py_TRASHCAN_BEGIN(self, dealloc);
    if (((shim_cursor *)self)->weak_references != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    (void)clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

PyObject *shim_batch_cursor(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    if (state == NULL) {
        return NULL;
    }
    shim_cursor *cursor = (shim_cursor *)state->cursor_type->tp_alloc(state->cursor_type, 0);
    if (cursor == NULL) {
        return NULL;
    }
    cursor->executor = Py_NewRef(self);
    cursor->interpreter = ((shim_batch *)self)->interpreter;
    cursor->integers = ((shim_batch *)self)->integers;
    ft_local_status status = ft_local_cursor_new(shim_batch_handle(self), &cursor->handle);
    if (status != FT_LOCAL_OK) {
        Py_DECREF(cursor);
        return shim_batch_raise(self, status);
    }
    return (PyObject *)cursor;
}

static PyMethodDef methods[] = {
    {"load", SHIM_FASTCALL(load), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("load($self, timeout=None)\n--\n\n"
               "The next result, as of the executor's load(). Takes several at a time from the\n"
               "executor when it has none in hand.")},
    {"load_now", SHIM_FASTCALL(load_now), METH_FASTCALL,
     PyDoc_STR("load_now($self, default=None, /)\n--\n\n"
               "The next result, as of the executor's load_now().")},
    {"close", shut, METH_NOARGS,
     PyDoc_STR("close($self)\n--\n\n"
               "Gives back what is in hand, which the executor hands out before newer results.")},
    {"__reduce__", refuse_to_reduce, METH_NOARGS, NULL},
    {"__enter__", enter_with, METH_NOARGS, NULL},
    {"__exit__", exit_with, METH_VARARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"executor", get_executor, NULL, PyDoc_STR("Where the results come from."), NULL},
    {"closed", get_closed, NULL, PyDoc_STR("Whether close() was called."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(shim_cursor, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(documentation,
             "One thread's own handle on a BatchExecutor, made by its cursor() method.\n"
             "\n"
             "It takes several results at a time, and hands them out without touching anything\n"
             "that threads share. It belongs to the thread that first uses it. What it has in\n"
             "hand when it is closed or dropped goes back. It is an iterator, and closes at the\n"
             "end of a with block. len() is the number of results in hand.");

static PyType_Slot slots[] = {
    SHIM_SLOT(Py_tp_dealloc, dealloc),
    SHIM_SLOT(Py_tp_traverse, traverse),
    SHIM_SLOT(Py_tp_clear, clear),
    SHIM_SLOT(Py_tp_repr, repr),
    SHIM_SLOT(Py_tp_iter, PyObject_SelfIter),
    SHIM_SLOT(Py_tp_iternext, next),
    SHIM_SLOT(Py_am_aiter, shim_aiter),
    SHIM_SLOT(Py_sq_length, in_hand),
    SHIM_SLOT(Py_nb_bool, truth),
    SHIM_DATA(Py_tp_methods, methods),
    SHIM_DATA(Py_tp_getset, attributes),
    SHIM_DATA(Py_tp_members, members),
    SHIM_DATA(Py_tp_doc, documentation),
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "ft_local.Cursor",
    .basicsize = sizeof(shim_cursor),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

PyTypeObject *shim_cursor_type(PyObject *module) {
    return shim_make_type(module, &spec, NULL);
}
