// ft_local for GObject: references are counted by GObject itself, and errors are GErrors.

#ifndef FT_LOCAL_GOBJECT_H
#define FT_LOCAL_GOBJECT_H

#include <ft_local.h>
#include <gio/gio.h>

G_BEGIN_DECLS

#define FT_LOCAL_ERROR (ft_local_error_quark())
GQuark ft_local_error_quark(void);

// The codes of FT_LOCAL_ERROR. A source has errors of its own, and a cancelled load is
// G_IO_ERROR_CANCELLED.
typedef enum {
    FT_LOCAL_ERROR_FAILED, // The message says why.
    FT_LOCAL_ERROR_INVALID_ARGUMENT,
    FT_LOCAL_ERROR_SOURCE_FAILED, // It did not say why.
    FT_LOCAL_ERROR_ENDED,
    FT_LOCAL_ERROR_CLOSED,
    FT_LOCAL_ERROR_TIMED_OUT,
    FT_LOCAL_ERROR_REENTRANT, // The source loads from its own batch.
    FT_LOCAL_ERROR_DEADLOCK,
} FtLocalError;

// The table for objects that are GObjects.
ft_local_host ft_local_gobject_host(void);

// Makes a batch whose source is `make(data)`, which returns a new reference, or what
// `ft_local_gobject_fail` or `ft_local_gobject_end` returns. `data` has to outlive the batch.
ft_local_batch *ft_local_gobject_batch_new(gpointer (*make)(gpointer data), gpointer data,
                                           gsize size, GError **error);

// For a source that fails: `error`, which is moved, becomes that of the load that ran the source, if
// that is a load of this header.
gpointer ft_local_gobject_fail(GError *error);

// For a source that ends: what it has made is loaded, and then loads fail with FT_LOCAL_ERROR_ENDED.
gpointer ft_local_gobject_end(void);

// The next object, a new reference, which is not floating. NULL with `error` set if there is none.
// Blocks while another thread runs the source, until `cancellable`, which may be NULL, is cancelled.
gpointer ft_local_gobject_batch_load(ft_local_batch *batch, GCancellable *cancellable,
                                     GError **error);

// The same, for at most `timeout`: a number of microseconds, negative for no limit.
gpointer ft_local_gobject_batch_load_for(ft_local_batch *batch, GTimeSpan timeout,
                                         GCancellable *cancellable, GError **error);

// The same without blocking. `callback` is called in the thread-default main context of the caller.
// If no thread runs the source, the main context does, so give a slow one a thread of its own. The
// batch has to live until the callback is called; a close ends the wait.
void ft_local_gobject_batch_load_async(ft_local_batch *batch, int io_priority,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
gpointer ft_local_gobject_batch_load_finish(GAsyncResult *result, GError **error);

// Closes the batch: every load from now on fails, and so do those that wait.
gboolean ft_local_gobject_batch_close(ft_local_batch *batch, GError **error);

// A wrapper of `object`, for the calling thread: using the object through it touches no count.
ft_local_wrapper *ft_local_gobject_wrapper_new(gpointer object, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ft_local_batch, ft_local_batch_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ft_local_wrapper, ft_local_wrapper_free)

G_END_DECLS

#endif
