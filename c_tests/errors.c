// NULL and other bad arguments to every exported function, given good handles: an argument error
// with a message that names the argument, out-parameters cleared, and nothing else touched. What
// is no good handle is the subject of handles.c.

#include "check.h"
#include "good.h"

static void functions_without_pointers_take_anything(void) {
    CHECK(ft_local_version() != NULL);
    CHECK(ft_local_version_number() > 0);
    CHECK_EQ(ft_local_abi_version(), FT_LOCAL_ABI_VERSION);
    CHECK(ft_local_last_error() != NULL);
    for (int64_t status = INT32_MIN; status <= INT32_MAX; status += 0x1234567) {
        CHECK(ft_local_status_text((ft_local_status)status) != NULL);
    }
}

static void init_of_structs(void) {
    ft_local_host host = {0};
    refused(ft_local_host_init(NULL, sizeof host), "host");
    refused(ft_local_host_init(MISALIGNED(&host), sizeof host), "host");
    refused(ft_local_host_init(&host, 0), "host");
    ft_local_source source = {0};
    refused(ft_local_source_init(NULL, sizeof source), "source");
    refused(ft_local_source_init(MISALIGNED(&source), sizeof source), "source");
    refused(ft_local_source_init(&source, 0), "source");
    ft_local_batch_options options = {0};
    refused(ft_local_batch_options_init(NULL, sizeof options), "options");
    refused(ft_local_batch_options_init(MISALIGNED(&options), sizeof options), "options");
    refused(ft_local_batch_options_init(&options, 0), "options");
    ft_local_stats stats = {0};
    refused(ft_local_stats_init(NULL, sizeof stats), "out");
    refused(ft_local_stats_init(MISALIGNED(&stats), sizeof stats), "out");
    refused(ft_local_stats_init(&stats, 0), "out");
}

static void wrapper_new(void) {
    good *all = good_begin();
    ft_local_wrapper *const something = (ft_local_wrapper *)all;
    ft_local_wrapper *out = something;
    refused(ft_local_wrapper_new(NULL, all->object, &out), "host");
    CHECK_PTR(out, NULL);
    out = something;
    refused(ft_local_wrapper_new(MISALIGNED(&all->host_table), all->object, &out), "host");
    CHECK_PTR(out, NULL);
    out = something;
    refused(ft_local_wrapper_new(&all->host_table, NULL, &out), "object");
    CHECK_PTR(out, NULL);
    refused(ft_local_wrapper_new(&all->host_table, all->object, NULL), "out");
    ft_local_wrapper *two[2] = {something, something};
    refused(ft_local_wrapper_new(&all->host_table, all->object, MISALIGNED(two)), "out");
    CHECK_PTR(two[0], something);
    CHECK_EQ(fake_object_references(all->object), 2);
    good_end(all);
}

// Both ways to make a batch.
static ft_local_status make(int with, const ft_local_host *host, const ft_local_source *source,
                            size_t size, ft_local_batch **out) {
    const ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    return with ? ft_local_batch_new_with(host, source, size, &options, out)
                : ft_local_batch_new(host, source, size, out);
}

static void batch_new(void) {
    good *all = good_begin();
    const size_t sizes[] = {0, (size_t)FT_LOCAL_BATCH_MAX_SIZE + 1, SIZE_MAX};
    ft_local_batch *const something = (ft_local_batch *)all;
    for (int with = 0; with < 2; with++) {
        ft_local_batch *out = something;
        refused(make(with, NULL, &all->source_table, 1, &out), "host");
        CHECK_PTR(out, NULL);
        out = something;
        refused(make(with, MISALIGNED(&all->host_table), &all->source_table, 1, &out), "host");
        CHECK_PTR(out, NULL);
        out = something;
        refused(make(with, &all->host_table, NULL, 1, &out), "source");
        CHECK_PTR(out, NULL);
        out = something;
        refused(make(with, &all->host_table, MISALIGNED(&all->source_table), 1, &out), "source");
        CHECK_PTR(out, NULL);
        for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
            out = something;
            refused(make(with, &all->host_table, &all->source_table, sizes[index], &out),
                    "size must be between 1 and 1073741824");
            CHECK_PTR(out, NULL);
        }
        refused(make(with, &all->host_table, &all->source_table, 1, NULL), "out");
        ft_local_batch *two[2] = {something, something};
        refused(make(with, &all->host_table, &all->source_table, 1, MISALIGNED(two)), "out");
        CHECK_PTR(two[0], something);
    }
    good_end(all);
}

