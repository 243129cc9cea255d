#include "bound_host.h"

#include "check.h"

// The thread that alone may release.
static pthread_t owner_thread;

static void release_in_owner(void *ctx, void *handle) {
    CHECK(pthread_equal(pthread_self(), owner_thread));
    CHECK_PTR(((fake_object *)handle)->host, ctx);
    fake_object_release(handle);
}

void bound_host_begin(bound_host *all, size_t capacity) {
    owner_thread = pthread_self();
    *all = (bound_host){.source = {.per_call = 1}};
    all->source.host = &all->host;
    all->table = fake_host_table(&all->host);
    all->table.release = release_in_owner;
    CHECK_EQ(ft_local_owner_new(&all->table, capacity, &all->owner), FT_LOCAL_OK);
    CHECK(all->owner != NULL);
    all->table.owner = all->owner;
    all->object = fake_object_new(&all->host, 0);
}

void bound_host_end(bound_host *all) {
    fake_object_release(all->object);
    ft_local_owner_free(all->owner);
    fake_host_end(&all->host);
}

ft_local_status make_batch(bound_host *all) {
    ft_local_source source = fake_source_table(&all->source);
    return ft_local_batch_new(&all->table, &source, SIZE, &all->batch);
}

ft_local_status make_wrapper(bound_host *all) {
    return ft_local_wrapper_new(&all->table, all->object, &all->wrapper);
}

void drain_expecting(bound_host *all, size_t expected) {
    size_t released = SIZE_MAX;
    CHECK_EQ(ft_local_owner_pending(all->owner), expected > 0);
    CHECK_EQ(ft_local_owner_drain(all->owner, &released), FT_LOCAL_OK);
    CHECK_EQ(released, expected);
    CHECK_EQ(ft_local_owner_pending(all->owner), 0);
}

void elsewhere(void *(*function)(void *), bound_host *all) {
    end_thread(start_thread(function, all));
}

void *free_wrapper(void *arg) {
    ft_local_wrapper_free(((bound_host *)arg)->wrapper);
    return NULL;
}

void *free_batch(void *arg) {
    ft_local_batch_free(((bound_host *)arg)->batch);
    return NULL;
}

void *close_batch(void *arg) {
    bound_host *all = arg;
    CHECK_EQ(ft_local_batch_close(all->batch), FT_LOCAL_OK);
    return NULL;
}
