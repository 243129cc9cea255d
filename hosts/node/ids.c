// Batches of ids, plain values, which all threads of the process know by a number.

#include "addon.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct ids {
    ft_local_batch *batch;
    uintptr_t made; // Plain, since one thread at a time runs the source.
    // Under the lock: how many Ids objects there are for it, in all threads, and the next batch.
    size_t users;
    struct ids *next;
    int64_t token;
} ids;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ids *all;
static int64_t last_token;

static void *make_id(void *made) {
    return (void *)++*(uintptr_t *)made;
}

static void leave(napi_env env, void *data, void *hint) {
    (void)env, (void)hint;
    ids *self = data;
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

// newIds(size)
napi_value new_ids(napi_env env, napi_callback_info info) {
    ids *self = calloc(1, sizeof *self);
    if (self == NULL) {
        throw_status(env, FT_LOCAL_ERR_NO_MEMORY);
        return NULL;
    }
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &self->made;
    source.next_plain = make_id;
    ft_local_status status =
        ft_local_batch_new(&host, &source, size_argument(env, info), &self->batch);
    if (status != FT_LOCAL_OK) {
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
    return external(env, self, leave);
}

// joinIds(token)
napi_value join_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    int64_t token = 0;
    arguments(env, info, &value, 1);
    napi_get_value_int64(env, value, &token);
    pthread_mutex_lock(&lock);
    ids *found = all;
    while (found != NULL && found->token != token) {
        found = found->next;
    }
    if (found != NULL) {
        found->users++;
    }
    pthread_mutex_unlock(&lock);
    if (found == NULL) {
        napi_throw_range_error(env, "ERR_FT_LOCAL",
                               "token is that of no Ids, or of some that nobody has any more");
        return NULL;
    }
    return external(env, found, leave);
}

// tokenOfIds(ids)
napi_value token_of_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    return number(env, ((ids *)arguments(env, info, &value, 1))->token);
}

// loadId(ids)
napi_value load_id(napi_env env, napi_callback_info info) {
    napi_value value;
    ids *self = arguments(env, info, &value, 1);
    void *id;
    ft_local_status status = ft_local_batch_load(self->batch, &id);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
        return NULL;
    }
    return number(env, (int64_t)(intptr_t)id);
}

// lengthOfIds(ids)
napi_value length_of_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    ids *self = arguments(env, info, &value, 1);
    return number(env, (int64_t)ft_local_batch_len(self->batch));
}

// closeIds(ids)
napi_value close_ids(napi_env env, napi_callback_info info) {
    napi_value value;
    ids *self = arguments(env, info, &value, 1);
    ft_local_status status = ft_local_batch_close(self->batch);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
    }
    return NULL;
}
