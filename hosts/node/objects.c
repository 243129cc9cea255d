// A batch of any JavaScript values, which belongs to one thread, as they do. Its handles are
// references, which this thread alone makes and deletes.

#include "addon.h"

#include <stdlib.h>

typedef struct {
    ft_local_batch *batch;
    napi_env env;
    // The source of the load that runs, NULL if none does. The Batch object keeps it, so that the
    // collector sees a source that refers to its batch.
    napi_value source;
    // What the source returns at its end, and whether it did.
    napi_value end;
    bool ended;
} objects;

// A reference to [result], since only objects can be referred to. NULL at the end, or with an
// exception pending.
static napi_ref make_reference(objects *self) {
    napi_env env = self->env;
    napi_value undefined, result, box;
    napi_ref reference = NULL;
    if (napi_get_undefined(env, &undefined) == napi_ok &&
        napi_call_function(env, undefined, self->source, 0, NULL, &result) == napi_ok &&
        napi_strict_equals(env, result, self->end, &self->ended) == napi_ok && !self->ended &&
        napi_create_array_with_length(env, 1, &box) == napi_ok &&
        napi_set_element(env, box, 0, result) == napi_ok) {
        napi_create_reference(env, box, 1, &reference);
    }
    return reference;
}

static void *make_one(void *ctx) {
    objects *self = ctx;
    napi_handle_scope scope;
    // A fill may call this many times before it returns to JavaScript.
    if (napi_open_handle_scope(self->env, &scope) != napi_ok) {
        return NULL;
    }
    napi_ref reference = make_reference(self);
    napi_close_handle_scope(self->env, scope);
    return reference;
}

static int32_t has_ended(void *ctx) {
    return ((objects *)ctx)->ended;
}

static void release(void *ctx, void *reference) {
    napi_delete_reference(((objects *)ctx)->env, reference);
}

static void free_objects(napi_env env, void *data, void *hint) {
    (void)env, (void)hint;
    ft_local_batch_free(((objects *)data)->batch);
    free(data);
}

// newObjects(size)
napi_value new_objects(napi_env env, napi_callback_info info) {
    objects *self = calloc(1, sizeof *self);
    if (self == NULL) {
        throw_status(env, FT_LOCAL_ERR_NO_MEMORY);
        return NULL;
    }
    self->env = env;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.ctx = self;
    host.release = release;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = self;
    source.next_plain = make_one;
    source.ended_plain = has_ended;
    source.ended_ctx = self;
    napi_value size;
    arguments(env, info, &size, 1);
    ft_local_status status =
        ft_local_batch_new(&host, &source, (size_t)integer(env, size), &self->batch);
    if (status != FT_LOCAL_OK) {
        free(self);
        throw_status(env, status);
        return NULL;
    }
    return external(env, self, free_objects);
}

// loadObject(objects, source, end)
napi_value load_object(napi_env env, napi_callback_info info) {
    napi_value values[3], outer, box, result = NULL;
    objects *self = arguments(env, info, values, 3);
    void *reference;
    outer = self->source;
    self->source = values[1];
    self->end = values[2];
    ft_local_status status = ft_local_batch_load(self->batch, &reference);
    self->source = outer;
    if (status == FT_LOCAL_OK) {
        napi_get_reference_value(env, reference, &box);
        napi_get_element(env, box, 0, &result);
        napi_delete_reference(env, reference);
        return result;
    }
    // Throws nothing if an exception is pending, which then is the source's.
    throw_status(env, status);
    return NULL;
}

// lengthOfObjects(objects)
napi_value length_of_objects(napi_env env, napi_callback_info info) {
    napi_value value;
    objects *self = arguments(env, info, &value, 1);
    return number(env, (int64_t)ft_local_batch_len(self->batch));
}

// closeObjects(objects)
napi_value close_objects(napi_env env, napi_callback_info info) {
    napi_value value;
    objects *self = arguments(env, info, &value, 1);
    ft_local_status status = ft_local_batch_close(self->batch);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
    }
    return NULL;
}
