// What handles weigh, and that a process does not grow: not by loads, not by handles that come and
// go. docs/reliability.md states the same numbers.
//
// FT_LOCAL_TEST_LOADS in the environment is how many loads there are (10000000), and a tenth as many
// wrappers and cursors.

#include "allocator.h"
#include "check.h"
#include "ft_local.h"

#include <unistd.h>

// Pages that may come and go for reasons of the C library.
enum { SIZE = 64, WARM_UP = 200000, MOST_PAGES = 64 };

static long resident_pages(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    char line[200] = "";
    long pages = 0;
    CHECK(file != NULL);
    // Without a buffer, which would be memory itself.
    setvbuf(file, NULL, _IONBF, 0);
    CHECK(fgets(line, sizeof line, file) != NULL);
    CHECK_EQ(sscanf(line, "%*d %ld", &pages), 1);
    fclose(file);
    return pages;
}

static void *count_up(void *last) {
    return (void *)++*(uintptr_t *)last;
}

static void *keep(void *object) {
    return object;
}

static void drop(void *object) {
    (void)object;
}

static ft_local_host host(void) {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.retain_plain = keep;
    table.release_plain = drop;
    return table;
}

static ft_local_batch *batch_of(uintptr_t *last, size_t size) {
    const ft_local_host table = host();
    const ft_local_source source = {
        .struct_size = sizeof source, .ctx = last, .next_plain = count_up};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&table, &source, size, &batch), FT_LOCAL_OK);
    return batch;
}

static ft_local_cursor *cursor_of(const ft_local_batch *batch) {
    ft_local_cursor *cursor = NULL;
    CHECK_EQ(ft_local_cursor_new(batch, &cursor), FT_LOCAL_OK);
    return cursor;
}

static ft_local_wrapper *wrapper_of(void *object) {
    const ft_local_host table = host();
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(&table, object, &wrapper), FT_LOCAL_OK);
    return wrapper;
}

// Says how much was allocated since the last call.
static size_t weighed(void) {
    const size_t bytes = allocator_bytes;
    allocator_bytes = 0;
    return bytes;
}

static void is_at_most(const char *what, size_t bytes, size_t limit) {
    printf("  %-28s%6zu bytes, at most %zu\n", what, bytes, limit);
    CHECK(bytes > 0 && bytes <= limit);
}

static void each_handle_weighs_what_is_stated(void) {
    uintptr_t last = 0;
    weighed();
    ft_local_wrapper *wrapper = wrapper_of(&last);
    is_at_most("a wrapper", weighed(), 128);
    ft_local_batch *small = batch_of(&last, 1);
    const size_t fixed = weighed();
    is_at_most("a batch of 1", fixed, 3456);
    // 16 for each result, as the header says, rounded up to a power of two.
    ft_local_batch *large = batch_of(&last, 1024);
    is_at_most("1024 results of a batch", weighed() - fixed, 1024 * 16);
    ft_local_cursor *cursor = cursor_of(large);
    is_at_most("a cursor", weighed(), 768);
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(large, &object), FT_LOCAL_OK);
    CHECK_EQ(ft_local_cursor_next(cursor, &object), FT_LOCAL_OK);
    CHECK_EQ(weighed(), 0);
    CHECK_EQ(ft_local_batch_give_back(large, &object, 1), FT_LOCAL_OK);
    is_at_most("a result given back", weighed(), 256);
    ft_local_cursor_free(cursor);
    ft_local_batch_free(large);
    ft_local_batch_free(small);
    ft_local_wrapper_free(wrapper);
}

static long wanted_loads(void) {
    const char *wanted = getenv("FT_LOCAL_TEST_LOADS");
    return wanted == NULL ? 10000000 : atol(wanted);
}

static void grows_by(const char *what, long times, long pages) {
    printf("  %ld pages more after %ld %s\n", pages, times, what);
    CHECK(pages <= MOST_PAGES);
}

static void loads_take_no_memory(void) {
    uintptr_t last = 0;
    void *object = NULL;
    ft_local_batch *batch = batch_of(&last, SIZE);
    ft_local_cursor *cursor = cursor_of(batch);
    const long loads = wanted_loads();
    long before = 0;
    for (long load = -WARM_UP; load < loads; load++) {
        if (load == 0) {
            before = resident_pages();
        }
        CHECK_EQ(load % 2 == 0 ? ft_local_batch_load(batch, &object)
                               : ft_local_cursor_next(cursor, &object),
                 FT_LOCAL_OK);
        if (load % 64 == 0) {
            CHECK_EQ(ft_local_batch_give_back(batch, &object, 1), FT_LOCAL_OK);
        }
    }
    grows_by("loads", loads, resident_pages() - before);
    ft_local_cursor_free(cursor);
    ft_local_batch_free(batch);
}

static void handles_leave_nothing_behind(void) {
    uintptr_t last = 0;
    void *object = NULL;
    ft_local_batch *batch = batch_of(&last, SIZE);
    const long handles = wanted_loads() / 10;
    long before = 0;
    for (long handle = -WARM_UP; handle < handles; handle++) {
        if (handle == 0) {
            before = resident_pages();
        }
        ft_local_wrapper *wrapper = wrapper_of(&last);
        ft_local_cursor *cursor = cursor_of(batch);
        CHECK_EQ(ft_local_cursor_next(cursor, &object), FT_LOCAL_OK);
        ft_local_cursor_free(cursor);
        ft_local_wrapper_free(wrapper);
    }
    grows_by("wrappers and cursors", handles, resident_pages() - before);
    ft_local_batch_free(batch);
}

int main(void) {
    if (!allocator_works()) {
        return SKIPPED;
    }
    // What reading it takes is taken now.
    CHECK(resident_pages() > 0);
    RUN(each_handle_weighs_what_is_stated);
    RUN(loads_take_no_memory);
    RUN(handles_leave_nothing_behind);
    return 0;
}
