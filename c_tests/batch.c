// A batch in one thread: order, refills, what a source may return, and what happens to the rest.

#include "check.h"
#include "fake_source.h"

static void results_come_in_the_order_of_the_source(void) {
    const size_t sizes[] = {1, 2, 3, 7, 64, 1000};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        for (size_t per_call = 1; per_call <= 5; per_call++) {
            fake_host host = {0};
            fake_source source = {.host = &host, .per_call = per_call};
            ft_local_batch *batch = fake_source_batch(&source, sizes[index]);
            for (size_t number = 0; number < 3 * sizes[index]; number++) {
                load_expecting(batch, number);
            }
            CHECK_EQ(source.made, 3 * sizes[index]);
            CHECK_EQ(atomic_load(&host.retains), 0);
            ft_local_batch_free(batch);
            fake_host_end(&host);
        }
    }
}

static void the_source_runs_only_when_nothing_is_left(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch *batch = fake_source_batch(&source, 4);
    CHECK_EQ(source.calls, 0);
    CHECK_EQ(ft_local_batch_size(batch), 4);
    CHECK_EQ(ft_local_batch_len(batch), 0);
    for (size_t number = 0; number < 12; number++) {
        load_expecting(batch, number);
        CHECK_EQ(source.made, 4 * (number / 4 + 1));
        CHECK_EQ(ft_local_batch_len(batch), 3 - number % 4);
        CHECK_EQ(atomic_load(&host.alive), 3 - (long)number % 4);
    }
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void a_bulk_source_is_asked_once_and_a_partial_one_again(void) {
    fake_host host = {0};
    fake_source bulk = {.host = &host, .per_call = SIZE_MAX};
    ft_local_batch *batch = fake_source_batch(&bulk, 10);
    load_expecting(batch, 0);
    CHECK_EQ(bulk.calls, 1);
    CHECK_EQ(ft_local_batch_len(batch), 9);
    ft_local_batch_free(batch);

    fake_source partial = {.host = &host, .per_call = 4};
    batch = fake_source_batch(&partial, 10);
    load_expecting(batch, 0);
    CHECK_EQ(partial.calls, 3);
    CHECK_EQ(ft_local_batch_len(batch), 9);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void a_fill_that_dries_up_keeps_what_it_has(void) {
    fake_host host = {0};
    // Success without a result, after five of them.
    fake_source source = {.host = &host, .per_call = 2, .limit = 5, .end = 0};
    ft_local_batch *batch = fake_source_batch(&source, 8);
    for (size_t number = 0; number < 5; number++) {
        load_expecting(batch, number);
    }
    load_failing(batch, FT_LOCAL_ERR_NOTHING_PRODUCED);
    load_failing(batch, FT_LOCAL_ERR_NOTHING_PRODUCED);
    source.limit = 6;
    load_expecting(batch, 5);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void free_and_clear_release_what_is_left(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 3};
    ft_local_batch *batch = fake_source_batch(&source, 6);
    load_expecting(batch, 0);
    CHECK_EQ(atomic_load(&host.alive), 5);
    CHECK_EQ(ft_local_batch_clear(batch), FT_LOCAL_OK);
    CHECK_EQ(atomic_load(&host.alive), 0);
    CHECK_EQ(ft_local_batch_len(batch), 0);
    CHECK_EQ(ft_local_batch_clear(batch), FT_LOCAL_OK);
    CHECK_EQ(source.made, 6);

    load_expecting(batch, 6);
    CHECK_EQ(atomic_load(&host.alive), 5);
    ft_local_batch_free(batch);
    CHECK_EQ(atomic_load(&host.alive), 0);
    CHECK_EQ(source.made, 12);
    fake_host_end(&host);
}

static void a_batch_that_was_never_used_can_be_freed(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch_free(fake_source_batch(&source, 1000));
    CHECK_EQ(source.calls, 0);
    fake_host_end(&host);
}

// Stops at the object whose number it is given.
static int32_t stop_at(void *object, void *number) {
    return ((fake_object *)object)->number == *(size_t *)number ? 42 : 0;
}

static void visit_shows_all_that_is_in_the_buffer(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 2};
    ft_local_batch *batch = fake_source_batch(&source, 6);
    visit_expecting(batch, 0);
    for (size_t number = 0; number < 9; number++) {
        load_expecting(batch, number);
        visit_expecting(batch, number + 1);
    }
    size_t stop = 10;
    CHECK_EQ(ft_local_batch_visit(batch, stop_at, &stop), 42);
    stop = 12;
    CHECK_EQ(ft_local_batch_visit(batch, stop_at, &stop), 0);
    CHECK_EQ(ft_local_batch_len(batch), 3);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static int32_t count_up(void *ctx, void **out, size_t capacity, size_t *produced) {
    uintptr_t *next = ctx;
    for (*produced = 0; *produced < capacity; ++*produced) {
        out[*produced] = (void *)(*next)++;
    }
    return 0;
}

static void plain_values_may_be_null(void) {
    uintptr_t next = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {.struct_size = sizeof source, .ctx = &next, .fill = count_up};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 3, &batch), FT_LOCAL_OK);
    for (uintptr_t expected = 0; expected < 10; expected++) {
        void *value = &next;
        CHECK_EQ(ft_local_batch_load(batch, &value), FT_LOCAL_OK);
        CHECK_EQ((uintptr_t)value, expected);
    }
    ft_local_batch_free(batch);
}

static void a_host_that_only_releases_can_have_a_batch(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.release_plain = fake_object_release;
    ft_local_source source_table = fake_source_table(&source);
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&table, &source_table, 5, &batch), FT_LOCAL_OK);
    load_expecting(batch, 0);
    ft_local_batch_free(batch);
    CHECK_EQ(atomic_load(&host.releases), 5);
    fake_host_end(&host);
}

int main(void) {
    RUN(results_come_in_the_order_of_the_source);
    RUN(the_source_runs_only_when_nothing_is_left);
    RUN(a_bulk_source_is_asked_once_and_a_partial_one_again);
    RUN(a_fill_that_dries_up_keeps_what_it_has);
    RUN(free_and_clear_release_what_is_left);
    RUN(a_batch_that_was_never_used_can_be_freed);
    RUN(visit_shows_all_that_is_in_the_buffer);
    RUN(plain_values_may_be_null);
    RUN(a_host_that_only_releases_can_have_a_batch);
    return fake_hosts_report();
}
