// The native half of ft_local.js: what is exported to it, once for each thread that loads it.

#include "addon.h"

// By which JavaScript tells errors apart.
static const char *code_of(ft_local_status status) {
    switch (status) {
    case FT_LOCAL_ERR_END:
        return "ERR_FT_LOCAL_END";
    case FT_LOCAL_ERR_CLOSED:
        return "ERR_FT_LOCAL_CLOSED";
    case FT_LOCAL_ERR_TIMED_OUT:
        return "ERR_FT_LOCAL_TIMED_OUT";
    case FT_LOCAL_ERR_REENTRANT:
        return "ERR_FT_LOCAL_REENTRANT";
    default:
        return "ERR_FT_LOCAL";
    }
}

static const char *text_of(ft_local_status status) {
    switch (status) {
    case FT_LOCAL_ERR_ARGUMENT:
        return ft_local_last_error();
    case FT_LOCAL_ERR_REENTRANT:
        return "the source, or the lease, loads what it is to make itself, and nothing is ready";
    default:
        return ft_local_status_text(status);
    }
}

void throw_status(napi_env env, ft_local_status status) {
    napi_throw_error(env, code_of(status), text_of(status));
}

void *arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
    void *data = NULL;
    napi_get_cb_info(env, info, &count, values, NULL, NULL);
    napi_get_value_external(env, values[0], &data);
    return data;
}

napi_value external(napi_env env, void *data, napi_finalize finalize) {
    napi_value result = NULL;
    if (napi_create_external(env, data, finalize, NULL, &result) != napi_ok) {
        finalize(env, data, NULL);
    }
    return result;
}

napi_value number(napi_env env, int64_t value) {
    napi_value result = NULL;
    napi_create_int64(env, value, &result);
    return result;
}

int64_t integer(napi_env env, napi_value value) {
    int64_t result = 0;
    napi_get_value_int64(env, value, &result);
    return result;
}

NAPI_MODULE_INIT() {
    static const struct {
        const char *name;
        napi_callback function;
    } functions[] = {
        {"newObjects", new_objects},
        {"loadObject", load_object},
        {"lengthOfObjects", length_of_objects},
        {"closeObjects", close_objects},
        {"newIds", new_ids},
        {"joinIds", join_ids},
        {"tokenOfIds", token_of_ids},
        {"loadId", load_id},
        {"loadIdNow", load_id_now},
        {"listenToIds", listen_to_ids},
        {"notifyIds", notify_ids},
        {"forgetIds", forget_ids},
        {"restIds", rest_ids},
        {"lengthOfIds", length_of_ids},
        {"closeIds", close_ids},
    };
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        napi_value function;
        if (napi_create_function(env, functions[index].name, NAPI_AUTO_LENGTH,
                                 functions[index].function, NULL, &function) != napi_ok ||
            napi_set_named_property(env, exports, functions[index].name, function) != napi_ok) {
            return NULL;
        }
    }
    if (napi_set_named_property(env, exports, "maxSize", number(env, FT_LOCAL_BATCH_MAX_SIZE)) !=
        napi_ok) {
        return NULL;
    }
    return exports;
}
