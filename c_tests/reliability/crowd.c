#include "crowd.h"

#include "check.h"
#include "thread.h"

#include <time.h>

enum { BULK = 5, TIMEOUT_NS = 100000 };

// The finalizer of SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014.
static uint64_t weight(uint64_t number) {
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9U;
    number = (number ^ number >> 27) * 0x94d049bb133111ebU;
    return number ^ number >> 31;
}

void tally_add(tally *to, uint64_t number) {
    to->count++;
    to->sum += weight(number);
}

static void *make_one(void *ctx) {
    crowd *all = ctx;
    if (all->before_each != NULL) {
        all->before_each(all);
    }
    tally_add(&all->made, ++all->last);
    return (void *)(uintptr_t)all->last;
}

static int32_t not_interrupted(void) {
    return 0;
}

static void take(member *mine, const void *object) {
    tally_add(&mine->taken, (uintptr_t)object);
}

static void load_or_time_out(member *mine) {
    void *object = NULL;
    ft_local_status status = ft_local_batch_load_for(mine->all->batch, TIMEOUT_NS, &object);
    if (status == FT_LOCAL_OK) {
        take(mine, object);
    } else {
        CHECK_EQ(status, FT_LOCAL_ERR_TIMED_OUT);
    }
}

// Gives one back, and another thread may get it.
static void load_several(member *mine) {
    void *objects[BULK];
    size_t count = 0;
    ft_local_batch *batch = mine->all->batch;
    CHECK_EQ(ft_local_batch_load_many(batch, BULK, -1, objects, &count), FT_LOCAL_OK);
    CHECK_EQ(count, BULK);
    CHECK_EQ(ft_local_batch_give_back(batch, &objects[BULK - 1], 1), FT_LOCAL_OK);
    while (--count > 0) {
        take(mine, objects[count - 1]);
    }
}

static void load_by_cursor(member *mine, unsigned times) {
    ft_local_cursor *cursor = NULL;
    CHECK_EQ(ft_local_cursor_new(mine->all->batch, &cursor), FT_LOCAL_OK);
    for (void *object = NULL; times > 0; times--) {
        CHECK_EQ(ft_local_cursor_next_inline(cursor, &object), FT_LOCAL_OK);
        take(mine, object);
    }
    ft_local_cursor_free(cursor);
}

static void take_step(member *mine, unsigned choice) {
    ft_local_batch *batch = mine->all->batch;
    void *object = NULL;
    size_t made = 0;
    switch (choice % 8) {
    case 0:
        load_several(mine);
        break;
    case 1:
        load_by_cursor(mine, choice / 8 % 16);
        break;
    case 2:
        load_or_time_out(mine);
        break;
    case 3:
        if (ft_local_batch_try_load(batch, &object) == FT_LOCAL_OK) {
            take(mine, object);
        }
        break;
    case 4:
        CHECK_EQ(ft_local_batch_prefill(batch, mine->all->size / 2 + 1, 3, 0, &made), FT_LOCAL_OK);
        break;
    default:
        CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
        take(mine, object);
    }
}

static void *take_steps(void *arg) {
    member *mine = arg;
    for (unsigned choice = (unsigned)(mine - mine->all->members); !atomic_load(&mine->all->stop);) {
        choice = choice * 1664525 + 1013904223;
        take_step(mine, choice >> 8);
        atomic_fetch_add(&mine->all->steps, 1);
    }
    return NULL;
}

void crowd_begin(crowd *all) {
    CHECK(all->threads <= MOST_THREADS);
    ft_local_host host = FT_LOCAL_HOST_INIT;
    if (all->interruptible) {
        host.interrupted_plain = not_interrupted;
    }
    ft_local_source source = {.struct_size = sizeof source, .ctx = all, .next_plain = make_one};
    CHECK_EQ(ft_local_batch_new(&host, &source, all->size, &all->batch), FT_LOCAL_OK);
    for (int index = 0; index < all->threads; index++) {
        all->members[index].all = all;
        all->members[index].thread = start_thread(take_steps, &all->members[index]);
    }
}

void crowd_does(crowd *all, unsigned long steps) {
    const unsigned long until = atomic_load(&all->steps) + steps;
    while (atomic_load(&all->steps) < until) {
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
}

void crowd_end(crowd *all) {
    atomic_store(&all->stop, true);
    tally taken = all->taken;
    for (int index = 0; index < all->threads; index++) {
        end_thread(all->members[index].thread);
        taken.count += all->members[index].taken.count;
        taken.sum += all->members[index].taken.sum;
    }
    void *object = NULL;
    while (ft_local_batch_try_load(all->batch, &object) == FT_LOCAL_OK) {
        tally_add(&taken, (uintptr_t)object);
    }
    CHECK_EQ(taken.count, all->made.count);
    CHECK_EQ(taken.sum, all->made.sum);
    ft_local_batch_free(all->batch);
}

void crowd_of(int threads, size_t size, bool interruptible, unsigned long steps) {
    static crowd all;
    memset(&all, 0, sizeof all);
    all.threads = threads;
    all.size = size;
    all.interruptible = interruptible;
    crowd_begin(&all);
    crowd_does(&all, steps);
    crowd_end(&all);
}
