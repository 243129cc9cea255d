// A cursor in one thread: what it claims, hands out, shows and gives back.

#include "check.h"
#include "child.h"
#include "fake_source.h"

typedef struct scene {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    ft_local_cursor *cursor;
} scene;

static void scene_begin(scene *all, size_t per_call, size_t size) {
    *all = (scene){.source = {.per_call = per_call}};
    all->source.host = &all->host;
    all->batch = fake_source_batch(&all->source, size);
    all->cursor = cursor_of(all->batch);
}

static void scene_end(scene *all) {
    ft_local_cursor_free(all->cursor);
    ft_local_batch_free(all->batch);
    CHECK_EQ(atomic_load(&all->host.retains), 0);
    CHECK_EQ(atomic_load(&all->host.releases), all->source.made);
    fake_host_end(&all->host);
}

// Takes `count` results of a new scene of ten, after which the cursor has some in hand.
static void scene_begin_in_hand(scene *all, size_t count) {
    scene_begin(all, 1, 10);
    for (size_t number = 0; number < count; number++) {
        next_expecting(all->cursor, number);
    }
    CHECK(ft_local_cursor_len(all->cursor) > 0);
}

static void results_come_in_the_order_of_the_source(void) {
    const size_t sizes[] = {1, 2, 3, 7, 64, 1000};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        for (size_t per_call = 1; per_call <= 5; per_call += 2) {
            scene all;
            scene_begin(&all, per_call, sizes[index]);
            for (size_t number = 0; number < 3 * sizes[index]; number++) {
                next_expecting(all.cursor, number);
                // Everything that was made is somewhere, and counted there.
                CHECK_EQ(ft_local_cursor_len(all.cursor) + ft_local_batch_len(all.batch),
                         all.source.made - number - 1);
            }
            scene_end(&all);
        }
    }
}

static void a_cursor_claims_several_at_once(void) {
    scene all;
    scene_begin(&all, SIZE_MAX, 1000);
    for (size_t number = 0; number < 1000; number++) {
        next_expecting(all.cursor, number);
    }
    ft_local_stats stats = exact_stats(all.batch);
    CHECK_EQ(stats.claimed + stats.loads, 1000);
    CHECK(stats.claims * 4 < stats.claimed);
    scene_end(&all);
}

static void the_inline_function_does_the_same(void) {
    scene all;
    scene_begin(&all, 1, 10);
    const ft_local_cursor_frame *frame = (const ft_local_cursor_frame *)(void *)all.cursor;
    for (size_t number = 0; number < 100; number++) {
        void *next = NULL;
        // The two take turns, and see what the other has left in hand.
        CHECK_EQ(number % 3 ? ft_local_cursor_next_inline(all.cursor, &next)
                            : ft_local_cursor_next(all.cursor, &next),
                 FT_LOCAL_OK);
        receive(next, number);
        CHECK_EQ(frame->end - frame->next, ft_local_cursor_len(all.cursor));
    }
    CHECK_EQ(ft_local_batch_close(all.batch), FT_LOCAL_OK);
    void *next = NULL;
    while (ft_local_cursor_len(all.cursor) > 0) {
        CHECK_EQ(ft_local_cursor_next_inline(all.cursor, &next), FT_LOCAL_OK);
        fake_object_release(next);
    }
    CHECK_EQ(ft_local_cursor_next_inline(all.cursor, &next), FT_LOCAL_ERR_CLOSED);
    CHECK_PTR(next, NULL);
    scene_end(&all);
}

static int32_t expect_next(void *pointer, void *next) {
    fake_object *object = pointer;
    CHECK_EQ(fake_object_references(object), 1);
    CHECK_EQ(object->number, (*(size_t *)next)++);
    return 0;
}

static int32_t stop_at(void *object, void *number) {
    return ((fake_object *)object)->number == *(size_t *)number ? 42 : 0;
}

static void visit_shows_what_is_in_hand(void) {
    scene all;
    scene_begin(&all, 1, 10);
    size_t in_hand = 0;
    for (size_t number = 0; number < 25; number++) {
        next_expecting(all.cursor, number);
        size_t next = number + 1;
        CHECK_EQ(ft_local_cursor_visit(all.cursor, expect_next, &next), 0);
        CHECK_EQ(next - number - 1, ft_local_cursor_len(all.cursor));
        // The batch shows the others.
        visit_expecting(all.batch, next);
        in_hand += ft_local_cursor_len(all.cursor);
        size_t first = number + 1;
        CHECK_EQ(ft_local_cursor_visit(all.cursor, stop_at, &first),
                 ft_local_cursor_len(all.cursor) > 0 ? 42 : 0);
    }
    CHECK(in_hand > 0);
    scene_end(&all);
}

static void a_freed_cursor_gives_back_what_it_has_in_hand(void) {
    scene all;
    scene_begin_in_hand(&all, 2);
    ft_local_cursor_free(all.cursor);
    CHECK_EQ(atomic_load(&all.host.releases), 2);
    CHECK_EQ(ft_local_batch_len(all.batch), 8);
    all.cursor = cursor_of(all.batch);
    for (size_t number = 2; number < 25; number++) {
        if (number % 2 == 0) {
            load_expecting(all.batch, number);
            continue;
        }
        next_expecting(all.cursor, number);
        // Results that come back one at a time keep their place.
        ft_local_cursor_free(all.cursor);
        all.cursor = cursor_of(all.batch);
    }
    CHECK(exact_stats(all.batch).given_back > 0);
    scene_end(&all);
}

