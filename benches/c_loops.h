// Loops that a C program would write, for the benchmarks and for the instruction counts.
#ifndef FT_LOCAL_C_LOOPS_H
#define FT_LOCAL_C_LOOPS_H

#include <ft_local.h>

typedef struct c_loops {
    ft_local_batch *batch;
    ft_local_cursor *cursor;
    ft_local_wrapper *wrapper;
    uintptr_t made; // The source's last number.
} c_loops;

// A batch of 1024 numbers, which are plain values, with a cursor and a wrapper. NULL without the
// memory.
c_loops *c_loops_new(int bulk);
void c_loops_free(c_loops *loops);

// Each does one thing `times` times, and returns the sum of the numbers that it took. They stop the
// process if a call fails.
uint64_t c_loops_noop(c_loops *loops, uint64_t times);
uint64_t c_loops_load(c_loops *loops, uint64_t times);
uint64_t c_loops_next(c_loops *loops, uint64_t times);
uint64_t c_loops_next_inline(c_loops *loops, uint64_t times);
uint64_t c_loops_new_free(c_loops *loops, uint64_t times);
uint64_t c_loops_get(c_loops *loops, uint64_t times);
uint64_t c_loops_get_inline(c_loops *loops, uint64_t times);

// As `c_loops_load`, by the address of a function and on whatever batch that takes.
typedef int32_t (*c_loops_load_function)(const void *batch, void **out);
uint64_t c_loops_load_by(c_loops_load_function load, const void *batch, uint64_t times);

// A number that was made and not taken, which may be in the cursor's hand; 0 if there is none left.
uint64_t c_loops_take_left(c_loops *loops);
// How many numbers were made in all.
uint64_t c_loops_made(const c_loops *loops);

#endif
