// A source of fake objects, numbered from 0 on, that checks what the library promises a source:
// one thread at a time, empty slots, a count of 0.

#ifndef FAKE_SOURCE_H
#define FAKE_SOURCE_H

#include "fake_host.h"

#include <pthread.h>

typedef struct fake_source {
    fake_host *host;
    // At most so many objects in one call.
    size_t per_call;
    // Call number `fail_at_call`, from 1 on, returns `failure`. 0 is never.
    size_t fail_at_call;
    int32_t failure;
    // That call produces so many objects nevertheless, and leaves a pointer in as many slots
    // behind them without counting those.
    size_t made_in_failure;
    size_t uncounted_in_failure;
    // After so many objects every call returns `end`. 0 is never.
    size_t limit;
    int32_t end;

    // The counts. Only the thread that runs the source writes them.
    size_t made;
    size_t calls;
    pthread_t caller;
    atomic_flag busy;
} fake_source;

// `{.host = h, .per_call = n}` and what else the test wants, with the rest zero.
ft_local_source fake_source_table(fake_source *source);

// A batch over the source and its host. `options` may be NULL.
ft_local_batch *fake_source_batch(fake_source *source, size_t size);
ft_local_batch *fake_source_batch_with(fake_source *source, size_t size,
                                       const ft_local_batch_options *options);

// Expects that this is object `number` with one reference, and releases it.
void receive(void *object, size_t number);

// Loads, expects object `number`, and releases it.
void load_expecting(ft_local_batch *batch, size_t number);

// Visits, expects what is left in the buffer: objects from number `first` on, as many as len says.
void visit_expecting(ft_local_batch *batch, size_t first);

// Loads, expects a failure, and that `*out` is NULL.
void load_failing(ft_local_batch *batch, ft_local_status status);

// The same of cursors.
ft_local_cursor *cursor_of(const ft_local_batch *batch);
void next_expecting(ft_local_cursor *cursor, size_t number);
void next_failing(ft_local_cursor *cursor, ft_local_status status);

// The counts of a batch that nobody else uses, which are exact then.
ft_local_stats exact_stats(const ft_local_batch *batch);

#endif
