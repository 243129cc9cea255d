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

// A batch of ids whose source is a function in a new state: the one that `open` returns there. It
// returns an integer for each call, and nil when there are no more. The batch and its cursors own the
// state: the last of them to be freed closes it, in its thread. Returns FT_LOCAL_OK, another status, or
// what lua_pcall returned for `open`; `*out` is then NULL.
int ft_local_lua_new_ids(lua_CFunction open, size_t size, ft_local_batch **out);

// As ft_local_lua_push_ids, for a batch of ft_local_lua_new_ids. The function has a cursor, which the
// state owns: ids come several at a time, and the batch may be freed once it is pushed. An error of the
// source is raised where the id was asked for.
void ft_local_lua_push_cursor(lua_State *L, ft_local_batch *ids);

#endif
