// The host's struct: how it begins, what sizes of it are understood, and which tables are refused.

#include "check.h"
#include "fake_host.h"

// The struct of the first version ended behind `release`.
#define FIRST_SIZE (4 * sizeof(void *))

// What a host that was compiled with a later header passes.
typedef struct future_host {
    ft_local_host known;
    void *unknown[2];
} future_host;

static void accept(ft_local_host *table) {
    fake_host host = {0};
    fake_object *object = fake_object_new(&host, 1);
    table->ctx = &host;
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(table, object, &wrapper), FT_LOCAL_OK);
    CHECK_EQ(atomic_load(&host.retains), 1);
    ft_local_wrapper_free(wrapper);
    CHECK_EQ(atomic_load(&host.releases), 1);
    fake_object_release(object);
    fake_host_end(&host);
}

static int32_t never_filled(void *ctx, void **out, size_t capacity, size_t *produced) {
    (void)ctx;
    (void)out;
    (void)capacity;
    (void)produced;
    CHECK_FAIL("a source ran that no batch was made of");
    return 0;
}

static void refuse(const ft_local_host *table, const char *word) {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.fill = never_filled;
    int object;
    ft_local_wrapper *wrapper = (ft_local_wrapper *)&object;
    CHECK_EQ(ft_local_wrapper_new(table, &object, &wrapper), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(wrapper, NULL);
    CHECK_SAYS(ft_local_last_error(), word);
    ft_local_batch *batch = (ft_local_batch *)&object;
    CHECK_EQ(ft_local_batch_new(table, &source, 1, &batch), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(batch, NULL);
    CHECK_SAYS(ft_local_last_error(), word);
}

static void the_macro_and_the_function_agree(void) {
    ft_local_host by_macro = FT_LOCAL_HOST_INIT;
    ft_local_host by_function;
    memset(&by_function, 0xff, sizeof by_function);
    CHECK_EQ(ft_local_host_init(&by_function, sizeof by_function), FT_LOCAL_OK);
    CHECK(memcmp(&by_macro, &by_function, sizeof by_macro) == 0);
    CHECK_EQ(by_macro.struct_size, sizeof by_macro);
}

static void the_function_writes_as_much_as_the_size_says(void) {
    const size_t sizes[] = {FIRST_SIZE, sizeof(ft_local_host), sizeof(future_host)};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        unsigned char bytes[sizeof(future_host) + 8];
        _Alignas(ft_local_host) unsigned char table[sizeof bytes];
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, &sizes[index], sizeof sizes[index]);
        memset(bytes + sizes[index], 0xff, sizeof bytes - sizes[index]);
        memset(table, 0xff, sizeof table);
        CHECK_EQ(ft_local_host_init((ft_local_host *)table, sizes[index]), FT_LOCAL_OK);
        CHECK(memcmp(table, bytes, sizeof table) == 0);
    }
}

static void a_struct_of_the_first_version_is_read_no_further(void) {
    fake_host host = {0};
    ft_local_host now = fake_host_table(&host);
    now.struct_size = FIRST_SIZE;
    // As short as that header had it, so that valgrind sees a byte read too far.
    void *first = malloc(FIRST_SIZE);
    CHECK(first != NULL);
    memcpy(first, &now, FIRST_SIZE);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(first, object, &wrapper), FT_LOCAL_OK);
    free(first);
    ft_local_wrapper_free(wrapper);
    CHECK_EQ(atomic_load(&host.releases), 1);
    fake_object_release(object);
    fake_host_end(&host);
}

static void what_lies_behind_the_size_is_not_looked_at(void) {
    for (size_t size = FIRST_SIZE; size < sizeof(ft_local_host); size += sizeof(void *)) {
        ft_local_host table = fake_host_table(NULL);
        memset((char *)&table + size, 0xff, sizeof table - size);
        table.struct_size = size;
        accept(&table);
    }
}

static void a_later_struct_is_accepted_if_what_is_new_is_not_used(void) {
    future_host table = {.known = fake_host_table(NULL)};
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
    const size_t known = sizeof(ft_local_host);
    const size_t sizes[] = {0,         1,         sizeof(size_t),   FIRST_SIZE - sizeof(void *),
                            known - 1, known + 1, FIRST_SIZE + 4,   FIRST_SIZE - 1,
                            1 << 20,   SIZE_MAX,  SIZE_MAX / 2 + 1, SIZE_MAX - 7};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        ft_local_host table = fake_host_table(NULL);
        table.struct_size = sizes[index];
        refuse(&table, "struct_size");
        ft_local_host before = table;
        CHECK_EQ(ft_local_host_init(&table, sizes[index]), FT_LOCAL_ERR_ARGUMENT);
        CHECK_SAYS(ft_local_last_error(), "struct_size");
        CHECK(memcmp(&table, &before, sizeof table) == 0);
    }
}

