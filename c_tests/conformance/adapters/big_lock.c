// A host with one lock, as interpreters have, in which threads deadlock unless a waiting thread
// releases the lock; and the same host with a fault, which the kit must find.
//
//   big_lock block | detach | FAULT

#include "../conformance.h"
#include "big_lock.h"
#include "fake_host.h"
#include "tasks.h"
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

// Asks once for each thread, and then answers from memory.
static int32_t interrupted_once(void) {
    static _Thread_local int32_t answer = -1;
    return answer = answer < 0 ? atomic_load(&runtime_answer) : answer;
}

static void block_without_wait(void *ctx, ft_local_wait wait, void *arg) {
    (void)ctx, (void)wait, (void)arg;
}

static bool tries_again_after(ft_local_status status) {
    return status == FT_LOCAL_ERR_WOULD_WAIT ||
           (status == FT_LOCAL_ERR_END && is("await-past-end")) ||
           (status == FT_LOCAL_ERR_CLOSED && is("await-past-close"));
}

// As `adapter_await`, with the faults.
static ft_local_status await(const ft_local_batch *batch, size_t number, void **out) {
    ft_local_status status;
    if (is("await-blocks")) {
        return ft_local_batch_load(batch, out);
    }
    while (tries_again_after(status = ft_local_batch_load_now(batch, out))) {
        uint64_t ticket;
        status = ft_local_batch_notify(batch, adapter_wake, &adapter_tasks[number], &ticket);
        if (status != FT_LOCAL_OK) {
            return status;
        }
        if (adapter_put_aside(&adapter_tasks[number])) {
            if (!is("await-keeps")) {
                (void)ft_local_batch_forget(batch, ticket);
            }
            return FT_LOCAL_ERR_INTERRUPTED;
        }
    }
    return status;
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
    if (is("interrupted-once")) {
        host->interrupted = NULL;
        host->interrupted_plain = interrupted_once;
    }
    if (is("block-skips")) {
        host->block = block_without_wait;
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
    adapter_leave = runtime_leave;
    adapter_enter = runtime_enter;
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
        .await = await,
        .waits = adapter_waits,
        .cancel = adapter_cancel,
    };
    runtime_enter();
    int result = conformance_run(&adapter);
    runtime_leave();
    fake_host_end(&objects);
    return result;
}
