#include "test_waiting.h"

#include "ft_local_gobject.h"
#include "guid.h"

// A batch whose source one thread runs, until it is opened.
typedef struct {
    ft_local_batch *batch;
    GuidMaker *maker;
    GThread *filler;
    gint runs, is_open;
} HeldUp;

static gpointer make_when_open(gpointer data) {
    HeldUp *scene = data;
    g_atomic_int_set(&scene->runs, TRUE);
    while (!g_atomic_int_get(&scene->is_open)) {
        g_thread_yield();
    }
    return guid_maker_make(scene->maker);
}

static gpointer load_one(gpointer batch) {
    g_object_unref(ft_local_gobject_batch_load(batch, NULL, NULL));
    return NULL;
}

static void hold_up(HeldUp *scene, gsize size) {
    *scene = (HeldUp){.maker = guid_maker_new(0)};
    scene->batch = ft_local_gobject_batch_new(make_when_open, scene, size, NULL);
    scene->filler = g_thread_new("filler", load_one, scene->batch);
    while (!g_atomic_int_get(&scene->runs)) {
        g_thread_yield();
    }
}

static void open_up(HeldUp *scene) {
    g_atomic_int_set(&scene->is_open, TRUE);
    g_thread_join(scene->filler);
}

static void end_scene(HeldUp *scene) {
    ft_local_batch_free(scene->batch);
    g_assert_cmpuint(G_OBJECT(scene->maker)->ref_count, ==, 1);
    g_object_unref(scene->maker);
    g_assert_cmpint(guids_alive(), ==, 0);
}

static guint64 waits(HeldUp *scene) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    g_assert_cmpint(ft_local_batch_stats(scene->batch, &stats), ==, FT_LOCAL_OK);
    return stats.waits;
}

static void a_load_can_have_a_limit_of_time(void) {
    HeldUp scene;
    hold_up(&scene, 2);
    for (GTimeSpan timeout = 0; timeout < 2; timeout++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(ft_local_gobject_batch_load_for(scene.batch, timeout, NULL, &error));
        g_assert_error(error, FT_LOCAL_ERROR, FT_LOCAL_ERROR_TIMED_OUT);
    }
    open_up(&scene);
    g_object_unref(ft_local_gobject_batch_load_for(scene.batch, G_MAXINT64, NULL, NULL));
    g_object_unref(ft_local_gobject_batch_load_for(scene.batch, -1, NULL, NULL));
    end_scene(&scene);
}

typedef struct {
    HeldUp *scene;
    GCancellable *cancellable;
} Cancelled;

static gpointer load_until_cancelled(gpointer data) {
    Cancelled *self = data;
    g_autoptr(GError) error = NULL;
    g_assert_null(ft_local_gobject_batch_load(self->scene->batch, self->cancellable, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    return NULL;
}

static void cancelling_ends_a_load_that_waits(void) {
    HeldUp scene;
    hold_up(&scene, 2);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Cancelled cancelled = {&scene, cancellable};
    GThread *thread = g_thread_new("waiter", load_until_cancelled, &cancelled);
    while (waits(&scene) == 0) {
        g_thread_yield();
    }
    g_cancellable_cancel(cancellable);
    g_thread_join(thread);
    // One that begins later does not begin.
    load_until_cancelled(&cancelled);
    open_up(&scene);
    end_scene(&scene);
}

// What the callbacks of a main context have got.
typedef struct {
    GMainContext *context;
    guint loaded, cancelled, closed, failed;
    GHashTable *seen; // NULL if it does not matter which they are.
} Got;

static void got_one(G_GNUC_UNUSED GObject *none, GAsyncResult *result, gpointer data) {
    Got *got = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Guid) guid = ft_local_gobject_batch_load_finish(result, &error);
    if (guid != NULL) {
        g_assert_no_error(error);
        g_assert_cmpuint(G_OBJECT(guid)->ref_count, ==, 1);
        got->loaded++;
        if (got->seen != NULL) {
            g_assert_true(g_hash_table_add(got->seen, g_strdup(guid_text(guid))));
        }
    } else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        got->cancelled++;
    } else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_BUSY)) {
        got->failed++;
    } else {
        g_assert_error(error, FT_LOCAL_ERROR, FT_LOCAL_ERROR_CLOSED);
        got->closed++;
    }
}

static guint finished(Got *got) {
    return got->loaded + got->cancelled + got->closed + got->failed;
}

static void run_until_finished(Got *got, guint count) {
    while (finished(got) < count) {
        g_main_context_iteration(got->context, TRUE);
    }
}

static void load(HeldUp *scene, GCancellable *cancellable, Got *got) {
    ft_local_gobject_batch_load_async(scene->batch, G_PRIORITY_DEFAULT, cancellable, got_one, got);
}

static void a_main_context_goes_on_while_loads_wait(void) {
    HeldUp scene;
    Got got = {0};
    hold_up(&scene, 4);
    for (int count = 0; count < 6; count++) {
        load(&scene, NULL, &got);
    }
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(finished(&got), ==, 0);
    open_up(&scene);
    run_until_finished(&got, 6);
    g_assert_cmpuint(got.loaded, ==, 6);
    g_assert_cmpuint(waits(&scene), ==, 0);
    end_scene(&scene);
}

