// A host whose objects only one thread may release: its handles are used and freed in any thread,
// and what falls due elsewhere waits for the owner.

#include "bound_host.h"
#include "check.h"

enum { CAPACITY = 10 };

static void the_owner_releases_at_once(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_OK);
    CHECK_PTR(ft_local_wrapper_get(all.wrapper), all.object);
    CHECK_EQ(fake_object_references(all.object), 2);
    ft_local_wrapper_free(all.wrapper);
    CHECK_EQ(fake_object_references(all.object), 1);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    load_expecting(all.batch, 0);
    CHECK_EQ(ft_local_batch_clear(all.batch), FT_LOCAL_OK);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    load_expecting(all.batch, SIZE);
    ft_local_batch_free(all.batch);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    drain_expecting(&all, 0);
    bound_host_end(&all);
}

static void a_wrapper_freed_elsewhere_waits_for_the_owner(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_OK);
    elsewhere(free_wrapper, &all);
    CHECK_EQ(fake_object_references(all.object), 2);
    drain_expecting(&all, 1);
    CHECK_EQ(fake_object_references(all.object), 1);
    drain_expecting(&all, 0);
    bound_host_end(&all);
}

static void *retain_and_free_wrapper(void *arg) {
    bound_host *all = arg;
    CHECK_EQ(ft_local_wrapper_retain(all->wrapper), FT_LOCAL_OK);
    ft_local_wrapper_free(all->wrapper);
    return NULL;
}

static void a_reference_to_a_wrapper_releases_nothing(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_OK);
    elsewhere(retain_and_free_wrapper, &all);
    CHECK_EQ(ft_local_owner_pending(all.owner), 0);
    ft_local_wrapper_free(all.wrapper);
    CHECK_EQ(fake_object_references(all.object), 1);
    bound_host_end(&all);
}

static void *load_two_and_free_batch(void *arg) {
    bound_host *all = arg;
    void *object = NULL;
    for (size_t number = 0; number < 2; number++) {
        CHECK_EQ(ft_local_batch_load(all->batch, &object), FT_LOCAL_OK);
        CHECK_EQ(((fake_object *)object)->number, number);
        // What a load has brought is the caller's, who knows what to do.
        fake_object_release(object);
    }
    ft_local_batch_free(all->batch);
    return NULL;
}

static void a_batch_freed_elsewhere_waits_for_the_owner(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    elsewhere(load_two_and_free_batch, &all);
    CHECK_EQ(atomic_load(&all.host.alive), 1 + SIZE - 2);
    // One batch, however much is in it.
    drain_expecting(&all, 1);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    bound_host_end(&all);
}

static void *free_batch_then_cursor(void *arg) {
    bound_host *all = arg;
    ft_local_batch_free(all->batch);
    CHECK_EQ(ft_local_owner_pending(all->owner), 0);
    ft_local_cursor_free(all->cursor);
    CHECK_EQ(ft_local_owner_pending(all->owner), 1);
    return NULL;
}

static void a_cursor_freed_elsewhere_gives_back_or_ends_the_batch(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    all.cursor = cursor_of(all.batch);
    next_expecting(all.cursor, 0);
    next_expecting(all.cursor, 1);
    CHECK(ft_local_cursor_len(all.cursor) > 0);
    elsewhere(free_batch_then_cursor, &all);
    drain_expecting(&all, 1);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    bound_host_end(&all);
}

static void a_batch_closed_elsewhere_waits_for_the_owner(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    load_expecting(all.batch, 0);
    elsewhere(close_batch, &all);
    load_failing(all.batch, FT_LOCAL_ERR_CLOSED);
    CHECK_EQ(atomic_load(&all.host.alive), 1 + SIZE - 1);
    drain_expecting(&all, SIZE - 1);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    ft_local_batch_free(all.batch);
    bound_host_end(&all);
}

static void *drain_elsewhere(void *arg) {
    bound_host *all = arg;
    size_t released = 7;
    CHECK_EQ(ft_local_owner_drain(all->owner, &released), FT_LOCAL_ERR_ARGUMENT);
    CHECK_EQ(released, 0);
    CHECK_SAYS(ft_local_last_error(), "owner belongs to another thread");
    return NULL;
}

static void only_the_owner_drains(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_OK);
    elsewhere(free_wrapper, &all);
    elsewhere(drain_elsewhere, &all);
    drain_expecting(&all, 1);
    bound_host_end(&all);
}

static void an_owner_drains_when_it_is_freed(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    load_expecting(all.batch, 0);
    elsewhere(free_batch, &all);
    ft_local_owner_free(all.owner);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    all.owner = NULL;
    bound_host_end(&all);
}

static void an_owner_may_be_freed_before_its_handles(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    CHECK_EQ(make_batch(&all), FT_LOCAL_OK);
    CHECK_EQ(make_wrapper(&all), FT_LOCAL_OK);
    load_expecting(all.batch, 0);
    ft_local_owner_free(all.owner);
    load_expecting(all.batch, 1);
    CHECK_PTR(ft_local_wrapper_get(all.wrapper), all.object);
    ft_local_wrapper_free(all.wrapper);
    ft_local_batch_free(all.batch);
    CHECK_EQ(atomic_load(&all.host.alive), 1);
    all.owner = NULL;
    bound_host_end(&all);
}

static void refuse(const ft_local_host *table, bound_host *all, const char *word) {
    ft_local_wrapper *wrapper = (ft_local_wrapper *)all;
    CHECK_EQ(ft_local_wrapper_new(table, all->object, &wrapper), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(wrapper, NULL);
    CHECK_SAYS(ft_local_last_error(), word);
    CHECK_EQ(ft_local_source_init(NULL, 0), FT_LOCAL_ERR_ARGUMENT);
}

static void hosts_that_do_not_fit_are_refused(void) {
    bound_host all;
    bound_host_begin(&all, CAPACITY);
    // What was made for one way to release is not for another, nor for another context.
    ft_local_host other = all.table;
    other.ctx = &other;
    refuse(&other, &all, "releases in another way");
    other = all.table;
    other.release = NULL;
    other.release_plain = fake_object_release;
    refuse(&other, &all, "releases in another way");

    ft_local_owner *owner = all.owner;
    CHECK_EQ(ft_local_owner_new(&all.table, 1, &owner), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(owner, NULL);
    CHECK_SAYS(ft_local_last_error(), "owner already");
    const ft_local_host plain_values = FT_LOCAL_HOST_INIT;
    owner = all.owner;
    CHECK_EQ(ft_local_owner_new(&plain_values, 1, &owner), FT_LOCAL_ERR_ARGUMENT);
    CHECK_PTR(owner, NULL);
    CHECK_SAYS(ft_local_last_error(), "no release");
    bound_host_end(&all);
}

int main(void) {
    RUN(the_owner_releases_at_once);
    RUN(a_wrapper_freed_elsewhere_waits_for_the_owner);
    RUN(a_reference_to_a_wrapper_releases_nothing);
    RUN(a_batch_freed_elsewhere_waits_for_the_owner);
    RUN(a_cursor_freed_elsewhere_gives_back_or_ends_the_batch);
    RUN(a_batch_closed_elsewhere_waits_for_the_owner);
    RUN(only_the_owner_drains);
    RUN(an_owner_drains_when_it_is_freed);
    RUN(an_owner_may_be_freed_before_its_handles);
    RUN(hosts_that_do_not_fit_are_refused);
    return fake_hosts_report();
}
