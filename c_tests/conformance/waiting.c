// Checks of how a wait ends: by a result, a limit of time, an interrupt from outside, the end of the
// source, a close; and of tasks, which wait without blocking a thread.

#include "kit.h"

#include <stdlib.h>

enum { TASKS = CONFORMANCE_TASKS };

static const char *one_thread(void) {
    return kit_adapter->threads == NULL ? "its objects belong to one thread" : NULL;
}

static const char *no_tasks(void) {
    return kit_adapter->threads == NULL ? "its objects belong to one thread"
           : kit_adapter->await == NULL ? "the adapter has no tasks"
                                        : NULL;
}

static const char *cannot_be_interrupted(void) {
    return kit_adapter->threads == NULL     ? "its objects belong to one thread"
           : kit_adapter->interrupt == NULL ? "the host cannot be interrupted"
                                            : NULL;
}

// Thread 0 runs the source, whose first call `meanwhile` holds up.
typedef struct scene {
    ft_local_batch *batch;
    kit_source source;
    void (*meanwhile)(struct scene *scene);
    atomic_bool source_runs;
    atomic_bool go_on;
    atomic_size_t objects;
    atomic_size_t ends;
    // Tasks that were cancelled.
    atomic_size_t cancelled;
} scene;

static void hold_up(void *arg) {
    scene *all = arg;
    atomic_store(&all->source_runs, true);
    all->meanwhile(all);
}

static void play(scene *all, const ft_local_host *host, size_t size, size_t threads,
                 void (*part)(void *, size_t)) {
    all->source.per_call = 1;
    all->source.first = hold_up;
    all->source.arg = all;
    all->batch = kit_batch(host, &all->source, size);
    kit_adapter->threads(threads, part, all);
    ft_local_batch_free(all->batch);
}

// In the other threads, until thread 0 runs the source; thread 0 loads object 0.
static bool is_other_thread(scene *all, size_t index) {
    if (index == 0) {
        kit_load_expecting(all->batch, 0);
        return false;
    }
    kit_wait_for(&all->source_runs);
    return true;
}

static size_t threads_that_wait(const scene *all) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    EXPECT_OK(ft_local_batch_stats(all->batch, &stats));
    return (size_t)stats.waits;
}

static void until_task_waits(const scene *all, size_t task) {
    while (!kit_adapter->waits(task)) {
        EXPECT(threads_that_wait(all) == 0,
               "a task blocks its thread: let it load by `ft_local_batch_load_now`");
        kit_adapter->pause();
    }
}

// A limit of time.

static void until_other_goes_on(scene *all) {
    kit_wait_for(&all->go_on);
}

static void load_within_a_millisecond(void *arg, size_t index) {
    scene *all = arg;
    if (is_other_thread(all, index)) {
        void *handle = all;
        EXPECT_STATUS(ft_local_batch_load_for(all->batch, 1000000, &handle),
                      FT_LOCAL_ERR_TIMED_OUT);
        EXPECT(handle == NULL, "a load that has timed out leaves %p", handle);
        atomic_store(&all->go_on, true);
        kit_load_expecting(all->batch, 1);
    }
}

static void a_limit_of_time_ends_a_wait_and_loses_nothing(void) {
    ft_local_host host = kit_host();
    scene all = {.meanwhile = until_other_goes_on};
    play(&all, &host, 3, 2, load_within_a_millisecond);
}

// An interrupt from outside.

static ft_local_host original;
static _Thread_local bool is_to_be_interrupted;
static atomic_bool was_asked;

static int32_t note(int32_t answer) {
    if (is_to_be_interrupted) {
        atomic_store(&was_asked, true);
    }
    return answer;
}

static int32_t interrupted_noted(void *ctx) {
    return note(original.interrupted(ctx));
}

static int32_t interrupted_plain_noted(void) {
    return note(original.interrupted_plain());
}

static void interrupt_from_outside(scene *all) {
    kit_wait_for(&was_asked);
    kit_adapter->interrupt(true);
    EXPECT_OK(ft_local_batch_interrupt(all->batch));
    kit_wait_for(&all->go_on);
}

