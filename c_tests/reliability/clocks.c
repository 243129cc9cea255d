// Clocks that jump. The library reads the monotonic clock only, so a change of the date means
// nothing to it. If the monotonic clock itself jumps, as that of a machine that was suspended may, a
// wait ends early or late, and nothing is lost.

#define _GNU_SOURCE

#include "check.h"
#include "crowd.h"
#include "slow_source.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { HOUR = 3600 };

// What is added to the clock, and which clocks were read.
static _Atomic int64_t jumped;
static atomic_long others_read, monotonic_read;

// In place of the C library's, for the library under test too.
int clock_gettime(clockid_t clock, struct timespec *time) {
    if (syscall(SYS_clock_gettime, clock, time) != 0) {
        return -1;
    }
    if (clock == CLOCK_MONOTONIC) {
        atomic_fetch_add(&monotonic_read, 1);
        time->tv_sec += atomic_load(&jumped);
    } else {
        atomic_fetch_add(&others_read, 1);
    }
    return 0;
}

static void jump(int64_t seconds) {
    atomic_fetch_add(&jumped, seconds);
}

// While a thread waits behind a source that takes its time.
typedef struct scene {
    fake_host host;
    slow_source slow;
    ft_local_batch *batch;
    ft_local_status status;
    int64_t timeout_ns;
} scene;

static void *load_first(void *arg) {
    load_expecting(((scene *)arg)->batch, 0);
    return NULL;
}

static void *load_in_time(void *arg) {
    scene *all = arg;
    void *object = NULL;
    all->status = ft_local_batch_load_for(all->batch, all->timeout_ns, &object);
    if (all->status == FT_LOCAL_OK) {
        fake_object_release(object);
    }
    return NULL;
}

static ft_local_status wait_while_it_jumps(int64_t seconds, int64_t timeout_ns, bool goes_on) {
    scene all = {.timeout_ns = timeout_ns};
    all.slow.source = (fake_source){.host = &all.host, .per_call = 1};
    all.slow.slow_call = 1;
    all.batch = slow_source_batch(&all.slow, 4);
    pthread_t filler = start_thread(load_first, &all);
    slow_source_await(&all.slow);
    pthread_t waiter = start_thread(load_in_time, &all);
    await_waits(all.batch, 1);
    jump(seconds);
    if (goes_on) {
        slow_source_go_on(&all.slow);
        end_thread(waiter);
    } else {
        end_thread(waiter);
        slow_source_go_on(&all.slow);
    }
    end_thread(filler);
    ft_local_batch_free(all.batch);
    fake_host_end(&all.host);
    return all.status;
}

static void a_jump_forward_ends_a_wait_early(void) {
    // Sooner or later by the waiter's own clock, which has passed the hour.
    CHECK_EQ(wait_while_it_jumps(2 * HOUR, 100000000, false), FT_LOCAL_ERR_TIMED_OUT);
}

static void a_jump_back_loses_no_result(void) {
    jump(2 * HOUR);
    CHECK_EQ(wait_while_it_jumps(-HOUR, 60 * 1000000000LL, true), FT_LOCAL_OK);
}

static void a_wait_without_a_timeout_does_not_look_at_clocks(void) {
    CHECK_EQ(wait_while_it_jumps(HOUR, -1, true), FT_LOCAL_OK);
    CHECK_EQ(wait_while_it_jumps(-HOUR, -1, true), FT_LOCAL_OK);
}

static void *jump_about(void *arg) {
    crowd *all = arg;
    for (int turn = 0; !atomic_load(&all->stop); turn++) {
        jump(turn % 2 == 0 ? HOUR : -HOUR);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    return NULL;
}

static void nothing_is_lost_by_a_clock_that_jumps_all_the_time(void) {
    static crowd all = {.threads = 4, .size = 8, .interruptible = true};
    crowd_begin(&all);
    pthread_t jumper = start_thread(jump_about, &all);
    crowd_does(&all, 20000);
    atomic_store(&all.stop, true);
    end_thread(jumper);
    crowd_end(&all);
}

// Not in anything above, where threads have waited in every way.
static void the_date_is_never_read(void) {
    CHECK_EQ(atomic_load(&others_read), 0);
    CHECK(atomic_load(&monotonic_read) > 0);
}

int main(void) {
    alarm(240);
    RUN(a_jump_forward_ends_a_wait_early);
    RUN(a_jump_back_loses_no_result);
    RUN(a_wait_without_a_timeout_does_not_look_at_clocks);
    RUN(nothing_is_lost_by_a_clock_that_jumps_all_the_time);
    RUN(the_date_is_never_read);
    return fake_hosts_report();
}
