#include "big_lock.h"

#include "check.h"

#include <pthread.h>

_Atomic int32_t runtime_answer;
atomic_int runtime_asked;
atomic_int runtime_waits;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool inside;

void runtime_enter(void) {
    CHECK(!inside);
    CHECK_EQ(pthread_mutex_lock(&lock), 0);
    inside = true;
}

void runtime_leave(void) {
    CHECK(inside);
    inside = false;
    CHECK_EQ(pthread_mutex_unlock(&lock), 0);
}

bool runtime_is_inside(void) {
    return inside;
}

static void block(void *ctx, ft_local_wait wait, void *arg) {
    (void)ctx;
    runtime_leave();
    atomic_fetch_add(&runtime_waits, 1);
    wait(arg);
    runtime_enter();
}

// The token of a thread that has left: an address that no other thread has.
static _Thread_local int token;

static void *detach(void) {
    runtime_leave();
    atomic_fetch_add(&runtime_waits, 1);
    return &token;
}

static void attach(void *given) {
    CHECK_PTR(given, &token);
    runtime_enter();
}

static int32_t interrupted(void *ctx) {
    CHECK_PTR(ctx, &lock);
    CHECK(inside);
    atomic_fetch_add(&runtime_asked, 1);
    return atomic_load(&runtime_answer);
}

static int32_t interrupted_plain(void) {
    return interrupted(&lock);
}

void runtime_set_wait(ft_local_host *table, way_to_wait way) {
    table->block = way == BY_BLOCK ? block : NULL;
    table->detach = way == BY_DETACH_AND_ATTACH ? detach : NULL;
    table->attach = way == BY_DETACH_AND_ATTACH ? attach : NULL;
}

void runtime_set_interrupted(ft_local_host *table, way_to_ask way) {
    table->ctx = &lock;
    table->interrupted = way == BY_INTERRUPTED ? interrupted : NULL;
    table->interrupted_plain = way == BY_INTERRUPTED_PLAIN ? interrupted_plain : NULL;
}

void runtime_reset(void) {
    atomic_store(&runtime_answer, 0);
    atomic_store(&runtime_asked, 0);
    atomic_store(&runtime_waits, 0);
}
