// Does one thing of c_loops.h a number of times, for benches/instructions.py to count the instructions.
//
//   instructions PATH TIMES
#include "c_loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 10000

static uint64_t read_stats(c_loops *loops, uint64_t times) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    uint64_t sum = 0;
    for (uint64_t time = 0; time < times; time++) {
        if (ft_local_batch_stats(loops->batch, &stats) != FT_LOCAL_OK) {
            abort();
        }
        sum += stats.claims;
    }
    return sum;
}

static uint64_t open_and_close(c_loops *loops, uint64_t times) {
    ft_local_cursor *cursor;
    for (uint64_t time = 0; time < times; time++) {
        if (ft_local_cursor_new(loops->batch, &cursor) != FT_LOCAL_OK) {
            abort();
        }
        ft_local_cursor_free(cursor);
    }
    return 0;
}

static const struct path {
    const char *name;
    int bulk;
    uint64_t (*loop)(c_loops *loops, uint64_t times);
    int idle; // How many cursors are open that nobody uses.
} paths[] = {
    {"call", 0, c_loops_noop, 0},
    {"load", 0, c_loops_load, 0},
    {"load-bulk", 1, c_loops_load, 0},
    {"load-idle", 0, c_loops_load, MANY},
    {"cursor-call", 0, c_loops_next, 0},
    {"cursor-inline", 0, c_loops_next_inline, 0},
    {"cursor-bulk-inline", 1, c_loops_next_inline, 0},
    {"cursor-inline-idle", 0, c_loops_next_inline, MANY},
    {"stats", 0, read_stats, 0},
    {"stats-idle", 0, read_stats, MANY},
    {"cursor-new-free", 0, open_and_close, 0},
    {"cursor-new-free-idle", 0, open_and_close, MANY},
    {"wrapper-call", 0, c_loops_get, 0},
    {"wrapper-inline", 0, c_loops_get_inline, 0},
};

// The loop, beside cursors that are open and idle.
static int run(const struct path *path, uint64_t times) {
    c_loops *loops = c_loops_new(path->bulk);
    ft_local_cursor **idle = calloc(MANY, sizeof *idle);
    int failed = loops == NULL || idle == NULL;
    for (int index = 0; !failed && index < path->idle; index++) {
        failed = ft_local_cursor_new(loops->batch, &idle[index]) != FT_LOCAL_OK;
    }
    if (!failed) {
        printf("%llu\n", (unsigned long long)path->loop(loops, times));
    }
    for (int index = 0; idle != NULL && index < MANY && idle[index] != NULL; index++) {
        ft_local_cursor_free(idle[index]);
    }
    free(idle);
    if (loops != NULL) {
        c_loops_free(loops);
    }
    return failed;
}

int main(int argc, char **argv) {
    uint64_t times = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    if (times == 0) {
        for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
            puts(paths[index].name);
        }
        return argc == 1 ? 0 : 2;
    }
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        if (strcmp(argv[1], paths[index].name) == 0) {
            return run(&paths[index], times);
        }
    }
    fprintf(stderr, "%s is none of the paths\n", argv[1]);
    return 2;
}
