#include "office.h"

#include "check.h"
#include "fake_source.h"
#include "thread.h"

enum { THREADS = 8, FILLERS = 3, FAILED = 4711, MANY = 50 };

typedef struct desk {
    fake_host host;
    ft_local_batch *batch;
    office kind;
    pthread_barrier_t start;
    size_t limit;
    atomic_size_t turns;
    atomic_size_t calls;
    atomic_size_t failures;
    // How many threads are in the source.
    atomic_size_t inside;
    atomic_size_t made;
    atomic_size_t received;
    // How often each object was received.
    atomic_uchar *seen;
} desk;

// How many failures the source has returned in this thread, and no call has reported.
static _Thread_local int failures_of_this_thread;

// Adds `count` to the number made, unless that is too many: then less.
static size_t begin_to_make(desk *all, size_t count, size_t *first) {
    *first = atomic_load(&all->made);
    size_t more;
    do {
        more = all->limit - *first < count ? all->limit - *first : count;
    } while (!atomic_compare_exchange_weak(&all->made, first, *first + more));
    return more;
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    desk *all = ctx;
    CHECK(atomic_fetch_add(&all->inside, 1) < FILLERS);
    size_t call = atomic_fetch_add(&all->calls, 1) + 1;
    size_t first;
    *produced =
        begin_to_make(all, capacity < all->kind.per_call ? capacity : all->kind.per_call, &first);
    for (size_t index = 0; index < *produced; index++) {
        CHECK_PTR(out[index], NULL);
        out[index] = fake_object_new(&all->host, first + index);
    }
    atomic_fetch_sub(&all->inside, 1);
    if (*produced == 0) {
        return FT_LOCAL_ERR_END;
    }
    if (all->kind.fail_every == 0 || call % all->kind.fail_every != 0) {
        return 0;
    }
    failures_of_this_thread++;
    atomic_fetch_add(&all->failures, 1);
    return FAILED;
}

static void receive_once(desk *all, void *pointer) {
    fake_object *object = pointer;
    CHECK(object->number < all->limit);
    CHECK_EQ(atomic_fetch_add(&all->seen[object->number], 1), 0);
    atomic_fetch_add(&all->received, 1);
    fake_object_release(object);
}

// Whether there may be more.
static bool goes_on(const desk *all, ft_local_status status) {
    if (status == FAILED) {
        CHECK_EQ(--failures_of_this_thread, 0);
        return true;
    }
    bool is_last =
        status == FT_LOCAL_ERR_END || (all->kind.closes && status == FT_LOCAL_ERR_CLOSED);
    CHECK(is_last || status == FT_LOCAL_OK);
    return status == FT_LOCAL_OK;
}

static bool load_one(desk *all) {
    void *object = NULL;
    ft_local_status status = ft_local_batch_load(all->batch, &object);
    if (status == FT_LOCAL_OK) {
        receive_once(all, object);
    }
    return goes_on(all, status);
}

// Gives the first `unwanted` back, if so many come.
static bool load_several(desk *all, size_t unwanted) {
    void *objects[MANY];
    size_t count = 0;
    ft_local_status status = ft_local_batch_load_many(all->batch, MANY, -1, objects, &count);
    unwanted = count < unwanted ? count : unwanted;
    ft_local_status given_back = ft_local_batch_give_back(all->batch, objects, unwanted);
    CHECK_EQ(given_back, FT_LOCAL_OK);
    for (size_t index = unwanted; index < count; index++) {
        receive_once(all, objects[index]);
    }
    return goes_on(all, status);
}

static bool use_a_cursor(desk *all, ft_local_cursor *cursor, size_t count) {
    for (size_t taken = 0; taken < count; taken++) {
        void *object = NULL;
        ft_local_status status = ft_local_cursor_next_inline(cursor, &object);
        if (status != FT_LOCAL_OK) {
            return goes_on(all, status);
        }
        receive_once(all, object);
    }
    return true;
}

static void *work_to_the_end(void *arg) {
    desk *all = arg;
    ft_local_cursor *cursor = cursor_of(all->batch);
    pthread_barrier_wait(&all->start);
    size_t turn = atomic_fetch_add(&all->turns, 1);
    for (bool more = true; more; turn++) {
        switch (turn % 5) {
        case 0:
            more = load_one(all);
            break;
        case 1:
            more = load_several(all, 0);
            break;
        case 2:
            more = load_several(all, turn % MANY);
            break;
        case 3:
            more = use_a_cursor(all, cursor, turn % MANY);
            break;
        default:
            // What it has in hand goes back.
            ft_local_cursor_free(cursor);
            cursor = cursor_of(all->batch);
        }
        if (all->kind.closes && atomic_load(&all->received) > all->limit / 2) {
            CHECK_EQ(ft_local_batch_close(all->batch), FT_LOCAL_OK);
        }
    }
    CHECK_EQ(failures_of_this_thread, 0);
    ft_local_cursor_free(cursor);
    return NULL;
}

static void run_threads(desk *all) {
    CHECK_EQ(pthread_barrier_init(&all->start, NULL, THREADS), 0);
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++) {
        threads[index] = start_thread(work_to_the_end, all);
    }
    for (int index = 0; index < THREADS; index++) {
        end_thread(threads[index]);
    }
    CHECK_EQ(pthread_barrier_destroy(&all->start), 0);
    // What some gave back after the others had seen the end.
    while (load_one(all)) {
    }
}

static void check_counts(desk *all) {
    ft_local_stats stats = exact_stats(all->batch);
    size_t made = atomic_load(&all->made);
    size_t received = atomic_load(&all->received);
    CHECK(all->kind.closes || made == all->limit);
    CHECK_EQ(ft_local_batch_len(all->batch), 0);
    CHECK_EQ(stats.produced, made);
    CHECK_EQ(stats.errors, atomic_load(&all->failures));
    CHECK_EQ(stats.loads + stats.claimed - stats.given_back, received);
    CHECK_EQ(received + stats.released, made);
    CHECK_EQ(atomic_load(&all->host.releases), made);
    size_t seen = 0;
    for (size_t number = 0; number < all->limit; number++) {
        seen += all->seen[number];
    }
    CHECK_EQ(seen, received);
}

void work_in_office(size_t objects, size_t size, office kind) {
    desk all = {.kind = kind, .limit = objects, .seen = calloc(objects, 1)};
    CHECK(all.seen != NULL);
    ft_local_host host = fake_host_table(&all.host);
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &all;
    source.fill = fill;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fillers = FILLERS;
    CHECK_EQ(ft_local_batch_new_with(&host, &source, size, &options, &all.batch), FT_LOCAL_OK);
    run_threads(&all);
    check_counts(&all);
    ft_local_batch_free(all.batch);
    free(all.seen);
    fake_host_end(&all.host);
}
