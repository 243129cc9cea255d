// What the files of the addon have in common.

#ifndef ADDON_H
#define ADDON_H

#include <ft_local.h>
#include <node_api.h>

#include <stdatomic.h>
#include <stdbool.h>

void throw_status(napi_env env, ft_local_status status);

// The arguments of a call, `count` of them. Returns what the first stands for, if it is an external.
void *arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count);

// An argument that ft_local.js has checked.
int64_t integer(napi_env env, napi_value value);

// A value that stands for `data`, until it is collected or its thread ends.
napi_value external(napi_env env, void *data, napi_finalize finalize);
napi_value number(napi_env env, int64_t value);

napi_value new_objects(napi_env env, napi_callback_info info);
napi_value load_object(napi_env env, napi_callback_info info);
napi_value length_of_objects(napi_env env, napi_callback_info info);
napi_value close_objects(napi_env env, napi_callback_info info);

napi_value new_ids(napi_env env, napi_callback_info info);
napi_value join_ids(napi_env env, napi_callback_info info);
napi_value token_of_ids(napi_env env, napi_callback_info info);
napi_value load_id(napi_env env, napi_callback_info info);
napi_value load_id_now(napi_env env, napi_callback_info info);
napi_value length_of_ids(napi_env env, napi_callback_info info);
napi_value close_ids(napi_env env, napi_callback_info info);

napi_value listen_to_ids(napi_env env, napi_callback_info info);
napi_value notify_ids(napi_env env, napi_callback_info info);
napi_value forget_ids(napi_env env, napi_callback_info info);
napi_value rest_ids(napi_env env, napi_callback_info info);

// A thread's event loop as a waiter of a batch.
typedef struct listener listener;

// An Ids object of one thread.
typedef struct {
    ft_local_batch *batch;
    struct ids *shared;
    listener *listener; // NULL as long as nothing was awaited.
} ids_object;

// The object is collected, or its thread ends: it listens no more.
void stop_listening(napi_env env, ids_object *object);

#endif
