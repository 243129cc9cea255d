// ft_local for Lua 5.4: batches of any Lua values in one state, and ids from a batch that many
// states share.

#include "ft_local_lua.h"

#include <lauxlib.h>

static const char TYPE[] = "ft_local.batch";

// Results are integers to the library: places in a table that is user value 1 of the batch, so that
// Lua's collector sees them, and a circle of results and batch is collected. The source is user
// value 2.
typedef struct {
    ft_local_batch *batch;
    // Which state calls the library, and where its stack has the table and the source.
    lua_State *caller;
    int table;
} lua_batch;

// Calls the source and keeps its result; nil ends it, as it ends an iterator. May fail in any line, so
// it runs under lua_pcall.
static int make_one(lua_State *L) {
    lua_call(L, 0, 1);
    lua_pushinteger(L, luaL_ref(L, 1));
    return 1;
}

// `state` is that of the load that runs the source, perhaps of a coroutine. A failure leaves its error
// value on the stack; that load raises it again.
static int32_t fill_one(void *ctx, void *state, void **out, size_t capacity, size_t *produced) {
    (void)capacity;
    lua_batch *self = ctx;
    lua_State *L = state;
    lua_pushcfunction(L, make_one);
    lua_pushvalue(L, self->table);
    lua_pushvalue(L, self->table + 1);
    int status = lua_pcall(L, 2, 1, 0);
    if (status == LUA_OK) {
        lua_Integer place = lua_tointeger(L, -1);
        lua_pop(L, 1);
        if (place == LUA_REFNIL) {
            return FT_LOCAL_ERR_END;
        }
        out[0] = (void *)place;
        *produced = 1;
    }
    return status;
}

// Changes only what is in the table already, which takes no memory and so cannot fail.
static void release(void *ctx, void *handle) {
    lua_batch *self = ctx;
    luaL_unref(self->caller, self->table, (int)(intptr_t)handle);
}

static int fail(lua_State *L, ft_local_status status) {
    return luaL_error(L, "%s",
                      status == FT_LOCAL_ERR_ARGUMENT ? ft_local_last_error()
                                                      : ft_local_status_text(status));
}

// ft_local.batch(size, source)
static int batch_new(lua_State *L) {
    lua_Integer size = luaL_checkinteger(L, 1);
    if (size < 1 || size > FT_LOCAL_BATCH_MAX_SIZE) {
        return luaL_error(L, "size must be between 1 and %d, got %I", FT_LOCAL_BATCH_MAX_SIZE,
                          (LUAI_UACINT)size);
    }
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_batch *self = lua_newuserdatauv(L, sizeof *self, 2);
    *self = (lua_batch){0};
    luaL_setmetatable(L, TYPE);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 2);

    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.ctx = self;
    host.release = release;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = self;
    source.fill_with = fill_one;
    ft_local_status status = ft_local_batch_new(&host, &source, (size_t)size, &self->batch);
    return status == FT_LOCAL_OK ? 1 : fail(L, status);
}

static lua_batch *check_batch(lua_State *L) {
    lua_batch *self = luaL_checkudata(L, 1, TYPE);
    luaL_argcheck(L, self->batch != NULL, 1, "the batch is closed");
    return self;
}

// Puts the table and the source on the stack for what the library calls, and returns what was there
// for a load that this one is part of, because the source loads from its own batch.
static lua_batch enter(lua_State *L, lua_batch *self) {
    luaL_checkstack(L, 8, NULL);
    lua_batch outer = *self;
    lua_getiuservalue(L, 1, 1);
    self->caller = L;
    self->table = lua_gettop(L);
    lua_getiuservalue(L, 1, 2);
    return outer;
}

// Puts the next result on the stack, unless the source has ended.
static ft_local_status next_result(lua_State *L) {
    lua_batch *self = check_batch(L);
    lua_batch outer = enter(L, self);
    int table = self->table;
    void *handle;
    ft_local_status status = ft_local_batch_load_with(self->batch, L, -1, &handle);
    *self = outer;
    if (status > 0) {
        return lua_error(L);
    } else if (status == FT_LOCAL_OK) {
        lua_rawgeti(L, table, (int)(intptr_t)handle);
        luaL_unref(L, table, (int)(intptr_t)handle);
    } else if (status != FT_LOCAL_ERR_END) {
        return fail(L, status);
    }
    return status;
}

// batch:load()
static int batch_load(lua_State *L) {
    ft_local_status status = next_result(L);
    return status == FT_LOCAL_OK ? 1 : fail(L, status);
}

// `for result in batch do`: calls the batch until it returns nil.
static int batch_call(lua_State *L) {
    if (next_result(L) != FT_LOCAL_OK) {
        lua_pushnil(L);
    }
    return 1;
}

// #batch
static int batch_length(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)ft_local_batch_len(check_batch(L)->batch));
    return 1;
}

// batch:close(), and what `<close>` and the collector call.
static int batch_close(lua_State *L) {
    lua_batch *self = luaL_checkudata(L, 1, TYPE);
    if (self->caller != NULL) {
        return luaL_error(L, "the batch is in use: its own source cannot close it");
    }
    lua_settop(L, 1);
    enter(L, self);
    ft_local_batch_free(self->batch);
    *self = (lua_batch){0};
    return 0;
}

// The function that ft_local_lua_push_ids pushes. It returns nil when there are no more ids.
static int next_id(lua_State *L) {
    void *id;
    ft_local_status status = ft_local_batch_load(lua_touserdata(L, lua_upvalueindex(1)), &id);
    if (status == FT_LOCAL_ERR_END) {
        lua_pushnil(L);
        return 1;
    }
    if (status != FT_LOCAL_OK) {
        return fail(L, status);
    }
    lua_pushinteger(L, (lua_Integer)(intptr_t)id);
    return 1;
}

void ft_local_lua_push_ids(lua_State *L, ft_local_batch *ids) {
    lua_pushlightuserdata(L, ids);
    lua_pushcclosure(L, next_id, 1);
}

int luaopen_ft_local(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"load", batch_load},  {"close", batch_close},   {"__len", batch_length},
        {"__gc", batch_close}, {"__close", batch_close}, {"__call", batch_call},
        {NULL, NULL}};
    static const luaL_Reg functions[] = {{"batch", batch_new}, {NULL, NULL}};
    luaL_newmetatable(L, TYPE);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
