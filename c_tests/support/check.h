// Assertions and a runner for tests, in plain C and C++.
//
// A check that fails says where and stops the program at once: what a test does after a broken
// expectation proves nothing, and in another thread no test would wait for it.

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_FAIL(...)                                                                            \
    (fprintf(stderr, "%s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__),                 \
     fputc('\n', stderr), abort())

#define CHECK(condition) ((condition) ? (void)0 : CHECK_FAIL("not true: %s", #condition))

// Two integers of any types are equal, given that both fit a long long.
#define CHECK_EQ(actual, expected)                                                                 \
    check_eq((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)

#define CHECK_PTR(actual, expected)                                                                \
    ((const void *)(actual) == (const void *)(expected)                                            \
         ? (void)0                                                                                 \
         : CHECK_FAIL("%s is %p, not %p", #actual, (const void *)(actual),                         \
                      (const void *)(expected)))

// A text contains a word.
#define CHECK_SAYS(text, word)                                                                     \
    (strstr((text), (word)) ? (void)0 : CHECK_FAIL("\"%s\" does not say \"%s\"", (text), (word)))

#define RUN(test) (printf("%s\n", #test), fflush(stdout), test())

static inline void check_eq(long long actual, long long expected, const char *what,
                            const char *file, int line) {
    if (actual != expected) {
        fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, actual, expected);
        abort();
    }
}

#endif
