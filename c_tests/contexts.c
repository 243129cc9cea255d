// The context of a host and of a source: its end, and what one load hands to the source.

#include "check.h"
#include "child.h"
#include "slow_source.h"

// What happens to a batch and its contexts, in order: 'r' a result is released, 's' the source's
// context ends, 'h' the host's.
typedef struct story {
    char text[32];
    size_t length;
    uintptr_t made;
    pthread_t thread;
} story;

static void tell(story *told, char what) {
    CHECK(told->length + 1 < sizeof told->text);
    told->text[told->length++] = what;
    told->thread = pthread_self();
}

static void release(void *ctx, void *object) {
    CHECK(object != NULL);
    tell(ctx, 'r');
}

static void free_host(void *ctx) {
    tell(ctx, 'h');
}

static void free_source(void *ctx) {
    tell(ctx, 's');
}

static int32_t make_two(void *ctx, void **out, size_t capacity, size_t *produced) {
    story *told = ctx;
    for (*produced = 0; *produced < 2 && *produced < capacity; ++*produced) {
        out[*produced] = (void *)++told->made;
    }
    return 0;
}

static ft_local_host host_of(story *told) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.ctx = told;
    host.release = release;
    host.free_ctx = free_host;
    return host;
}

static ft_local_source source_of(story *told) {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = told;
    source.fill = make_two;
    source.free_ctx = free_source;
    return source;
}

static ft_local_batch *batch_of(story *told) {
    ft_local_host host = host_of(told);
    ft_local_source source = source_of(told);
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 2, &batch), FT_LOCAL_OK);
    return batch;
}

static uintptr_t load(const ft_local_batch *batch) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    return (uintptr_t)object;
}

static void contexts_end_after_the_last_result_and_the_sources_first(void) {
    story told = {0};
    ft_local_batch *batch = batch_of(&told);
    CHECK_EQ(load(batch), 1);
    CHECK_EQ(ft_local_batch_close(batch), FT_LOCAL_OK);
    CHECK(strcmp(told.text, "r") == 0);
    ft_local_batch_free(batch);
    CHECK(strcmp(told.text, "rsh") == 0);
}

static void *free_cursor(void *cursor) {
    ft_local_cursor_free(cursor);
    return NULL;
}

static void contexts_end_with_the_last_cursor_in_its_thread(void) {
    story told = {0};
    ft_local_batch *batch = batch_of(&told);
    ft_local_cursor *first = cursor_of(batch);
    ft_local_cursor *last = cursor_of(batch);
    CHECK_EQ(load(batch), 1);
    ft_local_batch_free(batch);
    ft_local_cursor_free(first);
    CHECK_EQ(told.length, 0);
    pthread_t thread = start_thread(free_cursor, last);
    end_thread(thread);
    CHECK(strcmp(told.text, "rsh") == 0);
    CHECK(pthread_equal(told.thread, thread));
}

static void contexts_stay_the_callers_if_there_is_no_batch(void) {
    story told = {0};
    ft_local_host host = host_of(&told);
    ft_local_source source = source_of(&told);
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 0, &batch), FT_LOCAL_ERR_ARGUMENT);
    CHECK_EQ(ft_local_batch_new(NULL, &source, 1, &batch), FT_LOCAL_ERR_ARGUMENT);
    source.next_plain = free_cursor;
    CHECK_EQ(ft_local_batch_new(&host, &source, 1, &batch), FT_LOCAL_ERR_ARGUMENT);
    CHECK_EQ(told.length, 0);
}

static void a_wrapper_ends_no_context(void) {
    story told = {0};
    ft_local_host host = host_of(&told);
    host.release = NULL;
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(&host, &told, &wrapper), FT_LOCAL_OK);
    ft_local_wrapper_free(wrapper);
    CHECK_EQ(told.length, 0);
}

// Two batches over one context: its owner counts.
static void each_batch_ends_the_context_once(void) {
    story told = {0};
    ft_local_batch *one = batch_of(&told);
    ft_local_batch *other = batch_of(&told);
    ft_local_batch_free(one);
    ft_local_batch_free(other);
    CHECK(strcmp(told.text, "shsh") == 0);
}

