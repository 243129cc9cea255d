// Waiting in the host's own way: loads that do not wait, and calls when to try again.

#include "check.h"
#include "good.h"
#include "slow_source.h"
#include "waiter.h"

#include <semaphore.h>

enum { SIZE = 4 };

typedef struct scene {
    fake_host host;
    slow_source slow;
    ft_local_batch *batch;
    pthread_t filler;
} scene;

static void *load_one(void *arg) {
    load_expecting(((scene *)arg)->batch, 0);
    return NULL;
}

// Another thread is in the source, and nothing is ready.
static void scene_begin(scene *all) {
    *all = (scene){.slow = {.source = {.per_call = SIZE}, .slow_call = 1}};
    all->slow.source.host = &all->host;
    all->batch = slow_source_batch(&all->slow, SIZE);
    all->filler = start_thread(load_one, all);
    slow_source_await(&all->slow);
}

static void let_the_filler_end(scene *all) {
    slow_source_go_on(&all->slow);
    end_thread(all->filler);
}

static void scene_end(scene *all) {
    ft_local_batch_free(all->batch);
    CHECK_EQ(atomic_load(&all->host.releases), all->slow.source.made);
    fake_host_end(&all->host);
}

static void bad_arguments_are_named(void) {
    good *all = good_begin();
    void *object = all;
    uint64_t ticket = 1;
    refused(ft_local_batch_load_now(NULL, &object), "batch");
    refused(ft_local_batch_interrupt(NULL), "batch");
    CHECK_EQ(ft_local_batch_interrupt(all->batch), FT_LOCAL_OK);
    CHECK_PTR(object, NULL);
    refused(ft_local_batch_load_now(all->batch, NULL), "out");
    refused(ft_local_cursor_next_now(NULL, &object), "cursor");
    refused(ft_local_cursor_next_now(all->cursor, NULL), "out");
    refused(ft_local_batch_notify(NULL, count_call, NULL, &ticket), "batch");
    CHECK_EQ(ticket, 0);
    refused(ft_local_batch_notify(all->batch, NULL, NULL, &ticket), "wake");
    refused(ft_local_batch_notify(all->batch, count_call, NULL, NULL), "ticket");
    refused(ft_local_batch_notify(all->batch, count_call, NULL, MISALIGNED(&ticket)), "ticket");
    CHECK_EQ(ft_local_batch_forget(NULL, 1), 0);
    refused_without_status("batch");
    good_end(all);
}

static void a_load_that_does_not_wait_says_so(void) {
    scene all;
    scene_begin(&all);
    void *object = &all;
    CHECK_EQ(ft_local_batch_load_now(all.batch, &object), FT_LOCAL_ERR_WOULD_WAIT);
    CHECK_PTR(object, NULL);
    ft_local_cursor *cursor = cursor_of(all.batch);
    object = &all;
    CHECK_EQ(ft_local_cursor_next_now(cursor, &object), FT_LOCAL_ERR_WOULD_WAIT);
    CHECK_PTR(object, NULL);
    let_the_filler_end(&all);
    CHECK_EQ(ft_local_batch_load_now(all.batch, &object), FT_LOCAL_OK);
    receive(object, 1);
    for (size_t number = 2; number < 2 * SIZE; number++) {
        // From the buffer, and then from the source.
        CHECK_EQ(ft_local_cursor_next_now(cursor, &object), FT_LOCAL_OK);
        receive(object, number);
    }
    ft_local_cursor_free(cursor);
    scene_end(&all);
}

static void each_waiter_is_called_or_forgotten(void) {
    scene all;
    scene_begin(&all);
    atomic_int calls[SIZE + 2] = {0};
    uint64_t tickets[SIZE + 2];
    for (size_t index = 0; index < SIZE + 2; index++) {
        tickets[index] = notify(all.batch, &calls[index]);
    }
    CHECK_EQ(ft_local_batch_forget(all.batch, tickets[0]), 1);
    CHECK_EQ(ft_local_batch_forget(all.batch, tickets[0]), 0);
    let_the_filler_end(&all);
    // The filler has made one for itself, SIZE - 1 for others, and has left the role.
    for (size_t index = 0; index < SIZE + 2; index++) {
        CHECK_EQ(atomic_load(&calls[index]), index >= 1 && index <= SIZE);
    }
    // The one that was called first will not load after all.
    CHECK_EQ(ft_local_batch_forget(all.batch, tickets[1]), 0);
    CHECK_EQ(atomic_load(&calls[SIZE + 1]), 1);
    scene_end(&all);
}

