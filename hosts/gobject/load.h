// What blocking and other loads have in common.

#ifndef LOAD_H
#define LOAD_H

#include "ft_local_gobject.h"

// Loads by `ft_local_batch_load_now` if `now`, else within `timeout_ns`. NULL with `error` set, or
// without one if `now` and it would wait.
gpointer ft_local_gobject_load(ft_local_batch *batch, gboolean now, gint64 timeout_ns,
                               GCancellable *cancellable, GError **error);

void ft_local_gobject_set_error(GError **error, ft_local_status status);

#endif
