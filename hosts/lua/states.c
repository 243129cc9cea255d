// Several Lua states in as many threads draw ids from one batch.

#include "ft_local_lua.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATES = 4, LOADS = 100001, SIZE = 64 };

// What each state runs: its ids must grow. It returns their sum.
static const char SCRIPT[] = "local loads = ...\n"
                             "local sum, last = 0, 0\n"
                             "for _ = 1, loads do\n"
                             "    local id = next_id()\n"
                             "    assert(id > last)\n"
                             "    sum, last = sum + id, id\n"
                             "end\n"
                             "return sum\n";

// Draws until that fails, and returns whether it failed because the batch was closed.
static const char UNTIL_CLOSED[] = "while true do\n"
                                   "    local drawn, problem = pcall(next_id)\n"
                                   "    if not drawn then return problem:find 'closed' and 1 end\n"
                                   "end\n";

// Plain, since one thread at a time runs the source.
static void *make_id(void *made) {
    return (void *)++*(uintptr_t *)made;
}

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void *run_script(const char *script, ft_local_batch *ids) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    ft_local_lua_push_ids(L, ids);
    lua_setglobal(L, "next_id");
    if (luaL_loadstring(L, script) != LUA_OK) {
        fail(lua_tostring(L, -1));
    }
    lua_pushinteger(L, LOADS);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        fail(lua_tostring(L, -1));
    }
    void *result = (void *)lua_tointeger(L, -1);
    lua_close(L);
    return result;
}

static void *sum_ids(void *ids) {
    return run_script(SCRIPT, ids);
}

static void *draw_until_closed(void *ids) {
    return run_script(UNTIL_CLOSED, ids);
}

static void start_states(pthread_t *threads, void *(*run)(void *), ft_local_batch *ids) {
    for (int index = 0; index < STATES; index++) {
        if (pthread_create(&threads[index], NULL, run, ids) != 0) {
            fail("no thread");
        }
    }
}

// The sum of what the states return.
static uintptr_t join_states(pthread_t *threads) {
    uintptr_t sum = 0;
    for (int index = 0; index < STATES; index++) {
        void *of_state;
        pthread_join(threads[index], &of_state);
        sum += (uintptr_t)of_state;
    }
    return sum;
}

static ft_local_batch *ids_from(uintptr_t *made) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = made;
    source.next_plain = make_id;
    ft_local_batch *ids;
    ft_local_status status = ft_local_batch_new(&host, &source, SIZE, &ids);
    if (status != FT_LOCAL_OK) {
        fail(ft_local_status_text(status));
    }
    return ids;
}

// The ids from 1 to 10.
static int32_t make_ten(void *made, void **out, size_t capacity, size_t *produced) {
    while (*(uintptr_t *)made < 10 && *produced < capacity) {
        out[(*produced)++] = make_id(made);
    }
    return *produced > 0 ? FT_LOCAL_OK : FT_LOCAL_ERR_END;
}

static void a_loop_over_ids_ends_with_their_source(void) {
    uintptr_t made = 0;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &made;
    source.fill = make_ten;
    ft_local_batch *ids;
    if (ft_local_batch_new(&host, &source, SIZE, &ids) != FT_LOCAL_OK) {
        fail("no batch");
    }
    static const char sum[] = "local sum = 0\n"
                              "for id in next_id do sum = sum + id end\n"
                              "return sum\n";
    if (run_script(sum, ids) != (void *)55 || run_script(sum, ids) != NULL) {
        fail("a loop over ids does not end with their source");
    }
    ft_local_batch_free(ids);
}

static void closing_ends_the_ids_for_all_states(void) {
    uintptr_t made = 0;
    ft_local_batch *ids = ids_from(&made);
    pthread_t threads[STATES];
    start_states(threads, draw_until_closed, ids);
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    do {
        if (ft_local_batch_stats(ids, &stats) != FT_LOCAL_OK) {
            fail("no counts");
        }
    } while (stats.loads < LOADS);
    if (ft_local_batch_close(ids) != FT_LOCAL_OK || join_states(threads) != STATES) {
        fail("a load of a closed batch did not fail");
    }
    ft_local_batch_free(ids);
}

// The source in Lua: the ids from 1 to 10,000, and an error instead of every 1000th call.
static const char SOURCE[] = "local calls, made = 0, 0\n"
                             "return function()\n"
                             "    calls = calls + 1\n"
                             "    if calls % 1000 == 0 then error 'try again' end\n"
                             "    if made == 10000 then return nil end\n"
                             "    made = made + 1\n"
                             "    return made\n"
                             "end\n";

