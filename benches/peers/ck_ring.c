// ck_ring's header is C and no C++.
#include <ck_ring.h>
#include <stdint.h>
#include <stdlib.h>

enum { SLOTS = 2048 };

struct peer_ck {
    ck_ring_t ring;
    ck_ring_buffer_t slots[SLOTS];
};

void *peer_ck_new(void) {
    struct peer_ck *peer = aligned_alloc(128, (sizeof *peer + 127) / 128 * 128);
    if (peer == NULL)
        abort();
    ck_ring_init(&peer->ring, SLOTS);
    return peer;
}

void peer_ck_push(void *ring, void *item) {
    struct peer_ck *peer = ring;
    if (!ck_ring_enqueue_spmc(&peer->ring, peer->slots, item))
        abort();
}

int peer_ck_pop(void *ring, uint64_t *item) {
    struct peer_ck *peer = ring;
    return ck_ring_dequeue_spmc(&peer->ring, peer->slots, item);
}