typedef struct ended_in_child {
    story told;
    ft_local_batch *batch;
} ended_in_child;

static void free_here(void *arg) {
    ended_in_child *all = arg;
    ft_local_batch_free(all->batch);
    CHECK(strcmp(all->told.text, "rsh") == 0);
}

static void each_process_ends_its_copy(void) {
    ended_in_child all = {0};
    all.batch = batch_of(&all.told);
    CHECK_EQ(load(all.batch), 1);
    passes_in_child(free_here, &all);
    free_here(&all);
}

// Other handles may be used meanwhile.
static void free_with_a_load(void *ctx) {
    ft_local_batch *other = ctx;
    CHECK_EQ(load(other), 1);
}

static void the_end_may_use_other_handles(void) {
    story told = {0};
    ft_local_batch *other = batch_of(&told);
    story mine = {0};
    ft_local_host host = host_of(&mine);
    ft_local_source source = source_of(&mine);
    host.ctx = other;
    host.free_ctx = free_with_a_load;
    host.release = NULL;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 2, &batch), FT_LOCAL_OK);
    ft_local_batch_free(batch);
    CHECK_EQ(ft_local_batch_len(other), 1);
    ft_local_batch_free(other);
}

// Arguments ---------------------------------------------------------------------------------------

// Makes objects that say which argument they were made with, as many at once as the context says.
static int32_t make_with(void *ctx, void *arg, void **out, size_t capacity, size_t *produced) {
    size_t count = *(size_t *)ctx;
    for (*produced = 0; *produced < count && *produced < capacity; ++*produced) {
        out[*produced] = arg;
    }
    return 0;
}

static ft_local_batch *batch_with(size_t *per_call, const ft_local_batch_options *options) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = per_call;
    source.fill_with = make_with;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new_with(&host, &source, 4, options, &batch), FT_LOCAL_OK);
    return batch;
}

static void *load_with(const ft_local_batch *batch, void *arg) {
    void *object = &batch;
    CHECK_EQ(ft_local_batch_load_with(batch, arg, -1, &object), FT_LOCAL_OK);
    return object;
}

static void the_source_gets_the_argument_of_the_load_that_runs_it(void) {
    size_t per_call = 2;
    char first, second;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = 2;
    ft_local_batch *batch = batch_with(&per_call, &options);
    CHECK_PTR(load_with(batch, &first), &first);
    // Made by the load before.
    CHECK_PTR(load_with(batch, &second), &first);
    CHECK_PTR(load_with(batch, &second), &second);
    CHECK_EQ(load(batch), (uintptr_t)&second);
    // Functions without an argument pass NULL.
    CHECK_EQ(load(batch), 0);
    CHECK_EQ(load(batch), 0);
    size_t made = 0;
    CHECK_EQ(ft_local_batch_prefill(batch, 1, 1, 0, &made), FT_LOCAL_OK);
    CHECK_EQ(load(batch), 0);
    ft_local_batch_free(batch);
}

static void a_cursor_passes_its_argument_too(void) {
    size_t per_call = 1;
    char mine;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = 1;
    ft_local_batch *batch = batch_with(&per_call, &options);
    ft_local_cursor *cursor = cursor_of(batch);
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next_with(cursor, &mine, -1, &object), FT_LOCAL_OK);
    CHECK_PTR(object, &mine);
    CHECK_EQ(ft_local_cursor_next(cursor, &object), FT_LOCAL_OK);
    CHECK_PTR(object, NULL);
    CHECK_EQ(ft_local_cursor_next_with(cursor, &mine, 0, &object), FT_LOCAL_OK);
    CHECK_PTR(object, &mine);
    ft_local_cursor_free(cursor);
    ft_local_batch_free(batch);
}