// What each state does with its ids. It returns their sum, and how many errors it has seen.
static const char DRAIN[] = "local sum, errors = 0, 0\n"
                            "while true do\n"
                            "    local drawn, id = pcall(next_id)\n"
                            "    if not drawn then\n"
                            "        assert(id:find 'try again', id)\n"
                            "        errors = errors + 1\n"
                            "    elseif not id then\n"
                            "        return sum, errors\n"
                            "    else\n"
                            "        sum = sum + id\n"
                            "    end\n"
                            "end\n";

static atomic_int source_states;

static int end_source(lua_State *L) {
    (void)L;
    atomic_fetch_sub(&source_states, 1);
    return 0;
}

static int open_source(lua_State *L) {
    luaL_openlibs(L);
    // Ends with the state.
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, end_source);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "end");
    atomic_fetch_add(&source_states, 1);
    if (luaL_loadstring(L, SOURCE) != LUA_OK) {
        return lua_error(L);
    }
    lua_call(L, 0, 1);
    return 1;
}

static int open_nothing(lua_State *L) {
    return luaL_error(L, "there is no source");
}

static void *drain(void *state) {
    lua_State *L = state;
    if (luaL_loadstring(L, DRAIN) != LUA_OK || lua_pcall(L, 0, 2, 0) != LUA_OK) {
        fail(lua_tostring(L, -1));
    }
    return NULL;
}

// The program frees the batch at once. The states share it, and the last one ends the source.
static void the_last_state_closes_that_of_the_source(void) {
    ft_local_batch *ids;
    if (ft_local_lua_new_ids(open_nothing, SIZE, &ids) != LUA_ERRRUN ||
        ft_local_lua_new_ids(open_source, 0, &ids) != FT_LOCAL_ERR_ARGUMENT || ids != NULL ||
        atomic_load(&source_states) != 0) {
        fail("a batch that is not made leaves the state of its source");
    }
    if (ft_local_lua_new_ids(open_source, SIZE, &ids) != FT_LOCAL_OK) {
        fail("no batch");
    }
    lua_State *states[STATES];
    for (int index = 0; index < STATES; index++) {
        states[index] = luaL_newstate();
        luaL_openlibs(states[index]);
        ft_local_lua_push_cursor(states[index], ids);
        lua_setglobal(states[index], "next_id");
    }
    ft_local_batch_free(ids);
    pthread_t threads[STATES];
    for (int index = 0; index < STATES; index++) {
        if (pthread_create(&threads[index], NULL, drain, states[index]) != 0) {
            fail("no thread");
        }
    }
    join_states(threads);
    lua_Integer sum = 0, errors = 0;
    for (int index = 0; index < STATES; index++) {
        sum += lua_tointeger(states[index], -2);
        errors += lua_tointeger(states[index], -1);
        if (atomic_load(&source_states) != 1) {
            fail("the state of the source was closed before the last cursor was freed");
        }
        lua_close(states[index]);
    }
    // Of 10,010 calls ten fail, and the next is the end.
    if (sum != 10000 * 10001 / 2 || errors != 10) {
        fail("the ids of the source in Lua, or its errors, are not exact");
    }
    if (atomic_load(&source_states) != 0) {
        fail("the state of the source was not closed with the last cursor");
    }
}

int main(void) {
    uintptr_t made = 0;
    ft_local_batch *ids = ids_from(&made);
    pthread_t threads[STATES];
    start_states(threads, sum_ids, ids);
    uintptr_t sum = join_states(threads);
    // Ids come in the order of the source: those handed out are the first ones.
    uintptr_t delivered = (uintptr_t)STATES * LOADS, left = ft_local_batch_len(ids);
    ft_local_batch_free(ids);
    if (made != delivered + left) {
        fail("made is not delivered and left");
    } else if (sum != delivered * (delivered + 1) / 2) {
        fail("the sum of the ids is wrong");
    }
    closing_ends_the_ids_for_all_states();
    a_loop_over_ids_ends_with_their_source();
    the_last_state_closes_that_of_the_source();
    printf("%d states: made %zu = delivered %zu + left %zu, sum %zu\n", STATES, made, delivered,
           left, sum);
    return 0;
}
