// A host whose references are not its objects: each is a piece of memory of its own, as with JNI's
// global references or a shared_ptr on the heap. Its objects belong to the thread that main runs
// in, so the kit leaves the checks with threads out.

#include "../conformance.h"

#include <stdlib.h>

typedef struct object {
    size_t number;
    size_t references;
} object;

typedef struct reference {
    object *target;
} reference;

static long objects_alive;

static void *refer_to(object *target) {
    reference *made = target == NULL ? NULL : malloc(sizeof *made);
    if (made != NULL) {
        made->target = target;
        ++target->references;
    }
    return made;
}

static void *retain(void *ctx, void *handle) {
    (void)ctx;
    return refer_to(((reference *)handle)->target);
}

static void drop(void *handle) {
    object *target = ((reference *)handle)->target;
    free(handle);
    if (--target->references == 0) {
        --objects_alive;
        free(target);
    }
}

static void release(void *ctx, void *handle) {
    (void)ctx;
    drop(handle);
}

static void describe(ft_local_host *host) {
    host->retain = retain;
    host->release = release;
}

static void *make(size_t number) {
    object *made = calloc(1, sizeof *made);
    if (made == NULL) {
        abort();
    }
    made->number = number;
    ++objects_alive;
    return refer_to(made);
}

static size_t number_of(void *handle) {
    return ((reference *)handle)->target->number;
}

static long alive(void) {
    return objects_alive;
}

int main(void) {
    const conformance_adapter adapter = {
        .name = "a host whose handles are not its objects",
        .describe = describe,
        .make = make,
        .number = number_of,
        .drop = drop,
        .alive = alive,
    };
    return conformance_run(&adapter);
}
