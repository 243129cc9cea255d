// Host functions that use the library in their turn.

#include "check.h"
#include "fake_source.h"

typedef struct nested_source {
    fake_source inner;
    ft_local_batch *batch;
    // The call, from 1 on, that does something to its own batch.
    size_t nested_call;
    void (*nested)(struct nested_source *source);
    size_t nested_runs;
} nested_source;

static int32_t nested_fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    nested_source *source = ctx;
    if (source->inner.calls + 1 == source->nested_call) {
        source->nested(source);
        source->nested_runs++;
    }
    return fake_source_table(&source->inner).fill(&source->inner, out, capacity, produced);
}

// Loads all that three fills bring, with a source whose call number `nested_call` does `nested`.
static void with_nested(size_t size, size_t nested_call, void (*nested)(nested_source *)) {
    fake_host host = {0};
    nested_source source = {
        .inner = {.host = &host, .per_call = 1}, .nested_call = nested_call, .nested = nested};
    ft_local_host host_table = fake_host_table(&host);
    ft_local_source source_table = {
        .struct_size = sizeof source_table, .ctx = &source, .fill = nested_fill};
    CHECK_EQ(ft_local_batch_new(&host_table, &source_table, size, &source.batch), FT_LOCAL_OK);
    for (size_t number = 0; number < 3 * size; number++) {
        load_expecting(source.batch, number);
    }
    CHECK_EQ(source.nested_runs, 1);
    ft_local_batch_free(source.batch);
    fake_host_end(&host);
}

static void with_nested_at_every_call(void (*nested)(nested_source *)) {
    for (size_t size = 1; size <= 5; size++) {
        for (size_t call = 1; call <= 3 * size; call++) {
            with_nested(size, call, nested);
        }
    }
}

// Takes what is ready, as another fiber of the thread may, and gives it back.
static void load_from_own_batch(nested_source *source) {
    if (ft_local_batch_len(source->batch) == 0) {
        load_failing(source->batch, FT_LOCAL_ERR_REENTRANT);
        return;
    }
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(source->batch, &object), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_give_back(source->batch, &object, 1), FT_LOCAL_OK);
}

static void a_source_that_loads_from_its_own_batch_gets_what_is_ready_or_an_error(void) {
    with_nested_at_every_call(load_from_own_batch);
}

static int32_t count_visits(void *object, void *arg) {
    CHECK_EQ(fake_object_references(object), 1);
    ++*(size_t *)arg;
    return 0;
}

static void look_at_own_batch(nested_source *source) {
    // What this fill has made before. The first object goes to the caller of load and is not ready
    // for others, but a collector has to know of it.
    size_t made = source->inner.calls % ft_local_batch_size(source->batch);
    CHECK_EQ(ft_local_batch_len(source->batch), made == 0 ? 0 : made - 1);
    size_t visits = 0;
    CHECK_EQ(ft_local_batch_visit(source->batch, count_visits, &visits), 0);
    CHECK_EQ(visits, made);
}

static void a_source_may_look_at_its_own_batch(void) {
    with_nested_at_every_call(look_at_own_batch);
}

static void use_another_batch(nested_source *source) {
    fake_source other = {.host = source->inner.host, .per_call = 2};
    ft_local_batch *batch = fake_source_batch(&other, 3);
    load_expecting(batch, 0);
    load_expecting(batch, 1);
    ft_local_batch_free(batch);
}

static void a_source_may_use_another_batch(void) {
    with_nested_at_every_call(use_another_batch);
}

// What release does to the library, and how often it still may.
static struct {
    ft_local_batch *batch;
    const ft_local_host *table;
    fake_object *object;
    int times;
} in_release;

static void release_and_use(void *ctx, void *object) {
    (void)ctx;
    fake_object_release(object);
    if (in_release.times-- <= 0) {
        return;
    }
    void *loaded = NULL;
    CHECK_EQ(ft_local_batch_load(in_release.batch, &loaded), FT_LOCAL_OK);
    fake_object_release(loaded);
    CHECK(ft_local_batch_len(in_release.batch) < ft_local_batch_size(in_release.batch));
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(in_release.table, in_release.object, &wrapper), FT_LOCAL_OK);
    ft_local_wrapper_free(wrapper);
}

static void release_may_use_the_library(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 2};
    ft_local_host table = fake_host_table(&host);
    table.release = release_and_use;
    ft_local_source source_table = fake_source_table(&source);
    CHECK_EQ(ft_local_batch_new(&table, &source_table, 8, &in_release.batch), FT_LOCAL_OK);
    in_release.table = &table;
    in_release.object = fake_object_new(&host, 0);
    load_expecting(in_release.batch, 0);

    in_release.times = 3;
    CHECK_EQ(ft_local_batch_clear(in_release.batch), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_len(in_release.batch), 0);

    in_release.times = 20;
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(&table, in_release.object, &wrapper), FT_LOCAL_OK);
    ft_local_wrapper_free(wrapper);
    in_release.times = 0;
    fake_object_release(in_release.object);
    ft_local_batch_free(in_release.batch);
    fake_host_end(&host);
}

static void *retain_and_use(void *ctx, void *object) {
    (void)ctx;
    load_expecting(in_release.batch, 0);
    return fake_object_retain(object);
}

static void retain_may_use_the_library(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    in_release.batch = fake_source_batch(&source, 1);
    ft_local_host table = fake_host_table(&host);
    table.retain = retain_and_use;
    fake_object *object = fake_object_new(&host, 0);
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(&table, object, &wrapper), FT_LOCAL_OK);
    ft_local_wrapper_free(wrapper);
    fake_object_release(object);
    ft_local_batch_free(in_release.batch);
    fake_host_end(&host);
}

int main(void) {
    RUN(a_source_may_look_at_its_own_batch);
    RUN(a_source_may_use_another_batch);
    RUN(release_may_use_the_library);
    RUN(retain_may_use_the_library);
    RUN(a_source_that_loads_from_its_own_batch_gets_what_is_ready_or_an_error);
    return fake_hosts_report();
}
