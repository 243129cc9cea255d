// A waiter that counts its calls.

#ifndef WAITER_H
#define WAITER_H

#include <ft_local.h>
#include <stdatomic.h>

// What is registered: counts a call in the `atomic_int` that it gets.
void count_call(void *calls);

// Registers such a waiter. Returns the ticket.
uint64_t notify(const ft_local_batch *batch, atomic_int *calls);

#endif
