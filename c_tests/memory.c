// A lack of memory is an error, not an abort of the host: each allocation that the library makes
// is failed in turn, and the counters balance each time.

#include "check.h"
#include "fake_source.h"

#include <errno.h>

// CTest takes this exit status for "skipped".
enum { SKIPPED = 77 };

// glibc's own functions, behind those that this program puts in their place for the library too.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

// How many allocations of this thread still succeed. Negative: all.
static _Thread_local long allocations_left = -1;

static bool fails(void) {
    return allocations_left >= 0 && allocations_left-- == 0;
}

static void *failed(void) {
    allocations_left = 0;
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size) {
    return fails() ? failed() : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails() ? failed() : __libc_calloc(count, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *memory = fails() ? failed() : __libc_memalign(alignment, size);
    if (memory == NULL) {
        return ENOMEM;
    }
    *out = memory;
    return 0;
}

static ft_local_status batch_new_with(long allocations, const ft_local_host *host,
                                      const ft_local_source *source,
                                      const ft_local_batch_options *options, ft_local_batch **out) {
    allocations_left = allocations;
    ft_local_status status = ft_local_batch_new_with(host, source, 100, options, out);
    allocations_left = -1;
    return status;
}

static int ended_contexts;

static void end_context(void *ctx) {
    CHECK(ctx != NULL);
    ended_contexts++;
}

static void a_batch_is_made_or_not_with(const ft_local_batch_options *options) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_host table = fake_host_table(&host);
    ft_local_source source_table = fake_source_table(&source);
    table.free_ctx = source_table.free_ctx = end_context;
    ended_contexts = 0;
    ft_local_batch *batch = NULL;
    long allocations = 0;
    while (batch == NULL) {
        batch = (ft_local_batch *)&host;
        ft_local_status status =
            batch_new_with(allocations, &table, &source_table, options, &batch);
        CHECK_EQ(status, batch == NULL ? FT_LOCAL_ERR_NO_MEMORY : FT_LOCAL_OK);
        allocations++;
    }
    // The last round needed no more allocations than it was given.
    CHECK(allocations > 1);
    // They stay the caller's until there is a batch.
    CHECK_EQ(ended_contexts, 0);
    load_expecting(batch, 0);
    ft_local_batch_free(batch);
    CHECK_EQ(ended_contexts, 2);
    fake_host_end(&host);
}

static void a_batch_is_made_or_not(void) {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.low_water = 3;
    a_batch_is_made_or_not_with(NULL);
    a_batch_is_made_or_not_with(&options);
}

static int32_t count_up(void *ctx, void **out, size_t capacity, size_t *produced) {
    uintptr_t *next = ctx;
    for (*produced = 0; *produced < capacity; ++*produced) {
        out[*produced] = (void *)(*next)++;
    }
    return 0;
}

// Not for fills, loads, claims, a clear, a close, or the end.
static void a_batch_takes_no_memory_later(void) {
    uintptr_t next = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {.struct_size = sizeof source, .ctx = &next, .fill = count_up};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 7, &batch), FT_LOCAL_OK);
    ft_local_cursor *cursor = cursor_of(batch);
    void *many[20];
    size_t count = 0;
    allocations_left = 0;
    for (uintptr_t expected = 0; expected < 100; expected++) {
        void *value = NULL;
        CHECK_EQ(ft_local_batch_load(batch, &value), FT_LOCAL_OK);
        CHECK_EQ((uintptr_t)value, expected);
    }
    CHECK_EQ(ft_local_batch_load_many(batch, 20, -1, many, &count), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)many[19], 119);
    CHECK_EQ(ft_local_batch_clear(batch), FT_LOCAL_OK);
    for (size_t times = 0; times < 20; times++) {
        CHECK_EQ(ft_local_cursor_next(cursor, many), FT_LOCAL_OK);
    }
    CHECK(ft_local_cursor_len(cursor) > 0);
    CHECK_EQ(ft_local_batch_prefill(batch, 7, 7, -1, &count), FT_LOCAL_OK);
    // What is in hand goes back in the memory of the cursor.
    ft_local_cursor_free(cursor);
    CHECK_EQ(ft_local_batch_close(batch), FT_LOCAL_OK);
    ft_local_batch_free(batch);
    CHECK_EQ(allocations_left, 0);
    allocations_left = -1;
}

static void a_cursor_is_made_or_not(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch *batch = fake_source_batch(&source, 10);
    ft_local_cursor *cursor = NULL;
    long allocations = 0;
    while (cursor == NULL) {
        cursor = (ft_local_cursor *)&host;
        allocations_left = allocations;
        ft_local_status status = ft_local_cursor_new(batch, &cursor);
        allocations_left = -1;
        CHECK_EQ(status, cursor == NULL ? FT_LOCAL_ERR_NO_MEMORY : FT_LOCAL_OK);
        allocations++;
    }
    CHECK(allocations > 1);
    // The batch is freed with its last cursor, and there is one.
    ft_local_batch_free(batch);
    next_expecting(cursor, 0);
    ft_local_cursor_free(cursor);
    CHECK_EQ(atomic_load(&host.releases), 10);
    fake_host_end(&host);
}

static void objects_come_back_or_stay_with_the_caller(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch *batch = fake_source_batch(&source, 10);
    void *objects[3];
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(batch, 3, -1, objects, &count), FT_LOCAL_OK);
    ft_local_status status = FT_LOCAL_ERR_NO_MEMORY;
    long allocations = 0;
    while (status != FT_LOCAL_OK) {
        CHECK_EQ(status, FT_LOCAL_ERR_NO_MEMORY);
        CHECK_EQ(ft_local_batch_len(batch), 7);
        allocations_left = allocations;
        status = ft_local_batch_give_back(batch, objects, 3);
        allocations_left = -1;
        allocations++;
    }
    CHECK(allocations > 1);
    for (size_t number = 0; number < 12; number++) {
        load_expecting(batch, number);
    }
    CHECK_EQ(exact_stats(batch).given_back, 3);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void a_wrapper_is_made_or_the_object_released(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = NULL;
    long allocations = 0;
    while (wrapper == NULL) {
        wrapper = (ft_local_wrapper *)&host;
        allocations_left = allocations;
        ft_local_status status = ft_local_wrapper_new(&table, object, &wrapper);
        allocations_left = -1;
        CHECK_EQ(status, wrapper == NULL ? FT_LOCAL_ERR_NO_MEMORY : FT_LOCAL_OK);
        CHECK_EQ(fake_object_references(object), wrapper == NULL ? 1 : 2);
        allocations++;
    }
    CHECK(allocations > 1);
    ft_local_wrapper_free(wrapper);
    fake_object_release(object);
    fake_host_end(&host);
}

int main(void) {
    // Under valgrind and the sanitizers, which put functions of their own there, nothing fails.
    allocations_left = 0;
    void *volatile probe = malloc(1);
    allocations_left = -1;
    if (probe != NULL) {
        free(probe);
        return SKIPPED;
    }
    RUN(a_batch_is_made_or_not);
    RUN(a_batch_takes_no_memory_later);
    RUN(a_cursor_is_made_or_not);
    RUN(objects_come_back_or_stay_with_the_caller);
    RUN(a_wrapper_is_made_or_the_object_released);
    return fake_hosts_report();
}
