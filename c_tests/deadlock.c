// Sources that load from each other's batches in a cycle: one load fails, and all threads continue.

#include "check.h"
#include "fake_source.h"

enum { MOST = 5 };

typedef struct member {
    fake_source source;
    ft_local_batch *batch;
    // Whose batch the first call of this one's source loads from.
    struct member *next;
    struct circle *circle;
} member;

typedef struct circle {
    fake_host host;
    size_t size;
    member members[MOST];
    // All sources run before the first of them loads.
    pthread_barrier_t all_run;
    atomic_int deadlocks;
    atomic_int loads;
} circle;

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    member *self = ctx;
    circle *all = self->circle;
    if (self->source.calls == 0) {
        pthread_barrier_wait(&all->all_run);
        void *object = all;
        ft_local_status status = ft_local_batch_load(self->next->batch, &object);
        if (status == FT_LOCAL_OK) {
            atomic_fetch_add(&all->loads, 1);
            fake_object_release(object);
        } else {
            CHECK_EQ(status, FT_LOCAL_ERR_DEADLOCK);
            CHECK_PTR(object, NULL);
            atomic_fetch_add(&all->deadlocks, 1);
        }
    }
    return fake_source_table(&self->source).fill(&self->source, out, capacity, produced);
}

static void *load_first(void *arg) {
    member *self = arg;
    load_expecting(self->batch, 0);
    return NULL;
}

static void circle_begin(circle *all, size_t size) {
    *all = (circle){.size = size};
    CHECK_EQ(pthread_barrier_init(&all->all_run, NULL, (unsigned)size), 0);
    ft_local_host host = fake_host_table(&all->host);
    for (size_t index = 0; index < size; index++) {
        member *self = &all->members[index];
        self->source = (fake_source){.host = &all->host, .per_call = 1};
        self->next = &all->members[(index + 1) % size];
        self->circle = all;
        ft_local_source source = {.struct_size = sizeof source, .ctx = self, .fill = fill};
        CHECK_EQ(ft_local_batch_new(&host, &source, 2, &self->batch), FT_LOCAL_OK);
    }
}

static void circle_end(circle *all) {
    for (size_t index = 0; index < all->size; index++) {
        // The batches remain usable.
        void *object = NULL;
        CHECK_EQ(ft_local_batch_load(all->members[index].batch, &object), FT_LOCAL_OK);
        fake_object_release(object);
        ft_local_batch_free(all->members[index].batch);
    }
    CHECK_EQ(pthread_barrier_destroy(&all->all_run), 0);
    fake_host_end(&all->host);
}

static void a_circle_of(size_t size) {
    circle all;
    circle_begin(&all, size);
    pthread_t threads[MOST];
    for (size_t index = 0; index < size; index++) {
        CHECK_EQ(pthread_create(&threads[index], NULL, load_first, &all.members[index]), 0);
    }
    for (size_t index = 0; index < size; index++) {
        CHECK_EQ(pthread_join(threads[index], NULL), 0);
    }
    CHECK(atomic_load(&all.deadlocks) >= 1);
    CHECK_EQ(atomic_load(&all.deadlocks) + atomic_load(&all.loads), size);
    circle_end(&all);
}

static void a_circle_of_two_is_broken(void) {
    for (int times = 0; times < 10; times++) {
        a_circle_of(2);
    }
}

static void a_longer_circle_is_broken_too(void) {
    a_circle_of(3);
    a_circle_of(MOST);
}

int main(void) {
    RUN(a_circle_of_two_is_broken);
    RUN(a_longer_circle_is_broken_too);
    return fake_hosts_report();
}
