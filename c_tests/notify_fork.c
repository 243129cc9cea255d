// A fork while a waiter is registered: it is the parent's, and the child leaves its memory alone, since
// a thread that is gone may have been changing it.

#include "check.h"
#include "child.h"
#include "slow_source.h"
#include "waiter.h"

static void *load_one(void *batch) {
    load_expecting(batch, 0);
    return NULL;
}

typedef struct heritage {
    ft_local_batch *batch;
    uint64_t ticket;
    atomic_int calls;
} heritage;

static void use_what_the_parent_left(void *arg) {
    heritage *it = arg;
    atomic_int calls = 0;
    CHECK_EQ(ft_local_batch_forget(it->batch, it->ticket), 0);
    CHECK(notify(it->batch, &calls) != it->ticket);
    CHECK_EQ(atomic_load(&calls), 1);
    CHECK_EQ(ft_local_batch_close(it->batch), FT_LOCAL_OK);
    CHECK_EQ(atomic_load(&it->calls), 0);
}

static void a_child_calls_no_waiter_of_its_parent(void) {
    fake_host host = {0};
    slow_source slow = {.source = {.host = &host, .per_call = 4}, .slow_call = 1};
    heritage it = {.batch = slow_source_batch(&slow, 4)};
    pthread_t filler = start_thread(load_one, it.batch);
    slow_source_await(&slow);
    it.ticket = notify(it.batch, &it.calls);
    passes_in_child(use_what_the_parent_left, &it);
    CHECK_EQ(ft_local_batch_forget(it.batch, it.ticket), 1);
    slow_source_go_on(&slow);
    end_thread(filler);
    CHECK_EQ(atomic_load(&it.calls), 0);
    ft_local_batch_free(it.batch);
    CHECK_EQ(atomic_load(&host.releases), slow.source.made);
    fake_host_end(&host);
}

int main(void) {
    RUN(a_child_calls_no_waiter_of_its_parent);
    return 0;
}
