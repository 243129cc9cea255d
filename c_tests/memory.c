// A lack of memory is an error, not an abort of the host: each allocation that the library makes
// is failed in turn, and the books are exact each time.

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
                                      const ft_local_source *source, size_t size,
                                      ft_local_batch **out) {
    allocations_left = allocations;
    ft_local_status status = ft_local_batch_new(host, source, size, out);
    allocations_left = -1;
    return status;
}

static void a_batch_is_made_or_not(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_host table = fake_host_table(&host);
    ft_local_source source_table = fake_source_table(&source);
    ft_local_batch *batch = NULL;
    long allocations = 0;
    while (batch == NULL) {
        batch = (ft_local_batch *)&host;
        ft_local_status status = batch_new_with(allocations, &table, &source_table, 100, &batch);
        CHECK_EQ(status, batch == NULL ? FT_LOCAL_ERR_NO_MEMORY : FT_LOCAL_OK);
        allocations++;
    }
    // The last round needed no more allocations than it was given.
    CHECK(allocations > 1);
    load_expecting(batch, 0);
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

// Not for fills, loads, a clear or the end.
static void a_batch_takes_no_memory_later(void) {
    uintptr_t next = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {.struct_size = sizeof source, .ctx = &next, .fill = count_up};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 7, &batch), FT_LOCAL_OK);
    allocations_left = 0;
    for (uintptr_t expected = 0; expected < 100; expected++) {
        void *value = NULL;
        CHECK_EQ(ft_local_batch_load(batch, &value), FT_LOCAL_OK);
        CHECK_EQ((uintptr_t)value, expected);
    }
    CHECK_EQ(ft_local_batch_clear(batch), FT_LOCAL_OK);
    ft_local_batch_free(batch);
    allocations_left = -1;
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
    RUN(a_wrapper_is_made_or_the_object_released);
    return fake_hosts_report();
}
