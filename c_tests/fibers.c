// A host that runs several fibers on its threads: who runs the source, fibers that go on in another
// thread, and one that dies in the source.

#include "check.h"
#include "fake_source.h"
#include "thread.h"

#include <ucontext.h>

enum { STACK = 256 * 1024 };

typedef struct fiber {
    uint64_t number;
    void (*run)(struct fiber *self);
    ft_local_batch *batch;
    // What the last call of `run` has loaded.
    ft_local_status status;
    void *object;
    bool ended;
    ucontext_t here, resumer;
    char *stack;
} fiber;

// The fiber that runs; one thread at a time runs fibers in these tests, and hands over by join.
static fiber *current;

static uint64_t number_of_fiber(void *ctx) {
    (void)ctx;
    return current == NULL ? 0 : current->number;
}

static void begin_fiber(void) {
    fiber *self = current;
    self->run(self);
    self->ended = true;
    setcontext(&self->resumer);
}

static fiber *fiber_new(uint64_t number, void (*run)(fiber *self), ft_local_batch *batch) {
    fiber *made = calloc(1, sizeof *made);
    CHECK(made != NULL);
    *made = (fiber){.number = number, .run = run, .batch = batch, .stack = malloc(STACK)};
    CHECK(made->stack != NULL);
    CHECK_EQ(getcontext(&made->here), 0);
    made->here.uc_stack.ss_sp = made->stack;
    made->here.uc_stack.ss_size = STACK;
    makecontext(&made->here, begin_fiber, 0);
    return made;
}

static void fiber_free(fiber *gone) {
    free(gone->stack);
    free(gone);
}

// Runs a fiber until it leaves, or ends.
static void resume(fiber *next) {
    current = next;
    CHECK_EQ(swapcontext(&next->resumer, &next->here), 0);
    current = NULL;
}

static void *resume_here(void *next) {
    resume(next);
    return NULL;
}

// Leaves the fiber that runs. It goes on where it is resumed.
static void leave(void) {
    fiber *self = current;
    CHECK_EQ(swapcontext(&self->here, &self->resumer), 0);
}

static void load(fiber *self) {
    self->status = ft_local_batch_load_now(self->batch, &self->object);
}

// 1, 2, 3, ... Each fiber that runs it leaves in the middle of its first call.
typedef struct slow {
    uintptr_t made;
    uint64_t left_by;
    ft_local_batch *batch;
    // What a load from its own batch returned, after the fiber went on.
    ft_local_status nested;
} slow;

static int32_t leave_and_make(void *ctx, void **out, size_t capacity, size_t *produced) {
    slow *source = ctx;
    out[0] = (void *)++source->made;
    if (current != NULL && source->left_by != current->number) {
        source->left_by = current->number;
        leave();
        void *none = NULL;
        source->nested = ft_local_batch_load(source->batch, &none);
    }
    CHECK(capacity > 0);
    *produced = 1;
    return 0;
}

static void slow_begin(slow *source, size_t fillers) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.fiber = number_of_fiber;
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    table.ctx = source;
    table.fill = leave_and_make;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fillers = fillers;
    options.fill_budget = 1;
    CHECK_EQ(ft_local_batch_new_with(&host, &table, 1, &options, &source->batch), FT_LOCAL_OK);
}

static void call(void *calls) {
    ++*(int *)calls;
}

static void another_fiber_of_the_thread_is_called_when_it_may_load(void) {
    slow source = {0};
    slow_begin(&source, 1);
    fiber *first = fiber_new(1, load, source.batch);
    fiber *second = fiber_new(2, load, source.batch);
    resume(first);
    CHECK(!first->ended);
    resume(second);
    CHECK(second->ended);
    CHECK_EQ(second->status, FT_LOCAL_ERR_WOULD_WAIT);
    int calls = 0;
    uint64_t ticket = 0;
    CHECK_EQ(ft_local_batch_notify(source.batch, call, &calls, &ticket), FT_LOCAL_OK);
    // A wait would stop the first fiber, and not end.
    load_failing(source.batch, FT_LOCAL_ERR_REENTRANT);
    CHECK_EQ(calls, 0);
    resume(first);
    CHECK(first->ended);
    CHECK_EQ(first->status, FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)first->object, 1);
    CHECK_EQ(source.nested, FT_LOCAL_ERR_REENTRANT);
    CHECK_EQ(calls, 1);
    CHECK_EQ(exact_stats(source.batch).waits, 0);
    fiber_free(first);
    fiber_free(second);
    ft_local_batch_free(source.batch);
}

