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

// Plain, since one thread at a time runs the source.
static void *make_id(void *made) {
    return (void *)++*(uintptr_t *)made;
}

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void *run_state(void *ids) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    ft_local_lua_push_ids(L, ids);
    lua_setglobal(L, "next_id");
    if (luaL_loadstring(L, SCRIPT) != LUA_OK) {
        fail(lua_tostring(L, -1));
    }
    lua_pushinteger(L, LOADS);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        fail(lua_tostring(L, -1));
    }
    void *sum = (void *)lua_tointeger(L, -1);
    lua_close(L);
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

int main(void) {
    uintptr_t made = 0;
    ft_local_batch *ids = ids_from(&made);
    pthread_t threads[STATES];
    for (int index = 0; index < STATES; index++) {
        if (pthread_create(&threads[index], NULL, run_state, ids) != 0) {
            fail("no thread");
        }
    }
    uintptr_t sum = 0;
    for (int index = 0; index < STATES; index++) {
        void *of_state;
        pthread_join(threads[index], &of_state);
        sum += (uintptr_t)of_state;
    }
    // Ids come in the order of the source: those handed out are the first ones.
    uintptr_t delivered = (uintptr_t)STATES * LOADS, left = ft_local_batch_len(ids);
    ft_local_batch_free(ids);
    if (made != delivered + left) {
        fail("made is not delivered and left");
    } else if (sum != delivered * (delivered + 1) / 2) {
        fail("the sum of the ids is wrong");
    }
    printf("%d states: made %zu = delivered %zu + left %zu, sum %zu\n", STATES, made, delivered,
           left, sum);
    return 0;
}
