// What the files of the addon have in common.

#ifndef ADDON_H
#define ADDON_H

#include <ft_local.h>
#include <node_api.h>

void throw_status(napi_env env, ft_local_status status);

// The arguments of a call, `count` of them. Returns what the first stands for, if it is an external.
void *arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count);

// The only argument, which ft_local.js has checked.
size_t size_argument(napi_env env, napi_callback_info info);

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
napi_value length_of_ids(napi_env env, napi_callback_info info);
napi_value close_ids(napi_env env, napi_callback_info info);

#endif