static void *load_here(void *batch) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    return object;
}

static void a_fiber_may_go_on_in_another_thread(void) {
    slow source = {0};
    slow_begin(&source, 1);
    fiber *moved = fiber_new(1, load, source.batch);
    resume(moved);
    end_thread(start_thread(resume_here, moved));
    CHECK(moved->ended);
    CHECK_EQ(moved->status, FT_LOCAL_OK);
    // It was known there.
    CHECK_EQ(source.nested, FT_LOCAL_ERR_REENTRANT);
    // Neither thread has the source.
    CHECK_EQ((uintptr_t)load_here(source.batch), 2);
    end_thread(start_thread(load_here, source.batch));
    CHECK_EQ(source.made, 3);
    fiber_free(moved);
    ft_local_batch_free(source.batch);
}

static void the_source_of_a_dead_fiber_is_given_up_once(void) {
    slow source = {0};
    slow_begin(&source, 1);
    fiber *dead = fiber_new(1, load, source.batch);
    CHECK_EQ(ft_local_batch_abandon(source.batch, 1), 0);
    resume(dead);
    CHECK(!dead->ended);
    int calls = 0;
    uint64_t ticket = 0;
    CHECK_EQ(ft_local_batch_notify(source.batch, call, &calls, &ticket), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_abandon(source.batch, 2), 0);
    CHECK_EQ(calls, 0);
    CHECK_EQ(ft_local_batch_abandon(source.batch, 1), 1);
    CHECK_EQ(calls, 1);
    CHECK_EQ(ft_local_batch_abandon(source.batch, 1), 0);
    CHECK_EQ(ft_local_batch_abandon(source.batch, 0), 0);
    fiber_free(dead);
    // What it was making is lost, and nothing else.
    CHECK_EQ((uintptr_t)load_here(source.batch), 2);
    fiber *next = fiber_new(1, load, source.batch);
    source.left_by = 1;
    resume(next);
    CHECK(next->ended);
    CHECK_EQ((uintptr_t)next->object, 3);
    fiber_free(next);
    CHECK_EQ(exact_stats(source.batch).produced, 2);
    ft_local_batch_free(source.batch);
}

static void of_several_fillers_each_may_be_a_fiber_of_one_thread(void) {
    slow source = {0};
    slow_begin(&source, 3);
    fiber *fibers[4];
    for (uint64_t index = 0; index < 4; ++index) {
        fibers[index] = fiber_new(index + 1, load, source.batch);
        resume(fibers[index]);
        CHECK_EQ(fibers[index]->ended, index == 3);
    }
    CHECK_EQ(fibers[3]->status, FT_LOCAL_ERR_WOULD_WAIT);
    load_failing(source.batch, FT_LOCAL_ERR_REENTRANT);
    // The second never goes on.
    CHECK_EQ(ft_local_batch_abandon(source.batch, 2), 1);
    CHECK_EQ(ft_local_batch_abandon(source.batch, 2), 0);
    CHECK_EQ((uintptr_t)load_here(source.batch), 4);
    for (uint64_t index = 0; index < 3; index += 2) {
        resume(fibers[index]);
        CHECK(fibers[index]->ended);
        CHECK_EQ(fibers[index]->status, FT_LOCAL_OK);
        CHECK_EQ(source.nested, FT_LOCAL_ERR_REENTRANT);
    }
    CHECK_EQ(exact_stats(source.batch).produced, 3);
    CHECK_EQ(exact_stats(source.batch).waits, 0);
    for (uint64_t index = 0; index < 4; ++index) {
        fiber_free(fibers[index]);
    }
    ft_local_batch_free(source.batch);
}

int main(void) {
    RUN(another_fiber_of_the_thread_is_called_when_it_may_load);
    RUN(a_fiber_may_go_on_in_another_thread);
    RUN(the_source_of_a_dead_fiber_is_given_up_once);
    RUN(of_several_fillers_each_may_be_a_fiber_of_one_thread);
    return fake_hosts_report();
}
