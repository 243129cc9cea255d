// With FT_LOCAL_CHECK_HANDLES=1, which this program sets for itself, nothing that is no handle any
// more is taken for one: freed handles, whose address nothing else has got, handles freed twice,
// handles of another kind, memory of the program, and a cursor that another thread is using.
//
// FT_LOCAL_TEST_HANDLES in the environment is how many handles there are (100000).

#include "check.h"
#include "child.h"
#include "good.h"
#include "refusals.h"
#include "thread.h"

#include <sched.h>
#include <semaphore.h>
#include <stdint.h>

enum { LIVE = 64, RACERS = 2, RACES = 3000 };

static size_t handles_to_try(void) {
    const char *given = getenv("FT_LOCAL_TEST_HANDLES");
    return given != NULL ? strtoul(given, NULL, 10) : 100000;
}

static uint64_t next_random(void) {
    static uint64_t state = 1;
    state = state * 6364136223846793005U + 1442695040888963407U;
    return state >> 33;
}

typedef void functions_of(void *not_a_handle, const char *word);

static functions_of *const functions[] = {functions_of_wrapper, functions_of_batch,
                                          functions_of_cursor};
static const char *const names[] = {"wrapper is", "batch is", "cursor is"};
enum { KINDS = 3 };

static void not_of_any_kind(void *address) {
    for (size_t kind = 0; kind < KINDS; kind++) {
        functions[kind](address, names[kind]);
    }
}

static void not_of_other_kinds(void *handle, size_t its_kind) {
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (kind != its_kind) {
            functions[kind](handle, names[kind]);
        }
    }
}

// Those of the test that runs.
static fake_host *host;
static fake_source source;

static void begin_with(fake_host *fresh) {
    host = fresh;
    source = (fake_source){.host = host, .per_call = 8};
}

static void *new_of(size_t kind, ft_local_batch *batch) {
    if (kind == 0) {
        ft_local_host table = fake_host_table(host);
        ft_local_wrapper *wrapper = NULL;
        fake_object *object = fake_object_new(host, 0);
        CHECK_EQ(ft_local_wrapper_new(&table, object, &wrapper), FT_LOCAL_OK);
        fake_object_release(object);
        return wrapper;
    }
    return kind == 1 ? (void *)fake_source_batch(&source, 8) : (void *)cursor_of(batch);
}

static void free_of(size_t kind, void *handle) {
    if (kind == 0) {
        ft_local_wrapper_free(handle);
    } else if (kind == 1) {
        ft_local_batch_free(handle);
    } else {
        ft_local_cursor_free(handle);
    }
}

static void take_one(ft_local_cursor *cursor) {
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next_inline(cursor, &object), FT_LOCAL_OK);
    fake_object_release(object);
}

// Handles come and go, and so an allocator would give out the addresses of those that went again.
static void freed_handles(void) {
    fake_host fresh = {0};
    begin_with(&fresh);
    ft_local_batch *batch = fake_source_batch(&source, 32);
    void *live[LIVE];
    for (size_t at = 0; at < LIVE; at++) {
        live[at] = new_of(at % KINDS, batch);
    }
    const size_t tries = handles_to_try();
    for (size_t turn = 0; turn < tries; turn++) {
        size_t at = next_random() % LIVE, kind = at % KINDS;
        void *stale = live[at], *object = NULL;
        if (kind == 2 && turn % 2 == 0) {
            take_one(stale); // It goes with results in hand.
        }
        free_of(kind, stale);
        live[at] = new_of(kind, batch);
        CHECK(live[at] != stale);
        not_of_any_kind(stale);
        if (kind == 0) {
            CHECK_PTR(ft_local_wrapper_get_inline(stale), NULL);
        } else if (kind == 2) {
            refused(ft_local_cursor_next_inline(stale, &object), "cursor is not");
        }
        not_of_other_kinds(live[at], kind);
    }
    for (size_t at = 0; at < LIVE; at++) {
        free_of(at % KINDS, live[at]);
        not_of_any_kind(live[at]);
    }
    ft_local_batch_free(batch);
    printf("%zu freed handles\n", tries);
    fake_host_end(host);
}

