// Sources that make objects, fail, end, break their contract, and use the library meanwhile.

#include "check.h"
#include "world.h"

static void called(batch *of) {
    CHECK(!of->ended);
    CHECK(!of->closed || of->closing);
    CHECK(!of->forked);
    of->source_calls++;
    // One call at a time, whatever a callback does meanwhile.
    CHECK(!of->in_source);
    of->in_source = true;
    switch (next_byte(16)) {
    case 13:
        fork_here();
        break;
    case 14:
    case 15:
        next_call();
        break;
    default:
        break;
    }
    of->in_source = false;
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    batch *of = ctx;
    CHECK(capacity >= 1 && capacity <= of->size);
    CHECK_EQ(*produced, 0);
    for (size_t slot = 0; slot < capacity; slot++) {
        CHECK_PTR(out[slot], NULL);
    }
    called(of);
    size_t count = next_byte(9);
    if (count > capacity) {
        count = capacity;
    }
    for (size_t slot = 0; slot < count; slot++) {
        out[slot] = object_made(of);
    }
    *produced = count;
    switch (next_byte(16)) {
    case 0:
        of->ended = true;
        return FT_LOCAL_ERR_END;
    case 1:
        of->failed = true;
        return 77;
    case 2:
        of->failed = true;
        return -99;
    case 3:
        // Counts more than there is room for: what there is room for is kept.
        of->failed = true;
        *produced = count == capacity ? capacity + 1 : count;
        return 0;
    case 4:
        // Counts a NULL, which only a plain value may be.
        of->failed = true;
        *produced = of->plain || count == capacity ? count : count + 1;
        return 0;
    default:
        return 0;
    }
}

static void *next_plain(void *ctx) {
    batch *of = ctx;
    called(of);
    unsigned what = next_byte(32);
    of->end_asked = what == 0;
    if (what > 1) {
        return object_made(of);
    }
    of->failed = of->failed || what == 1;
    return NULL;
}

static int32_t ended_plain(void *ctx) {
    batch *of = ctx;
    of->ended = of->end_asked;
    return of->end_asked;
}

ft_local_source source_of(batch *of, unsigned kind) {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = of;
    if (kind == 0) {
        source.fill = fill;
        return source;
    }
    source.next_plain = next_plain;
    source.ended_plain = ended_plain;
    source.ended_ctx = of;
    return source;
}
