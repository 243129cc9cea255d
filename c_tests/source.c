// The source's struct: how it begins, what sizes of it are understood, and what is refused.

#include "check.h"
#include "fake_source.h"

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
    const size_t first = offsetof(ft_local_source, next_plain);
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

static void an_earlier_struct_is_accepted_and_not_read_beyond_its_end(void) {
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    table.struct_size = offsetof(ft_local_source, next_plain);
    table.next_plain = fake_object_retain;
    accept(&table);
}

static void a_source_has_one_function(void) {
    ft_local_source table = FT_LOCAL_SOURCE_INIT;
    refuse(&table, "neither fill nor next_plain");
    fake_source source = {0};
    table = fake_source_table(&source);
    table.next_plain = fake_object_retain;
    refuse(&table, "both fill and next_plain");
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

int main(void) {
    RUN(the_macro_and_the_function_agree);
    RUN(the_function_clears_a_later_struct_to_its_end);
    RUN(this_version_is_accepted);
    RUN(a_later_struct_is_accepted_if_what_is_new_is_not_used);
    RUN(sizes_that_no_version_has_are_refused);
    RUN(an_earlier_struct_is_accepted_and_not_read_beyond_its_end);
    RUN(a_source_has_one_function);
    RUN(objects_may_be_made_one_by_one);
    return fake_hosts_report();
}
