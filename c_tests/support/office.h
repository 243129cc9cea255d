// Many threads that use one batch of several fillers in every way: each object is received once, by
// one thread, or released once by the library, and each failure is reported where it happened.

#ifndef OFFICE_H
#define OFFICE_H

#include "fake_host.h"

// What kind of source, and of use.
typedef struct office {
    // At most so many objects in one call.
    size_t per_call;
    // One of so many calls fails, after having made what it made. 0 is never.
    size_t fail_every;
    // A thread closes the batch when half of the objects were received.
    bool closes;
} office;

// Makes `objects` with a batch of this size, and checks all counts at the end.
void work_in_office(size_t objects, size_t size, office kind);

#endif
