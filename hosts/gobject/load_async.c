// Loads as GTasks: instead of blocking, one registers, and its main context goes on with it when the
// library calls.

#include "load.h"

// Only the thread of the task's main context looks at it.
typedef struct {
    ft_local_batch *batch;
    uint64_t ticket;
    gboolean is_registered;
    gboolean is_done;
    GSource *on_cancel; // NULL without a GCancellable.
} Waiting;

static void waiting_free(gpointer data) {
    Waiting *self = data;
    g_clear_pointer(&self->on_cancel, g_source_unref);
    g_free(self);
}

static void finish(GTask *task, gpointer object, GError *error) {
    Waiting *self = g_task_get_task_data(task);
    self->is_done = TRUE;
    if (self->on_cancel != NULL) {
        g_source_destroy(self->on_cancel);
    }
    if (error == NULL) {
        g_task_return_pointer(task, object, g_object_unref);
    } else {
        g_task_return_error(task, error);
    }
}

// It will not load. What it was called for, if it was, goes to another waiter.
static void give_up(GTask *task) {
    Waiting *self = g_task_get_task_data(task);
    GError *error = NULL;
    if (self->is_registered && ft_local_batch_forget(self->batch, self->ticket) == 1) {
        g_object_unref(task);
    }
    g_cancellable_set_error_if_cancelled(g_task_get_cancellable(task), &error);
    finish(task, NULL, error);
}

static gboolean on_cancelled(G_GNUC_UNUSED GCancellable *cancellable, gpointer task) {
    if (!((Waiting *)g_task_get_task_data(task))->is_done) {
        give_up(task);
    }
    return G_SOURCE_REMOVE;
}

static gboolean try_again(gpointer data);

// Called by the library, in any thread, with a reference to the task.
static void wake(void *task) {
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, g_task_get_priority(task));
    g_source_set_callback(source, try_again, task, g_object_unref);
    g_source_attach(source, g_task_get_context(task));
    g_source_unref(source);
}

static void load_or_register(GTask *task) {
    Waiting *self = g_task_get_task_data(task);
    GError *error = NULL;
    gpointer object =
        ft_local_gobject_load(self->batch, TRUE, 0, g_task_get_cancellable(task), &error);
    if (object != NULL || error != NULL) {
        finish(task, object, error);
        return;
    }
    self->is_registered = TRUE;
    ft_local_status status =
        ft_local_batch_notify(self->batch, wake, g_object_ref(task), &self->ticket);
    if (status != FT_LOCAL_OK) {
        g_object_unref(task);
        ft_local_gobject_set_error(&error, status);
        finish(task, NULL, error);
    }
}

static gboolean try_again(gpointer data) {
    GTask *task = data;
    if (!((Waiting *)g_task_get_task_data(task))->is_done) {
        if (g_cancellable_is_cancelled(g_task_get_cancellable(task))) {
            give_up(task);
        } else {
            load_or_register(task);
        }
    }
    return G_SOURCE_REMOVE;
}

void ft_local_gobject_batch_load_async(ft_local_batch *batch, int io_priority,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data) {
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    Waiting *self = g_new0(Waiting, 1);
    self->batch = batch;
    g_task_set_source_tag(task, ft_local_gobject_batch_load_async);
    g_task_set_priority(task, io_priority);
    g_task_set_task_data(task, self, waiting_free);
    // What was loaded is handed on, even if it is cancelled before the callback is called.
    g_task_set_check_cancellable(task, FALSE);
    if (g_task_return_error_if_cancelled(task)) {
        return;
    }
    if (cancellable != NULL) {
        self->on_cancel = g_cancellable_source_new(cancellable);
        g_task_attach_source(task, self->on_cancel, G_SOURCE_FUNC(on_cancelled));
    }
    load_or_register(task);
}

gpointer ft_local_gobject_batch_load_finish(GAsyncResult *result, GError **error) {
    g_return_val_if_fail(g_task_is_valid(result, NULL), NULL);
    return g_task_propagate_pointer(G_TASK(result), error);
}