static void load_until_interrupted(void *arg, size_t index) {
    scene *all = arg;
    if (is_other_thread(all, index)) {
        void *handle = all;
        is_to_be_interrupted = true;
        EXPECT_STATUS(ft_local_batch_load(all->batch, &handle), FT_LOCAL_ERR_INTERRUPTED);
        is_to_be_interrupted = false;
        kit_adapter->interrupt(false);
        atomic_store(&all->go_on, true);
        kit_load_expecting(all->batch, 1);
    }
}

static void a_thread_that_waits_already_can_be_interrupted(void) {
    original = kit_host();
    ft_local_host host = original;
    host.interrupted = original.interrupted == NULL ? NULL : interrupted_noted;
    host.interrupted_plain = original.interrupted_plain == NULL ? NULL : interrupted_plain_noted;
    atomic_store(&was_asked, false);
    scene all = {.meanwhile = interrupt_from_outside};
    play(&all, &host, 3, 2, load_until_interrupted);
}

// The end, and a close. Two waiters are tasks, where there are tasks, and one is a thread.

enum { WAITERS = 3 };

static bool is_task(size_t index) {
    return kit_adapter->await != NULL && index < WAITERS;
}

static void until_all_wait(scene *all) {
    size_t threads = 0;
    for (size_t index = 1; index <= WAITERS; index++) {
        if (is_task(index)) {
            until_task_waits(all, index);
        } else {
            threads++;
        }
    }
    atomic_store(&all->go_on, true);
    while (threads_that_wait(all) < threads) {
        kit_adapter->pause();
    }
}

static void until_all_wait_and_close(scene *all) {
    until_all_wait(all);
    EXPECT_OK(ft_local_batch_close(all->batch));
}

static void load_to_the_end(void *arg, size_t index) {
    scene *all = arg;
    if (!is_other_thread(all, index)) {
        return;
    }
    void *handle = NULL;
    ft_local_status status;
    if (is_task(index)) {
        status = kit_adapter->await(all->batch, index, &handle);
    } else {
        // Not before the tasks wait, which are then known to block no thread.
        if (kit_adapter->await != NULL) {
            kit_wait_for(&all->go_on);
        }
        status = ft_local_batch_load(all->batch, &handle);
    }
    if (status == FT_LOCAL_OK) {
        EXPECT(kit_number(handle) == 1, "object %zu came and not 1", kit_number(handle));
        kit_drop(handle);
        atomic_fetch_add(&all->objects, 1);
    } else {
        EXPECT_STATUS(status, all->source.failure);
        atomic_fetch_add(&all->ends, 1);
    }
}

static void expect_ends(scene *all, size_t objects) {
    EXPECT(atomic_load(&all->objects) == objects && atomic_load(&all->ends) == WAITERS - objects,
           "the waiters got %zu objects, and %zu of them an end", all->objects, all->ends);
}

static void the_end_of_the_source_ends_every_wait(void) {
    ft_local_host host = kit_host();
    // The second call makes object 1 and says that it was the last.
    scene all = {.meanwhile = until_all_wait,
                 .source = {.fail_at = 2, .failure = FT_LOCAL_ERR_END}};
    play(&all, &host, 3, WAITERS + 1, load_to_the_end);
    expect_ends(&all, 1);
}

static void a_close_ends_every_wait(void) {
    ft_local_host host = kit_host();
    scene all = {.meanwhile = until_all_wait_and_close, .source = {.failure = FT_LOCAL_ERR_CLOSED}};
    play(&all, &host, 3, WAITERS + 1, load_to_the_end);
    expect_ends(&all, 0);
}

// Tasks.

static void until_task_1_waits(scene *all) {
    until_task_waits(all, 1);
}

static void await_one(void *arg, size_t index) {
    scene *all = arg;
    if (is_other_thread(all, index)) {
        void *handle = NULL;
        EXPECT_OK(kit_adapter->await(all->batch, index, &handle));
        EXPECT(kit_number(handle) == 1, "object %zu came and not 1", kit_number(handle));
        kit_drop(handle);
        EXPECT(threads_that_wait(all) == 0, "the task has blocked its thread");
    }
}

static void a_task_waits_without_blocking_its_thread(void) {
    ft_local_host host = kit_host();
    scene all = {.meanwhile = until_task_1_waits};
    play(&all, &host, 3, 2, await_one);
}

enum { CANCELLED = 2 };

