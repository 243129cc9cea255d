// A process that forks again and again while its threads do everything that can be done with a
// batch. A child has these threads stopped at any step. In each child every object is delivered once
// or released once, the parent's results are delivered only if the options say so, and no thread
// waits for one that does not exist.
//
// FT_LOCAL_TEST_ITEMS in the environment, divided by a hundred, says how many children.

#include "check.h"
#include "child.h"
#include "ft_local.h"
#include "thread.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

enum { THREADS = 4, OBJECTS = 1 << 16, HELD = 16, SIZE = 100, BULK = 7 };

// What a thread that is gone may have had in hand: a chunk on its way, a cursor's or a fill's.
enum { IN_HAND = HELD + 2 * SIZE };

// What became of an object. A new one takes the place of one that is gone.
enum { FREE, INSIDE, DELIVERED, OF_CHILD = 4 };

typedef struct storm {
    int32_t policy;
    ft_local_batch *batch;
    atomic_uchar fates[OBJECTS];
    // Which object to try next. Only the thread that fills uses it.
    size_t next;
    // Each thread's, which the child takes over.
    _Atomic(ft_local_cursor *) cursors[THREADS];
    atomic_int threads;
    atomic_bool stop;
    // In the child.
    unsigned char origin;
} storm;

static void change(storm *all, const void *object, int from, int to) {
    atomic_uchar *fate = &all->fates[(const atomic_uchar *)object - all->fates];
    unsigned char before = atomic_load(fate);
    CHECK_EQ(before & ~OF_CHILD, from);
    unsigned char after = to == FREE ? FREE : (unsigned char)(to | (before & OF_CHILD));
    CHECK(atomic_compare_exchange_strong(fate, &before, after));
}

static void release(void *ctx, void *object) {
    change(ctx, object, INSIDE, FREE);
}

static void *make(storm *all) {
    for (;;) {
        atomic_uchar *fate = &all->fates[all->next++ % OBJECTS];
        if (atomic_load(fate) == FREE) {
            atomic_store(fate, INSIDE | all->origin);
            return fate;
        }
    }
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    for (*produced = 0; *produced < capacity && *produced < BULK; ++*produced) {
        out[*produced] = make(ctx);
    }
    return 0;
}

static void *keep(void *ctx, void *object) {
    (void)ctx;
    return object;
}

static void storm_begin(storm *all, int32_t policy, size_t low_water) {
    all->policy = policy;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.ctx = all;
    host.retain = keep;
    host.release = release;
    ft_local_source source = {.struct_size = sizeof source, .ctx = all, .fill = fill};
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.on_fork = policy;
    options.low_water = low_water;
    CHECK_EQ(ft_local_batch_new_with(&host, &source, SIZE, &options, &all->batch), FT_LOCAL_OK);
}

// The user's objects.
typedef struct hands {
    void *objects[HELD];
    size_t count;
} hands;

static void receive_objects(storm *all, hands *mine, void *const *objects, size_t count) {
    for (size_t index = 0; index < count; index++) {
        if (all->origin != 0 && all->policy != FT_LOCAL_FORK_KEEP) {
            CHECK(*(atomic_uchar *)objects[index] & OF_CHILD);
        }
        change(all, objects[index], INSIDE, DELIVERED);
        mine->objects[mine->count++] = objects[index];
    }
}

static void drop_objects(storm *all, hands *mine) {
    while (mine->count > 0) {
        change(all, mine->objects[--mine->count], DELIVERED, FREE);
    }
}

static void return_objects(storm *all, hands *mine) {
    for (size_t index = 0; index < mine->count; index++) {
        change(all, mine->objects[index], DELIVERED, INSIDE);
    }
    CHECK_EQ(ft_local_batch_give_back(all->batch, mine->objects, mine->count), FT_LOCAL_OK);
    mine->count = 0;
}

static void use_cursor(storm *all, size_t index, unsigned choice, hands *mine) {
    ft_local_cursor *cursor = atomic_load(&all->cursors[index]);
    if (cursor == NULL) {
        CHECK_EQ(ft_local_cursor_new(all->batch, &cursor), FT_LOCAL_OK);
        atomic_store(&all->cursors[index], cursor);
    } else if (choice % 16 == 0) {
        atomic_store(&all->cursors[index], NULL);
        ft_local_cursor_free(cursor);
        return;
    }
    void *object = NULL;
    ft_local_status status = choice % 2 ? ft_local_cursor_next(cursor, &object)
                                        : ft_local_cursor_next_inline(cursor, &object);
    CHECK_EQ(status, FT_LOCAL_OK);
    receive_objects(all, mine, &object, 1);
}

static void load_several(storm *all, hands *mine) {
    void *objects[5];
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(all->batch, 5, -1, objects, &count), FT_LOCAL_OK);
    CHECK_EQ(count, 5);
    receive_objects(all, mine, objects, count);
}

static void prefill(storm *all) {
    size_t made = 0;
    CHECK_EQ(ft_local_batch_prefill(all->batch, SIZE / 2, 20, 0, &made), FT_LOCAL_OK);
}

