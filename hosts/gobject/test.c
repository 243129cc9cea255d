// GUIDs as GObjects, handed to many threads, with counters that must balance.

#include "ft_local_gobject.h"
#include "guid.h"
#include "test_refusals.h"
#include "test_waiting.h"

#include <gio/gio.h>

enum { LOADS = 50001, SIZE = 64 };

static char *counts;

typedef struct {
    ft_local_batch *batch;
    GuidMaker *maker;
} Shared;

// Loads as many as it is to, past the errors of the source.
static gpointer load_many(gpointer data) {
    Shared *shared = data;
    GPtrArray *mine = g_ptr_array_new_full(LOADS, g_object_unref);
    g_autoptr(ft_local_wrapper) local = ft_local_gobject_wrapper_new(shared->maker, NULL);
    while (mine->len < LOADS) {
        g_assert_true(ft_local_wrapper_get(local) == shared->maker);
        g_autoptr(GError) error = NULL;
        Guid *guid = ft_local_gobject_batch_load(shared->batch, NULL, &error);
        if (guid != NULL) {
            g_assert_no_error(error);
            g_ptr_array_add(mine, guid);
        } else {
            g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
        }
    }
    return mine;
}

static guint threads_to_use(void) {
    return MAX(4, g_get_num_processors());
}

static void each_guid_goes_to_one_thread(gconstpointer fails_every) {
    g_autoptr(GuidMaker) maker = guid_maker_new(GPOINTER_TO_UINT(fails_every));
    ft_local_batch *batch = ft_local_gobject_batch_new(guid_maker_make, maker, SIZE, NULL);
    Shared shared = {batch, maker};
    guint threads = threads_to_use();
    g_autoptr(GPtrArray) running = g_ptr_array_new();
    for (guint index = 0; index < threads; index++) {
        g_ptr_array_add(running, g_thread_new("load", load_many, &shared));
    }
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) results =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint index = 0; index < threads; index++) {
        GPtrArray *mine = g_thread_join(running->pdata[index]);
        g_ptr_array_add(results, mine);
        for (guint each = 0; each < mine->len; each++) {
            Guid *guid = mine->pdata[each];
            g_assert_cmpuint(G_OBJECT(guid)->ref_count, ==, 1);
            g_assert_true(g_hash_table_add(seen, (gpointer)guid_text(guid)));
        }
    }
    guint delivered = threads * LOADS, left = (guint)ft_local_batch_len(batch);
    g_assert_cmpuint(g_hash_table_size(seen), ==, delivered);
    g_assert_cmpuint(guid_maker_made(maker), ==, delivered + left);
    g_assert_cmpint(guids_alive(), ==, (gint)(delivered + left));
    g_ptr_array_set_size(results, 0);
    g_assert_cmpint(guids_alive(), ==, (gint)left);
    ft_local_batch_free(batch);
    g_assert_cmpint(guids_alive(), ==, 0);
    g_assert_cmpuint(G_OBJECT(maker)->ref_count, ==, 1);
    g_free(counts);
    counts = g_strdup_printf("%u threads, made %u = delivered %u + left %u, 0 alive", threads,
                             delivered + left, delivered, left);
}

static void a_wrapper_holds_one_reference(void) {
    g_autoptr(GuidMaker) maker = guid_maker_new(0);
    ft_local_wrapper *wrapper = ft_local_gobject_wrapper_new(maker, NULL);
    g_assert_true(ft_local_wrapper_get(wrapper) == maker);
    g_assert_cmpuint(G_OBJECT(maker)->ref_count, ==, 2);
    ft_local_wrapper_free(wrapper);
    g_assert_cmpuint(G_OBJECT(maker)->ref_count, ==, 1);
}

