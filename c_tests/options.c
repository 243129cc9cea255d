// The options of a batch: how the struct begins, what is refused, and what each option does.

#include "check.h"
#include "child.h"
#include "fake_source.h"

typedef struct scene {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    ft_local_cursor *cursor;
} scene;

static void scene_begin(scene *all, fake_source source, size_t size,
                        const ft_local_batch_options *options) {
    *all = (scene){.source = source};
    all->source.host = &all->host;
    all->batch = fake_source_batch_with(&all->source, size, options);
}

static void scene_end(scene *all) {
    ft_local_cursor_free(all->cursor);
    ft_local_batch_free(all->batch);
    CHECK_EQ(atomic_load(&all->host.releases), all->source.made);
    fake_host_end(&all->host);
}

static void the_macro_and_the_function_agree(void) {
    ft_local_batch_options by_macro = FT_LOCAL_BATCH_OPTIONS_INIT;
    ft_local_batch_options by_function;
    memset(&by_function, 0xff, sizeof by_function);
    CHECK_EQ(ft_local_batch_options_init(&by_function, sizeof by_function), FT_LOCAL_OK);
    CHECK(memcmp(&by_macro, &by_function, sizeof by_macro) == 0);
    CHECK_EQ(by_macro.struct_size, sizeof by_macro);
}

// What a host that was compiled with a later header passes.
typedef struct future_options {
    ft_local_batch_options known;
    size_t unknown[2];
} future_options;

static ft_local_status make(const void *options, ft_local_batch **out) {
    static fake_host host;
    static fake_source source = {.host = &host, .per_call = 1};
    ft_local_host host_table = fake_host_table(&host);
    ft_local_source source_table = fake_source_table(&source);
    return ft_local_batch_new_with(&host_table, &source_table, 4, options, out);
}

static void accept(const void *options) {
    ft_local_batch *batch = NULL;
    CHECK_EQ(make(options, &batch), FT_LOCAL_OK);
    CHECK(batch != NULL);
    ft_local_batch_free(batch);
}

static void refuse(const void *options, const char *word) {
    int something;
    ft_local_batch *batch = (ft_local_batch *)(void *)&something;
    CHECK_EQ(make(options, &batch), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(batch, NULL);
    CHECK_SAYS(ft_local_last_error(), word);
    CHECK_EQ(ft_local_host_init(NULL, 0), FT_LOCAL_ERR_ARGUMENT);
}

static void a_later_struct_is_accepted_if_what_is_new_is_not_used(void) {
    future_options options;
    memset(&options, 0xff, sizeof options);
    CHECK_EQ(ft_local_batch_options_init(&options.known, sizeof options), FT_LOCAL_OK);
    accept(&options);
    for (size_t byte = sizeof options.known; byte < sizeof options; byte++) {
        ((char *)&options)[byte] = 1;
        refuse(&options, "does not know");
        ((char *)&options)[byte] = 0;
    }
}

static void sizes_that_no_version_has_are_refused(void) {
    // The first version's size, which stays the smallest when the struct grows.
    const size_t first = 3 * sizeof(size_t) + 2 * sizeof(int32_t);
    const size_t sizes[] = {0, 1, first - 1, first - sizeof(size_t), first + 1, 1 << 20, SIZE_MAX};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
        options.struct_size = sizes[index];
        refuse(&options, "options->struct_size");
        ft_local_batch_options before = options;
        CHECK_EQ(ft_local_batch_options_init(&options, sizes[index]), FT_LOCAL_ERR_ARGUMENT);
        CHECK_SAYS(ft_local_last_error(), "options->struct_size");
        CHECK(memcmp(&options, &before, sizeof options) == 0);
    }
}

