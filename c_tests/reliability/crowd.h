// Threads that take numbers from one batch by every way there is. Each number that the source has
// made comes to one of them once.

#ifndef CROWD_H
#define CROWD_H

#include "ft_local.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_THREADS = 512 };

// A count of numbers, and a sum in which each has its own weight: two that are equal are of the same
// numbers, but for one chance in 2^64.
typedef struct tally {
    uint64_t count;
    uint64_t sum;
} tally;

void tally_add(tally *to, uint64_t number);

typedef struct crowd crowd;

typedef struct member {
    crowd *all;
    pthread_t thread;
    tally taken;
} member;

struct crowd {
    // What the test sets; the rest is zero.
    int threads;
    size_t size;
    // Waits then have a timeout in the library, to look for interrupts.
    bool interruptible;
    // Called before each number is made, if set.
    void (*before_each)(crowd *all);

    ft_local_batch *batch;
    // The last number that was made.
    uint64_t last;
    tally made;
    // What the test itself has taken.
    tally taken;
    member members[MOST_THREADS];
    atomic_bool stop;
    atomic_ulong steps;
};

// Makes the batch and starts the threads, unless there are to be none.
void crowd_begin(crowd *all);

// Returns when the threads together have done so many steps more.
void crowd_does(crowd *all, unsigned long steps);

// Stops the threads and takes what is left. Each number came once.
void crowd_end(crowd *all);

// All of it, in short.
void crowd_of(int threads, size_t size, bool interruptible, unsigned long steps);

#endif
