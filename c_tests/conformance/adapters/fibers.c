// A host of plain values that runs several fibers on a thread, counts the batches that refer to its
// context, and has sources that need something of their caller; and the same host with a fault, which
// the kit must find.
//
//   fibers right | FAULT

#include "../conformance.h"
#include "threads.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

static const char *way;

static bool is(const char *word) {
    return strcmp(way, word) == 0;
}

// Fibers. A thread that runs none is in its own, whose number is 0.

enum { STACK = 256 * 1024 };

// A load that runs, on its stack.
typedef struct argument {
    struct argument *outer;
} argument;

typedef struct fiber {
    uint64_t number;
    argument *innermost;
    void (*function)(void *arg, size_t index);
    void *arg;
    size_t index;
    bool ended;
    ucontext_t here, resumer;
    char *stack;
} fiber;

static _Thread_local fiber own;
static _Thread_local fiber *running;
static _Thread_local bool is_main_thread;
static _Atomic uint64_t last_number;

static fiber *current(void) {
    return running == NULL ? &own : running;
}

static uint64_t number_of_fiber(void *ctx) {
    (void)ctx;
    uint64_t number = current()->number;
    if (is("fiber-none") || number == 0) {
        return 0;
    }
    return is("fiber-thread")    ? 1
           : is("fiber-changes") ? atomic_fetch_add(&last_number, 1) + 1
           : is("fiber-pairs")   ? number / 2 + 1
                                 : number;
}

static void begin(void) {
    fiber *self = running;
    self->function(self->arg, self->index);
    self->ended = true;
    setcontext(&self->resumer);
}

static void make_fiber(fiber *made, void (*function)(void *, size_t), void *arg, size_t index) {
    *made = (fiber){.number = atomic_fetch_add(&last_number, 1) + 1,
                    .function = function,
                    .arg = arg,
                    .index = index,
                    .stack = malloc(STACK)};
    if (made->stack == NULL || getcontext(&made->here) != 0) {
        abort();
    }
    made->here.uc_stack.ss_sp = made->stack;
    made->here.uc_stack.ss_size = STACK;
    makecontext(&made->here, begin, 0);
}

// Runs a fiber until it leaves, or ends.
static void resume(fiber *next) {
    running = next;
    if (swapcontext(&next->resumer, &next->here) != 0) {
        abort();
    }
    running = NULL;
}

static void leave(void) {
    fiber *self = running;
    if (swapcontext(&self->here, &self->resumer) != 0) {
        abort();
    }
}

static void fibers(size_t count, void (*function)(void *, size_t), void *arg) {
    fiber *all = calloc(count, sizeof *all);
    if (all == NULL) {
        abort();
    }
    for (size_t index = 0; index < count; index++) {
        make_fiber(&all[index], function, arg, index);
    }
    for (size_t left = count; left > 0;) {
        for (size_t index = 0; index < count; index++) {
            if (!all[index].ended) {
                resume(&all[index]);
                left -= all[index].ended;
            }
        }
    }
    for (size_t index = 0; index < count; index++) {
        free(all[index].stack);
    }
    free(all);
}

// What a load hands to the source.

static ft_local_status load_with(const ft_local_batch *batch, void **out) {
    static argument shared;
    argument **innermost = &current()->innermost;
    argument mine = {.outer = *innermost};
    *innermost = &mine;
    void *given = is("argument-none")                            ? NULL
                  : is("argument-of-another") && !is_main_thread ? &shared
                                                                 : &mine;
    ft_local_status status = ft_local_batch_load_with(batch, given, -1, out);
    if (!is("argument-stays")) {
        *innermost = mine.outer;
    }
    return status;
}

static bool is_argument(const void *given) {
    return given == current()->innermost;
}

// The context.

static atomic_long batches;

static void hold(const ft_local_host *host) {
    atomic_fetch_add((atomic_long *)host->ctx, 1);
}

static long held(void) {
    return atomic_load(&batches);
}

static void give_up(void *ctx) {
    atomic_fetch_sub((atomic_long *)ctx, is("ctx-kept") ? 0 : is("ctx-given-up-twice") ? 2 : 1);
}

static void describe(ft_local_host *host) {
    host->ctx = &batches;
    host->free_ctx = give_up;
    host->fiber = number_of_fiber;
}

static void *make(size_t number) {
    return (void *)number;
}

static size_t number_of(void *value) {
    return (size_t)value;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: fibers right | FAULT\n");
        return 2;
    }
    way = argv[1];
    is_main_thread = true;
    const conformance_adapter adapter = {
        .name = "a host with fibers",
        .describe = describe,
        .make = make,
        .number = number_of,
        .threads = adapter_threads,
        .pause = adapter_pause,
        .hold = hold,
        .held = held,
        .load_with = load_with,
        .is_argument = is_argument,
        .fibers = fibers,
        .leave = leave,
    };
    return conformance_run(&adapter);
}
