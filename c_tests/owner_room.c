// The places in the queue of an owner: who keeps one, and what happens when there is none.

#include "bound_host.h"
#include "check.h"

static void *clear_what_fits(void *arg) {
    bound_host *all = arg;
    CHECK_EQ(ft_local_batch_clear(all->batch), FT_LOCAL_ERR_OWNER_FULL);
    return NULL;
}

static void *clear_the_rest(void *arg) {
    bound_host *all = arg;
    CHECK_EQ(ft_local_batch_clear(all->batch), FT_LOCAL_OK);
    return NULL;
}

static void a_clear_elsewhere_does_as_much_as_there_is_room_for(void) {
    bound_host all;
    // One place is the batch's own.
    bound_host_begin(&all, 1 + 3);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    load_expecting(all.batch, 0);
    elsewhere(clear_what_fits, &all);
    CHECK_EQ(ft_local_batch_len(all.batch), SIZE - 1 - 3);
    exact_stats(all.batch);
    elsewhere(clear_what_fits, &all);
    CHECK_EQ(ft_local_batch_len(all.batch), SIZE - 1 - 3);
    drain_expecting(&all, 3);
    elsewhere(clear_the_rest, &all);
    CHECK_EQ(ft_local_batch_len(all.batch), 0);
    drain_expecting(&all, SIZE - 1 - 3);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    // In the owner's thread there is always room.
    load_expecting(all.batch, SIZE);
    CHECK_EQ(ft_local_batch_clear(all.batch), FT_LOCAL_OK);
    ft_local_batch_free(all.batch);
    bound_host_end(&all);
}

static void what_did_not_fit_at_the_close_ends_with_the_batch(void) {
    bound_host all;
    bound_host_begin(&all, 1 + 2);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    load_expecting(all.batch, 0);
    elsewhere(close_batch, &all);
    elsewhere(free_batch, &all);
    drain_expecting(&all, 2 + 1);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    bound_host_end(&all);
}

static void each_handle_keeps_a_place(void) {
    bound_host all;
    bound_host_begin(&all, 2);
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_OK);
    ft_local_wrapper *first = all.wrapper;
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    ft_local_batch *batch = all.batch;
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_ERR_OWNER_FULL);
    CHECK_PTR(all.wrapper, NULL);
    CHECK_EQ(make_batch(&all), FT_LOCAL_ERR_OWNER_FULL);
    CHECK_PTR(all.batch, NULL);
    CHECK_EQ(fake_object_references(all.object), 2);
    CHECK_EQ(atomic_load(&all.host.retains), 1);
    // A place that is given up here is there at once, one that is given up elsewhere when it was
    // drained.
    ft_local_batch_free(batch);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    elsewhere(free_batch, &all);
    CHECK_EQ(make_batch(&all), FT_LOCAL_ERR_OWNER_FULL);
    drain_expecting(&all, 1);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    ft_local_batch_free(all.batch);
    ft_local_wrapper_free(first);
    bound_host_end(&all);
}

static void a_failed_retain_keeps_no_place(void) {
    bound_host all;
    bound_host_begin(&all, 1);
    all.host.retain_fails = true;
    for (int times = 0; times < 3; times++) {
        CHECK_EQ(make_wrapper(&all), FT_LOCAL_ERR_RETAIN);
    }
    all.host.retain_fails = false;
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_OK);
    ft_local_wrapper_free(all.wrapper);
    bound_host_end(&all);
}

int main(void) {
    RUN(a_clear_elsewhere_does_as_much_as_there_is_room_for);
    RUN(what_did_not_fit_at_the_close_ends_with_the_batch);
    RUN(each_handle_keeps_a_place);
    RUN(a_failed_retain_keeps_no_place);
    return fake_hosts_report();
}