static void cancel_all_but_one(scene *all) {
    for (size_t task = 1; task <= CANCELLED; task++) {
        until_task_waits(all, task);
    }
    for (size_t task = 1; task <= CANCELLED; task++) {
        kit_adapter->cancel(task);
    }
    while (atomic_load(&all->cancelled) < CANCELLED) {
        kit_adapter->pause();
    }
    atomic_store(&all->go_on, true);
    until_task_waits(all, CANCELLED + 1);
}

static void await_or_be_cancelled(void *arg, size_t index) {
    scene *all = arg;
    if (!is_other_thread(all, index)) {
        return;
    }
    void *handle = NULL;
    if (index <= CANCELLED) {
        EXPECT_STATUS(kit_adapter->await(all->batch, index, &handle), FT_LOCAL_ERR_INTERRUPTED);
        atomic_fetch_add(&all->cancelled, 1);
        return;
    }
    kit_wait_for(&all->go_on);
    EXPECT_OK(kit_adapter->await(all->batch, index, &handle));
    kit_drop(handle);
}

// The fill calls two tasks, one for its second object and one for the source, which is free then.
static void a_cancelled_task_takes_nothing_from_another(void) {
    ft_local_host host = kit_host();
    scene all = {.meanwhile = cancel_all_but_one};
    play(&all, &host, 2, CANCELLED + 2, await_or_be_cancelled);
}

typedef struct crowd {
    ft_local_batch *batch;
    atomic_uchar *seen;
    size_t size;
    size_t each;
    atomic_size_t finished;
} crowd;

static void await_each(void *arg, size_t index) {
    crowd *all = arg;
    if (index == TASKS) {
        // Cancels now one, now another.
        for (size_t turn = 0; atomic_load(&all->finished) < TASKS; turn++) {
            kit_adapter->cancel(turn % TASKS);
            kit_adapter->pause();
        }
        return;
    }
    for (size_t count = 0; count < all->each;) {
        void *handle = NULL;
        // The last one is a thread that loads.
        ft_local_status status = index == TASKS - 1
                                     ? ft_local_batch_load(all->batch, &handle)
                                     : kit_adapter->await(all->batch, index, &handle);
        if (status == FT_LOCAL_ERR_INTERRUPTED) {
            continue;
        }
        EXPECT_OK(status);
        size_t number = kit_number(handle);
        EXPECT(number < all->size, "object %zu came, and %zu were asked for", number, all->size);
        EXPECT(atomic_fetch_add(&all->seen[number], 1) == 0, "object %zu came twice", number);
        kit_drop(handle);
        count++;
    }
    atomic_fetch_add(&all->finished, 1);
}

static void tasks_get_each_object_once(void) {
    const size_t sizes[] = {1, 5, 64};
    ft_local_host host = kit_host();
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        kit_source source = {.per_call = 1};
        crowd all = {.each = 2001, .size = TASKS * 2001};
        all.seen = calloc(all.size, 1);
        EXPECT(all.seen != NULL, "there is no memory");
        all.batch = kit_batch(&host, &source, sizes[index]);
        kit_adapter->threads(TASKS + 1, await_each, &all);
        for (size_t number = 0; number < all.size; number++) {
            EXPECT(all.seen[number] == 1, "object %zu was lost", number);
        }
        kit_expect_alive((long)(source.made - all.size), "when the tasks are gone");
        ft_local_batch_free(all.batch);
        free(all.seen);
    }
}

const kit_check kit_wait_checks[] = {
    {"a limit of time ends a wait and loses nothing", a_limit_of_time_ends_a_wait_and_loses_nothing,
     one_thread},
    {"a thread that waits already can be interrupted",
     a_thread_that_waits_already_can_be_interrupted, cannot_be_interrupted},
    {"a task waits without blocking its thread", a_task_waits_without_blocking_its_thread,
     no_tasks},
    {"a cancelled task takes nothing from another", a_cancelled_task_takes_nothing_from_another,
     no_tasks},
    {"the end of the source ends every wait", the_end_of_the_source_ends_every_wait, one_thread},
    {"a close ends every wait", a_close_ends_every_wait, one_thread},
    {"tasks get each object once", tasks_get_each_object_once, no_tasks},
    {NULL, NULL, NULL},
};
