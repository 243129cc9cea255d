// What the checks share: the adapter at hand, expectations, and a source of its objects.

#ifndef KIT_H
#define KIT_H

#include "conformance.h"

#include <stdatomic.h>

extern const conformance_adapter *kit_adapter;

// An expectation that fails says so and ends the process at once, from any thread.
#define EXPECT(condition, ...)                                                                     \
    ((condition) ? (void)0 : kit_fail(__FILE__, __LINE__, #condition, __VA_ARGS__))

_Noreturn void kit_fail(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// A call of the library that must work.
#define EXPECT_OK(call) kit_expect_status(__FILE__, __LINE__, #call, (call), FT_LOCAL_OK)
#define EXPECT_STATUS(call, expected) kit_expect_status(__FILE__, __LINE__, #call, (call), expected)

void kit_expect_status(const char *file, int line, const char *call, ft_local_status status,
                       ft_local_status expected);

// Expects so many objects to be alive. `when` ends the sentence of a failure.
void kit_expect_alive(long expected, const char *when);

// The host that the adapter describes.
ft_local_host kit_host(void);

// A source of objects numbered from 0 on.
typedef struct kit_source {
    // How many objects a call makes at most.
    size_t per_call;
    // Call number `fail_at`, from 1 on, makes an object and returns `failure`. 0 is never.
    size_t fail_at;
    int32_t failure;
    // Called before anything else, with `arg`, in the first call. May be NULL.
    void (*first)(void *arg);
    void *arg;

    // The counts. Only the thread that runs the source writes them.
    size_t calls;
    size_t made;
} kit_source;

// Holds the host's context, and makes a batch.
ft_local_batch *kit_batch_of(const ft_local_host *host, const ft_local_source *source, size_t size);
ft_local_batch *kit_batch(const ft_local_host *host, kit_source *source, size_t size);

// Loads an object, and expects it to be alive. It is the caller's.
void *kit_load(const ft_local_batch *batch);
// Loads object `number`, and gives it up.
void kit_load_expecting(const ft_local_batch *batch, size_t number);
size_t kit_number(void *handle);
void kit_drop(void *handle);

// Lets other threads of the runtime work until the flag is set.
void kit_wait_for(atomic_bool *flag);

// A check, and what it needs. The tables end with one without a name.
typedef struct kit_check {
    const char *name;
    void (*run)(void);
    // Why the adapter at hand cannot be checked for it; NULL if it can.
    const char *(*excuse)(void);
} kit_check;

extern const kit_check kit_object_checks[];
extern const kit_check kit_context_checks[];
extern const kit_check kit_fiber_checks[];
extern const kit_check kit_thread_checks[];
extern const kit_check kit_wait_checks[];

#endif
