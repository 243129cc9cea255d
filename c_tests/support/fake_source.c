#include "fake_source.h"

#include "check.h"

static void produce(fake_source *source, void **out, size_t count) {
    for (size_t index = 0; index < count; index++) {
        out[index] = fake_object_new(source->host, source->made++);
    }
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

// A failing source may leave what it likes behind the objects that it counts. Nothing points to
// these, so a test that gets one has found a fault.
static void litter(fake_source *source, void **slots, size_t count) {
    for (size_t index = 0; index < count; index++) {
        slots[index] = source;
    }
}

static int32_t run(fake_source *source, void **out, size_t capacity, size_t *produced) {
    source->calls++;
    source->caller = pthread_self();
    if (source->calls == source->fail_at_call) {
        *produced = smaller(source->made_in_failure, capacity);
        produce(source, out, *produced);
        litter(source, out + *produced,
               smaller(source->uncounted_in_failure, capacity - *produced));
        return source->failure;
    }
    size_t count = smaller(source->per_call, capacity);
    if (source->limit != 0) {
        count = smaller(count, source->limit - source->made);
        if (count == 0) {
            return source->end;
        }
    }
    *produced = count;
    produce(source, out, count);
    return 0;
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    fake_source *source = ctx;
    CHECK(!atomic_flag_test_and_set(&source->busy));
    CHECK(capacity > 0);
    CHECK_EQ(*produced, 0);
    // All of a small room is looked at, and the first slots of a large one: a test that makes a
    // million objects one by one would take a thousand times as long otherwise.
    for (size_t index = 0; index < smaller(capacity, 16); index++) {
        CHECK_PTR(out[index], NULL);
    }
    int32_t result = run(source, out, capacity, produced);
    atomic_flag_clear(&source->busy);
    return result;
}

ft_local_source fake_source_table(fake_source *source) {
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    table.ctx = source;
    table.fill = fill;
    return table;
}

ft_local_batch *fake_source_batch(fake_source *source, size_t size) {
    return fake_source_batch_with(source, size, NULL);
}

ft_local_batch *fake_source_batch_with(fake_source *source, size_t size,
                                       const ft_local_batch_options *options) {
    ft_local_host host = fake_host_table(source->host);
    ft_local_source table = fake_source_table(source);
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new_with(&host, &table, size, options, &batch), FT_LOCAL_OK);
    CHECK(batch != NULL);
    return batch;
}

void receive(void *pointer, size_t number) {
    fake_object *object = pointer;
    CHECK(object != NULL);
    CHECK_EQ(object->number, number);
    CHECK_EQ(fake_object_references(object), 1);
    fake_object_release(object);
}

void load_expecting(ft_local_batch *batch, size_t number) {
    void *loaded = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &loaded), FT_LOCAL_OK);
    receive(loaded, number);
}

static int32_t expect_next(void *pointer, void *next) {
    fake_object *object = pointer;
    CHECK_EQ(fake_object_references(object), 1);
    CHECK_EQ(object->number, (*(size_t *)next)++);
    return 0;
}

void visit_expecting(ft_local_batch *batch, size_t first) {
    size_t next = first;
    CHECK_EQ(ft_local_batch_visit(batch, expect_next, &next), 0);
    CHECK_EQ(next - first, ft_local_batch_len(batch));
}

void load_failing(ft_local_batch *batch, ft_local_status status) {
    int something;
    void *loaded = &something;
    CHECK_EQ(ft_local_batch_load(batch, &loaded), status);
    CHECK_PTR(loaded, NULL);
}

ft_local_cursor *cursor_of(const ft_local_batch *batch) {
    ft_local_cursor *cursor = NULL;
    CHECK_EQ(ft_local_cursor_new(batch, &cursor), FT_LOCAL_OK);
    CHECK(cursor != NULL);
    return cursor;
}

void next_expecting(ft_local_cursor *cursor, size_t number) {
    void *next = NULL;
    CHECK_EQ(ft_local_cursor_next(cursor, &next), FT_LOCAL_OK);
    receive(next, number);
}

void next_failing(ft_local_cursor *cursor, ft_local_status status) {
    int something;
    void *next = &something;
    CHECK_EQ(ft_local_cursor_next(cursor, &next), status);
    CHECK_PTR(next, NULL);
}

ft_local_stats exact_stats(const ft_local_batch *batch) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    CHECK_EQ(ft_local_batch_stats(batch, &stats), FT_LOCAL_OK);
    CHECK_EQ(stats.produced + stats.given_back, stats.loads + stats.claimed + stats.released +
                                                    stats.dropped_on_fork +
                                                    ft_local_batch_len(batch));
    return stats;
}
