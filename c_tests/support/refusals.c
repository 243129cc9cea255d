#include "refusals.h"

#include "check.h"
#include "good.h"

static int32_t never_visit(void *object, void *arg) {
    (void)object;
    (void)arg;
    CHECK_FAIL("the visitor was called");
    return 0;
}

// Where the functions below are to put something, and what they must leave there.
static void *out;
static size_t count;

static void fill_outs(void) {
    out = &out;
    count = 7;
}

static void refused_and_out_cleared(ft_local_status status, const char *word) {
    refused(status, word);
    CHECK_PTR(out, NULL);
    fill_outs();
}

static void refused_and_count_cleared(ft_local_status status, const char *word) {
    refused(status, word);
    CHECK_EQ(count, 0);
    fill_outs();
}

void functions_of_wrapper(void *not_a_wrapper, const char *word) {
    CHECK_PTR(ft_local_wrapper_get(not_a_wrapper), NULL);
    refused_without_status(word);
    refused(ft_local_wrapper_visit(not_a_wrapper, never_visit, NULL), word);
    ft_local_wrapper_free(not_a_wrapper);
}

void functions_of_batch(void *not_a_batch, const char *word) {
    void *objects[1] = {&out};
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    fill_outs();
    refused_and_out_cleared(ft_local_batch_load(not_a_batch, &out), word);
    refused_and_out_cleared(ft_local_batch_load_for(not_a_batch, -1, &out), word);
    refused_and_out_cleared(ft_local_batch_load_with(not_a_batch, &count, -1, &out), word);
    refused_and_out_cleared(ft_local_batch_try_load(not_a_batch, &out), word);
    refused_and_out_cleared(ft_local_batch_load_now(not_a_batch, &out), word);
    refused_and_count_cleared(ft_local_batch_load_many(not_a_batch, 1, -1, objects, &count), word);
    CHECK_PTR(objects[0], &out);
    refused(ft_local_batch_give_back(not_a_batch, objects, 1), word);
    refused_and_count_cleared(ft_local_batch_prefill(not_a_batch, 1, 1, -1, &count), word);
    CHECK_EQ(ft_local_batch_len(not_a_batch), 0);
    refused_without_status(word);
    CHECK_EQ(ft_local_batch_size(not_a_batch), 0);
    refused_without_status(word);
    CHECK_EQ(ft_local_batch_is_closed(not_a_batch), 0);
    refused_without_status(word);
    refused(ft_local_batch_visit(not_a_batch, never_visit, NULL), word);
    refused(ft_local_batch_clear(not_a_batch), word);
    CHECK_EQ(ft_local_batch_abandon(not_a_batch, 1), 0);
    refused_without_status(word);
    refused(ft_local_batch_close(not_a_batch), word);
    refused(ft_local_batch_stats(not_a_batch, &stats), word);
    ft_local_cursor *cursor = (ft_local_cursor *)&out;
    refused(ft_local_cursor_new(not_a_batch, &cursor), word);
    CHECK_PTR(cursor, NULL);
    ft_local_batch_free(not_a_batch);
}

void functions_of_cursor(void *not_a_cursor, const char *word) {
    fill_outs();
    refused_and_out_cleared(ft_local_cursor_next(not_a_cursor, &out), word);
    refused_and_out_cleared(ft_local_cursor_next_for(not_a_cursor, -1, &out), word);
    refused_and_out_cleared(ft_local_cursor_next_now(not_a_cursor, &out), word);
    refused_and_out_cleared(ft_local_cursor_next_with(not_a_cursor, &count, -1, &out), word);
    CHECK_EQ(ft_local_cursor_len(not_a_cursor), 0);
    refused_without_status(word);
    refused(ft_local_cursor_visit(not_a_cursor, never_visit, NULL), word);
    ft_local_cursor_free(not_a_cursor);
}
