// Two Rust libraries in one program: both have parts of Rust's standard library inside.

#include <ft_local.h>

#include <stdio.h>

uint64_t other_twice(uint64_t number);

static void *make(void *ctx) {
    return ctx;
}

int main(void) {
    int it = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    ft_local_batch *batch;
    void *out = NULL;
    source.ctx = &it;
    source.next_plain = make;
    if (ft_local_batch_new(&host, &source, 4, &batch) != FT_LOCAL_OK ||
        ft_local_batch_load(batch, &out) != FT_LOCAL_OK) {
        return 1;
    }
    ft_local_batch_free(batch);
    printf("ft_local %s and %d\n", ft_local_version(), (int)other_twice(21));
    return out != &it || other_twice(21) != 42;
}