// A load that leaves few results runs the source for more, with its own argument.
static void a_refill_gets_the_argument_of_its_load(void) {
    size_t per_call = 1;
    char first, second;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = 2;
    options.low_water = 1;
    ft_local_batch *batch = batch_with(&per_call, &options);
    CHECK_PTR(load_with(batch, &first), &first);
    CHECK_EQ(ft_local_batch_len(batch), 1);
    CHECK_PTR(load_with(batch, &second), &first);
    CHECK_EQ(ft_local_batch_len(batch), 2);
    CHECK_PTR(load_with(batch, &first), &second);
    ft_local_batch_free(batch);
}

// A source that loads from another batch, with an argument of its own and without.
typedef struct nested {
    ft_local_batch *inner;
    void *for_inner;
} nested;

static int32_t load_inside(void *ctx, void *arg, void **out, size_t capacity, size_t *produced) {
    nested *all = ctx;
    CHECK(capacity > 0);
    CHECK_PTR(load_with(all->inner, all->for_inner), all->for_inner);
    CHECK_EQ(load(all->inner), 0);
    out[0] = arg;
    *produced = 1;
    return 0;
}

static void a_load_in_a_source_has_an_argument_of_its_own(void) {
    size_t per_call = 1;
    char outer, inner;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = 1;
    nested all = {.inner = batch_with(&per_call, &options), .for_inner = &inner};
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {.struct_size = sizeof source, .ctx = &all, .fill_with = load_inside};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new_with(&host, &source, 1, &options, &batch), FT_LOCAL_OK);
    CHECK_PTR(load_with(batch, &outer), &outer);
    ft_local_batch_free(batch);
    ft_local_batch_free(all.inner);
}

static void a_source_that_takes_no_argument_gets_none(void) {
    story told = {0};
    ft_local_batch *batch = batch_of(&told);
    char ignored;
    CHECK_EQ((uintptr_t)load_with(batch, &ignored), 1);
    ft_local_batch_free(batch);
}

static void *load_one(void *batch) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    fake_object_release(object);
    return NULL;
}

static void how_long_it_waits_is_the_timeout(void) {
    fake_host host = {0};
    slow_source slow = {.source = {.host = &host, .per_call = 1}, .slow_call = 1};
    ft_local_batch *batch = slow_source_batch(&slow, 2);
    pthread_t filler = start_thread(load_one, batch);
    slow_source_await(&slow);
    ft_local_cursor *cursor = cursor_of(batch);
    void *object = &host;
    CHECK_EQ(ft_local_batch_load_with(batch, &host, 0, &object), FT_LOCAL_ERR_WOULD_WAIT);
    CHECK_PTR(object, NULL);
    CHECK_EQ(ft_local_cursor_next_with(cursor, &host, 0, &object), FT_LOCAL_ERR_WOULD_WAIT);
    CHECK_EQ(exact_stats(batch).waits, 0);
    CHECK_EQ(ft_local_batch_load_with(batch, &host, 1, &object), FT_LOCAL_ERR_TIMED_OUT);
    CHECK_EQ(ft_local_cursor_next_with(cursor, &host, 1, &object), FT_LOCAL_ERR_TIMED_OUT);
    slow_source_go_on(&slow);
    end_thread(filler);
    ft_local_cursor_free(cursor);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

int main(void) {
    RUN(contexts_end_after_the_last_result_and_the_sources_first);
    RUN(contexts_end_with_the_last_cursor_in_its_thread);
    RUN(contexts_stay_the_callers_if_there_is_no_batch);
    RUN(a_wrapper_ends_no_context);
    RUN(each_batch_ends_the_context_once);
    RUN(each_process_ends_its_copy);
    RUN(the_end_may_use_other_handles);
    RUN(the_source_gets_the_argument_of_the_load_that_runs_it);
    RUN(a_cursor_passes_its_argument_too);
    RUN(a_refill_gets_the_argument_of_its_load);
    RUN(a_load_in_a_source_has_an_argument_of_its_own);
    RUN(a_source_that_takes_no_argument_gets_none);
    RUN(how_long_it_waits_is_the_timeout);
    return fake_hosts_report();
}
