// A batch that wipes leaves nothing of its results in memory once they were handed out or dropped.
//
// The results are plain words that a look at all of the process's writable memory recognizes, but
// for its stacks: whoever takes a result has a copy there.

#include "check.h"
#include "child.h"
#include "fake_source.h"

#include <inttypes.h>
#include <stdint.h>
#include <unistd.h>

enum { SIZE = 48, COUNTED = 6 };

// Not as the secrets have it, so that this is none itself.
static uint32_t mark_inverted = ~UINT32_C(0x5ec2e7a5);

static bool is_secret(uintptr_t word) {
    return ~(uint32_t)(word >> 32) == mark_inverted;
}

// The words from `begin` to `end` that are secrets.
static size_t secrets_between(uintptr_t begin, uintptr_t end) {
    size_t found = 0;
    for (const volatile uintptr_t *word = (const volatile uintptr_t *)begin;
         word < (const volatile uintptr_t *)end; word++) {
        found += is_secret(*word);
    }
    return found;
}

static size_t secrets_in_memory(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    char line[512];
    size_t found = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t begin = 0, end = 0;
        char rights[8] = "";
        CHECK_EQ(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &begin, &end, rights), 3);
        if (rights[0] == 'r' && rights[1] == 'w' && strstr(line, "[stack]") == NULL) {
            found += secrets_between(begin, end);
        }
    }
    fclose(maps);
    return found;
}

typedef struct vault {
    uint32_t made;
    uint32_t fail_at;
} vault;

static uintptr_t next_secret(vault *it) {
    return (uintptr_t)(uint32_t)~mark_inverted << 32 | ++it->made;
}

static void *one(void *ctx) {
    vault *it = ctx;
    return it->made + 1 == it->fail_at ? (it->fail_at = 0, NULL) : (void *)next_secret(it);
}

// Some, and one behind a gap that it does not count.
static int32_t some(void *ctx, void **out, size_t capacity, size_t *produced) {
    while (*produced < capacity && *produced < COUNTED) {
        out[(*produced)++] = (void *)next_secret(ctx);
    }
    if (capacity > COUNTED + 1) {
        out[COUNTED + 1] = (void *)next_secret(ctx);
    }
    return 0;
}

static ft_local_batch *batch_of(vault *it, bool bulk) {
    const ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = it;
    source.fill = bulk ? some : NULL;
    source.next_plain = bulk ? NULL : one;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.wipe = getenv("FT_LOCAL_TEST_NO_WIPE") == NULL;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new_with(&host, &source, SIZE, &options, &batch), FT_LOCAL_OK);
    return batch;
}

// What is in memory are the results that are still to be handed out.
static void nothing_else_is_there(const ft_local_batch *batch) {
    CHECK_EQ(secrets_in_memory(), ft_local_batch_len(batch));
}

static void taken(ft_local_status status, void *const *object) {
    CHECK_EQ(status, FT_LOCAL_OK);
    CHECK(is_secret((uintptr_t)*object));
}

static void results_that_are_handed_out(void) {
    for (int bulk = 0; bulk < 2; bulk++) {
        vault it = {0, 0};
        ft_local_batch *batch = batch_of(&it, bulk);
        ft_local_cursor *cursor = cursor_of(batch);
        for (int turn = 0; turn < 200; turn++) {
            void *object = NULL, *objects[5];
            size_t count = 0;
            taken(ft_local_batch_load(batch, &object), &object);
            taken(ft_local_batch_load_for(batch, 1000, &object), &object);
            taken(ft_local_cursor_next(cursor, &object), &object);
            taken(ft_local_cursor_next_inline(cursor, &object), &object);
            CHECK_EQ(ft_local_cursor_len(cursor), 0);
            CHECK_EQ(ft_local_batch_load_many(batch, 5, -1, objects, &count), FT_LOCAL_OK);
            CHECK_EQ(count, 5);
            nothing_else_is_there(batch);
            CHECK_EQ(ft_local_batch_give_back(batch, objects, 2), FT_LOCAL_OK);
            nothing_else_is_there(batch);
        }
        ft_local_cursor_free(cursor);
        ft_local_batch_free(batch);
        CHECK_EQ(secrets_in_memory(), 0);
    }
}

static void results_of_a_fill_that_fails(void) {
    vault it = {0, 4};
    ft_local_batch *batch = batch_of(&it, false);
    load_failing(batch, FT_LOCAL_ERR_SOURCE);
    CHECK_EQ(ft_local_batch_len(batch), 3);
    for (int turn = 0; turn < 3; turn++) {
        void *object = NULL;
        nothing_else_is_there(batch);
        taken(ft_local_batch_load(batch, &object), &object);
    }
    CHECK_EQ(secrets_in_memory(), 0);
    ft_local_batch_free(batch);
}

static void results_that_are_dropped(void) {
    vault it = {0, 0};
    ft_local_batch *batch = batch_of(&it, false);
    void *object = NULL;
    taken(ft_local_batch_load(batch, &object), &object);
    CHECK_EQ(secrets_in_memory(), SIZE - 1);
    CHECK_EQ(ft_local_batch_clear(batch), FT_LOCAL_OK);
    CHECK_EQ(secrets_in_memory(), 0);
    taken(ft_local_batch_load(batch, &object), &object);
    CHECK_EQ(ft_local_batch_close(batch), FT_LOCAL_OK);
    CHECK_EQ(secrets_in_memory(), 0);
    ft_local_batch_free(batch);
    batch = batch_of(&it, false);
    taken(ft_local_batch_load(batch, &object), &object);
    ft_local_batch_free(batch);
    CHECK_EQ(secrets_in_memory(), 0);
}

// The parent's are gone as soon as the child has used the batch.
static void look_in_child(void *batch) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_try_load(batch, &object), FT_LOCAL_ERR_EMPTY);
    CHECK_EQ(secrets_in_memory(), 0);
    taken(ft_local_batch_load(batch, &object), &object);
    nothing_else_is_there(batch);
}

static void results_that_belong_to_the_parent_of_a_fork(void) {
    vault it = {0, 0};
    ft_local_batch *batch = batch_of(&it, false);
    void *object = NULL;
    taken(ft_local_batch_load(batch, &object), &object);
    CHECK_EQ(ft_local_batch_give_back(batch, (void *const[]){object}, 1), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_len(batch), SIZE);
    passes_in_child(look_in_child, batch);
    passes_in_child_of(bare_clone, look_in_child, batch);
    nothing_else_is_there(batch);
    ft_local_batch_free(batch);
}

int main(void) {
    if (sizeof(uintptr_t) < 8) {
        return 77; // Too short a word to be recognized.
    }
    RUN(results_that_are_handed_out);
    RUN(results_of_a_fill_that_fails);
    RUN(results_that_are_dropped);
    RUN(results_that_belong_to_the_parent_of_a_fork);
    return 0;
}
