#include "load.h"

G_DEFINE_QUARK(ft - local - error - quark, ft_local_error)

// A load of this thread, on its stack. It knows the load that it is part of, because a source, or the
// finalizer of a result, loads from another batch.
typedef struct load {
    GError *error;
    GCancellable *cancellable;
    struct load *outer;
} load;

static GPrivate current_load;
// Whether the source that returns now has ended.
static GPrivate has_ended;

static FtLocalError code_of(ft_local_status status) {
    switch (status) {
    case FT_LOCAL_ERR_ARGUMENT:
        return FT_LOCAL_ERROR_INVALID_ARGUMENT;
    case FT_LOCAL_ERR_SOURCE:
        return FT_LOCAL_ERROR_SOURCE_FAILED;
    case FT_LOCAL_ERR_END:
        return FT_LOCAL_ERROR_ENDED;
    case FT_LOCAL_ERR_CLOSED:
        return FT_LOCAL_ERROR_CLOSED;
    case FT_LOCAL_ERR_TIMED_OUT:
        return FT_LOCAL_ERROR_TIMED_OUT;
    case FT_LOCAL_ERR_REENTRANT:
        return FT_LOCAL_ERROR_REENTRANT;
    case FT_LOCAL_ERR_DEADLOCK:
        return FT_LOCAL_ERROR_DEADLOCK;
    default:
        return FT_LOCAL_ERROR_FAILED;
    }
}

static const char *text_of(ft_local_status status) {
    switch (status) {
    case FT_LOCAL_ERR_ARGUMENT:
        return ft_local_last_error();
    case FT_LOCAL_ERR_REENTRANT:
        return "the source loads from its own batch, and nothing is ready";
    default:
        return ft_local_status_text(status);
    }
}

void ft_local_gobject_set_error(GError **error, ft_local_status status) {
    g_set_error_literal(error, FT_LOCAL_ERROR, code_of(status), text_of(status));
}

static GCancellable *current_cancellable(void) {
    load *innermost = g_private_get(&current_load);
    return innermost == NULL ? NULL : innermost->cancellable;
}

static int32_t interrupted(void) {
    return g_cancellable_is_cancelled(current_cancellable());
}

static int32_t interruptible(void) {
    return current_cancellable() != NULL;
}

ft_local_host ft_local_gobject_host(void) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    // In brackets, since GLib has macros of these names too.
    host.retain_plain = (g_object_ref);
    host.release_plain = (g_object_unref);
    host.interrupted_plain = interrupted;
    host.interruptible_plain = interruptible;
    return host;
}

static int32_t ended(G_GNUC_UNUSED void *ctx) {
    gboolean is_over = GPOINTER_TO_INT(g_private_get(&has_ended));
    g_private_set(&has_ended, GINT_TO_POINTER(FALSE));
    return is_over;
}

gpointer ft_local_gobject_end(void) {
    g_private_set(&has_ended, GINT_TO_POINTER(TRUE));
    return NULL;
}

ft_local_batch *ft_local_gobject_batch_new(gpointer (*make)(gpointer data), gpointer data,
                                           gsize size, GError **error) {
    ft_local_host host = ft_local_gobject_host();
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = data;
    source.next_plain = make;
    source.ended_plain = ended;
    ft_local_batch *batch;
    if (size < 1 || size > FT_LOCAL_BATCH_MAX_SIZE) {
        g_set_error(error, FT_LOCAL_ERROR, FT_LOCAL_ERROR_INVALID_ARGUMENT,
                    "size must be between 1 and %d, got %" G_GSIZE_FORMAT, FT_LOCAL_BATCH_MAX_SIZE,
                    size);
        return NULL;
    }
    if (make == NULL) {
        g_set_error_literal(error, FT_LOCAL_ERROR, FT_LOCAL_ERROR_INVALID_ARGUMENT,
                            "make is NULL; give the function that makes the objects");
        return NULL;
    }
    ft_local_status status = ft_local_batch_new(&host, &source, size, &batch);
    if (status != FT_LOCAL_OK) {
        ft_local_gobject_set_error(error, status);
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

gpointer ft_local_gobject_load(ft_local_batch *batch, gboolean now, gint64 timeout_ns,
                               GCancellable *cancellable, GError **error) {
    gpointer object;
    load self = {.cancellable = cancellable, .outer = g_private_get(&current_load)};
    g_private_set(&current_load, &self);
    ft_local_status status = now ? ft_local_batch_load_now(batch, &object)
                                 : ft_local_batch_load_for(batch, timeout_ns, &object);
    g_private_set(&current_load, self.outer);
    if (status == FT_LOCAL_ERR_SOURCE && self.error != NULL) {
        g_propagate_error(error, self.error);
        return NULL;
    }
    g_clear_error(&self.error);
    if (status == FT_LOCAL_OK) {
        // A new object that nobody has taken is the caller's from now on.
        return g_object_is_floating(object) ? g_object_ref_sink(object) : object;
    }
    if (status == FT_LOCAL_ERR_INTERRUPTED) {
        g_cancellable_set_error_if_cancelled(cancellable, error);
    } else if (status != FT_LOCAL_ERR_WOULD_WAIT) {
        ft_local_gobject_set_error(error, status);
    }
    return NULL;
}

// In the thread that cancels.
static void interrupt(G_GNUC_UNUSED GCancellable *cancellable, gpointer batch) {
    g_warn_if_fail(ft_local_batch_interrupt(batch) == FT_LOCAL_OK);
}

static gpointer load_within(ft_local_batch *batch, gint64 timeout_ns, GCancellable *cancellable,
                            GError **error) {
    if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
        return NULL;
    }
    gulong handler = 0;
    if (cancellable != NULL) {
        handler = g_cancellable_connect(cancellable, G_CALLBACK(interrupt), batch, NULL);
    }
    gpointer object = ft_local_gobject_load(batch, FALSE, timeout_ns, cancellable, error);
    if (handler != 0) {
        g_cancellable_disconnect(cancellable, handler);
    }
    return object;
}

gpointer ft_local_gobject_batch_load(ft_local_batch *batch, GCancellable *cancellable,
                                     GError **error) {
    return load_within(batch, -1, cancellable, error);
}

gpointer ft_local_gobject_batch_load_for(ft_local_batch *batch, GTimeSpan timeout,
                                         GCancellable *cancellable, GError **error) {
    // Longer than it can count in nanoseconds, which is 292 years, is no limit.
    gint64 timeout_ns = timeout < 0 || timeout > G_MAXINT64 / 1000 ? -1 : timeout * 1000;
    return load_within(batch, timeout_ns, cancellable, error);
}

gboolean ft_local_gobject_batch_close(ft_local_batch *batch, GError **error) {
    ft_local_status status = ft_local_batch_close(batch);
    if (status != FT_LOCAL_OK) {
        ft_local_gobject_set_error(error, status);
    }
    return status == FT_LOCAL_OK;
}

ft_local_wrapper *ft_local_gobject_wrapper_new(gpointer object, GError **error) {
    ft_local_host host = ft_local_gobject_host();
    ft_local_wrapper *wrapper;
    ft_local_status status = ft_local_wrapper_new(&host, object, &wrapper);
    if (status != FT_LOCAL_OK) {
        ft_local_gobject_set_error(error, status);
    }
    return wrapper;
}
