#include "slow_source.h"

#include "check.h"

#include <time.h>

static void wait_a_little(void) {
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    slow_source *slow = ctx;
    if (slow->source.calls + 1 == slow->slow_call) {
        atomic_store(&slow->waits, true);
        while (!atomic_load(&slow->may_go_on)) {
            wait_a_little();
        }
    }
    return fake_source_table(&slow->source).fill(&slow->source, out, capacity, produced);
}

ft_local_batch *slow_source_batch(slow_source *slow, size_t size) {
    ft_local_host host = fake_host_table(slow->source.host);
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = slow;
    source.fill = fill;
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, size, &batch), FT_LOCAL_OK);
    return batch;
}

void slow_source_await(slow_source *slow) {
    while (!atomic_load(&slow->waits)) {
        wait_a_little();
    }
}

void slow_source_go_on(slow_source *slow) {
    atomic_store(&slow->may_go_on, true);
}

void await_waits(const ft_local_batch *batch, uint64_t waits) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    do {
        wait_a_little();
        CHECK_EQ(ft_local_batch_stats(batch, &stats), FT_LOCAL_OK);
    } while (stats.waits < waits);
}
