#include "ft_local_gobject.h"

G_DEFINE_QUARK(ft - local - error - quark, ft_local_error)

// A load of this thread, on its stack. It knows the load that it is part of, because a source, or the
// finalizer of a result, loads from another batch.
typedef struct load {
    GError *error;
    struct load *outer;
} load;

static GPrivate current_load;

static void set_error(GError **error, ft_local_status status) {
    g_set_error_literal(error, FT_LOCAL_ERROR, status,
                        status == FT_LOCAL_ERR_ARGUMENT ? ft_local_last_error()
                                                        : ft_local_status_text(status));
}

ft_local_host ft_local_gobject_host(void) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    // In brackets, since GLib has macros of these names too.
    host.retain_plain = (g_object_ref);
    host.release_plain = (g_object_unref);
    return host;
}

ft_local_batch *ft_local_gobject_batch_new(gpointer (*make)(gpointer data), gpointer data,
                                           gsize size, GError **error) {
    ft_local_host host = ft_local_gobject_host();
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = data;
    source.next_plain = make;
    ft_local_batch *batch;
    if (size < 1 || size > FT_LOCAL_BATCH_MAX_SIZE) {
        g_set_error(error, FT_LOCAL_ERROR, FT_LOCAL_ERR_ARGUMENT,
                    "size must be between 1 and %d, got %" G_GSIZE_FORMAT, FT_LOCAL_BATCH_MAX_SIZE,
                    size);
        return NULL;
    }
    ft_local_status status = ft_local_batch_new(&host, &source, size, &batch);
    if (status != FT_LOCAL_OK) {
        set_error(error, status);
    }
    return batch;
}

gpointer ft_local_gobject_fail(GError *error) {
    load *innermost = g_private_get(&current_load);
    // A load by `ft_local_batch_load` itself has no place for it.
    if (innermost == NULL) {
        g_error_free(error);
    } else {
        g_clear_error(&innermost->error);
        innermost->error = error;
    }
    return NULL;
}

gpointer ft_local_gobject_batch_load(ft_local_batch *batch, GError **error) {
    gpointer object;
    load self = {.outer = g_private_get(&current_load)};
    g_private_set(&current_load, &self);
    ft_local_status status = ft_local_batch_load(batch, &object);
    g_private_set(&current_load, self.outer);
    if (status == FT_LOCAL_ERR_SOURCE && self.error != NULL) {
        g_propagate_error(error, self.error);
        return NULL;
    }
    g_clear_error(&self.error);
    if (status != FT_LOCAL_OK) {
        set_error(error, status);
        return NULL;
    }
    // A new object that nobody has taken is the caller's from now on.
    return g_object_is_floating(object) ? g_object_ref_sink(object) : object;
}

ft_local_wrapper *ft_local_gobject_wrapper_new(gpointer object, GError **error) {
    ft_local_host host = ft_local_gobject_host();
    ft_local_wrapper *wrapper;
    ft_local_status status = ft_local_wrapper_new(&host, object, &wrapper);
    if (status != FT_LOCAL_OK) {
        set_error(error, status);
    }
    return wrapper;
}
