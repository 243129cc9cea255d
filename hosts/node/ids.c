// Batches of ids, plain values, which all threads of the process know by a number.

#include "addon.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct ids {
    ft_local_batch *batch;
    uintptr_t made; // Plain, since one thread at a time runs the source.
    bool leased;
    // Under the lock: how many Ids objects there are for it, in all threads, and the next batch.
    size_t users;
    struct ids *next;
    int64_t token;
} ids;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ids *all;
static int64_t last_token;

// A function of JavaScript belongs to a thread, so each load brings that of its own.
typedef struct lease {
    napi_env env;
    napi_value function;
} lease;

static _Thread_local lease *lease_of_this_load;

static void *make_id(void *made) {
    return (void *)++*(uintptr_t *)made;
}

// An exception is pending.
enum { THROWN = 1 };

// Asks for `capacity` ids, which begin with the one that the function returns. ft_local.js has looked
// at it: it is a safe integer, or undefined.
static int32_t take_lease(const lease *self, void **out, size_t capacity, size_t *produced) {
    napi_value undefined, count = number(self->env, (int64_t)capacity), first;
    napi_valuetype type;
    if (napi_get_undefined(self->env, &undefined) != napi_ok ||
        napi_call_function(self->env, undefined, self->function, 1, &count, &first) != napi_ok ||
        napi_typeof(self->env, first, &type) != napi_ok) {
        return THROWN;
    }
    if (type == napi_undefined) {
        return FT_LOCAL_ERR_END;
    }
    uintptr_t id = (uintptr_t)integer(self->env, first);
    for (; *produced < capacity; ++*produced) {
        out[*produced] = (void *)(id + *produced);
    }
    return FT_LOCAL_OK;
}

static int32_t make_leased(void *ctx, void **out, size_t capacity, size_t *produced) {
    (void)ctx;
    const lease *self = lease_of_this_load;
    napi_handle_scope scope;
    if (napi_open_handle_scope(self->env, &scope) != napi_ok) {
        return FT_LOCAL_ERR_SOURCE;
    }
    int32_t status = take_lease(self, out, capacity, produced);
    napi_close_handle_scope(self->env, scope);
    return status;
}

static void leave(napi_env env, void *data, void *hint) {
    (void)hint;
    ids_object *object = data;
    ids *self = object->shared;
    stop_listening(env, object);
    free(object);
    pthread_mutex_lock(&lock);
    bool unused = --self->users == 0;
    ids **link = &all;
    while (unused && *link != self) {
        link = &(*link)->next;
    }
    if (unused) {
        *link = self->next;
    }
    pthread_mutex_unlock(&lock);
    if (unused) {
        ft_local_batch_free(self->batch);
        free(self);
    }
}

static napi_value object_of(napi_env env, ids_object *object, ids *shared) {
    *object = (ids_object){.batch = shared->batch, .shared = shared};
    return external(env, object, leave);
}

// newIds(size, leased)
napi_value new_ids(napi_env env, napi_callback_info info) {
    napi_value values[2];
    arguments(env, info, values, 2);
    ids *self = calloc(1, sizeof *self);
    ids_object *object = calloc(1, sizeof *object);
    ft_local_status status = FT_LOCAL_ERR_NO_MEMORY;
    if (self != NULL && object != NULL) {
        napi_get_value_bool(env, values[1], &self->leased);
        ft_local_host host = FT_LOCAL_HOST_INIT;
        ft_local_source source = FT_LOCAL_SOURCE_INIT;
        source.ctx = &self->made;
        if (self->leased) {
            source.fill = make_leased;
        } else {
            source.next_plain = make_id;
        }
        status = ft_local_batch_new(&host, &source, (size_t)integer(env, values[0]), &self->batch);
    }
    if (status != FT_LOCAL_OK) {
        free(object);
        free(self);
        throw_status(env, status);
        return NULL;
    }
    self->users = 1;
    pthread_mutex_lock(&lock);
    self->token = ++last_token;
    self->next = all;
    all = self;
    pthread_mutex_unlock(&lock);
    return object_of(env, object, self);
}

// joinIds(token, leased)
napi_value join_ids(napi_env env, napi_callback_info info) {
    napi_value values[2];
    arguments(env, info, values, 2);
    int64_t token = integer(env, values[0]);
    bool leased = false;
    napi_get_value_bool(env, values[1], &leased);
    ids_object *object = calloc(1, sizeof *object);
    if (object == NULL) {
        throw_status(env, FT_LOCAL_ERR_NO_MEMORY);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    ids *found = all;
    while (found != NULL && found->token != token) {
        found = found->next;
    }
    bool fits = found != NULL && found->leased == leased;
    if (fits) {
        found->users++;
    }
    pthread_mutex_unlock(&lock);
    if (fits) {
        return object_of(env, object, found);
    }
    free(object);
    if (found == NULL) {
        char text[96];
        snprintf(text, sizeof text, "token must be that of Ids that a thread has, got %lld",
                 (long long)token);
        napi_throw_range_error(env, "ERR_OUT_OF_RANGE", text);
    } else {
        napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE",
                              leased ? "these ids are counted: they take no lease"
                                     : "these ids are leased: give a lease of this thread's own");
    }
    return NULL;
}

// tokenOfIds(ids)
napi_value token_of_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    return number(env, ((ids_object *)arguments(env, info, &value, 1))->shared->token);
}

// The id, if there is one; nothing, without an error, if the status is `nothing`.
static napi_value outcome(napi_env env, ft_local_status status, void *id, ft_local_status nothing) {
    if (status == FT_LOCAL_OK) {
        return number(env, (int64_t)(intptr_t)id);
    }
    if (status != nothing) {
        // Throws nothing if an exception is pending, which then is the lease's.
        throw_status(env, status);
    }
    return NULL;
}

// loadId(ids, lease, nanoseconds)
napi_value load_id(napi_env env, napi_callback_info info) {
    napi_value values[3];
    ids_object *self = arguments(env, info, values, 3);
    lease *outer = lease_of_this_load, mine = {env, values[1]};
    void *id;
    lease_of_this_load = &mine;
    ft_local_status status = ft_local_batch_load_for(self->batch, integer(env, values[2]), &id);
    lease_of_this_load = outer;
    return outcome(env, status, id, FT_LOCAL_OK);
}

// loadIdNow(ids, lease): undefined if it would have to wait.
napi_value load_id_now(napi_env env, napi_callback_info info) {
    napi_value values[2];
    ids_object *self = arguments(env, info, values, 2);
    lease *outer = lease_of_this_load, mine = {env, values[1]};
    void *id;
    lease_of_this_load = &mine;
    ft_local_status status = ft_local_batch_load_now(self->batch, &id);
    lease_of_this_load = outer;
    return outcome(env, status, id, FT_LOCAL_ERR_WOULD_WAIT);
}

// lengthOfIds(ids)
napi_value length_of_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    ids_object *self = arguments(env, info, &value, 1);
    return number(env, (int64_t)ft_local_batch_len(self->batch));
}

// closeIds(ids)
napi_value close_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    ids_object *self = arguments(env, info, &value, 1);
    ft_local_status status = ft_local_batch_close(self->batch);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
    }
    return NULL;
}
