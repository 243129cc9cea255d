/* BatchExecutor. */

#include "batch.h"

#include <structmember.h>

static int init(PyObject *self, PyObject *args, PyObject *kwargs);

static ft_local_status make_handle(shim_batch *self) {
    const shim_batch_settings *set = &self->set;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = (size_t)set->budget;
    options.low_water = (size_t)set->low_water;
    options.on_fork = set->policy;
    options.fillers = (size_t)self->set.fillers;
    ft_local_source source = self->integers ? shim_range_source(self) : shim_batch_source(self);
    ft_local_host host = shim_host(self->integers);
    ft_local_status status =
        ft_local_batch_new_with(&host, &source, (size_t)set->size, &options, &self->handle);
    if (status != FT_LOCAL_OK && host.free_ctx != NULL) {
        host.free_ctx(host.ctx);
    }
    return status;
}

/* As for LocalWrapper, a subclass may have an `__init__` that takes more arguments. */
PyObject *shim_batch_make(PyTypeObject *type, PyObject *args, PyObject *kwargs, bool integers) {
    shim_batch_settings settings;
    if (!shim_batch_parse(type, args, kwargs, type->tp_init == init, &settings)) {
        return NULL;
    }
    shim_batch *self = (shim_batch *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_DECREF(settings.all);
        return NULL;
    }
    self->interpreter = PyInterpreterState_Get();
    self->set = settings;
    self->integers = integers;
    if (settings.bulk && settings.fillers > 1 && (self->rests = PyList_New(0)) == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    ft_local_status status = make_handle(self);
    if (status != FT_LOCAL_OK) {
        Py_DECREF(self);
        return shim_raise(type, status);
    }
    return (PyObject *)self;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    return shim_batch_make(type, args, kwargs, false);
}

/* For `super().__init__(source, size)` in a subclass. There is nothing left to do. */
static int init(PyObject *self, PyObject *args, PyObject *kwargs) {
    if (Py_TYPE(self)->tp_new != new) {
        return 0;
    }
    PyObject *nothing =
        shim_ask_settings(Py_TYPE(self), "check_unchanged", "(OOO)", ((shim_batch *)self)->set.all,
                          args, shim_keywords(kwargs));
    Py_XDECREF(nothing);
    return nothing == NULL ? -1 : 0;
}

static PyObject *as_local(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    shim_state *state = shim_state_of(self);
    return state == NULL ? NULL : shim_wrapper_make(state->wrapper_type, self);
}

static Py_ssize_t ready(PyObject *self) {
    return (Py_ssize_t)ft_local_batch_len(shim_batch_handle(self));
}

/* An executor is not false because its buffer happens to be empty. */
static int truth(PyObject *Py_UNUSED(self)) {
    return 1;
}

static PyObject *shut(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    ft_local_status status = ft_local_batch_close(shim_batch_handle(self));
    return status == FT_LOCAL_OK ? Py_NewRef(Py_None) : shim_batch_raise(self, status);
}

static PyObject *enter_with(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return Py_NewRef(self);
}

static PyObject *exit_with(PyObject *self, PyObject *Py_UNUSED(args)) {
    return shut(self, NULL);
}

static PyObject *refuse_to_reduce(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return shim_refuse(self, "executor_cannot_be_copied", self);
}

static PyObject *repr(PyObject *self) {
    int active = Py_ReprEnter(self);
    if (active != 0) {
        return active < 0 ? NULL : PyUnicode_FromString("<BatchExecutor: ...>");
    }
    const shim_batch_settings *set = &((shim_batch *)self)->set;
    PyObject *source = Py_NewRef(set->all == NULL ? Py_None : set->source);
    PyObject *result = PyUnicode_FromFormat("<BatchExecutor: source=%R, size=%zd, ready=%zd>",
                                            source, set->size, ready(self));
    Py_DECREF(source);
    Py_ReprLeave(self);
    return result;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
    shim_batch *batch = (shim_batch *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(batch->set.all);
    Py_VISIT(batch->rest);
    Py_VISIT(batch->rests);
    shim_visit visit_object = {visit, arg};
    return batch->handle == NULL || batch->integers
               ? 0
               : ft_local_batch_visit(batch->handle, shim_visit_object, &visit_object);
}

static int clear(PyObject *self) {
    shim_batch *batch = (shim_batch *)self;
    ft_local_batch *handle = batch->handle;
    /* First forgotten, then freed: what dies with the results may come back to load(). The source
     * goes last, because the handle has its address. */
    batch->handle = NULL;
    ft_local_batch_free(handle);
    Py_CLEAR(batch->rest);
    Py_CLEAR(batch->rests);
    shim_ranges_clear(batch);
    Py_CLEAR(batch->set.all);
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    shim_batch *batch = (shim_batch *)self;
    PyObject_GC_UnTrack(self);
    /* A result may be an executor whose results are executors, and so on. */
    Py_TRASHCAN_BEGIN(self, dealloc);
    if (batch->weak_references != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    (void)clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyMethodDef methods[] = {
    {"load", SHIM_FASTCALL(shim_batch_load), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("load($self, timeout=None)\n--\n\n"
               "The next result. Runs the source if none is ready, or waits for the thread that\n"
               "does. Any number of threads may load; each result goes to one of them.\n\n"
               "TimeoutError if a wait takes `timeout` seconds, EndOfSource if there will be no\n"
               "more results, ExecutorClosed after close().")},
    {"try_load", SHIM_FASTCALL(shim_batch_try_load), METH_FASTCALL,
     PyDoc_STR("try_load($self, default=None, /)\n--\n\n"
               "The next result if one is ready, or else `default`. Never runs the source, and\n"
               "never waits.")},
    {"load_many", SHIM_FASTCALL(shim_batch_load_many), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("load_many($self, n, timeout=None)\n--\n\n"
               "A list of the next `n` results; of fewer only if there will be no more. After an\n"
               "error, those that it had taken go to later loads.")},
    {"load_now", SHIM_FASTCALL(shim_batch_load_now), METH_FASTCALL,
     PyDoc_STR(
         "load_now($self, default=None, /)\n--\n\n"
         "The next result. Runs the source if none is ready, but does not wait for another\n"
         "thread that does: then it returns `default`, and notify() says when to try again.")},
    {"notify", shim_batch_notify, METH_O,
     PyDoc_STR(
         "notify($self, waiter, /)\n--\n\n"
         "Has waiter() called once, in some thread, when it is worth another load_now(): maybe\n"
         "at once. Returns a function without arguments that ends this: it returns True if\n"
         "`waiter` was not called and never will be. A waiter that was called and will not\n"
         "load must call that function, so that another is called in its place.")},
    {"aload", (PyCFunction)(void (*)(void))shim_aload, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR(
         "aload($self, *, in_thread=False)\n--\n\n"
         "The next result, to be awaited in a task of asyncio. The source runs in the thread of\n"
         "the event loop, or if `in_thread`, in a thread of the loop's pool.")},
    {"give_back", SHIM_FASTCALL(shim_batch_give_back), METH_FASTCALL,
     PyDoc_STR(
         "give_back($self, /, *results)\n--\n\n"
         "Gives back results that were loaded and are not wanted: they are handed out before\n"
         "newer ones.")},
    {"prefill", SHIM_FASTCALL(shim_batch_prefill), METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("prefill($self, low_water=None, max=None, *, timeout=0)\n--\n\n"
               "Waits until fewer than `low_water` results are ready, then has up to `max` made.\n"
               "Returns how many were; 0 if the wait took `timeout` seconds.")},
    {"prefilling", (PyCFunction)(void (*)(void))shim_batch_prefilling, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR(
         "prefilling($self, low_water=None, *, retry_after=1.0)\n--\n\n"
         "Starts a thread that keeps `low_water` results ready, or as many as there are fillers,\n"
         "and returns a Prefilling, whose stop(), or the end of a `with`, ends it. It ends by "
         "itself when the source has ended,\n"
         "when the executor is closed or freed, and at the exit of the interpreter.\n\n"
         "What the source raises there goes to threading.excepthook(). The thread then waits\n"
         "`retry_after` seconds; it ends instead if that is None.")},
    {"cursor", shim_batch_cursor, METH_NOARGS,
     PyDoc_STR("cursor($self)\n--\n\n"
               "A Cursor, for one thread, which takes several results at a time.")},
    {"close", shut, METH_NOARGS,
     PyDoc_STR("close($self)\n--\n\n"
               "Drops the results that are ready, and lets all loads fail from now on.")},
    {"stats", shim_batch_stats, METH_NOARGS,
     PyDoc_STR("stats($self)\n--\n\nA BatchStats of what was done so far.")},
    {"as_local", as_local, METH_NOARGS,
     PyDoc_STR("as_local($self)\n--\n\nA LocalWrapper of this executor, for one thread.")},
    {"__reduce__", refuse_to_reduce, METH_NOARGS, NULL},
    {"__enter__", enter_with, METH_NOARGS, NULL},
    {"__exit__", exit_with, METH_VARARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(shim_batch, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(
    documentation,
    "BatchExecutor(source, size, *, bulk=False, fill_budget=None, low_water=0, "
    "on_fork='discard', fillers=1)\n"
    "--\n"
    "\n"
    "Calls source() `size` times in one go, in one thread at a time, and hands each result to\n"
    "exactly one of the threads that call load(). With `bulk`, source(n) returns an iterable of\n"
    "up to n results. With `fillers=k`, up to k threads call the source at the same time, and\n"
    "results come in the order in which the calls end.\n"
    "\n"
    "An exception in the source goes to the caller in whose thread it ran; what was made before\n"
    "is kept, and the next load() goes on. StopIteration ends the source. len() is the number\n"
    "of results that are ready; iterating loads until the end.");

static PyType_Slot slots[] = {
    /* Its life. */
    SHIM_SLOT(Py_tp_new, new),
    SHIM_SLOT(Py_tp_init, init),
    SHIM_SLOT(Py_tp_dealloc, dealloc),
    SHIM_SLOT(Py_tp_traverse, traverse),
    SHIM_SLOT(Py_tp_clear, clear),
    /* Its use. */
    SHIM_SLOT(Py_tp_repr, repr),
    SHIM_SLOT(Py_tp_iter, shim_batch_iter),
    SHIM_SLOT(Py_am_aiter, shim_aiter),
    SHIM_SLOT(Py_sq_length, ready),
    SHIM_SLOT(Py_nb_bool, truth),
    SHIM_DATA(Py_tp_methods, methods),
    SHIM_DATA(Py_tp_getset, shim_batch_attributes),
    SHIM_DATA(Py_tp_members, members),
    SHIM_DATA(Py_tp_doc, documentation),
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "ft_local.BatchExecutor",
    .basicsize = sizeof(shim_batch),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *shim_batch_type(PyObject *module) {
    return shim_make_type(module, &spec, NULL);
}
