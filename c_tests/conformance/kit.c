#include "kit.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const conformance_adapter *kit_adapter;
static const char *running = "the adapter";

_Noreturn void kit_fail(const char *file, int line, const char *condition, const char *format,
                        ...) {
    const char *name = strrchr(file, '/');
    fflush(stdout);
    fprintf(stderr, "FAILED  %s: ", running);
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fprintf(stderr, "\n        (%s:%d: %s)\n", name == NULL ? file : name + 1, line, condition);
    fflush(stderr);
    // No exit handlers: other threads are still inside the runtime that they would end.
    _exit(1);
}

void kit_expect_status(const char *file, int line, const char *call, ft_local_status status,
                       ft_local_status expected) {
    if (status != expected) {
        kit_fail(file, line, call, "the status is %d (%s%s%s), not %d", status,
                 ft_local_status_text(status), status == FT_LOCAL_ERR_ARGUMENT ? ": " : "",
                 status == FT_LOCAL_ERR_ARGUMENT ? ft_local_last_error() : "", expected);
    }
}

void kit_expect_alive(long expected, const char *when) {
    if (kit_adapter->alive == NULL) {
        return;
    }
    long alive = kit_adapter->alive();
    EXPECT(alive == expected,
           "%ld objects are alive and not %ld %s: does `retain` take exactly one reference, and "
           "`release` give up exactly one?",
           alive, expected, when);
}

ft_local_host kit_host(void) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    kit_adapter->describe(&host);
    return host;
}

size_t kit_number(void *handle) {
    return kit_adapter->number(handle);
}

void kit_drop(void *handle) {
    if (kit_adapter->drop != NULL) {
        kit_adapter->drop(handle);
    }
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    kit_source *source = ctx;
    source->calls++;
    if (source->calls == 1 && source->first != NULL) {
        source->first(source->arg);
    }
    bool fails = source->calls == source->fail_at;
    size_t count = fails ? 1 : source->per_call < capacity ? source->per_call : capacity;
    while (*produced < count) {
        out[*produced] = kit_adapter->make(source->made);
        ++source->made;
        ++*produced;
    }
    return fails ? source->failure : 0;
}

void kit_wait_for(atomic_bool *flag) {
    while (!atomic_load(flag)) {
        kit_adapter->pause();
    }
}

ft_local_batch *kit_batch_of(const ft_local_host *host, const ft_local_source *source,
                             size_t size) {
    if (kit_adapter->hold != NULL) {
        kit_adapter->hold(host);
    }
    ft_local_batch *batch = NULL;
    EXPECT_OK(ft_local_batch_new(host, source, size, &batch));
    return batch;
}

ft_local_batch *kit_batch(const ft_local_host *host, kit_source *source, size_t size) {
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    table.ctx = source;
    table.fill = fill;
    return kit_batch_of(host, &table, size);
}

void *kit_load(const ft_local_batch *batch) {
    void *handle = NULL;
    EXPECT_OK(ft_local_batch_load(batch, &handle));
    return handle;
}

void kit_load_expecting(const ft_local_batch *batch, size_t number) {
    void *handle = kit_load(batch);
    EXPECT(kit_number(handle) == number, "object %zu was loaded and not %zu", kit_number(handle),
           number);
    kit_drop(handle);
}

// What a signal handler may do, and no more.
static void hang(int signal) {
    static const char words[] =
        " hangs. Does a thread that waits keep a lock of the runtime? Then give the host `block`, "
        "or `detach` and `attach`. Does `interrupted` never say that a thread must stop? Does a "
        "task that was called not try again, or one that was cancelled not forget its ticket?\n";
    (void)signal;
    if (write(STDERR_FILENO, "FAILED  ", 8) < 0 ||
        write(STDERR_FILENO, running, strlen(running)) < 0 ||
        write(STDERR_FILENO, words, sizeof words - 1) < 0) {
        _exit(2);
    }
    _exit(1);
}

static unsigned limit(void) {
    const char *given = getenv("FT_LOCAL_CONFORMANCE_LIMIT");
    unsigned seconds = given == NULL ? 0 : (unsigned)strtoul(given, NULL, 10);
    return seconds == 0 ? 120 : seconds;
}

static void run_checks(const kit_check *checks, int *passed, int *skipped) {
    for (; checks->name != NULL; checks++) {
        running = checks->name;
        const char *excuse = checks->excuse == NULL ? NULL : checks->excuse();
        if (excuse != NULL) {
            ++*skipped;
            printf("skipped %s: %s\n", running, excuse);
            continue;
        }
        alarm(limit());
        checks->run();
        alarm(0);
        kit_expect_alive(0, "at the end of a check");
        ++*passed;
        printf("passed  %s\n", running);
        fflush(stdout);
    }
}

static void check_contexts_and_fibers(void) {
    ft_local_host host = kit_host();
    bool holds = kit_adapter->hold != NULL, fibers = kit_adapter->fibers != NULL;
    EXPECT(holds == (host.free_ctx != NULL) && holds == (kit_adapter->held != NULL),
           "the adapter gives hold and held if its host has free_ctx, and not otherwise");
    EXPECT((kit_adapter->load_with == NULL) == (kit_adapter->is_argument == NULL),
           "the adapter gives both load_with and is_argument, or neither");
    EXPECT(fibers == (host.fiber != NULL) && fibers == (kit_adapter->leave != NULL),
           "the adapter gives fibers and leave if its host has fiber, and not otherwise");
}

static void check_adapter(void) {
    EXPECT(kit_adapter->name != NULL && kit_adapter->describe != NULL &&
               kit_adapter->make != NULL && kit_adapter->number != NULL,
           "the adapter gives name, describe, make and number");
    EXPECT((kit_adapter->drop == NULL) == (kit_adapter->alive == NULL),
           "the adapter gives both drop and alive, or neither");
    EXPECT(kit_adapter->threads == NULL || kit_adapter->pause != NULL,
           "the adapter gives pause if it gives threads");
    bool tasks = kit_adapter->await != NULL;
    EXPECT((kit_adapter->waits != NULL) == tasks && (kit_adapter->cancel != NULL) == tasks,
           "the adapter gives await, waits and cancel, or none of them");
    check_contexts_and_fibers();
}

int conformance_run(const conformance_adapter *adapter) {
    int passed = 0;
    int skipped = 0;
    kit_adapter = adapter;
    check_adapter();
    struct sigaction action = {.sa_handler = hang};
    sigaction(SIGALRM, &action, NULL);
    kit_expect_alive(0, "before the first check");
    run_checks(kit_object_checks, &passed, &skipped);
    // A fault is best found by the check that is there for it, so the smaller scenes come first.
    run_checks(kit_context_checks, &passed, &skipped);
    run_checks(kit_fiber_checks, &passed, &skipped);
    run_checks(kit_wait_checks, &passed, &skipped);
    run_checks(kit_thread_checks, &passed, &skipped);
    EXPECT(kit_adapter->held == NULL || kit_adapter->held() == 0,
           "%ld contexts are held at the end", kit_adapter->held());
    printf("%s with ft_local %s: %d checks passed, %d skipped\n", adapter->name, ft_local_version(),
           passed, skipped);
    return 0;
}
