#include "waiter.h"

#include "check.h"

void count_call(void *calls) {
    atomic_fetch_add((atomic_int *)calls, 1);
}

uint64_t notify(const ft_local_batch *batch, atomic_int *calls) {
    uint64_t ticket = 0;
    CHECK_EQ(ft_local_batch_notify(batch, count_call, calls, &ticket), FT_LOCAL_OK);
    CHECK(ticket != 0);
    return ticket;
}