static void a_cancelled_load_takes_nothing_from_another(void) {
    HeldUp scene;
    Got got = {0};
    g_autoptr(GCancellable) early = g_cancellable_new();
    g_autoptr(GCancellable) late = g_cancellable_new();
    hold_up(&scene, 2);
    load(&scene, early, &got);
    load(&scene, late, &got);
    load(&scene, late, &got);
    load(&scene, NULL, &got);
    g_cancellable_cancel(early);
    run_until_finished(&got, 1);
    load(&scene, early, &got);
    run_until_finished(&got, 2);
    g_assert_cmpuint(got.cancelled, ==, 2);
    open_up(&scene);
    // Both were called, one for a result and one for the source, and did not run yet.
    g_cancellable_cancel(late);
    run_until_finished(&got, 5);
    g_assert_cmpuint(got.cancelled, ==, 4);
    g_assert_cmpuint(got.loaded, ==, 1);
    // Nothing is left that would run.
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(finished(&got), ==, 5);
    end_scene(&scene);
}

static void closing_ends_loads_that_wait(void) {
    HeldUp scene;
    Got got = {0};
    hold_up(&scene, 2);
    for (int count = 0; count < 3; count++) {
        load(&scene, NULL, &got);
    }
    g_assert_true(ft_local_gobject_batch_close(scene.batch, NULL));
    run_until_finished(&got, 3);
    g_assert_cmpuint(got.closed, ==, 3);
    open_up(&scene);
    end_scene(&scene);
}

enum { CONTEXTS = 3, EACH = 3500, BLOCKING = 2 };

typedef struct {
    ft_local_batch *batch;
    guint index;
} Crowd;

// Starts many loads in a main context of its own, and cancels every fifth.
static gpointer load_in_a_context(gpointer data) {
    Crowd *crowd = data;
    g_autoptr(GMainContext) context = g_main_context_new();
    Got *got = g_new0(Got, 1);
    got->context = context;
    got->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_main_context_push_thread_default(context);
    for (guint count = 0; count < EACH; count++) {
        g_autoptr(GCancellable) cancellable = count % 5 == 0 ? g_cancellable_new() : NULL;
        ft_local_gobject_batch_load_async(crowd->batch, G_PRIORITY_DEFAULT, cancellable, got_one,
                                          got);
        if (count % 3 == 0) {
            g_main_context_iteration(context, FALSE);
        }
        if (cancellable != NULL) {
            g_cancellable_cancel(cancellable);
        }
    }
    run_until_finished(got, EACH);
    g_main_context_pop_thread_default(context);
    return got;
}

static gpointer load_blocking(gpointer data) {
    Crowd *crowd = data;
    Got *got = g_new0(Got, 1);
    got->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    while (got->loaded < EACH) {
        g_autoptr(Guid) guid = ft_local_gobject_batch_load(crowd->batch, NULL, NULL);
        if (guid != NULL) {
            got->loaded++;
            g_assert_true(g_hash_table_add(got->seen, g_strdup(guid_text(guid))));
        }
    }
    return got;
}

static void ten_thousand_tasks_and_threads_get_each_guid_once(void) {
    g_autoptr(GuidMaker) maker = guid_maker_new(101);
    ft_local_batch *batch = ft_local_gobject_batch_new(guid_maker_make, maker, 7, NULL);
    Crowd crowd[CONTEXTS + BLOCKING];
    GThread *threads[CONTEXTS + BLOCKING];
    for (guint index = 0; index < G_N_ELEMENTS(threads); index++) {
        crowd[index] = (Crowd){batch, index};
        threads[index] = g_thread_new("load", index < CONTEXTS ? load_in_a_context : load_blocking,
                                      &crowd[index]);
    }
    g_autoptr(GHashTable) all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint loaded = 0;
    for (guint index = 0; index < G_N_ELEMENTS(threads); index++) {
        Got *got = g_thread_join(threads[index]);
        GHashTableIter iter;
        gpointer text;
        g_hash_table_iter_init(&iter, got->seen);
        while (g_hash_table_iter_next(&iter, &text, NULL)) {
            g_hash_table_add(all, g_strdup(text));
        }
        loaded += got->loaded;
        g_hash_table_unref(got->seen);
        g_free(got);
    }
    g_assert_cmpuint(g_hash_table_size(all), ==, loaded);
    g_assert_cmpuint(guid_maker_made(maker), ==, loaded + ft_local_batch_len(batch));
    g_assert_cmpint(guids_alive(), ==, (gint)ft_local_batch_len(batch));
    ft_local_batch_free(batch);
    g_assert_cmpint(guids_alive(), ==, 0);
}

void add_waiting_tests(void) {
    g_test_add_func("/a_load_can_have_a_limit_of_time", a_load_can_have_a_limit_of_time);
    g_test_add_func("/cancelling_ends_a_load_that_waits", cancelling_ends_a_load_that_waits);
    g_test_add_func("/a_main_context_goes_on_while_loads_wait",
                    a_main_context_goes_on_while_loads_wait);
    g_test_add_func("/a_cancelled_load_takes_nothing_from_another",
                    a_cancelled_load_takes_nothing_from_another);
    g_test_add_func("/closing_ends_loads_that_wait", closing_ends_loads_that_wait);
    g_test_add_func("/ten_thousand_tasks_and_threads_get_each_guid_once",
                    ten_thousand_tasks_and_threads_get_each_guid_once);
}
