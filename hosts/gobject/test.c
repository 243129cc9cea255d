// GUIDs as GObjects, handed to many threads, with exact books.

#include "ft_local_gobject.h"
#include "guid.h"

#include <gio/gio.h>

enum { LOADS = 50001, SIZE = 64 };

static char *books;

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
        Guid *guid = ft_local_gobject_batch_load(shared->batch, &error);
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
    g_free(books);
    books = g_strdup_printf("%u threads, made %u = delivered %u + left %u, 0 alive", threads,
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
    g_assert_null(ft_local_gobject_batch_load(batch, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_BUSY);
    g_assert_cmpstr(error->message, ==, "call 2 failed");
    // What the source had made before it failed was kept.
    g_autoptr(Guid) guid = ft_local_gobject_batch_load(batch, NULL);
    g_assert_nonnull(guid);
    g_assert_cmpuint(guid_maker_made(maker), ==, 1);
}

static void a_bad_size_is_named(void) {
    g_autoptr(GuidMaker) maker = guid_maker_new(0);
    g_autoptr(GError) error = NULL;
    g_assert_null(ft_local_gobject_batch_new(guid_maker_make, maker, 0, &error));
    g_assert_error(error, FT_LOCAL_ERROR, FT_LOCAL_ERR_ARGUMENT);
    g_assert_nonnull(strstr(error->message, "size"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/a_wrapper_holds_one_reference", a_wrapper_holds_one_reference);
    g_test_add_func("/an_error_of_the_source_reaches_its_load",
                    an_error_of_the_source_reaches_its_load);
    g_test_add_func("/a_bad_size_is_named", a_bad_size_is_named);
    g_test_add_data_func("/each_guid_goes_to_one_thread/past_errors", GUINT_TO_POINTER(1001),
                         each_guid_goes_to_one_thread);
    g_test_add_data_func("/each_guid_goes_to_one_thread/without", NULL,
                         each_guid_goes_to_one_thread);
    int status = g_test_run();
    g_print("note: %s\n", books);
    g_free(books);
    return status;
}
