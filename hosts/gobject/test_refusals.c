#include "test_refusals.h"

#include "ft_local_gobject.h"

static gpointer fail_silently(G_GNUC_UNUSED gpointer unused) {
    return NULL;
}

static gpointer new_of(gsize size, gpointer (*make)(gpointer data), GError **error) {
    return ft_local_gobject_batch_new(make, NULL, size, error);
}
static gpointer size_0(GError **error) {
    return new_of(0, fail_silently, error);
}
static gpointer size_too_large(GError **error) {
    return new_of(1073741825, fail_silently, error);
}
static gpointer size_negative(GError **error) {
    return new_of((gsize)-1, fail_silently, error);
}
static gpointer no_source(GError **error) {
    return new_of(4, NULL, error);
}
static gpointer no_object(GError **error) {
    return ft_local_gobject_wrapper_new(NULL, error);
}
static gpointer no_batch(GError **error) {
    return ft_local_gobject_batch_load(NULL, NULL, error);
}
static gpointer closed(GError **error) {
    g_autoptr(ft_local_batch) batch = new_of(4, fail_silently, NULL);
    g_assert_true(ft_local_gobject_batch_close(batch, NULL));
    g_assert_true(ft_local_gobject_batch_close(batch, NULL));
    return ft_local_gobject_batch_load_for(batch, 0, NULL, error);
}
static gpointer silent_source(GError **error) {
    g_autoptr(ft_local_batch) batch = new_of(4, fail_silently, NULL);
    return ft_local_gobject_batch_load(batch, NULL, error);
}
static gpointer load_from_own(gpointer own) {
    g_autoptr(GError) error = NULL;
    g_assert_null(ft_local_gobject_batch_load(*(ft_local_batch **)own, NULL, &error));
    return ft_local_gobject_fail(g_steal_pointer(&error));
}
static gpointer own_batch(GError **error) {
    g_autoptr(ft_local_batch) batch = NULL;
    batch = ft_local_gobject_batch_new(load_from_own, &batch, 4, NULL);
    return ft_local_gobject_batch_load(batch, NULL, error);
}

static void bad_use_is_named(void) {
    static const struct {
        gpointer (*attempt)(GError **error);
        FtLocalError code;
        const char *message;
    } cases[] = {
        {size_0, FT_LOCAL_ERROR_INVALID_ARGUMENT, "size must be between 1 and 1073741824, got 0"},
        {size_too_large, FT_LOCAL_ERROR_INVALID_ARGUMENT,
         "size must be between 1 and 1073741824, got 1073741825"},
        {size_negative, FT_LOCAL_ERROR_INVALID_ARGUMENT,
         "size must be between 1 and 1073741824, got 18446744073709551615"},
        {no_source, FT_LOCAL_ERROR_INVALID_ARGUMENT,
         "make is NULL; give the function that makes the objects"},
        {no_object, FT_LOCAL_ERROR_INVALID_ARGUMENT, "object is NULL"},
        {no_batch, FT_LOCAL_ERROR_INVALID_ARGUMENT, "batch is NULL, or no address of a handle"},
        {closed, FT_LOCAL_ERROR_CLOSED, "the batch was closed"},
        {silent_source, FT_LOCAL_ERROR_SOURCE_FAILED, "the source failed, or broke its contract"},
        {own_batch, FT_LOCAL_ERROR_REENTRANT,
         "the source loads from its own batch, and nothing is ready"},
    };
    for (guint index = 0; index < G_N_ELEMENTS(cases); index++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(cases[index].attempt(&error));
        g_assert_error(error, FT_LOCAL_ERROR, (gint)cases[index].code);
        g_assert_cmpstr(error->message, ==, cases[index].message);
    }
}

void add_refusal_tests(void) {
    g_test_add_func("/bad_use_is_named", bad_use_is_named);
}
