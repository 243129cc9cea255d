// The source's struct: how it begins, what sizes of it are understood, and what is refused; and
// how a source ends.

#include "check.h"
#include "slow_source.h"

// What a host that was compiled with a later header passes.
typedef struct future_source {
    ft_local_source known;
    void *unknown[2];
} future_source;

static void accept(ft_local_source *table) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_host host_table = fake_host_table(&host);
    table->ctx = &source;
    table->fill = fake_source_table(&source).fill;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host_table, table, 2, &batch), FT_LOCAL_OK);
    // The batch has a copy.
    ft_local_source before = *table;
    memset(table, 0xff, sizeof *table);
    load_expecting(batch, 0);
    *table = before;
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void refuse(const ft_local_source *table, const char *word) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_batch *batch = (ft_local_batch *)&host;
    CHECK_EQ(ft_local_batch_new(&host, table, 1, &batch), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(batch, NULL);
    CHECK_SAYS(ft_local_last_error(), word);
}

static void the_macro_and_the_function_agree(void) {
    ft_local_source by_macro = FT_LOCAL_SOURCE_INIT;
    ft_local_source by_function;
    memset(&by_function, 0xff, sizeof by_function);
    CHECK_EQ(ft_local_source_init(&by_function, sizeof by_function), FT_LOCAL_OK);
    CHECK(memcmp(&by_macro, &by_function, sizeof by_macro) == 0);
    CHECK_EQ(by_macro.struct_size, sizeof by_macro);
}

static void the_function_clears_a_later_struct_to_its_end(void) {
    future_source table;
    memset(&table, 0xff, sizeof table);
    CHECK_EQ(ft_local_source_init(&table.known, sizeof table), FT_LOCAL_OK);
    future_source expected = {.known = {.struct_size = sizeof table}};
    CHECK(memcmp(&table, &expected, sizeof table) == 0);
}

static void this_version_is_accepted(void) {
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    accept(&table);
}

static void a_later_struct_is_accepted_if_what_is_new_is_not_used(void) {
    future_source table = {.known = FT_LOCAL_SOURCE_INIT};
    table.known.struct_size = sizeof table;
    accept(&table.known);
    for (size_t byte = sizeof table.known; byte < sizeof table; byte++) {
        ((char *)&table)[byte] = 1;
        refuse(&table.known, "does not know");
        ((char *)&table)[byte] = 0;
    }
    accept(&table.known);
}

static void sizes_that_no_version_has_are_refused(void) {
    const size_t known = sizeof(ft_local_source);
    const size_t first = 3 * sizeof(void *);
    const size_t sizes[] = {0,           1,       sizeof(size_t), first - sizeof(void *),
                            known - 1,   1 << 20, known + 1,      SIZE_MAX,
                            SIZE_MAX - 7};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        fake_source source = {0};
        ft_local_source table = fake_source_table(&source);
        table.struct_size = sizes[index];
        refuse(&table, "struct_size");
        ft_local_source before = table;
        CHECK_EQ(ft_local_source_init(&table, sizes[index]), FT_LOCAL_ERR_ARGUMENT);
        CHECK_SAYS(ft_local_last_error(), "struct_size");
        CHECK(memcmp(&table, &before, sizeof table) == 0);
    }
}

static int32_t never_asked(void *ctx) {
    (void)ctx;
    CHECK_FAIL("a source was asked for its end that has no such function");
    return 0;
}

static void an_earlier_struct_is_accepted_and_not_read_beyond_its_end(void) {
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    table.struct_size = 3 * sizeof(void *);
    table.next_plain = fake_object_retain;
    accept(&table);
    table = (ft_local_source)FT_LOCAL_SOURCE_INIT;
    table.struct_size = offsetof(ft_local_source, ended_plain);
    table.ended_plain = never_asked;
    accept(&table);
}

static void a_source_has_one_function(void) {
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    refuse(&table, "none of fill, next_plain and fill_with");
    fake_source source = {0};
    table = fake_source_table(&source);
    table.next_plain = fake_object_retain;
    refuse(&table, "more than one of fill, next_plain and fill_with");
    table.next_plain = NULL;
    table.ended_plain = never_asked;
    refuse(&table, "ended_plain");
    table.fill = NULL;
    refuse(&table, "ended_plain");
}

typedef struct one_by_one {
    fake_host host;
    size_t made;
    size_t fail_at;
} one_by_one;

static void *next_object(void *ctx) {
    one_by_one *all = ctx;
    if (all->made == all->fail_at) {
        all->fail_at = SIZE_MAX;
        return NULL;
    }
    return fake_object_new(&all->host, all->made++);
}

static void objects_may_be_made_one_by_one(void) {
    one_by_one all = {.fail_at = 5};
    ft_local_host host = fake_host_table(&all.host);
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &all;
    source.next_plain = next_object;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 3, &batch), FT_LOCAL_OK);
    for (size_t number = 0; number < 3; number++) {
        load_expecting(batch, number);
    }
    load_failing(batch, FT_LOCAL_ERR_SOURCE);
    CHECK_EQ(ft_local_batch_len(batch), 2);
    for (size_t number = 3; number < 10; number++) {
        load_expecting(batch, number);
    }
    ft_local_batch_free(batch);
    fake_host_end(&all.host);
}