static void values_that_cannot_be_are_refused(void) {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    const int32_t policies[] = {-1, 3, INT32_MAX, INT32_MIN};
    for (size_t index = 0; index < sizeof policies / sizeof *policies; index++) {
        options.on_fork = policies[index];
        refuse(&options, "on_fork");
    }
    options = (ft_local_batch_options)FT_LOCAL_BATCH_OPTIONS_INIT;
    options.reserved = 1;
    refuse(&options, "does not know");
    options.reserved = 0;
    options.reserved_after_wipe = 1;
    refuse(&options, "does not know");
    options.reserved_after_wipe = 0;
    options.wipe = 2;
    refuse(&options, "wipe");
    options.wipe = -1;
    refuse(&options, "wipe");
    options.wipe = 1;
    options.low_water = 5;
    refuse(&options, "low_water");
    options.low_water = SIZE_MAX;
    refuse(&options, "low_water");
    options.low_water = 4;
    options.fill_budget = SIZE_MAX;
    accept(&options);
    options.fillers = 257;
    refuse(&options, "fillers");
    options.fillers = SIZE_MAX;
    refuse(&options, "fillers");
    options.fillers = 256;
    accept(&options);
    refuse((char *)&options + 1, "options");
}

// Neither a NULL nor the macro changes what a batch without options does.
static void the_default_is_no_option(void) {
    const ft_local_batch_options by_macro = FT_LOCAL_BATCH_OPTIONS_INIT;
    const ft_local_batch_options *const options[] = {NULL, &by_macro};
    for (size_t index = 0; index < 2; index++) {
        scene all;
        scene_begin(&all, (fake_source){.per_call = 1}, 5, options[index]);
        for (size_t number = 0; number < 20; number++) {
            load_expecting(all.batch, number);
            CHECK_EQ(all.source.made, 5 * (number / 5 + 1));
        }
        scene_end(&all);
    }
}

static void a_fill_makes_no_more_than_its_budget(void) {
    for (size_t budget = 1; budget <= 8; budget++) {
        for (size_t per_call = 1; per_call <= 5; per_call += 2) {
            ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
            options.fill_budget = budget;
            scene all;
            scene_begin(&all, (fake_source){.per_call = per_call}, 6, &options);
            const size_t most = budget < 6 ? budget : 6;
            for (size_t number = 0; number < 30; number++) {
                load_expecting(all.batch, number);
                CHECK_EQ(all.source.made, most * (number / most + 1));
            }
            CHECK_EQ(ft_local_batch_size(all.batch), 6);
            scene_end(&all);
        }
    }
}

static void a_load_that_leaves_few_fills(void) {
    for (size_t low_water = 1; low_water <= 6; low_water++) {
        ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
        options.low_water = low_water;
        scene all;
        scene_begin(&all, (fake_source){.per_call = 1}, 6, &options);
        // The fill that finds nothing fills the buffer but for the place of its own result.
        load_expecting(all.batch, 0);
        for (size_t number = 1; number < 50; number++) {
            size_t before = ft_local_batch_len(all.batch);
            load_expecting(all.batch, number);
            CHECK_EQ(ft_local_batch_len(all.batch), before - 1 < low_water ? 6 : before - 1);
        }
        scene_end(&all);
    }
}

static void a_failure_of_a_fill_ahead_costs_no_result(void) {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.low_water = 3;
    scene all;
    fake_source source = {.per_call = 1, .fail_at_call = 8, .failure = 4711};
    scene_begin(&all, source, 6, &options);
    for (size_t number = 0; number < 3; number++) {
        load_expecting(all.batch, number);
    }
    // This one leaves two, and the second call that it makes fails.
    load_failing(all.batch, 4711);
    CHECK_EQ(ft_local_batch_len(all.batch), 4);
    for (size_t number = 3; number < 30; number++) {
        load_expecting(all.batch, number);
    }
    exact_stats(all.batch);
    scene_end(&all);
}

static void family_begin(scene *all, int32_t on_fork) {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.on_fork = on_fork;
    scene_begin(all, (fake_source){.per_call = 1}, 10, &options);
    all->cursor = cursor_of(all->batch);
    load_expecting(all->batch, 0);
    next_expecting(all->cursor, 1);
    CHECK(ft_local_cursor_len(all->cursor) > 0);
}

static void family_end(scene *all) {
    for (size_t number = 2; number < 25; number++) {
        next_expecting(all->cursor, number);
    }
    exact_stats(all->batch);
    scene_end(all);
}

