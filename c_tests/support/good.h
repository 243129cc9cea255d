// Good handles of each kind, for tests of what is not good.

#ifndef GOOD_H
#define GOOD_H

#include "fake_source.h"

// An address where no pointer and no struct can lie.
#define MISALIGNED(address) ((void *)((char *)(address) + 1))

typedef struct good {
    fake_host host;
    fake_source source;
    ft_local_host host_table;
    ft_local_source source_table;
    fake_object *object;
    ft_local_wrapper *wrapper;
    ft_local_batch *batch;
    ft_local_cursor *cursor;
} good;

good *good_begin(void);

// Checks that the handles work and the counters are unchanged, and frees them.
void good_end(good *all);

// What a call with a bad argument must have left: an error that names the argument.
void refused(ft_local_status status, const char *word);

// The same of a call that does not return a status.
void refused_without_status(const char *word);

#endif
