#include "c_loops.h"

#include <stdlib.h>

#define SIZE 1024

static void *next_number(void *ctx) {
    uintptr_t *made = ctx;
    return (void *)++*made; // NOLINT: a number is a plain value.
}

static int32_t fill_numbers(void *ctx, void **out, size_t capacity, size_t *produced) {
    for (size_t index = 0; index < capacity; index++) {
        out[index] = next_number(ctx);
    }
    *produced = capacity;
    return FT_LOCAL_OK;
}

static void must(ft_local_status status) {
    if (status != FT_LOCAL_OK) {
        abort();
    }
}

c_loops *c_loops_new(int bulk) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    c_loops *loops = calloc(1, sizeof *loops);
    if (loops == NULL) {
        return NULL;
    }
    source.ctx = &loops->made;
    if (bulk) {
        source.fill = fill_numbers;
    } else {
        source.next_plain = next_number;
    }
    if (ft_local_batch_new(&host, &source, SIZE, &loops->batch) != FT_LOCAL_OK ||
        ft_local_cursor_new(loops->batch, &loops->cursor) != FT_LOCAL_OK ||
        ft_local_wrapper_new(&host, loops, &loops->wrapper) != FT_LOCAL_OK) {
        c_loops_free(loops);
        return NULL;
    }
    return loops;
}

void c_loops_free(c_loops *loops) {
    ft_local_wrapper_free(loops->wrapper);
    ft_local_cursor_free(loops->cursor);
    ft_local_batch_free(loops->batch);
    free(loops);
}

uint64_t c_loops_noop(c_loops *loops, uint64_t times) {
    uint64_t sum = 0;
    (void)loops;
    for (uint64_t time = 0; time < times; time++) {
        sum += ft_local_abi_version();
    }
    return sum;
}

uint64_t c_loops_load(c_loops *loops, uint64_t times) {
    uint64_t sum = 0;
    void *number;
    for (uint64_t time = 0; time < times; time++) {
        must(ft_local_batch_load(loops->batch, &number));
        sum += (uintptr_t)number;
    }
    return sum;
}

uint64_t c_loops_load_by(c_loops_load_function load, const void *batch, uint64_t times) {
    uint64_t sum = 0;
    void *number;
    for (uint64_t time = 0; time < times; time++) {
        must(load(batch, &number));
        sum += (uintptr_t)number;
    }
    return sum;
}

uint64_t c_loops_next(c_loops *loops, uint64_t times) {
    uint64_t sum = 0;
    void *number;
    for (uint64_t time = 0; time < times; time++) {
        must(ft_local_cursor_next(loops->cursor, &number));
        sum += (uintptr_t)number;
    }
    return sum;
}

uint64_t c_loops_next_inline(c_loops *loops, uint64_t times) {
    uint64_t sum = 0;
    void *number;
    for (uint64_t time = 0; time < times; time++) {
        must(ft_local_cursor_next_inline(loops->cursor, &number));
        sum += (uintptr_t)number;
    }
    return sum;
}

uint64_t c_loops_new_free(c_loops *loops, uint64_t times) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_wrapper *wrapper;
    for (uint64_t time = 0; time < times; time++) {
        must(ft_local_wrapper_new(&host, loops, &wrapper));
        ft_local_wrapper_free(wrapper);
    }
    return 0;
}

// The compiler must not see that the wrapper is the same each time, and read it once.
static const ft_local_wrapper *some_wrapper(const c_loops *loops) {
    const ft_local_wrapper *volatile wrapper = loops->wrapper;
    return wrapper;
}

uint64_t c_loops_get(c_loops *loops, uint64_t times) {
    uint64_t sum = 0;
    for (uint64_t time = 0; time < times; time++) {
        sum += (uintptr_t)ft_local_wrapper_get(some_wrapper(loops));
    }
    return sum;
}

uint64_t c_loops_get_inline(c_loops *loops, uint64_t times) {
    uint64_t sum = 0;
    for (uint64_t time = 0; time < times; time++) {
        sum += (uintptr_t)ft_local_wrapper_get_inline(some_wrapper(loops));
    }
    return sum;
}

uint64_t c_loops_take_left(c_loops *loops) {
    void *number;
    if (ft_local_cursor_len(loops->cursor) > 0) {
        must(ft_local_cursor_next(loops->cursor, &number));
        return (uintptr_t)number;
    }
    if (ft_local_batch_try_load(loops->batch, &number) != FT_LOCAL_OK) {
        return 0;
    }
    return (uintptr_t)number;
}

uint64_t c_loops_made(const c_loops *loops) {
    return loops->made;
}