static void child_drops(void *arg) {
    scene *all = arg;
    CHECK_EQ(ft_local_batch_len(all->batch) + ft_local_cursor_len(all->cursor), 0);
    next_expecting(all->cursor, 10);
    load_expecting(all->batch, 10 + 1 + ft_local_cursor_len(all->cursor));
    CHECK_EQ(exact_stats(all->batch).dropped_on_fork, 8);
    scene_end(all);
}

static void discard_leaves_results_to_the_parent(void) {
    scene all;
    family_begin(&all, FT_LOCAL_FORK_DISCARD);
    passes_in_child(child_drops, &all);
    family_end(&all);
}

static void child_keeps(void *arg) {
    scene *all = arg;
    CHECK_EQ(ft_local_batch_len(all->batch) + ft_local_cursor_len(all->cursor), 8);
    CHECK_EQ(exact_stats(all->batch).dropped_on_fork, 0);
    family_end(all);
}

static void keep_hands_results_out_in_both(void) {
    scene all;
    family_begin(&all, FT_LOCAL_FORK_KEEP);
    passes_in_child(child_keeps, &all);
    family_end(&all);
}

static void child_is_refused(void *arg) {
    scene *all = arg;
    void *object = all;
    size_t count = 7;
    CHECK_EQ(ft_local_cursor_len(all->cursor), 0);
    next_failing(all->cursor, FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_cursor_next_inline(all->cursor, &object), FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_cursor_next_for(all->cursor, 0, &object), FT_LOCAL_ERR_FORKED);
    load_failing(all->batch, FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_batch_load_for(all->batch, 0, &object), FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_batch_try_load(all->batch, &object), FT_LOCAL_ERR_FORKED);
    CHECK_PTR(object, NULL);
    CHECK_EQ(ft_local_batch_load_many(all->batch, 1, -1, &object, &count), FT_LOCAL_ERR_FORKED);
    CHECK_EQ(count, 0);
    CHECK_EQ(ft_local_batch_prefill(all->batch, 9, 9, -1, &count), FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_batch_clear(all->batch), FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_batch_close(all->batch), FT_LOCAL_ERR_FORKED);
    CHECK_EQ(ft_local_batch_len(all->batch), 0);
    CHECK_EQ(all->source.calls, 10);
    scene_end(all);
}

static void error_refuses_every_use_in_a_child(void) {
    scene all;
    family_begin(&all, FT_LOCAL_FORK_ERROR);
    passes_in_child(child_is_refused, &all);
    family_end(&all);
}

// One thread alone gets the same from several fillers. Each fill ends with its budget.
static void one_thread_fills_as_one_of_several(void) {
    for (size_t budget = 1; budget <= 6; budget++) {
        ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
        options.fill_budget = budget;
        options.fillers = 3;
        scene all;
        scene_begin(&all, (fake_source){.per_call = 1, .limit = 29, .end = FT_LOCAL_ERR_END}, 6,
                    &options);
        for (size_t number = 0; number < 29; number++) {
            load_expecting(all.batch, number);
            const size_t made = budget * (number / budget + 1);
            CHECK_EQ(all.source.made, made < 29 ? made : 29);
        }
        void *none = &all;
        CHECK_EQ(ft_local_batch_load(all.batch, &none), FT_LOCAL_ERR_END);
        CHECK(none == NULL);
        scene_end(&all);
    }
}

int main(void) {
    RUN(the_macro_and_the_function_agree);
    RUN(a_later_struct_is_accepted_if_what_is_new_is_not_used);
    RUN(sizes_that_no_version_has_are_refused);
    RUN(values_that_cannot_be_are_refused);
    RUN(the_default_is_no_option);
    RUN(a_fill_makes_no_more_than_its_budget);
    RUN(one_thread_fills_as_one_of_several);
    RUN(a_load_that_leaves_few_fills);
    RUN(a_failure_of_a_fill_ahead_costs_no_result);
    RUN(discard_leaves_results_to_the_parent);
    RUN(keep_hands_results_out_in_both);
    RUN(error_refuses_every_use_in_a_child);
    return fake_hosts_report();
}
