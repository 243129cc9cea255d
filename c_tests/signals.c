// What a handler of signals may do, wherever its thread was interrupted: take what is ready.

#define _GNU_SOURCE

#include "check.h"
#include "thread.h"

#include <ft_local.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

enum { LOADERS = 3, HANDLED = 3000 };

static ft_local_batch *batch;
static atomic_long handled, taken, sum;

// 1, 2, 3, ... Plain numbers: a handler must not free memory.
static void *make_one(void *last) {
    return (void *)++*(uintptr_t *)last;
}

static void count(void *number) {
    atomic_fetch_add(&sum, (long)(uintptr_t)number);
    atomic_fetch_add(&taken, 1);
}

static void take_one(int signal) {
    (void)signal;
    void *number = NULL;
    const ft_local_status status = ft_local_batch_try_load(batch, &number);
    if (status == FT_LOCAL_OK) {
        count(number);
    } else {
        CHECK_EQ(status, FT_LOCAL_ERR_EMPTY);
    }
    atomic_fetch_add(&handled, 1);
}

// These threads wait for each other most of the time, and wake each other.
static void *load_and_be_interrupted(void *unused) {
    (void)unused;
    while (atomic_load(&handled) < HANDLED) {
        void *number = NULL;
        CHECK_EQ(ft_local_batch_load(batch, &number), FT_LOCAL_OK);
        count(number);
    }
    return NULL;
}

static void a_handler_may_take_what_is_ready_wherever_it_interrupts_its_thread(void) {
    uintptr_t last = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &last;
    source.next_plain = make_one;
    CHECK_EQ(ft_local_batch_new(&host, &source, 3, &batch), FT_LOCAL_OK);
    struct sigaction action = {.sa_handler = take_one, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    pthread_t loaders[LOADERS];
    for (int index = 0; index < LOADERS; index++) {
        loaders[index] = start_thread(load_and_be_interrupted, NULL);
    }
    // A thread that has ended can be sent a signal until it is joined.
    while (atomic_load(&handled) < HANDLED) {
        for (int index = 0; index < LOADERS; index++) {
            CHECK_EQ(pthread_kill(loaders[index], SIGUSR1), 0);
        }
    }
    for (int index = 0; index < LOADERS; index++) {
        end_thread(loaders[index]);
    }
    void *number = NULL;
    while (ft_local_batch_try_load(batch, &number) == FT_LOCAL_OK) {
        count(number);
    }
    CHECK_EQ(atomic_load(&taken), last);
    CHECK_EQ(atomic_load(&sum), last * (last + 1) / 2);
    ft_local_batch_free(batch);
}

int main(void) {
    RUN(a_handler_may_take_what_is_ready_wherever_it_interrupts_its_thread);
    return 0;
}
