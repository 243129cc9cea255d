#include "ft_local_gobject.h"

G_DEFINE_QUARK(ft - local - error - quark, ft_local_error)

// The error of a source on its way to the load that ran it, which is in the same thread.
static GPrivate source_error = G_PRIVATE_INIT((GDestroyNotify)g_error_free);

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
    ft_local_status status = ft_local_batch_new(&host, &source, size, &batch);
    if (status != FT_LOCAL_OK) {
        set_error(error, status);
    }
    return batch;
}

gpointer ft_local_gobject_fail(GError *error) {
    g_private_replace(&source_error, error);
    return NULL;
}

gpointer ft_local_gobject_batch_load(ft_local_batch *batch, GError **error) {
    gpointer object;
    ft_local_status status = ft_local_batch_load(batch, &object);
    GError *own = g_private_get(&source_error);
    if (status == FT_LOCAL_ERR_SOURCE && own != NULL) {
        g_private_set(&source_error, NULL);
        g_propagate_error(error, own);
    } else if (status != FT_LOCAL_OK) {
        set_error(error, status);
    }
    return object;
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
