// ft_local for GObject: references are counted by GObject itself, and errors are GErrors.

#ifndef FT_LOCAL_GOBJECT_H
#define FT_LOCAL_GOBJECT_H

#include <ft_local.h>
#include <glib-object.h>

G_BEGIN_DECLS

#define FT_LOCAL_ERROR (ft_local_error_quark())
GQuark ft_local_error_quark(void);

// The table for objects that are GObjects.
ft_local_host ft_local_gobject_host(void);

// Makes a batch whose source is `make(data)`, which returns a new reference, or what
// `ft_local_gobject_fail` returns. `data` has to outlive the batch.
ft_local_batch *ft_local_gobject_batch_new(gpointer (*make)(gpointer data), gpointer data,
                                           gsize size, GError **error);

// For a source that fails: `error`, which is moved, becomes that of the load that ran the source, if
// that is `ft_local_gobject_batch_load`.
gpointer ft_local_gobject_fail(GError *error);

// The next object, a new reference, which is not floating. NULL with `error` set if there is none.
gpointer ft_local_gobject_batch_load(ft_local_batch *batch, GError **error);

// A wrapper of `object`, for the calling thread: using the object through it touches no count.
ft_local_wrapper *ft_local_gobject_wrapper_new(gpointer object, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ft_local_batch, ft_local_batch_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ft_local_wrapper, ft_local_wrapper_free)

G_END_DECLS

#endif
