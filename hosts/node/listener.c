// Promises: a batch calls the event loop of a thread that waits for it, instead of blocking it.

#include "addon.h"

#include <pthread.h>
#include <stdlib.h>

struct listener {
    ft_local_batch *batch;
    // Of the registration that was made last. Only the listener's own thread looks at it.
    uint64_t ticket;
    // The object, and each registration that is not yet called or forgotten.
    atomic_size_t users;
    // Guards `function`, which is NULL once the thread does not listen any more.
    pthread_mutex_t lock;
    napi_threadsafe_function function;
};

static void drop(listener *self) {
    if (atomic_fetch_sub(&self->users, 1) == 1) {
        pthread_mutex_destroy(&self->lock);
        free(self);
    }
}

// Called by the library, in any thread. If the listener is gone, it has forgotten its ticket, and the
// library calls another waiter.
static void wake(void *arg) {
    listener *self = arg;
    pthread_mutex_lock(&self->lock);
    if (self->function != NULL) {
        napi_call_threadsafe_function(self->function, NULL, napi_tsfn_nonblocking);
    }
    pthread_mutex_unlock(&self->lock);
    drop(self);
}

// Whether there will be no call. What a call was meant for goes to another waiter.
static bool forget(listener *self) {
    bool forgotten = ft_local_batch_forget(self->batch, self->ticket) == 1;
    if (forgotten) {
        drop(self);
    }
    return forgotten;
}

static napi_threadsafe_function deafen(listener *self) {
    pthread_mutex_lock(&self->lock);
    napi_threadsafe_function function = self->function;
    self->function = NULL;
    pthread_mutex_unlock(&self->lock);
    if (function != NULL) {
        forget(self);
    }
    return function;
}

// The thread ends, and Node ends the function next.
static void thread_ends(void *self) {
    deafen(self);
}

void stop_listening(napi_env env, ids_object *object) {
    listener *self = object->listener;
    if (self == NULL) {
        return;
    }
    napi_threadsafe_function function = deafen(self);
    if (function != NULL) {
        napi_remove_env_cleanup_hook(env, thread_ends, self);
        napi_release_threadsafe_function(function, napi_tsfn_abort);
    }
    drop(self);
}

// listenToIds(ids, function): the function is called in this thread after notifyIds.
napi_value listen_to_ids(napi_env env, napi_callback_info info) {
    napi_value values[2], name;
    ids_object *object = arguments(env, info, values, 2);
    listener *self = calloc(1, sizeof *self);
    if (self == NULL) {
        throw_status(env, FT_LOCAL_ERR_NO_MEMORY);
        return NULL;
    }
    self->batch = object->batch;
    self->users = 1;
    pthread_mutex_init(&self->lock, NULL);
    if (napi_create_string_utf8(env, "ft_local", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_threadsafe_function(env, values[1], NULL, name, 0, 1, NULL, NULL, NULL, NULL,
                                        &self->function) != napi_ok) {
        drop(self);
        return NULL;
    }
    object->listener = self;
    // After the function's own hook was added, so that it runs before that.
    napi_add_env_cleanup_hook(env, thread_ends, self);
    return NULL;
}

// notifyIds(ids): as long as it waits, the thread's event loop does not end.
napi_value notify_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    listener *self = ((ids_object *)arguments(env, info, &value, 1))->listener;
    napi_ref_threadsafe_function(env, self->function);
    atomic_fetch_add(&self->users, 1);
    ft_local_status status = ft_local_batch_notify(self->batch, wake, self, &self->ticket);
    if (status != FT_LOCAL_OK) {
        drop(self);
        throw_status(env, status);
    }
    return NULL;
}

// forgetIds(ids): whether there will be no call.
napi_value forget_ids(napi_env env, napi_callback_info info) {
    napi_value value, result = NULL;
    bool forgotten = forget(((ids_object *)arguments(env, info, &value, 1))->listener);
    napi_get_boolean(env, forgotten, &result);
    return result;
}

// restIds(ids): nothing waits.
napi_value rest_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    napi_unref_threadsafe_function(
        env, ((ids_object *)arguments(env, info, &value, 1))->listener->function);
    return NULL;
}