static void *some_retain(void *object) {
    return object;
}

static void some_block(void *ctx, ft_local_wait wait, void *arg) {
    (void)ctx;
    wait(arg);
}

static void *some_detach(void) {
    return NULL;
}

static void some_attach(void *token) {
    (void)token;
}

static int32_t some_interrupted(void *ctx) {
    (void)ctx;
    return 0;
}

static int32_t some_interrupted_plain(void) {
    return 0;
}

static void two_forms_of_one_function_are_refused(void) {
    ft_local_host table = fake_host_table(NULL);
    table.retain_plain = some_retain;
    refuse(&table, "retain_plain");
    table = fake_host_table(NULL);
    table.release_plain = fake_object_release;
    refuse(&table, "release_plain");
    table = fake_host_table(NULL);
    table.interrupted = some_interrupted;
    table.interrupted_plain = some_interrupted_plain;
    refuse(&table, "interrupted_plain");
    table.interrupted = NULL;
    table.interruptible = some_interrupted;
    table.interruptible_plain = some_interrupted_plain;
    refuse(&table, "interruptible_plain");
    table = fake_host_table(NULL);
    table.block = some_block;
    table.detach = some_detach;
    table.attach = some_attach;
    refuse(&table, "block");
    table.attach = NULL;
    refuse(&table, "block");
}

static void half_of_a_pair_is_refused(void) {
    ft_local_host table = fake_host_table(NULL);
    table.detach = some_detach;
    refuse(&table, "attach");
    table.detach = NULL;
    table.attach = some_attach;
    refuse(&table, "detach");
    table = fake_host_table(NULL);
    table.interruptible = some_interrupted;
    refuse(&table, "interrupted");
    table.interruptible = NULL;
    table.interruptible_plain = some_interrupted_plain;
    refuse(&table, "interrupted");
    table = fake_host_table(NULL);
    table.release = NULL;
    refuse(&table, "release");
}

static void a_wrapper_needs_a_way_to_retain_where_there_is_one_to_release(void) {
    ft_local_host table = fake_host_table(NULL);
    table.retain = NULL;
    int object;
    ft_local_wrapper *wrapper = (ft_local_wrapper *)&object;
    CHECK_EQ(ft_local_wrapper_new(&table, &object, &wrapper), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(wrapper, NULL);
    CHECK_SAYS(ft_local_last_error(), "retain");
}

static void a_host_has_one_lock_or_not(void) {
    ft_local_host table = fake_host_table(NULL);
    table.one_lock = 2;
    refuse(&table, "one_lock");
    table.one_lock = 1;
    accept(&table);
}

static void a_host_prefers_whole_fills_or_not(void) {
    ft_local_host table = fake_host_table(NULL);
    table.whole_fills = 2;
    refuse(&table, "whole_fills");
    table.whole_fills = 1;
    accept(&table);
}

static void all_functions_may_be_given_in_one_form_each(void) {
    ft_local_host table = fake_host_table(NULL);
    table.block = some_block;
    table.interrupted = some_interrupted;
    table.interruptible = some_interrupted;
    accept(&table);
    table.block = NULL;
    table.detach = some_detach;
    table.attach = some_attach;
    table.interrupted = NULL;
    table.interrupted_plain = some_interrupted_plain;
    table.interruptible = NULL;
    table.interruptible_plain = some_interrupted_plain;
    accept(&table);
}

int main(void) {
    RUN(the_macro_and_the_function_agree);
    RUN(the_function_writes_as_much_as_the_size_says);
    RUN(a_struct_of_the_first_version_is_read_no_further);
    RUN(what_lies_behind_the_size_is_not_looked_at);
    RUN(a_later_struct_is_accepted_if_what_is_new_is_not_used);
    RUN(sizes_that_no_version_has_are_refused);
    RUN(two_forms_of_one_function_are_refused);
    RUN(half_of_a_pair_is_refused);
    RUN(a_wrapper_needs_a_way_to_retain_where_there_is_one_to_release);
    RUN(a_host_has_one_lock_or_not);
    RUN(a_host_prefers_whole_fills_or_not);
    RUN(all_functions_may_be_given_in_one_form_each);
    return fake_hosts_report();
}
