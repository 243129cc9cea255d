// Several Lua states in as many threads draw ids from one batch.

#include "ft_local_lua.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
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
    printf("%d states: made %zu = delivered %zu + left %zu, sum %zu\n", STATES, made, delivered,
           left, sum);
    return 0;
}
