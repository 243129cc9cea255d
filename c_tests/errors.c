// NULL and other bad arguments to every exported function: an argument error with a message that
// names the argument, out-parameters set to NULL, and nothing else touched.

#include "check.h"
#include "fake_source.h"

// An address where no pointer and no struct can lie.
#define MISALIGNED(address) ((void *)((char *)(address) + 1))

static int32_t never_visit(void *object, void *arg) {
    (void)object;
    (void)arg;
    CHECK_FAIL("the visitor was called");
    return 0;
}

static ft_local_wrapper *bystander;

// One good handle of each kind, and what they are made of.
typedef struct good {
    fake_host host;
    fake_source source;
    ft_local_host host_table;
    ft_local_source source_table;
    fake_object *object;
    ft_local_wrapper *wrapper;
    ft_local_batch *batch;
} good;

static good *good_begin(void) {
    good *all = calloc(1, sizeof *all);
    CHECK(all != NULL);
    all->source = (fake_source){.host = &all->host, .per_call = 1};
    all->host_table = fake_host_table(&all->host);
    all->source_table = fake_source_table(&all->source);
    all->object = fake_object_new(&all->host, 0);
    CHECK_EQ(ft_local_wrapper_new(&all->host_table, all->object, &all->wrapper), FT_LOCAL_OK);
    all->batch = fake_source_batch(&all->source, 4);
    load_expecting(all->batch, 0);
    return all;
}

// The handles still work and the books are as they were.
static void good_end(good *all) {
    CHECK_PTR(ft_local_wrapper_get(all->wrapper), all->object);
    CHECK_EQ(atomic_load(&all->host.alive), 4);
    CHECK_EQ(ft_local_batch_len(all->batch), 3);
    load_expecting(all->batch, 1);
    ft_local_wrapper_free(all->wrapper);
    ft_local_batch_free(all->batch);
    fake_object_release(all->object);
    fake_host_end(&all->host);
    free(all);
}

// What each call below must have left. Puts another message in the place of its own, which would
// otherwise do for the next call too.
static void refused(ft_local_status status, const char *word) {
    CHECK_EQ(status, FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(ft_local_last_error(), word);
    CHECK_EQ(ft_local_wrapper_visit(bystander, NULL, NULL), FT_LOCAL_ERR_ARGUMENT);
}

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
    ft_local_source source = {0};
    refused(ft_local_host_init(NULL, sizeof host), "host");
    refused(ft_local_host_init(MISALIGNED(&host), sizeof host), "host");
    refused(ft_local_host_init(&host, 0), "host");
    refused(ft_local_source_init(NULL, sizeof source), "source");
    refused(ft_local_source_init(MISALIGNED(&source), sizeof source), "source");
    refused(ft_local_source_init(&source, 0), "source");
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

static void batch_new(void) {
    good *all = good_begin();
    const size_t sizes[] = {0, (size_t)FT_LOCAL_BATCH_MAX_SIZE + 1, SIZE_MAX};
    ft_local_batch *const something = (ft_local_batch *)all;
    ft_local_batch *out = something;
    refused(ft_local_batch_new(NULL, &all->source_table, 1, &out), "host");
    CHECK_PTR(out, NULL);
    out = something;
    refused(ft_local_batch_new(MISALIGNED(&all->host_table), &all->source_table, 1, &out), "host");
    CHECK_PTR(out, NULL);
    out = something;
    refused(ft_local_batch_new(&all->host_table, NULL, 1, &out), "source");
    CHECK_PTR(out, NULL);
    out = something;
    refused(ft_local_batch_new(&all->host_table, MISALIGNED(&all->source_table), 1, &out),
            "source");
    CHECK_PTR(out, NULL);
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        out = something;
        refused(ft_local_batch_new(&all->host_table, &all->source_table, sizes[index], &out),
                "size");
        CHECK_PTR(out, NULL);
    }
    refused(ft_local_batch_new(&all->host_table, &all->source_table, 1, NULL), "out");
    ft_local_batch *two[2] = {something, something};
    refused(ft_local_batch_new(&all->host_table, &all->source_table, 1, MISALIGNED(two)), "out");
    CHECK_PTR(two[0], something);
    good_end(all);
}

// All functions of a wrapper, given something else.
static void functions_of_wrapper(void *not_a_wrapper, const char *word) {
    CHECK_PTR(ft_local_wrapper_get(not_a_wrapper), NULL);
    refused(FT_LOCAL_ERR_ARGUMENT, word);
    refused(ft_local_wrapper_visit(not_a_wrapper, never_visit, NULL), word);
    ft_local_wrapper_free(not_a_wrapper);
}

// All functions of a batch, given something else.
static void functions_of_batch(void *not_a_batch, const char *word) {
    int something;
    void *out = &something;
    refused(ft_local_batch_load(not_a_batch, &out), word);
    CHECK_PTR(out, NULL);
    CHECK_EQ(ft_local_batch_len(not_a_batch), 0);
    refused(FT_LOCAL_ERR_ARGUMENT, word);
    CHECK_EQ(ft_local_batch_size(not_a_batch), 0);
    refused(FT_LOCAL_ERR_ARGUMENT, word);
    refused(ft_local_batch_visit(not_a_batch, never_visit, NULL), word);
    refused(ft_local_batch_clear(not_a_batch), word);
    ft_local_batch_free(not_a_batch);
}

static void no_handle(void) {
    good *all = good_begin();
    functions_of_wrapper(NULL, "wrapper is NULL, or no address");
    functions_of_wrapper(MISALIGNED(all->wrapper), "wrapper is NULL, or no address");
    functions_of_batch(NULL, "batch is NULL, or no address");
    functions_of_batch(MISALIGNED(all->batch), "batch is NULL, or no address");
    good_end(all);
}

static void a_handle_of_another_kind(void) {
    good *all = good_begin();
    functions_of_wrapper(all->batch, "wrapper is");
    // Many of them, because where they lie decides which check each of them meets.
    ft_local_wrapper *wrappers[32];
    for (size_t index = 0; index < 32; index++) {
        CHECK_EQ(ft_local_wrapper_new(&all->host_table, all->object, &wrappers[index]),
                 FT_LOCAL_OK);
        functions_of_batch(wrappers[index], "batch is");
    }
    for (size_t index = 0; index < 32; index++) {
        CHECK_PTR(ft_local_wrapper_get(wrappers[index]), all->object);
        ft_local_wrapper_free(wrappers[index]);
    }
    good_end(all);
}

static void other_arguments(void) {
    good *all = good_begin();
    refused(ft_local_wrapper_visit(all->wrapper, NULL, NULL), "visitor");
    refused(ft_local_batch_visit(all->batch, NULL, NULL), "visitor");
    refused(ft_local_batch_load(all->batch, NULL), "out");
    void *two[2] = {all, all};
    refused(ft_local_batch_load(all->batch, MISALIGNED(two)), "out");
    CHECK_PTR(two[0], all);
    good_end(all);
}

int main(void) {
    const ft_local_host plain_values = FT_LOCAL_HOST_INIT;
    CHECK_EQ(ft_local_wrapper_new(&plain_values, NULL, &bystander), FT_LOCAL_OK);
    RUN(functions_without_pointers_take_anything);
    RUN(init_of_structs);
    RUN(wrapper_new);
    RUN(batch_new);
    RUN(no_handle);
    RUN(other_arguments);
    RUN(a_handle_of_another_kind);
    ft_local_wrapper_free(bystander);
    return fake_hosts_report();
}