// Memory that belongs to the program: whatever it holds.
static void foreign_addresses(void) {
    static uint64_t words[4096];
    for (size_t turn = 0; turn < handles_to_try(); turn++) {
        // Small numbers, addresses of itself, anything.
        for (size_t at = 0; at < 16; at++) {
            uint64_t value = next_random();
            size_t where = (turn * 16 + at) % 4096;
            words[where] = value % 3 == 0   ? value % 1000
                           : value % 3 == 1 ? (uintptr_t)&words[next_random() % 4096]
                                            : value << 32 | next_random();
        }
        not_of_any_kind(&words[next_random() % 2048]);
    }
    uint64_t here[512] = {0};
    not_of_any_kind(here);
    not_of_any_kind(&source);
}

static void *contested[RACES];
static size_t contested_kind;
static atomic_size_t arrived;

static void *free_all(void *unused) {
    size_t turns = 0;
    for (size_t round = 0; round < RACES; round++) {
        // Busy, so that they leave it within nanoseconds of each other.
        atomic_fetch_add(&arrived, 1);
        while (atomic_load(&arrived) < (round + 1) * RACERS) {
            if (turns++ % 1024 == 1023) {
                sched_yield();
            }
        }
        free_of(contested_kind, contested[round]);
    }
    return unused;
}

// One of them frees it, and the others are refused: the host would see a second release.
static void freed_by_several_threads_at_once(void) {
    fake_host fresh = {0};
    begin_with(&fresh);
    ft_local_batch *batch = fake_source_batch(&source, 32);
    for (contested_kind = 0; contested_kind < KINDS; contested_kind++) {
        for (size_t round = 0; round < RACES; round++) {
            contested[round] = new_of(contested_kind, batch);
            if (contested_kind == 2) {
                take_one(contested[round]);
            }
        }
        pthread_t threads[RACERS];
        atomic_store(&arrived, 0);
        for (size_t thread = 0; thread < RACERS; thread++) {
            threads[thread] = start_thread(free_all, NULL);
        }
        for (size_t thread = 0; thread < RACERS; thread++) {
            end_thread(threads[thread]);
        }
    }
    ft_local_batch_free(batch);
    fake_host_end(host);
}

typedef struct slow {
    sem_t begun, go;
    ft_local_cursor *cursor;
    uintptr_t last;
} slow;

static void *make_when_allowed(void *ctx) {
    slow *it = ctx;
    if (it->last == 0) {
        CHECK_EQ(sem_post(&it->begun), 0);
        while (sem_wait(&it->go) != 0) {
        }
    }
    return (void *)++it->last;
}

static void *use_cursor(void *ctx) {
    slow *it = ctx;
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next(it->cursor, &object), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)object, 1);
    return NULL;
}

// The thread that was inside stayed behind.
static void use_in_child(void *ctx) {
    slow *it = ctx;
    void *object = NULL;
    CHECK_EQ(sem_post(&it->go), 0);
    CHECK_EQ(ft_local_cursor_next(it->cursor, &object), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)object, 1);
    ft_local_cursor_free(it->cursor);
}

static void a_cursor_that_another_thread_uses(void) {
    slow it = {.last = 0};
    CHECK_EQ(sem_init(&it.begun, 0, 0) | sem_init(&it.go, 0, 0), 0);
    ft_local_host plain = FT_LOCAL_HOST_INIT;
    ft_local_source made = {
        .struct_size = sizeof made, .ctx = &it, .next_plain = make_when_allowed};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&plain, &made, 8, &batch), FT_LOCAL_OK);
    it.cursor = cursor_of(batch);
    pthread_t user = start_thread(use_cursor, &it);
    while (sem_wait(&it.begun) != 0) {
    }
    void *object = &it;
    refused(ft_local_cursor_next(it.cursor, &object), "in use by another thread");
    CHECK_PTR(object, NULL);
    object = &it;
    refused(ft_local_cursor_next_for(it.cursor, 1000, &object), "in use by another thread");
    CHECK_PTR(object, NULL);
    ft_local_cursor_free(it.cursor);
    refused_without_status("in use by another thread");
    passes_in_child(use_in_child, &it);
    CHECK_EQ(sem_post(&it.go), 0);
    end_thread(user);
    CHECK_EQ(ft_local_cursor_next(it.cursor, &object), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)object, 2);
    ft_local_cursor_free(it.cursor);
    ft_local_batch_free(batch);
}

int main(void) {
    CHECK_EQ(setenv("FT_LOCAL_CHECK_HANDLES", "1", 1), 0);
    RUN(freed_handles);
    RUN(foreign_addresses);
    RUN(freed_by_several_threads_at_once);
    RUN(a_cursor_that_another_thread_uses);
    return fake_hosts_report();
}
