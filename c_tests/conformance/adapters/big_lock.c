// A host with one lock, as interpreters have, in which threads deadlock unless a waiting thread
// releases the lock; and the same host with a fault, which the kit must find.
//
//   big_lock block | detach | FAULT

#include "../conformance.h"
#include "big_lock.h"
#include "fake_host.h"
#include "threads.h"

#include <stdio.h>
#include <string.h>

static fake_host objects;
static const char *way;

static bool is(const char *word) {
    return strcmp(way, word) == 0;
}

// The faults.

static void *retain_nothing(void *object) {
    return object;
}

static void *retain_with_ctx(void *ctx, void *object) {
    (void)ctx;
    return object;
}

static void *retain_twice(void *object) {
    return fake_object_retain(fake_object_retain(object));
}

static void *retain_another(void *object) {
    (void)object;
    return fake_object_new(&objects, 1);
}

static void release_nothing(void *object) {
    (void)object;
}

static int32_t interrupted_never(void) {
    return 0;
}

static void describe(ft_local_host *host) {
    host->retain_plain = is("retain-nothing")   ? retain_nothing
                         : is("retain-twice")   ? retain_twice
                         : is("retain-another") ? retain_another
                                                : fake_object_retain;
    host->release_plain = is("release-nothing") ? release_nothing : fake_object_release;
    runtime_set_wait(host, is("wait-inside") ? NO_WAY
                           : is("detach")    ? BY_DETACH_AND_ATTACH
                                             : BY_BLOCK);
    runtime_set_interrupted(host, is("detach") ? BY_INTERRUPTED_PLAIN : BY_INTERRUPTED);
    if (is("never-interrupted")) {
        host->interrupted = NULL;
        host->interrupted_plain = interrupted_never;
    }
    if (is("two-ways")) {
        host->retain = retain_with_ctx;
    }
}

static void *make(size_t number) {
    return fake_object_new(&objects, is("make-wrong") && number == 9 ? 8 : number);
}

static size_t number_of(void *handle) {
    return ((fake_object *)handle)->number;
}

static long alive(void) {
    return atomic_load(&objects.alive);
}

typedef struct inside {
    void (*function)(void *arg, size_t index);
    void *arg;
} inside;

static void call_inside(void *arg, size_t index) {
    inside *call = arg;
    runtime_enter();
    call->function(call->arg, index);
    runtime_leave();
}

static void threads(size_t count, void (*function)(void *, size_t), void *arg) {
    inside call = {function, arg};
    runtime_leave();
    adapter_threads(count, call_inside, &call);
    runtime_enter();
}

static void pause_outside(void) {
    runtime_leave();
    adapter_pause();
    runtime_enter();
}

static void interrupt(bool on) {
    atomic_store(&runtime_answer, on);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: big_lock block | detach | FAULT\n");
        return 2;
    }
    way = argv[1];
    const conformance_adapter adapter = {
        .name = "a host with one lock",
        .describe = describe,
        .make = make,
        .number = number_of,
        .drop = fake_object_release,
        .alive = alive,
        .threads = threads,
        .pause = pause_outside,
        .interrupt = interrupt,
    };
    runtime_enter();
    int result = conformance_run(&adapter);
    runtime_leave();
    fake_host_end(&objects);
    return result;
}
