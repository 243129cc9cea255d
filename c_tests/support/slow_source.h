// A source of fake objects that waits in one of its calls until the test lets it go on, so that
// other threads can be seen to do what they do meanwhile.

#ifndef SLOW_SOURCE_H
#define SLOW_SOURCE_H

#include "fake_source.h"
#include "thread.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef struct slow_source {
    fake_source source;
    // The call, from 1 on, that waits.
    size_t slow_call;
    atomic_bool waits;
    atomic_bool may_go_on;
} slow_source;

// `{.source = ..., .slow_call = n}` with the rest zero.
ft_local_batch *slow_source_batch(slow_source *slow, size_t size);

// Returns when the source waits.
void slow_source_await(slow_source *slow);
void slow_source_go_on(slow_source *slow);

// Returns when so many loads have begun to wait for the thread that fills.
void await_waits(const ft_local_batch *batch, uint64_t waits);

#endif
