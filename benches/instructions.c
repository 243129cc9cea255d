// Does one thing of c_loops.h a number of times, for benches/instructions.py to count the instructions.
//
//   instructions PATH TIMES
#include "c_loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct path {
    const char *name;
    int bulk;
    uint64_t (*loop)(c_loops *loops, uint64_t times);
} paths[] = {
    {"call", 0, c_loops_noop},
    {"load", 0, c_loops_load},
    {"load-bulk", 1, c_loops_load},
    {"cursor-call", 0, c_loops_next},
    {"cursor-inline", 0, c_loops_next_inline},
    {"cursor-bulk-inline", 1, c_loops_next_inline},
    {"wrapper-call", 0, c_loops_get},
    {"wrapper-inline", 0, c_loops_get_inline},
};

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
            c_loops *loops = c_loops_new(paths[index].bulk);
            if (loops == NULL) {
                return 1;
            }
            printf("%llu\n", (unsigned long long)paths[index].loop(loops, times));
            c_loops_free(loops);
            return 0;
        }
    }
    fprintf(stderr, "%s is none of the paths\n", argv[1]);
    return 2;
}
