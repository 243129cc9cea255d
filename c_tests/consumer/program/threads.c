// A program of a user with threads: two take results by loads and two by cursors, until the source
// ends. Each result goes to one of them.

#include <ft_local.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, RESULTS = 400000 };

static ft_local_batch *batch;
static unsigned char times_taken[RESULTS];

static int32_t count_up(void *ctx, void **out, size_t capacity, size_t *produced) {
    uintptr_t *last = ctx;
    while (*produced < capacity && *last < RESULTS) {
        out[(*produced)++] = (void *)++*last; // from 1: NULL is no result
    }
    return *last < RESULTS ? 0 : FT_LOCAL_ERR_END;
}

static void require(ft_local_status status) {
    if (status != FT_LOCAL_OK) {
        fprintf(stderr, "%s: %s\n", ft_local_status_text(status), ft_local_last_error());
        exit(1);
    }
}

// If a result goes to two threads, both count it.
static void *work(void *with_cursor) {
    ft_local_cursor *cursor = NULL;
    if (with_cursor) {
        require(ft_local_cursor_new(batch, &cursor));
    }
    for (;;) {
        void *result = NULL;
        ft_local_status status =
            cursor ? ft_local_cursor_next(cursor, &result) : ft_local_batch_load(batch, &result);
        if (status == FT_LOCAL_ERR_END) {
            break;
        }
        require(status);
        __atomic_fetch_add(&times_taken[(uintptr_t)result - 1], 1, __ATOMIC_RELAXED);
    }
    ft_local_cursor_free(cursor);
    return NULL;
}

int main(void) {
    uintptr_t last = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {.struct_size = sizeof source, .ctx = &last, .fill = count_up};
    require(ft_local_batch_new(&host, &source, 64, &batch));
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, work, i % 2 ? &last : NULL) != 0) {
            return 2;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < RESULTS; i++) {
        if (times_taken[i] != 1) {
            fprintf(stderr, "result %d was taken %d times\n", i + 1, times_taken[i]);
            return 1;
        }
    }
    ft_local_batch_free(batch);
    printf("ft_local %s: each of %d results once\n", ft_local_version(), RESULTS);
    return 0;
}
