/* The counters of a BatchExecutor. */

#include "batch.h"

PyObject *shim_batch_stats(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    const double nanosecond = 1e-9;
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    ft_local_status status = ft_local_batch_stats(shim_batch_handle(self), &stats);
    if (status != FT_LOCAL_OK) {
        return shim_batch_raise(self, status);
    }
    PyObject *module = PyImport_ImportModule("ft_local._stats");
    if (module == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallMethod(
        module, "BatchStats", "KKKKKKddKKKK", (unsigned long long)stats.loads,
        (unsigned long long)stats.claims, (unsigned long long)stats.claimed,
        (unsigned long long)stats.fills, (unsigned long long)stats.produced,
        (unsigned long long)stats.waits, (double)stats.wait_ns * nanosecond,
        (double)stats.source_ns * nanosecond, (unsigned long long)stats.errors,
        (unsigned long long)stats.given_back, (unsigned long long)stats.released,
        (unsigned long long)stats.dropped_on_fork);
    Py_DECREF(module);
    return result;
}