static void cursor_new(void) {
    good *all = good_begin();
    refused(ft_local_cursor_new(all->batch, NULL), "out");
    ft_local_cursor *two[2] = {all->cursor, all->cursor};
    refused(ft_local_cursor_new(all->batch, MISALIGNED(two)), "out");
    CHECK_PTR(two[0], all->cursor);
    good_end(all);
}

static void visitors(void) {
    good *all = good_begin();
    refused(ft_local_wrapper_visit(all->wrapper, NULL, NULL), "visitor");
    refused(ft_local_batch_visit(all->batch, NULL, NULL), "visitor");
    refused(ft_local_cursor_visit(all->cursor, NULL, NULL), "visitor");
    good_end(all);
}

static void where_an_object_is_to_go(void) {
    good *all = good_begin();
    void *two[2] = {all, all};
    refused(ft_local_batch_load(all->batch, NULL), "out");
    refused(ft_local_batch_load(all->batch, MISALIGNED(two)), "out");
    refused(ft_local_batch_load_for(all->batch, 0, NULL), "out");
    refused(ft_local_batch_load_for(all->batch, 0, MISALIGNED(two)), "out");
    refused(ft_local_batch_try_load(all->batch, NULL), "out");
    refused(ft_local_batch_try_load(all->batch, MISALIGNED(two)), "out");
    refused(ft_local_cursor_next(all->cursor, NULL), "out");
    refused(ft_local_cursor_next(all->cursor, MISALIGNED(two)), "out");
    refused(ft_local_cursor_next_for(all->cursor, 0, NULL), "out");
    refused(ft_local_cursor_next_for(all->cursor, 0, MISALIGNED(two)), "out");
    CHECK_PTR(two[0], all);
    CHECK_PTR(two[1], all);
    good_end(all);
}

static void where_many_objects_are_to_go(void) {
    good *all = good_begin();
    void *two[2] = {all, all};
    size_t count = 7;
    refused(ft_local_batch_load_many(all->batch, 1, -1, NULL, &count), "objects");
    CHECK_EQ(count, 0);
    count = 7;
    refused(ft_local_batch_load_many(all->batch, 1, -1, MISALIGNED(two), &count), "objects");
    CHECK_EQ(count, 0);
    count = 7;
    refused(ft_local_batch_load_many(all->batch, SIZE_MAX / sizeof *two, -1, two, &count), "n is");
    CHECK_EQ(count, 0);
    size_t counts[2] = {7, 7};
    refused(ft_local_batch_load_many(all->batch, 1, -1, two, NULL), "count");
    refused(ft_local_batch_load_many(all->batch, 1, -1, two, MISALIGNED(counts)), "count");
    CHECK_EQ(counts[0], 7);
    CHECK_PTR(two[0], all);
    good_end(all);
}

static void what_is_given_back(void) {
    good *all = good_begin();
    void *objects[3] = {all->object, NULL, all->object};
    refused(ft_local_batch_give_back(all->batch, NULL, 1), "objects");
    refused(ft_local_batch_give_back(all->batch, MISALIGNED(objects), 1), "objects");
    refused(ft_local_batch_give_back(all->batch, objects, SIZE_MAX / sizeof *objects), "n is");
    refused(ft_local_batch_give_back(all->batch, objects, 3), "one of the objects is NULL");
    CHECK_EQ(fake_object_references(all->object), 2);
    good_end(all);
}

static void where_counts_are_to_go(void) {
    good *all = good_begin();
    size_t counts[2] = {7, 7};
    refused(ft_local_batch_prefill(all->batch, 10, 1, 0, NULL), "count");
    refused(ft_local_batch_prefill(all->batch, 10, 1, 0, MISALIGNED(counts)), "count");
    CHECK_EQ(counts[0], 7);
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    refused(ft_local_batch_stats(all->batch, NULL), "out");
    refused(ft_local_batch_stats(all->batch, MISALIGNED(&stats)), "out");
    good_end(all);
}

int main(void) {
    RUN(functions_without_pointers_take_anything);
    RUN(init_of_structs);
    RUN(wrapper_new);
    RUN(batch_new);
    RUN(cursor_new);
    RUN(visitors);
    RUN(where_an_object_is_to_go);
    RUN(where_many_objects_are_to_go);
    RUN(what_is_given_back);
    RUN(where_counts_are_to_go);
    return fake_hosts_report();
}
