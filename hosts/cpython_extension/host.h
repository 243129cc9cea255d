// CPython as the host of libft_local: what any extension module needs of it.

#ifndef HOST_H
#define HOST_H

#include <Python.h>

#include <ft_local.h>

extern const ft_local_host python_host;

// Raises what a status means, unless an exception is set already. Returns NULL.
PyObject *python_raise(ft_local_status status);

// Shows what is in a batch to the garbage collector, from a `tp_traverse`.
int python_traverse(const ft_local_batch *batch, visitproc visit, void *arg);

#endif
