// A program of a user: makes a wrapper and a batch of plain values, and says what it found.

#include <ft_local.h>

#include <stdint.h>
#include <stdio.h>

static int32_t count_up(void *ctx, void **out, size_t capacity, size_t *produced) {
    uintptr_t *next = ctx;
    for (*produced = 0; *produced < capacity; ++*produced) {
        out[*produced] = (void *)(*next)++;
    }
    return 0;
}

int main(void) {
    uintptr_t next = 1;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {sizeof source, &next, count_up};
    ft_local_batch *batch = NULL;
    ft_local_wrapper *wrapper = NULL;
    if (ft_local_batch_new(&host, &source, 8, &batch) != FT_LOCAL_OK ||
        ft_local_wrapper_new(&host, batch, &wrapper) != FT_LOCAL_OK) {
        fprintf(stderr, "%s\n", ft_local_last_error());
        return 1;
    }
    uintptr_t sum = 0;
    for (int times = 0; times < 100; times++) {
        void *value = NULL;
        if (ft_local_batch_load(ft_local_wrapper_get(wrapper), &value) != FT_LOCAL_OK) {
            return 1;
        }
        sum += (uintptr_t)value;
    }
    ft_local_wrapper_free(wrapper);
    ft_local_batch_free(batch);
    printf("ft_local %s: %lu\n", ft_local_version(), (unsigned long)sum);
    return sum != 5050;
}
