// Checks of what belongs to a batch and to a load: the end of a host's context, and the argument that a
// load hands to the source.

#include "kit.h"

static const char *no_context(void) {
    return kit_adapter->hold == NULL ? "the host has no free_ctx" : NULL;
}

static const char *no_argument(void) {
    return kit_adapter->load_with == NULL ? "the binding's source needs nothing of its caller"
                                          : NULL;
}

// The end of a context.

static long held_before;
static long held_at_the_sources_end;

static void expect_held(long expected, const char *when) {
    long held = kit_adapter->held() - held_before;
    EXPECT(
        held == expected,
        "%ld contexts are held and not %ld %s: does `free_ctx` give up exactly what `hold` took?",
        held, expected, when);
}

static void note_held(void *unused) {
    (void)unused;
    held_at_the_sources_end = kit_adapter->held() - held_before;
}

static int32_t make_one(void *made, void **out, size_t capacity, size_t *produced) {
    *produced = capacity > 0;
    out[0] = kit_adapter->make(*(size_t *)made);
    ++*(size_t *)made;
    return 0;
}

static ft_local_source source_of(size_t *made) {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = made;
    source.fill = make_one;
    source.free_ctx = note_held;
    return source;
}

static ft_local_cursor *cursor_of(ft_local_batch *batch) {
    ft_local_cursor *cursor = NULL;
    EXPECT_OK(ft_local_cursor_new(batch, &cursor));
    return cursor;
}

static void free_cursor(void *cursor, size_t index) {
    (void)index;
    ft_local_cursor_free(cursor);
}

static void the_end_of_a_batch_gives_up_its_context(void) {
    held_before = kit_adapter->held();
    ft_local_host host = kit_host();
    size_t made = 0;
    ft_local_source source = source_of(&made);
    ft_local_batch *first = kit_batch_of(&host, &source, 4);
    ft_local_batch *second = kit_batch_of(&host, &source, 4);
    expect_held(2, "when two batches were made");
    ft_local_cursor *cursor = cursor_of(second);
    kit_load_expecting(second, 0);
    ft_local_batch_free(first);
    expect_held(1, "when one of two batches was freed");
    ft_local_batch_free(second);
    expect_held(1, "when the other was freed, and not its cursor");
    held_at_the_sources_end = 0;
    // In another thread, where objects may be used there.
    if (kit_adapter->threads == NULL) {
        ft_local_cursor_free(cursor);
    } else {
        kit_adapter->threads(1, free_cursor, cursor);
    }
    expect_held(0, "when the last cursor was freed");
    EXPECT(held_at_the_sources_end == 1, "the source's context ended after the host's");
}

static void a_batch_that_is_not_made_leaves_its_context(void) {
    held_before = kit_adapter->held();
    ft_local_host host = kit_host();
    size_t made = 0;
    ft_local_source source = source_of(&made);
    ft_local_batch *batch = NULL;
    kit_adapter->hold(&host);
    EXPECT_STATUS(ft_local_batch_new(&host, &source, 0, &batch), FT_LOCAL_ERR_ARGUMENT);
    expect_held(1, "when no batch was made");
    // The binding gives it up, as the library would have.
    host.free_ctx(host.ctx);
    expect_held(0, "when the binding has given it up");
}

// The argument of a load.

typedef struct level {
    size_t made;
    // What the source loads from. NULL for nothing.
    ft_local_batch *inner;
} level;

static void expect_argument(const void *argument, const char *when) {
    EXPECT(kit_adapter->is_argument(argument),
           "the argument %p is not that of the load which runs the source, %s", argument, when);
}

static void load_with(const ft_local_batch *batch) {
    void *handle = NULL;
    EXPECT_OK(kit_adapter->load_with(batch, &handle));
    kit_drop(handle);
}

static int32_t make_with(void *ctx, void *argument, void **out, size_t capacity, size_t *produced) {
    level *self = ctx;
    expect_argument(argument, "when it is called");
    if (self->inner != NULL) {
        load_with(self->inner);
        expect_argument(argument, "when it has loaded from another batch");
    }
    return make_one(&self->made, out, capacity, produced);
}

static ft_local_batch *batch_with(const ft_local_host *host, level *self) {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = self;
    source.fill_with = make_with;
    return kit_batch_of(host, &source, 1);
}

static void a_source_gets_the_argument_of_the_load_that_runs_it(void) {
    ft_local_host host = kit_host();
    level inner = {.made = 0};
    level outer = {.inner = batch_with(&host, &inner)};
    ft_local_batch *batch = batch_with(&host, &outer);
    for (size_t count = 0; count < 3; count++) {
        load_with(batch);
    }
    EXPECT(inner.made == 3 && outer.made == 3, "%zu and %zu were made", inner.made, outer.made);
    ft_local_batch_free(batch);
    ft_local_batch_free(outer.inner);
}

static void load_some(void *batch, size_t index) {
    (void)index;
    for (size_t count = 0; count < 500; count++) {
        load_with(batch);
    }
}

static void each_thread_hands_its_own_argument_to_the_source(void) {
    ft_local_host host = kit_host();
    level self = {.made = 0};
    ft_local_batch *batch = batch_with(&host, &self);
    kit_adapter->threads(4, load_some, batch);
    EXPECT(self.made == 2000 + ft_local_batch_len(batch), "%zu were made", self.made);
    ft_local_batch_free(batch);
}

static const char *no_argument_or_one_thread(void) {
    return kit_adapter->threads == NULL ? "its objects belong to one thread" : no_argument();
}

const kit_check kit_context_checks[] = {
    {"the end of a batch gives up its context", the_end_of_a_batch_gives_up_its_context,
     no_context},
    {"a batch that is not made leaves its context", a_batch_that_is_not_made_leaves_its_context,
     no_context},
    {"a source gets the argument of the load that runs it",
     a_source_gets_the_argument_of_the_load_that_runs_it, no_argument},
    {"each thread hands its own argument to the source",
     each_thread_hands_its_own_argument_to_the_source, no_argument_or_one_thread},
    {NULL, NULL, NULL},
};
