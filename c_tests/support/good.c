#include "good.h"

#include "check.h"

good *good_begin(void) {
    good *all = calloc(1, sizeof *all);
    CHECK(all != NULL);
    all->source = (fake_source){.host = &all->host, .per_call = 1};
    all->host_table = fake_host_table(&all->host);
    all->source_table = fake_source_table(&all->source);
    all->object = fake_object_new(&all->host, 0);
    CHECK_EQ(ft_local_wrapper_new(&all->host_table, all->object, &all->wrapper), FT_LOCAL_OK);
    all->batch = fake_source_batch(&all->source, 10);
    CHECK_EQ(ft_local_cursor_new(all->batch, &all->cursor), FT_LOCAL_OK);
    load_expecting(all->batch, 0);
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next(all->cursor, &object), FT_LOCAL_OK);
    receive(object, 1);
    CHECK(ft_local_cursor_len(all->cursor) > 0);
    return all;
}

void good_end(good *all) {
    CHECK_PTR(ft_local_wrapper_get(all->wrapper), all->object);
    CHECK_EQ(atomic_load(&all->host.alive), 1 + 8);
    CHECK_EQ(ft_local_cursor_len(all->cursor) + ft_local_batch_len(all->batch), 8);
    CHECK_EQ(ft_local_batch_is_closed(all->batch), 0);
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next(all->cursor, &object), FT_LOCAL_OK);
    receive(object, 2);
    ft_local_cursor_free(all->cursor);
    load_expecting(all->batch, 3);
    ft_local_wrapper_free(all->wrapper);
    ft_local_batch_free(all->batch);
    fake_object_release(all->object);
    fake_host_end(&all->host);
    free(all);
}

// Puts another message in the place of the one that was read, which would otherwise do for the
// next call too.
void refused_without_status(const char *word) {
    CHECK_SAYS(ft_local_last_error(), word);
    ft_local_status other =
        strstr(word, "stats") ? ft_local_host_init(NULL, 0) : ft_local_stats_init(NULL, 0);
    CHECK_EQ(other, FT_LOCAL_ERR_ARGUMENT);
}

void refused(ft_local_status status, const char *word) {
    CHECK_EQ(status, FT_LOCAL_ERR_ARGUMENT);
    refused_without_status(word);
}
