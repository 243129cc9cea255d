// Many threads use the handles of a host whose objects only one thread may release, while that
// thread drains.

#include "bound_host.h"
#include "check.h"

#include <sched.h>

enum { THREADS = 8, ROUNDS = 300 };

typedef struct crowd {
    bound_host bound;
    atomic_int working;
} crowd;

static void wrap_and_free(bound_host *bound) {
    ft_local_wrapper *wrapper = NULL;
    ft_local_status status = ft_local_wrapper_new(&bound->table, bound->object, &wrapper);
    if (status != FT_LOCAL_OK) {
        CHECK_EQ(status, FT_LOCAL_ERR_OWNER_FULL);
        CHECK_PTR(wrapper, NULL);
    }
    ft_local_wrapper_free(wrapper);
}

// What is loaded goes back, since only the owner may release it.
static void load_and_give_back(bound_host *bound) {
    void *objects[3];
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(bound->batch, 3, -1, objects, &count), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_give_back(bound->batch, objects, count), FT_LOCAL_OK);
    ft_local_cursor *cursor = cursor_of(bound->batch);
    CHECK_EQ(ft_local_cursor_next(cursor, objects), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_give_back(bound->batch, objects, 1), FT_LOCAL_OK);
    ft_local_cursor_free(cursor);
}

static void clear(bound_host *bound) {
    ft_local_status status = ft_local_batch_clear(bound->batch);
    CHECK(status == FT_LOCAL_OK || status == FT_LOCAL_ERR_OWNER_FULL);
}

static void *work(void *arg) {
    crowd *all = arg;
    for (int round = 0; round < ROUNDS; round++) {
        wrap_and_free(&all->bound);
        load_and_give_back(&all->bound);
        clear(&all->bound);
    }
    atomic_fetch_sub(&all->working, 1);
    return NULL;
}

static void work_while_the_owner_drains(size_t capacity) {
    crowd all = {.working = THREADS};
    bound_host_begin(&all.bound, capacity);
    CHECK_EQ(make_batch(&all.bound), FT_LOCAL_OK);
    pthread_t threads[THREADS];
    for (size_t index = 0; index < THREADS; index++) {
        threads[index] = start_thread(work, &all);
    }
    size_t drained = 0;
    while (atomic_load(&all.working) > 0) {
        size_t released = 0;
        if (ft_local_owner_pending(all.bound.owner)) {
            CHECK_EQ(ft_local_owner_drain(all.bound.owner, &released), FT_LOCAL_OK);
        }
        drained += released;
        sched_yield();
    }
    for (size_t index = 0; index < THREADS; index++) {
        end_thread(threads[index]);
    }
    bool pending = ft_local_owner_pending(all.bound.owner);
    size_t released = 0;
    CHECK_EQ(ft_local_owner_drain(all.bound.owner, &released), FT_LOCAL_OK);
    CHECK(pending || released == 0);
    // One for each wrapper and each result that was cleared, and none twice.
    CHECK_EQ(drained + released, atomic_load(&all.bound.host.releases));
    CHECK_EQ(exact_stats(all.bound.batch).released + atomic_load(&all.bound.host.retains),
             drained + released);
    CHECK_EQ(fake_object_references(all.bound.object), 1);
    ft_local_batch_free(all.bound.batch);
    CHECK_EQ(atomic_load(&all.bound.host.alive), 1);
    bound_host_end(&all.bound);
}

static void each_release_is_done_once_by_the_owner(void) {
    work_while_the_owner_drains(1000);
}

static void so_it_is_with_hardly_any_room(void) {
    work_while_the_owner_drains(2);
}

int main(void) {
    RUN(each_release_is_done_once_by_the_owner);
    RUN(so_it_is_with_hardly_any_room);
    return fake_hosts_report();
}
