#include "fake_host.h"

#include "check.h"

// Over all hosts, for main's last check.
static atomic_long alive_everywhere;

static void count_alive(fake_host *host, long change) {
    atomic_fetch_add(&host->alive, change);
    atomic_fetch_add(&alive_everywhere, change);
}

fake_object *fake_object_new(fake_host *host, size_t number) {
    fake_object *object = calloc(1, sizeof *object);
    CHECK(object != NULL);
    object->host = host;
    object->number = number;
    atomic_init(&object->references, 1);
    object->next = atomic_load(&host->all);
    while (!atomic_compare_exchange_weak(&host->all, &object->next, object)) {
    }
    count_alive(host, 1);
    return object;
}

int fake_object_references(fake_object *object) {
    int references = atomic_load(&object->references);
    CHECK(references > 0);
    return references;
}

void *fake_object_retain(void *pointer) {
    fake_object *object = pointer;
    fake_host *host = object->host;
    if (host->retain_fails) {
        return NULL;
    }
    atomic_fetch_add(&host->retains, 1);
    if (atomic_fetch_add(&object->references, 1) <= 0) {
        CHECK_FAIL("retain of object %zu, which is dead", object->number);
    }
    if (!host->retain_makes_handles) {
        return object;
    }
    fake_object *handle = fake_object_new(host, object->number);
    handle->target = object;
    return handle;
}

static void give_up(fake_object *object) {
    int before = atomic_fetch_sub(&object->references, 1);
    if (before <= 0) {
        CHECK_FAIL("release of object %zu, which is dead", object->number);
    }
    if (before > 1) {
        return;
    }
    count_alive(object->host, -1);
    if (object->target != NULL) {
        give_up(object->target);
    }
}

void fake_object_release(void *pointer) {
    fake_object *object = pointer;
    atomic_fetch_add(&object->host->releases, 1);
    give_up(object);
}

static void *retain_with_ctx(void *ctx, void *object) {
    CHECK_PTR(((fake_object *)object)->host, ctx);
    return fake_object_retain(object);
}

static void release_with_ctx(void *ctx, void *handle) {
    CHECK_PTR(((fake_object *)handle)->host, ctx);
    fake_object_release(handle);
}

ft_local_host fake_host_table(fake_host *host) {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.ctx = host;
    table.retain = retain_with_ctx;
    table.release = release_with_ctx;
    return table;
}

ft_local_host fake_host_plain_table(void) {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.retain_plain = fake_object_retain;
    table.release_plain = fake_object_release;
    return table;
}

void fake_host_end(fake_host *host) {
    CHECK_EQ(atomic_load(&host->alive), 0);
    fake_object *object = atomic_load(&host->all);
    while (object != NULL) {
        fake_object *next = object->next;
        free(object);
        object = next;
    }
}

int fake_hosts_report(void) {
    long alive = atomic_load(&alive_everywhere);
    if (alive != 0) {
        fprintf(stderr, "%ld objects are still alive\n", alive);
    }
    return alive != 0;
}
