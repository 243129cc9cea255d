// Checks in one thread: references, order, errors, what is left.

#include "kit.h"

static const char *no_references(void) {
    return kit_adapter->alive == NULL ? "its objects are plain values" : NULL;
}

static ft_local_wrapper *wrap(const ft_local_host *host, void *object) {
    ft_local_wrapper *wrapper = NULL;
    EXPECT_OK(ft_local_wrapper_new(host, object, &wrapper));
    return wrapper;
}

// The handle in a wrapper may be the object itself or one that `retain` made.
static void a_wrapper_keeps_its_object_alive(void) {
    ft_local_host host = kit_host();
    void *object = kit_adapter->make(42);
    kit_expect_alive(1, "when one was made");
    ft_local_wrapper *wrapper = wrap(&host, object);
    kit_drop(object);
    kit_expect_alive(1, "when a wrapper holds it and nobody else does");
    EXPECT(kit_number(ft_local_wrapper_get(wrapper)) == 42, "the handle leads to object %zu",
           kit_number(ft_local_wrapper_get(wrapper)));
    ft_local_wrapper_free(wrapper);
    kit_expect_alive(0, "when its wrapper is gone");
}

static void many_wrappers_share_an_object(void) {
    enum { WRAPPERS = 100 };
    ft_local_host host = kit_host();
    ft_local_wrapper *wrappers[WRAPPERS];
    void *object = kit_adapter->make(7);
    for (size_t index = 0; index < WRAPPERS; index++) {
        wrappers[index] = wrap(&host, object);
    }
    kit_drop(object);
    // All but the last, from the middle on.
    for (size_t step = 1; step < WRAPPERS; step++) {
        ft_local_wrapper_free(wrappers[(step + WRAPPERS / 2) % WRAPPERS]);
    }
    ft_local_wrapper *last = wrappers[WRAPPERS / 2];
    kit_expect_alive(1, "when one of a hundred wrappers is left");
    EXPECT(kit_number(ft_local_wrapper_get(last)) == 7, "the handle leads to another object");
    ft_local_wrapper_free(last);
}

static void results_come_in_order_and_are_the_callers(void) {
    const size_t sizes[] = {1, 2, 7, 64};
    ft_local_host host = kit_host();
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        kit_source source = {.per_call = index + 1};
        ft_local_batch *batch = kit_batch(&host, &source, sizes[index]);
        for (size_t number = 0; number < 200; number++) {
            void *handle = kit_load(batch);
            EXPECT(kit_number(handle) == number, "object %zu came and not %zu", kit_number(handle),
                   number);
            kit_expect_alive((long)ft_local_batch_len(batch) + 1, "with one just loaded");
            kit_drop(handle);
        }
        EXPECT(source.made == 200 + ft_local_batch_len(batch), "%zu were made", source.made);
        ft_local_batch_free(batch);
        kit_expect_alive(0, "when a batch was freed with some left in it");
    }
}

static void clear_releases_what_is_left(void) {
    ft_local_host host = kit_host();
    kit_source source = {.per_call = 3};
    ft_local_batch *batch = kit_batch(&host, &source, 10);
    kit_load_expecting(batch, 0);
    kit_expect_alive(9, "when nine of ten are left");
    EXPECT_OK(ft_local_batch_clear(batch));
    kit_expect_alive(0, "when the batch was cleared");
    kit_load_expecting(batch, 10);
    ft_local_batch_free(batch);
}

static void an_error_of_the_source_loses_nothing(void) {
    enum { ERROR = 42 };
    ft_local_host host = kit_host();
    for (size_t fail_at = 1; fail_at < 12; fail_at++) {
        kit_source source = {.per_call = 1, .fail_at = fail_at, .failure = ERROR};
        ft_local_batch *batch = kit_batch(&host, &source, 4);
        void *handle = batch;
        size_t failures = 0;
        for (size_t number = 0; number < 20;) {
            ft_local_status status = ft_local_batch_load(batch, &handle);
            if (status == ERROR) {
                EXPECT(handle == NULL, "a failed load leaves %p", handle);
                ++failures;
                continue;
            }
            EXPECT_OK(status);
            EXPECT(kit_number(handle) == number, "object %zu came and not %zu", kit_number(handle),
                   number);
            kit_drop(handle);
            number++;
        }
        EXPECT(failures == 1, "one failure was reported %zu times", failures);
        ft_local_batch_free(batch);
    }
}

