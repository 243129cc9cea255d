// An extension module by another author. Its type Office sells tickets: objects that C code
// makes, a block at a time, and that threads buy one by one without meeting at a lock.

#include "host.h"

#include <limits.h>
#include <stdatomic.h>
#include <time.h>

// A ticket is a tuple (prefix, number), so that what the office sells refers to a Python object.
typedef struct office {
    PyObject ob_base;
    // NULL once the garbage collector has cleared the office.
    ft_local_batch *batch;
    PyObject *prefix;
    // Only the thread that fills writes it. Others read it meanwhile, so it is atomic: the module
    // does without the GIL.
    atomic_ullong printed;
    // How many there are to be.
    unsigned long long limit;
    // How long the printer takes for a block.
    double seconds;
} office;

// As a module does that asks a device or a server: with the GIL given up.
static void wait_for_printer(double seconds) {
    if (seconds > 0) {
        struct timespec time = {.tv_sec = (time_t)seconds};
        time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
        Py_BEGIN_ALLOW_THREADS;
        nanosleep(&time, NULL);
        Py_END_ALLOW_THREADS;
    }
}

// The source: a whole block at once. An exception stays set for `buy`, in the same thread; what is
// in the block by then is kept.
static int32_t print_block(void *ctx, void **out, size_t capacity, size_t *produced) {
    office *self = ctx;
    wait_for_printer(self->seconds);
    while (*produced < capacity) {
        unsigned long long number = atomic_load_explicit(&self->printed, memory_order_relaxed);
        if (number == self->limit) {
            return FT_LOCAL_ERR_END;
        }
        PyObject *ticket = Py_BuildValue("(OK)", self->prefix, number);
        if (ticket == NULL) {
            return 1;
        }
        atomic_store_explicit(&self->printed, number + 1, memory_order_relaxed);
        out[(*produced)++] = ticket;
    }
    return 0;
}

// A whole number between two bounds, or -1 with an exception that names `name` and what was given.
static long long whole_number(PyObject *given, const char *name, long long least, long long most) {
    if (!PyIndex_Check(given)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, got '%s'", name, Py_TYPE(given)->tp_name);
        return -1;
    }
    PyObject *index = PyNumber_Index(given);
    if (index == NULL) {
        return -1;
    }
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(index, &overflow);
    if (overflow != 0 || number < least || number > most) {
        number = -1;
        PyErr_Format(PyExc_ValueError, "%s must be between %lld and %lld, got %R", name, least,
                     most, index);
    }
    Py_DECREF(index);
    return number;
}

static PyObject *office_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"prefix", "limit", "block", "seconds", NULL};
    PyObject *prefix, *given_limit, *given_block = NULL;
    double seconds = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|Od:Office", names, &prefix, &given_limit,
                                     &given_block, &seconds)) {
        return NULL;
    }
    long long limit = whole_number(given_limit, "limit", 0, LLONG_MAX), block = 64;
    if (limit >= 0 && given_block != NULL) {
        block = whole_number(given_block, "block", 1, FT_LOCAL_BATCH_MAX_SIZE);
    }
    if (limit < 0 || block < 0) {
        return NULL;
    }
    if (!(seconds >= 0 && seconds <= 60)) {
        PyObject *given = PyFloat_FromDouble(seconds);
        if (given != NULL) {
            PyErr_Format(PyExc_ValueError, "seconds must be between 0 and 60, got %R", given);
            Py_DECREF(given);
        }
        return NULL;
    }
    office *self = (office *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->prefix = Py_NewRef(prefix);
    self->limit = (unsigned long long)limit;
    self->seconds = seconds;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    // Borrowed: the office owns the batch.
    source.ctx = self;
    source.fill = print_block;
    ft_local_status status = ft_local_batch_new(&python_host, &source, (size_t)block, &self->batch);
    if (status != FT_LOCAL_OK) {
        Py_DECREF(self);
        return python_raise(status);
    }
    return (PyObject *)self;
}

static PyObject *office_buy(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    void *ticket;
    ft_local_status status = ft_local_batch_load(((office *)self)->batch, &ticket);
    if (status == FT_LOCAL_ERR_END) {
        PyErr_SetString(PyExc_StopIteration, "sold out");
        return NULL;
    }
    return status == FT_LOCAL_OK ? ticket : python_raise(status);
}

static PyObject *office_close(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    ft_local_status status = ft_local_batch_close(((office *)self)->batch);
    return status == FT_LOCAL_OK ? Py_NewRef(Py_None) : python_raise(status);
}

// How many loads had to wait for the printer.
static PyObject *office_waits(PyObject *self, void *Py_UNUSED(closure)) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    ft_local_status status = ft_local_batch_stats(((office *)self)->batch, &stats);
    return status == FT_LOCAL_OK ? PyLong_FromUnsignedLongLong(stats.waits) : python_raise(status);
}

static Py_ssize_t office_ready(PyObject *self) {
    return (Py_ssize_t)ft_local_batch_len(((office *)self)->batch);
}

static PyObject *office_printed(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(
        atomic_load_explicit(&((office *)self)->printed, memory_order_relaxed));
}

static int office_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((office *)self)->prefix);
    return python_traverse(((office *)self)->batch, visit, arg);
}

static int office_clear(PyObject *self) {
    // Forgotten before it is freed, because what dies with the tickets may come back here.
    ft_local_batch *batch = ((office *)self)->batch;
    ((office *)self)->batch = NULL;
    ft_local_batch_free(batch);
    Py_CLEAR(((office *)self)->prefix);
    return 0;
}

static void office_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    (void)office_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef office_methods[] = {
    {"buy", office_buy, METH_NOARGS,
     PyDoc_STR("buy($self)\n--\n\nThe next ticket, (prefix, number). StopIteration if sold out.")},
    {"close", office_close, METH_NOARGS,
     PyDoc_STR("close($self)\n--\n\nEnd the sale: every load raises RuntimeError from now on.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef office_attributes[] = {
    {"printed", office_printed, NULL, PyDoc_STR("How many there are, sold or not."), NULL},
    {"waits", office_waits, NULL, PyDoc_STR("How many buyers have had to wait for another."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot office_slots[] = {
    {Py_tp_new, office_new},
    {Py_tp_dealloc, office_dealloc},
    {Py_tp_traverse, office_traverse},
    {Py_tp_clear, office_clear},
    {Py_tp_methods, office_methods},
    {Py_tp_getset, office_attributes},
    {Py_sq_length, office_ready},
    {Py_tp_doc, "Office(prefix, limit, block=64, seconds=0)\n--\n\n"
                "Sells tickets to any number of threads. A block takes some seconds to print."},
    {0, NULL},
};

static PyType_Spec office_spec = {
    .name = "tickets.Office",
    .basicsize = sizeof(office),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = office_slots,
};

static int tickets_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &office_spec, NULL);
    int result = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return result;
}

static PyModuleDef_Slot tickets_slots[] = {
    {Py_mod_exec, tickets_exec},
#ifdef Py_mod_gil
    // The batch does the locking that the GIL did.
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef tickets_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "tickets",
    .m_doc = "Tickets, each sold to one thread.",
    .m_slots = tickets_slots,
};

PyMODINIT_FUNC PyInit_tickets(void) {
    return PyModuleDef_Init(&tickets_module);
}
