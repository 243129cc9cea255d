// A library of a user that has ft_local inside.

#include <ft_local.h>

static void *make(void *ctx) {
    return ctx;
}

const char *plugin_load(void *given, void **out) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    ft_local_batch *batch;
    source.ctx = given;
    source.next_plain = make;
    if (ft_local_batch_new(&host, &source, 4, &batch) != FT_LOCAL_OK) {
        return NULL;
    }
    ft_local_status status = ft_local_batch_load(batch, out);
    ft_local_batch_free(batch);
    return status == FT_LOCAL_OK ? ft_local_version() : NULL;
}