static void an_error_of_the_source_reaches_its_load(void) {
    g_autoptr(GuidMaker) maker = guid_maker_new(2);
    g_autoptr(ft_local_batch) batch = ft_local_gobject_batch_new(guid_maker_make, maker, 4, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(ft_local_gobject_batch_load(batch, NULL, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
    g_assert_cmpstr(error->message, ==, "call 2 failed");
    // What the source had made before it failed was kept.
    g_autoptr(Guid) guid = ft_local_gobject_batch_load(batch, NULL, NULL);
    g_assert_nonnull(guid);
    g_assert_cmpuint(guid_maker_made(maker), ==, 1);
}

static gpointer fail_with(gpointer message) {
    return ft_local_gobject_fail(g_error_new_literal(G_IO_ERROR, G_IO_ERROR_BUSY, message));
}

static gpointer fail_silently(G_GNUC_UNUSED gpointer unused) {
    return NULL;
}

static void check_failure(ft_local_batch *batch, const char *message) {
    g_autoptr(GError) error = NULL;
    g_assert_null(ft_local_gobject_batch_load(batch, NULL, &error));
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, message);
}

// Fails, and then loads from a batch that fails in its own way, and forgets that.
static gpointer fail_around(gpointer inner) {
    ft_local_gobject_fail(g_error_new_literal(G_IO_ERROR, G_IO_ERROR_BUSY, "outer"));
    check_failure(inner, "inner");
    g_assert_null(ft_local_gobject_batch_load(inner, NULL, NULL));
    return NULL;
}

static gpointer pass_on_failure(gpointer inner) {
    g_assert_null(ft_local_gobject_batch_load(inner, NULL, NULL));
    return NULL;
}

static void an_error_is_that_of_its_load(void) {
    g_autoptr(ft_local_batch) inner = ft_local_gobject_batch_new(fail_with, "inner", 2, NULL);
    g_autoptr(ft_local_batch) outer = ft_local_gobject_batch_new(fail_around, inner, 2, NULL);
    g_autoptr(ft_local_batch) silent = ft_local_gobject_batch_new(fail_silently, NULL, 2, NULL);
    g_autoptr(ft_local_batch) passing = ft_local_gobject_batch_new(pass_on_failure, inner, 2, NULL);
    check_failure(outer, "outer");
    // Of a load that cannot have the error, nothing is left for the next one.
    gpointer object;
    g_assert_cmpint(ft_local_batch_load(inner, &object), ==, FT_LOCAL_ERR_SOURCE);
    check_failure(silent, ft_local_status_text(FT_LOCAL_ERR_SOURCE));
    check_failure(passing, ft_local_status_text(FT_LOCAL_ERR_SOURCE));
    check_failure(inner, "inner");
}

static gpointer make_floating(G_GNUC_UNUSED gpointer unused) {
    return g_object_new(G_TYPE_INITIALLY_UNOWNED, NULL);
}

static void a_floating_object_is_taken(void) {
    g_autoptr(ft_local_batch) batch = ft_local_gobject_batch_new(make_floating, NULL, 2, NULL);
    g_autoptr(GObject) object = ft_local_gobject_batch_load(batch, NULL, NULL);
    g_assert_false(g_object_is_floating(object));
    g_assert_cmpuint(object->ref_count, ==, 1);
}

typedef struct {
    ft_local_batch *batch;
    gint calls, go_on;
} Slow;

static gpointer make_slowly(gpointer data) {
    Slow *slow = data;
    g_atomic_int_inc(&slow->calls);
    while (!g_atomic_int_get(&slow->go_on)) {
        g_thread_yield();
    }
    return g_object_new(G_TYPE_OBJECT, NULL);
}

static gpointer load_once(gpointer data) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GObject) object = ft_local_gobject_batch_load(((Slow *)data)->batch, NULL, &error);
    return GINT_TO_POINTER(object != NULL ? -1 : error->code);
}

static void closing_wakes_a_thread_that_waits(void) {
    Slow slow = {0};
    g_autoptr(ft_local_batch) batch = ft_local_gobject_batch_new(make_slowly, &slow, 2, NULL);
    slow.batch = batch;
    GThread *filler = g_thread_new("filler", load_once, &slow);
    while (g_atomic_int_get(&slow.calls) == 0) {
        g_thread_yield();
    }
    GThread *waiter = g_thread_new("waiter", load_once, &slow);
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    while (stats.waits == 0) {
        g_assert_cmpint(ft_local_batch_stats(batch, &stats), ==, FT_LOCAL_OK);
    }
    g_assert_true(ft_local_gobject_batch_close(batch, NULL));
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(waiter)), ==, FT_LOCAL_ERROR_CLOSED);
    g_atomic_int_set(&slow.go_on, 1);
    g_assert_cmpint(GPOINTER_TO_INT(g_thread_join(filler)), ==, -1);
    g_assert_cmpint(slow.calls, ==, 1);
}

