// A host runtime that counts every retain and release. An object that is used or released after its
// last reference stops the program, and so does one that is never released.

#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include "ft_local.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct fake_object fake_object;

typedef struct fake_host {
    atomic_long retains;
    atomic_long releases;
    // Objects, and handles that retain made, with a reference left.
    atomic_long alive;
    // All objects ever made. Their memory stays until fake_host_end, so that a use of a dead one
    // is seen for what it is.
    _Atomic(fake_object *) all;
    // retain returns NULL and takes nothing.
    bool retain_fails;
    // retain returns a handle of its own making that keeps the object alive.
    bool retain_makes_handles;
} fake_host;

struct fake_object {
    fake_host *host;
    atomic_int references;
    // What the test knows the object by.
    size_t number;
    // For a handle: the object that it keeps alive.
    fake_object *target;
    fake_object *next;
};

// Stops the program if anything of this host is alive, then frees its memory.
void fake_host_end(fake_host *host);

// A new object with one reference, which is the caller's.
fake_object *fake_object_new(fake_host *host, size_t number);

// How many references an object has. It must be alive.
int fake_object_references(fake_object *object);

// Checks that the object is alive, then gives up one reference.
void fake_object_release(void *object);
void *fake_object_retain(void *object);

// The host as the library sees it, through `ctx` or through the forms without.
ft_local_host fake_host_table(fake_host *host);
ft_local_host fake_host_plain_table(void);

// What main returns: 0, or 1 if an object of any host was still alive.
int fake_hosts_report(void);

#endif
