// A host of plain values, which is no host at all.

#include "../conformance.h"
#include "tasks.h"
#include "threads.h"

static void describe(ft_local_host *host) {
    (void)host;
}

static void *make(size_t number) {
    return (void *)number;
}

static size_t number_of(void *value) {
    return (size_t)value;
}

int main(void) {
    const conformance_adapter adapter = {
        .name = "plain values",
        .describe = describe,
        .make = make,
        .number = number_of,
        .threads = adapter_threads,
        .pause = adapter_pause,
        .await = adapter_await,
        .waits = adapter_waits,
        .cancel = adapter_cancel,
    };
    return conformance_run(&adapter);
}
