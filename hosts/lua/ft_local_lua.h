// For C programs with Lua inside.

#ifndef FT_LOCAL_LUA_H
#define FT_LOCAL_LUA_H

#include <ft_local.h>
#include <lua.h>

// Opens the module: what `require "ft_local"` calls.
int luaopen_ft_local(lua_State *L);

// Pushes a function that returns the next integer of `ids`, a batch of plain values with a source
// in C. Any number of states, in any threads, may have one. `ids` has to outlive them.
void ft_local_lua_push_ids(lua_State *L, ft_local_batch *ids);

#endif