static void do_something(storm *all, size_t index, unsigned choice, hands *mine) {
    void *object = NULL;
    switch (choice % 10) {
    case 0:
        load_several(all, mine);
        break;
    case 1:
        prefill(all);
        break;
    case 2:
        return_objects(all, mine);
        break;
    case 3:
        if (ft_local_batch_try_load(all->batch, &object) == FT_LOCAL_OK) {
            receive_objects(all, mine, &object, 1);
        }
        break;
    case 4:
        if (choice / 10 % 64 == 0) {
            CHECK_EQ(ft_local_batch_clear(all->batch), FT_LOCAL_OK);
        }
        break;
    case 5:
        CHECK(ft_local_batch_len(all->batch) <= OBJECTS);
        break;
    case 6:
    case 7:
        CHECK_EQ(ft_local_batch_load(all->batch, &object), FT_LOCAL_OK);
        receive_objects(all, mine, &object, 1);
        break;
    default:
        use_cursor(all, index, choice / 10, mine);
    }
    if (mine->count + 5 > HELD) {
        drop_objects(all, mine);
    }
}

static void *work(void *arg) {
    storm *all = arg;
    size_t index = (size_t)atomic_fetch_add(&all->threads, 1);
    hands mine = {.count = 0};
    for (unsigned choice = (unsigned)index + 1; !atomic_load(&all->stop);) {
        choice = choice * 1664525 + 1013904223;
        do_something(all, index, choice >> 8, &mine);
    }
    drop_objects(all, &mine);
    return NULL;
}

static void *use_in_child(void *arg) {
    storm *all = arg;
    hands mine = {.count = 0};
    for (unsigned turn = 0; turn < 300 && all->policy != FT_LOCAL_FORK_ERROR; turn++) {
        // All but the cursors, which are the main thread's now.
        do_something(all, 0, turn * 10 + turn % 8, &mine);
    }
    drop_objects(all, &mine);
    return NULL;
}

static size_t count(const storm *all, unsigned char fate) {
    size_t found = 0;
    for (size_t index = 0; index < OBJECTS; index++) {
        found += atomic_load(&all->fates[index]) == fate;
    }
    return found;
}

static void go_on(void *arg) {
    storm *all = arg;
    // For a child that waits in vain.
    alarm(120);
    all->origin = OF_CHILD;
    hands mine = {.count = 0};
    bool refused = all->policy == FT_LOCAL_FORK_ERROR;
    pthread_t other = start_thread(use_in_child, all);
    for (size_t index = 0; index < THREADS; index++) {
        ft_local_cursor *cursor = atomic_load(&all->cursors[index]);
        void *object = NULL;
        if (cursor != NULL && !refused) {
            CHECK_EQ(ft_local_cursor_next_inline(cursor, &object), FT_LOCAL_OK);
            receive_objects(all, &mine, &object, 1);
        }
        ft_local_cursor_free(cursor);
    }
    drop_objects(all, &mine);
    end_thread(other);
    if (refused) {
        void *object = NULL;
        CHECK_EQ(ft_local_batch_load(all->batch, &object), FT_LOCAL_ERR_FORKED);
    } else {
        CHECK_EQ(ft_local_batch_clear(all->batch), FT_LOCAL_OK);
        CHECK_EQ(ft_local_batch_len(all->batch), 0);
        size_t made = 0;
        CHECK_EQ(ft_local_batch_prefill(all->batch, SIZE, SIZE, -1, &made), FT_LOCAL_OK);
        CHECK(made > 0);
        // A cursor that a thread was just making or freeing still refers to the batch, which is
        // then never freed.
        CHECK_EQ(ft_local_batch_close(all->batch), FT_LOCAL_OK);
        CHECK(count(all, INSIDE) <= THREADS * IN_HAND);
    }
    CHECK_EQ(count(all, INSIDE | OF_CHILD), 0);
    CHECK_EQ(count(all, DELIVERED | OF_CHILD), 0);
    ft_local_batch_free(all->batch);
}

static void every_child_is_sound(int32_t policy, size_t low_water, size_t children) {
    static storm all;
    all = (storm){.stop = false};
    storm_begin(&all, policy, low_water);
    pthread_t threads[THREADS];
    for (size_t index = 0; index < THREADS; index++) {
        threads[index] = start_thread(work, &all);
    }
    for (size_t child = 0; child < children; child++) {
        passes_in_child(go_on, &all);
    }
    atomic_store(&all.stop, true);
    for (size_t index = 0; index < THREADS; index++) {
        end_thread(threads[index]);
    }
    // Now, since the cursors are in the order in which the threads began.
    for (size_t index = 0; index < THREADS; index++) {
        ft_local_cursor_free(all.cursors[index]);
    }
    ft_local_batch_free(all.batch);
    CHECK_EQ(count(&all, FREE), OBJECTS);
}

static size_t children = 200;

static void children_that_discard(void) {
    every_child_is_sound(FT_LOCAL_FORK_DISCARD, 0, children);
    every_child_is_sound(FT_LOCAL_FORK_DISCARD, SIZE / 4, children);
}

static void children_that_keep(void) {
    every_child_is_sound(FT_LOCAL_FORK_KEEP, 0, children);
    every_child_is_sound(FT_LOCAL_FORK_KEEP, SIZE / 4, children);
}

static void children_that_may_only_free(void) {
    every_child_is_sound(FT_LOCAL_FORK_ERROR, 0, children);
}

int main(void) {
    const char *items = getenv("FT_LOCAL_TEST_ITEMS");
    if (items != NULL) {
        children = strtoull(items, NULL, 10) / 100;
    }
    RUN(children_that_discard);
    RUN(children_that_keep);
    RUN(children_that_may_only_free);
    return 0;
}
