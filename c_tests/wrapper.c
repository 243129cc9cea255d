// A wrapper retains its object once, when it is made, and releases it once, when it is freed.

#include "check.h"
#include "slow_source.h"

static ft_local_wrapper *wrap(const ft_local_host *table, void *object) {
    ft_local_wrapper *wrapper = NULL;
    CHECK_EQ(ft_local_wrapper_new(table, object, &wrapper), FT_LOCAL_OK);
    CHECK(wrapper != NULL);
    return wrapper;
}

static int32_t note_object(void *object, void *seen) {
    *(void **)seen = object;
    return 0;
}

static int32_t return_seven(void *object, void *arg) {
    (void)object;
    (void)arg;
    return 7;
}

static int32_t return_minus_one(void *object, void *arg) {
    (void)object;
    (void)arg;
    return -1;
}

static void use(const ft_local_wrapper *wrapper, void *expected) {
    for (int times = 0; times < 100; times++) {
        CHECK_PTR(ft_local_wrapper_get(wrapper), expected);
        CHECK_PTR(ft_local_wrapper_get_inline(wrapper), expected);
        void *seen = NULL;
        CHECK_EQ(ft_local_wrapper_visit(wrapper, note_object, &seen), 0);
        CHECK_PTR(seen, expected);
    }
}

static void retains_once_and_releases_once_with(fake_host *host, const ft_local_host *table) {
    fake_object *object = fake_object_new(host, 1);
    CHECK_EQ(fake_object_references(object), 1);
    ft_local_wrapper *wrapper = wrap(table, object);
    CHECK_EQ(fake_object_references(object), 2);
    CHECK_EQ(atomic_load(&host->retains), 1);

    use(wrapper, object);
    CHECK_EQ(fake_object_references(object), 2);
    CHECK_EQ(atomic_load(&host->retains), 1);
    CHECK_EQ(atomic_load(&host->releases), 0);

    ft_local_wrapper_free(wrapper);
    CHECK_EQ(fake_object_references(object), 1);
    CHECK_EQ(atomic_load(&host->retains), 1);
    CHECK_EQ(atomic_load(&host->releases), 1);
    fake_object_release(object);
    fake_host_end(host);
}

static void retains_once_and_releases_once(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    retains_once_and_releases_once_with(&host, &table);
}

static void so_do_the_forms_without_ctx(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_plain_table();
    retains_once_and_releases_once_with(&host, &table);
}

static void the_two_forms_may_be_mixed(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    table.release = NULL;
    table.release_plain = fake_object_release;
    retains_once_and_releases_once_with(&host, &table);
}

static void keeps_the_object_alive(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = wrap(&table, object);
    fake_object_release(object);
    CHECK_EQ(fake_object_references(object), 1);
    CHECK_PTR(ft_local_wrapper_get(wrapper), object);
    ft_local_wrapper_free(wrapper);
    fake_host_end(&host);
}

static void each_wrapper_has_its_own_reference(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrappers[10];
    for (int index = 0; index < 10; index++) {
        wrappers[index] = wrap(&table, object);
        CHECK_EQ(fake_object_references(object), 2 + index);
    }
    for (int index = 0; index < 10; index++) {
        CHECK_PTR(ft_local_wrapper_get(wrappers[index]), object);
        ft_local_wrapper_free(wrappers[index]);
        CHECK_EQ(fake_object_references(object), 10 - index);
    }
    fake_object_release(object);
    fake_host_end(&host);
}

static void keeps_the_handle_that_retain_returns(void) {
    fake_host host = {.retain_makes_handles = true};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = wrap(&table, object);
    fake_object *handle = ft_local_wrapper_get(wrapper);
    CHECK(handle != object);
    CHECK_PTR(handle->target, object);
    use(wrapper, handle);
    CHECK_EQ(atomic_load(&host.alive), 2);
    ft_local_wrapper_free(wrapper);
    CHECK_EQ(atomic_load(&host.alive), 1);
    fake_object_release(object);
    fake_host_end(&host);
}

static void a_retain_that_fails_changes_nothing(void) {
    fake_host host = {.retain_fails = true};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = (ft_local_wrapper *)&host;
    CHECK_EQ(ft_local_wrapper_new(&table, object, &wrapper), FT_LOCAL_ERR_RETAIN);
    CHECK_PTR(wrapper, NULL);
    CHECK_EQ(fake_object_references(object), 1);
    CHECK_EQ(atomic_load(&host.releases), 0);
    fake_object_release(object);
    fake_host_end(&host);
}

static void plain_values_need_no_functions(void) {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    int value;
    void *values[] = {&value, (void *)(uintptr_t)1, (void *)UINTPTR_MAX, NULL};
    for (size_t index = 0; index < sizeof values / sizeof *values; index++) {
        ft_local_wrapper *wrapper = wrap(&table, values[index]);
        use(wrapper, values[index]);
        ft_local_wrapper_free(wrapper);
    }
}

static void visit_returns_what_the_visitor_returns(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = wrap(&table, object);
    CHECK_EQ(ft_local_wrapper_visit(wrapper, return_seven, NULL), 7);
    CHECK_EQ(ft_local_wrapper_visit(wrapper, return_minus_one, NULL), -1);
    ft_local_wrapper_free(wrapper);
    fake_object_release(object);
    fake_host_end(&host);
}

static void the_table_is_copied(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = wrap(&table, object);
    memset(&table, 0xff, sizeof table);
    ft_local_wrapper_free(wrapper);
    CHECK_EQ(atomic_load(&host.releases), 1);
    fake_object_release(object);
    fake_host_end(&host);
}

static void *free_it(void *wrapper) {
    ft_local_wrapper_free(wrapper);
    return NULL;
}

static void another_thread_may_free_it(void) {
    fake_host host = {0};
    ft_local_host table = fake_host_table(&host);
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = wrap(&table, object);
    end_thread(start_thread(free_it, wrapper));
    CHECK_EQ(atomic_load(&host.releases), 1);
    fake_object_release(object);
    fake_host_end(&host);
}

int main(void) {
    RUN(retains_once_and_releases_once);
    RUN(so_do_the_forms_without_ctx);
    RUN(the_two_forms_may_be_mixed);
    RUN(keeps_the_object_alive);
    RUN(each_wrapper_has_its_own_reference);
    RUN(keeps_the_handle_that_retain_returns);
    RUN(a_retain_that_fails_changes_nothing);
    RUN(plain_values_need_no_functions);
    RUN(visit_returns_what_the_visitor_returns);
    RUN(the_table_is_copied);
    RUN(another_thread_may_free_it);
    return fake_hosts_report();
}