// The source ends in its call number `last`, with so many results in that call.
static void ends_at(size_t last, size_t with, size_t size) {
    fake_host host = {0};
    fake_source source = {.host = &host,
                          .per_call = 2,
                          .fail_at_call = last,
                          .failure = FT_LOCAL_ERR_END,
                          .made_in_failure = with,
                          .uncounted_in_failure = 1};
    ft_local_batch *batch = fake_source_batch(&source, size);
    const size_t all = 2 * (last - 1) + with;
    for (size_t number = 0; number < all; number++) {
        load_expecting(batch, number);
    }
    load_failing(batch, FT_LOCAL_ERR_END);
    load_failing(batch, FT_LOCAL_ERR_END);
    CHECK_EQ(source.calls, last);
    ft_local_stats stats = exact_stats(batch);
    CHECK_EQ(stats.produced, all);
    CHECK_EQ(stats.errors, 0);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void what_a_source_made_before_its_end_is_handed_out(void) {
    for (size_t last = 1; last <= 9; last++) {
        for (size_t with = 0; with <= 2; with++) {
            // Where the end falls in a fill, with room for all that the call makes.
            ends_at(last, with, 2);
            ends_at(last, with, 6);
            ends_at(last, with, 100);
        }
    }
}

static int32_t end_badly(void *ctx, void **out, size_t capacity, size_t *produced) {
    (void)ctx;
    (void)out;
    *produced = capacity;
    return FT_LOCAL_ERR_END;
}

static void an_end_that_counts_what_is_not_there_is_an_error(void) {
    fake_host host = {0};
    ft_local_host host_table = fake_host_table(&host);
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.fill = end_badly;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host_table, &source, 4, &batch), FT_LOCAL_OK);
    load_failing(batch, FT_LOCAL_ERR_SOURCE);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

// Counts one result in each call, writes another behind it, and looks whether that is gone.
static int32_t count_less_than_it_writes(void *ctx, void **out, size_t capacity, size_t *produced) {
    for (size_t slot = 0; slot < capacity; slot++) {
        CHECK_PTR(out[slot], NULL);
    }
    uintptr_t *made = ctx;
    out[(*produced)++] = (void *)++*made;
    if (capacity > 1) {
        out[1] = (void *)UINTPTR_MAX;
    }
    return 0;
}

static void what_is_written_and_not_counted_is_gone_before_the_next_call(void) {
    const ft_local_host host = FT_LOCAL_HOST_INIT;
    uintptr_t made = 0;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &made;
    source.fill = count_less_than_it_writes;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 4, &batch), FT_LOCAL_OK);
    for (uintptr_t number = 1; number <= 9; number++) {
        void *object = NULL;
        CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
        CHECK_EQ((uintptr_t)object, number);
    }
    ft_local_batch_free(batch);
}

static void *load_to_the_end(void *batch) {
    void *object = NULL;
    ft_local_status status;
    while ((status = ft_local_batch_load(batch, &object)) == FT_LOCAL_OK) {
        fake_object_release(object);
    }
    CHECK_EQ(status, FT_LOCAL_ERR_END);
    CHECK_PTR(object, NULL);
    return NULL;
}

static void every_thread_learns_of_the_end(void) {
    fake_host host = {0};
    slow_source slow = {.source = {.host = &host, .per_call = 1, .limit = 100}, .slow_call = 101};
    slow.source.end = FT_LOCAL_ERR_END;
    ft_local_batch *batch = slow_source_batch(&slow, 7);
    pthread_t threads[8];
    for (size_t index = 0; index < 8; index++) {
        threads[index] = start_thread(load_to_the_end, batch);
    }
    // All but the one that runs the source are asleep when it ends.
    slow_source_await(&slow);
    slow_source_go_on(&slow);
    for (size_t index = 0; index < 8; index++) {
        end_thread(threads[index]);
    }
    CHECK_EQ(slow.source.made, 100);
    CHECK_EQ(atomic_load(&host.releases), 100);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

// Fails at object 5 and ends after object 8.
static int32_t has_ended(void *ended_ctx) {
    one_by_one *all = ended_ctx;
    CHECK_EQ(all->fail_at, SIZE_MAX);
    if (all->made == 5) {
        all->fail_at = 9;
        return 0;
    }
    return -1;
}

static void a_source_of_single_objects_is_asked_whether_it_has_ended(void) {
    one_by_one all = {.fail_at = 5};
    ft_local_host host = fake_host_table(&all.host);
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &all;
    source.next_plain = next_object;
    source.ended_plain = has_ended;
    source.ended_ctx = &all;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 3, &batch), FT_LOCAL_OK);
    memset(&source, 0xff, sizeof source);
    for (size_t number = 0; number < 3; number++) {
        load_expecting(batch, number);
    }
    load_failing(batch, FT_LOCAL_ERR_SOURCE);
    for (size_t number = 3; number < 9; number++) {
        load_expecting(batch, number);
    }
    // It is not asked again: that would make another object.
    load_failing(batch, FT_LOCAL_ERR_END);
    load_failing(batch, FT_LOCAL_ERR_END);
    CHECK_EQ(all.made, 9);
    ft_local_batch_free(batch);
    fake_host_end(&all.host);
}

int main(void) {
    RUN(the_macro_and_the_function_agree);
    RUN(the_function_clears_a_later_struct_to_its_end);
    RUN(this_version_is_accepted);
    RUN(a_later_struct_is_accepted_if_what_is_new_is_not_used);
    RUN(sizes_that_no_version_has_are_refused);
    RUN(an_earlier_struct_is_accepted_and_not_read_beyond_its_end);
    RUN(a_source_has_one_function);
    RUN(objects_may_be_made_one_by_one);
    RUN(what_a_source_made_before_its_end_is_handed_out);
    RUN(an_end_that_counts_what_is_not_there_is_an_error);
    RUN(what_is_written_and_not_counted_is_gone_before_the_next_call);
    RUN(every_thread_learns_of_the_end);
    RUN(a_source_of_single_objects_is_asked_whether_it_has_ended);
    return fake_hosts_report();
}