static void an_end_comes_after_everything_else(void) {
    ft_local_host host = kit_host();
    // Three calls fill the batch; the fourth makes one more and says that it was the last.
    kit_source source = {.per_call = 3, .fail_at = 4, .failure = FT_LOCAL_ERR_END};
    ft_local_batch *batch = kit_batch(&host, &source, 8);
    for (size_t number = 0; number < 9; number++) {
        kit_load_expecting(batch, number);
    }
    void *handle = batch;
    EXPECT_STATUS(ft_local_batch_load(batch, &handle), FT_LOCAL_ERR_END);
    EXPECT(source.calls == 4, "a source that had ended was called again");
    ft_local_batch_free(batch);
}

static void a_closed_batch_has_released_everything(void) {
    ft_local_host host = kit_host();
    kit_source source = {.per_call = 8};
    ft_local_batch *batch = kit_batch(&host, &source, 8);
    ft_local_cursor *cursor = NULL;
    EXPECT_OK(ft_local_cursor_new(batch, &cursor));
    void *handle = NULL;
    EXPECT_OK(ft_local_cursor_next(cursor, &handle));
    kit_drop(handle);
    size_t in_hand = ft_local_cursor_len(cursor);
    kit_expect_alive(7, "when one of eight was taken");
    EXPECT_OK(ft_local_batch_close(batch));
    kit_expect_alive((long)in_hand, "when the batch was closed: those that a cursor has in hand");
    EXPECT_STATUS(ft_local_batch_load(batch, &handle), FT_LOCAL_ERR_CLOSED);
    ft_local_cursor_free(cursor);
    kit_expect_alive(0, "when the cursor is gone too");
    ft_local_batch_free(batch);
}

typedef struct visited {
    size_t next;
    size_t stop_after;
} visited;

static int32_t visit(void *object, void *arg) {
    visited *seen = arg;
    EXPECT(kit_number(object) == seen->next, "object %zu is shown and not %zu", kit_number(object),
           seen->next);
    return ++seen->next == seen->stop_after;
}

static void a_collector_sees_what_is_left(void) {
    ft_local_host host = kit_host();
    kit_source source = {.per_call = 8};
    ft_local_batch *batch = kit_batch(&host, &source, 8);
    kit_load_expecting(batch, 0);
    visited all = {.next = 1};
    EXPECT(ft_local_batch_visit(batch, visit, &all) == 0, "the visit was stopped");
    EXPECT(all.next == 8, "%zu objects were shown and not 7", all.next - 1);
    visited some = {.next = 1, .stop_after = 4};
    EXPECT(ft_local_batch_visit(batch, visit, &some) == 1, "the visit was not stopped");
    ft_local_batch_free(batch);
}

const kit_check kit_object_checks[] = {
    {"a wrapper keeps its object alive", a_wrapper_keeps_its_object_alive, NULL},
    {"many wrappers share an object", many_wrappers_share_an_object, no_references},
    {"results come in order and are the caller's", results_come_in_order_and_are_the_callers, NULL},
    {"clear releases what is left", clear_releases_what_is_left, no_references},
    {"an error of the source loses nothing", an_error_of_the_source_loses_nothing, NULL},
    {"an end comes after everything else", an_end_comes_after_everything_else, NULL},
    {"a closed batch has released everything", a_closed_batch_has_released_everything, NULL},
    {"a collector sees what is left", a_collector_sees_what_is_left, NULL},
    {NULL, NULL, NULL},
};