static void what_comes_back_is_handed_out_in_the_order_of_the_source(void) {
    // Whichever of two cursors is freed first.
    for (size_t first = 0; first < 2; first++) {
        scene all;
        scene_begin(&all, 1, 20);
        ft_local_cursor *cursors[2] = {all.cursor, cursor_of(all.batch)};
        load_expecting(all.batch, 0);
        next_expecting(cursors[0], 1);
        size_t in_hand = ft_local_cursor_len(cursors[0]);
        CHECK(in_hand > 0);
        next_expecting(cursors[1], 2 + in_hand);
        CHECK(ft_local_cursor_len(cursors[1]) > 0);
        ft_local_cursor_free(cursors[first]);
        ft_local_cursor_free(cursors[1 - first]);
        for (size_t number = 2; number < 40; number++) {
            if (number != 2 + in_hand) {
                load_expecting(all.batch, number);
            }
        }
        all.cursor = NULL;
        scene_end(&all);
    }
}

static void a_cursor_outlives_its_batch_and_works_on(void) {
    scene all;
    scene_begin_in_hand(&all, 2);
    ft_local_cursor *last = cursor_of(all.batch);
    ft_local_batch_free(all.batch);
    for (size_t number = 2; number < 33; number++) {
        next_expecting(all.cursor, number);
    }
    CHECK(ft_local_cursor_len(all.cursor) > 0);
    ft_local_cursor_free(all.cursor);
    CHECK_EQ(atomic_load(&all.host.releases), 33);
    next_expecting(last, 33);
    ft_local_cursor_free(last);
    CHECK_EQ(atomic_load(&all.host.releases), all.source.made);
    fake_host_end(&all.host);
}

static void a_failure_of_the_source_is_told_and_passes(void) {
    scene all;
    scene_begin(&all, 1, 6);
    all.source.fail_at_call = 9;
    all.source.failure = 4711;
    for (size_t number = 0; number < 6; number++) {
        next_expecting(all.cursor, number);
    }
    next_failing(all.cursor, 4711);
    for (size_t number = 6; number < 30; number++) {
        next_expecting(all.cursor, number);
    }
    scene_end(&all);
}

static void the_end_comes_after_the_last_result(void) {
    scene all;
    scene_begin(&all, 1, 6);
    all.source.limit = 15;
    all.source.end = FT_LOCAL_ERR_END;
    for (size_t number = 0; number < 15; number++) {
        next_expecting(all.cursor, number);
    }
    size_t calls = all.source.calls;
    next_failing(all.cursor, FT_LOCAL_ERR_END);
    next_failing(all.cursor, FT_LOCAL_ERR_END);
    CHECK_EQ(all.source.calls, calls);
    scene_end(&all);
}

static int32_t next_of_the_batch_being_filled(void *ctx, void **out, size_t room, size_t *made) {
    scene *all = ctx;
    if (ft_local_batch_len(all->batch) == 0) {
        next_failing(all->cursor, FT_LOCAL_ERR_REENTRANT);
    }
    return fake_source_table(&all->source).fill(&all->source, out, room, made);
}

static void a_source_cannot_use_a_cursor_of_its_batch(void) {
    scene all = {.source = {.per_call = 1}};
    all.source.host = &all.host;
    ft_local_host host = fake_host_table(&all.host);
    ft_local_source source = {
        .struct_size = sizeof source, .ctx = &all, .fill = next_of_the_batch_being_filled};
    CHECK_EQ(ft_local_batch_new(&host, &source, 3, &all.batch), FT_LOCAL_OK);
    all.cursor = cursor_of(all.batch);
    for (size_t number = 0; number < 7; number++) {
        next_expecting(all.cursor, number);
    }
    scene_end(&all);
}

static void child_begins_anew(void *arg) {
    scene *all = arg;
    CHECK_EQ(ft_local_cursor_len(all->cursor), 0);
    void *next = NULL;
    CHECK_EQ(ft_local_cursor_next_inline(all->cursor, &next), FT_LOCAL_OK);
    receive(next, 10);
    next_expecting(all->cursor, 11);
    exact_stats(all->batch);
    scene_end(all);
}

static void child_only_frees(void *arg) {
    scene_end(arg);
}

static void a_child_leaves_to_the_parent_what_is_in_hand(void) {
    scene all;
    scene_begin_in_hand(&all, 2);
    passes_in_child(child_begins_anew, &all);
    passes_in_child(child_only_frees, &all);
    for (size_t number = 2; number < 25; number++) {
        next_expecting(all.cursor, number);
    }
    scene_end(&all);
}

int main(void) {
    RUN(results_come_in_the_order_of_the_source);
    RUN(a_cursor_claims_several_at_once);
    RUN(the_inline_function_does_the_same);
    RUN(visit_shows_what_is_in_hand);
    RUN(a_freed_cursor_gives_back_what_it_has_in_hand);
    RUN(what_comes_back_is_handed_out_in_the_order_of_the_source);
    RUN(a_cursor_outlives_its_batch_and_works_on);
    RUN(a_failure_of_the_source_is_told_and_passes);
    RUN(the_end_comes_after_the_last_result);
    RUN(a_source_cannot_use_a_cursor_of_its_batch);
    RUN(a_child_leaves_to_the_parent_what_is_in_hand);
    return fake_hosts_report();
}