static gpointer make_then_exit(gpointer calls) {
    if (++*(int *)calls == 2) {
        g_thread_exit("exited");
    }
    return g_object_new(G_TYPE_OBJECT, NULL);
}

static void a_thread_may_exit_in_its_source(void) {
    int calls = 0;
    g_autoptr(ft_local_batch) batch = ft_local_gobject_batch_new(make_then_exit, &calls, 4, NULL);
    Slow shared = {.batch = batch};
    GThread *thread = g_thread_new("filler", load_once, &shared);
    g_assert_cmpstr(g_thread_join(thread), ==, "exited");
    // What it had made is kept, and another thread runs the source.
    for (int count = 0; count < 3; count++) {
        g_autoptr(GObject) object = ft_local_gobject_batch_load(batch, NULL, NULL);
        g_assert_nonnull(object);
    }
    g_assert_cmpint(calls, >=, 4);
}

static guint64 resident_pages(void) {
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    return g_ascii_strtoull(strchr(text, ' '), NULL, 10);
}

static void make_and_drop_batches(void) {
    g_autoptr(GuidMaker) maker = guid_maker_new(0);
    for (int count = 0; count < 10000; count++) {
        g_autoptr(ft_local_batch) batch =
            ft_local_gobject_batch_new(guid_maker_make, maker, SIZE, NULL);
        g_autoptr(Guid) guid = ft_local_gobject_batch_load(batch, NULL, NULL);
        g_assert_nonnull(guid);
    }
}

static void dropped_batches_are_freed(void) {
    make_and_drop_batches();
    guint64 before = resident_pages();
    make_and_drop_batches();
    g_assert_cmpint(guids_alive(), ==, 0);
    // If they stayed, there would be more than 10,000 others.
    g_assert_cmpuint(resident_pages(), <, before + 5000);
}

static gpointer make_three(gpointer data) {
    guint *made = data;
    return *made == 3 ? ft_local_gobject_end() : (++*made, g_object_new(G_TYPE_OBJECT, NULL));
}

static void a_source_ends(void) {
    guint made = 0;
    g_autoptr(ft_local_batch) batch = ft_local_gobject_batch_new(make_three, &made, 2, NULL);
    for (int count = 0; count < 3; count++) {
        g_autoptr(GObject) object = ft_local_gobject_batch_load(batch, NULL, NULL);
        g_assert_nonnull(object);
    }
    for (int count = 0; count < 2; count++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ft_local_gobject_batch_load(batch, NULL, &error));
        g_assert_error(error, FT_LOCAL_ERROR, FT_LOCAL_ERROR_ENDED);
    }
    // A source that fails after another one of the thread has ended has not ended.
    g_autoptr(ft_local_batch) silent = ft_local_gobject_batch_new(fail_silently, NULL, 2, NULL);
    check_failure(silent, ft_local_status_text(FT_LOCAL_ERR_SOURCE));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/a_wrapper_holds_one_reference", a_wrapper_holds_one_reference);
    g_test_add_func("/an_error_of_the_source_reaches_its_load",
                    an_error_of_the_source_reaches_its_load);
    g_test_add_func("/an_error_is_that_of_its_load", an_error_is_that_of_its_load);
    g_test_add_func("/a_floating_object_is_taken", a_floating_object_is_taken);
    g_test_add_func("/closing_wakes_a_thread_that_waits", closing_wakes_a_thread_that_waits);
    g_test_add_func("/a_thread_may_exit_in_its_source", a_thread_may_exit_in_its_source);
    g_test_add_func("/dropped_batches_are_freed", dropped_batches_are_freed);
    add_refusal_tests();
    g_test_add_func("/a_source_ends", a_source_ends);
    add_waiting_tests();
    g_test_add_data_func("/each_guid_goes_to_one_thread/past_errors", GUINT_TO_POINTER(1001),
                         each_guid_goes_to_one_thread);
    g_test_add_data_func("/each_guid_goes_to_one_thread/without", NULL,
                         each_guid_goes_to_one_thread);
    int status = g_test_run();
    g_print("note: %s\n", counts);
    g_free(counts);
    return status;
}
