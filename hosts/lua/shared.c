// Ids for many states from a source in Lua, which has a state of its own.

#include "ft_local_lua.h"

#include <lauxlib.h>
#include <stdbool.h>

static const char TYPE[] = "ft_local.cursor";

static int copy_text(lua_State *L) {
    lua_pushstring(L, lua_touserdata(L, 1));
    return 1;
}

// Leaves a message for the load that runs the source, which raises it. The copy may fail, and that error
// will do as well.
static int32_t fail_in(lua_State *caller, const char *text) {
    lua_pushcfunction(caller, copy_text);
    lua_pushlightuserdata(caller, (void *)text);
    (void)lua_pcall(caller, 1, 1, 0);
    return 1;
}

// One thread at a time runs the source, so its state may be used in each of them.
static int32_t make_id(void *state, void *caller, void **out, size_t capacity, size_t *produced) {
    (void)capacity;
    lua_State *L = state;
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, 1, 0) != LUA_OK) {
        bool has_text = lua_type(L, -1) == LUA_TSTRING;
        return fail_in(caller, has_text ? lua_tostring(L, -1) : "the source raised no string");
    }
    if (lua_isnil(L, -1)) {
        return FT_LOCAL_ERR_END;
    }
    int is_integer;
    out[0] = (void *)(intptr_t)lua_tointegerx(L, -1, &is_integer);
    if (!is_integer) {
        return fail_in(caller, "the source returned no integer");
    }
    *produced = 1;
    return FT_LOCAL_OK;
}

// When the batch and the last cursor are freed, in whichever thread that is.
static void close_state(void *state) {
    lua_close(state);
}

int ft_local_lua_new_ids(lua_CFunction open, size_t size, ft_local_batch **out) {
    *out = NULL;
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        return FT_LOCAL_ERR_NO_MEMORY;
    }
    lua_pushcfunction(L, open);
    int status = lua_pcall(L, 0, 1, 0);
    if (status == LUA_OK) {
        ft_local_host host = FT_LOCAL_HOST_INIT;
        ft_local_source source = FT_LOCAL_SOURCE_INIT;
        source.ctx = L;
        source.fill_with = make_id;
        source.free_ctx = close_state;
        status = ft_local_batch_new(&host, &source, size, out);
    }
    if (status != FT_LOCAL_OK) {
        lua_close(L);
    }
    return status;
}

// The function that ft_local_lua_push_cursor pushes. It returns nil when there are no more ids.
static int next_id(lua_State *L) {
    ft_local_cursor **cursor = lua_touserdata(L, lua_upvalueindex(1));
    void *id;
    luaL_checkstack(L, 4, NULL);
    ft_local_status status = ft_local_cursor_next_with(*cursor, L, -1, &id);
    if (status > 0) {
        return lua_error(L);
    } else if (status == FT_LOCAL_ERR_END) {
        lua_pushnil(L);
    } else if (status != FT_LOCAL_OK) {
        return luaL_error(L, "%s", ft_local_status_text(status));
    } else {
        lua_pushinteger(L, (lua_Integer)(intptr_t)id);
    }
    return 1;
}

static int free_cursor(lua_State *L) {
    ft_local_cursor **cursor = luaL_checkudata(L, 1, TYPE);
    ft_local_cursor_free(*cursor);
    *cursor = NULL;
    return 0;
}

void ft_local_lua_push_cursor(lua_State *L, ft_local_batch *ids) {
    ft_local_cursor **cursor = lua_newuserdatauv(L, sizeof *cursor, 0);
    *cursor = NULL;
    if (luaL_newmetatable(L, TYPE)) {
        lua_pushcfunction(L, free_cursor);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    ft_local_status status = ft_local_cursor_new(ids, cursor);
    if (status != FT_LOCAL_OK) {
        luaL_error(L, "%s", ft_local_status_text(status));
    }
    lua_pushcclosure(L, next_id, 1);
}