static void close_and_free_call_all_waiters(void) {
    for (int closes = 0; closes <= 1; closes++) {
        scene all;
        scene_begin(&all);
        ft_local_cursor *cursor = cursor_of(all.batch);
        atomic_int calls[SIZE + 3] = {0};
        for (size_t index = 0; index < SIZE + 3; index++) {
            notify(all.batch, &calls[index]);
        }
        let_the_filler_end(&all);
        CHECK_EQ(atomic_load(&calls[SIZE]), 0);
        if (closes) {
            CHECK_EQ(ft_local_batch_close(all.batch), FT_LOCAL_OK);
        } else {
            ft_local_batch_free(all.batch);
        }
        for (size_t index = 0; index < SIZE + 3; index++) {
            CHECK_EQ(atomic_load(&calls[index]), 1);
        }
        if (closes) {
            ft_local_batch_free(all.batch);
        }
        ft_local_cursor_free(cursor);
        CHECK_EQ(atomic_load(&all.host.releases), all.slow.source.made);
        fake_host_end(&all.host);
    }
}

// A thread with tasks, of which each has at most one registration at a time, and some of which give
// up now and then.
enum { LOOPS = 3, TASKS = 20 };

typedef struct task {
    struct loop *loop;
    atomic_bool is_awake;
    bool waits;
    uint64_t ticket;
} task;

typedef struct loop {
    ft_local_batch *batch;
    sem_t bell;
    task tasks[TASKS];
    size_t loaded, forgotten;
    unsigned random;
} loop;

static void wake_task(void *arg) {
    task *it = arg;
    atomic_store(&it->is_awake, true);
    sem_post(&it->loop->bell);
}

static void receive_any(void *object) {
    fake_object_release(object);
}

// Returns false at the end of the source.
static bool step(loop *it, task *one) {
    if (one->waits && !atomic_load(&one->is_awake)) {
        it->random = it->random * 1103515245U + 12345U;
        if ((it->random >> 16) % 64 != 0) {
            return true;
        }
        if (ft_local_batch_forget(it->batch, one->ticket) == 0) {
            // It is being called: until then its memory is in use.
            while (!atomic_load(&one->is_awake)) {
            }
        }
        it->forgotten++;
    }
    one->waits = false;
    atomic_store(&one->is_awake, false);
    void *object = NULL;
    ft_local_status status = ft_local_batch_load_now(it->batch, &object);
    if (status == FT_LOCAL_ERR_WOULD_WAIT) {
        one->waits = true;
        status = ft_local_batch_notify(it->batch, wake_task, one, &one->ticket);
        CHECK_EQ(status, FT_LOCAL_OK);
        return true;
    }
    if (status == FT_LOCAL_ERR_END) {
        return false;
    }
    CHECK_EQ(status, FT_LOCAL_OK);
    receive_any(object);
    it->loaded++;
    sem_post(&it->bell);
    return true;
}

static void *run_loop(void *arg) {
    loop *it = arg;
    bool ended[TASKS] = {false};
    for (size_t running = TASKS; running > 0;) {
        for (size_t index = 0; index < TASKS; index++) {
            if (!ended[index] && !step(it, &it->tasks[index])) {
                ended[index] = true;
                running--;
                sem_post(&it->bell);
            }
        }
        while (sem_wait(&it->bell) != 0) {
        }
    }
    return NULL;
}

static void *load_to_the_end(void *arg) {
    loop *it = arg;
    void *object = NULL;
    while (ft_local_batch_load(it->batch, &object) == FT_LOCAL_OK) {
        receive_any(object);
        it->loaded++;
    }
    return NULL;
}

static void loops_and_threads_get_each_result_once(void) {
    const char *items = getenv("FT_LOCAL_TEST_ITEMS");
    size_t limit = items ? strtoul(items, NULL, 10) : 200000;
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1, .limit = limit, .end = FT_LOCAL_ERR_END};
    ft_local_batch *batch = fake_source_batch_with(&source, SIZE, NULL);
    loop loops[LOOPS + 2] = {0};
    pthread_t threads[LOOPS + 2];
    for (size_t index = 0; index < LOOPS + 2; index++) {
        loop *it = &loops[index];
        it->batch = batch;
        it->random = (unsigned)index;
        CHECK_EQ(sem_init(&it->bell, 0, 0), 0);
        for (size_t number = 0; number < TASKS; number++) {
            it->tasks[number].loop = it;
        }
        threads[index] = start_thread(index < LOOPS ? run_loop : load_to_the_end, it);
    }
    size_t loaded = 0;
    for (size_t index = 0; index < LOOPS + 2; index++) {
        end_thread(threads[index]);
        loaded += loops[index].loaded;
        sem_destroy(&loops[index].bell);
    }
    CHECK_EQ(loaded, limit);
    CHECK_EQ(exact_stats(batch).loads, limit);
    ft_local_batch_free(batch);
    CHECK_EQ(atomic_load(&host.releases), limit);
    fake_host_end(&host);
}

int main(void) {
    RUN(bad_arguments_are_named);
    RUN(a_load_that_does_not_wait_says_so);
    RUN(each_waiter_is_called_or_forgotten);
    RUN(close_and_free_call_all_waiters);
    RUN(loops_and_threads_get_each_result_once);
    return 0;
}
