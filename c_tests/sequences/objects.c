// Where each object is, and the host's functions, which move it.

#include "check.h"
#include "world.h"

static size_t number_of(batch *of, void *pointer) {
    size_t number = of->plain ? (size_t)(uintptr_t)pointer : (size_t)*(uint64_t *)pointer;
    CHECK(number < the_world.objects_made);
    return number;
}

static known_object *object_at(batch *of, void *pointer) {
    known_object *found = &the_world.objects[number_of(of, pointer)];
    CHECK_PTR(found->batch, of);
    return found;
}

void *object_made(batch *from) {
    // Sequences are shorter than that.
    CHECK(the_world.objects_made < MOST_OBJECTS);
    size_t number = the_world.objects_made++;
    known_object *made = &the_world.objects[number];
    *made = (known_object){.batch = from, .place = IN_BATCH};
    if (from->plain) {
        return (void *)(uintptr_t)number;
    }
    made->memory = malloc(sizeof *made->memory);
    CHECK(made->memory != NULL);
    *made->memory = number;
    return made->memory;
}

void object_received(batch *from, void *pointer) {
    known_object *received = object_at(from, pointer);
    CHECK_EQ(received->place, IN_BATCH);
    CHECK(!received->parents);
    received->place = IN_HAND;
}

void object_given_back(batch *to, void *pointer) {
    known_object *given = object_at(to, pointer);
    CHECK_EQ(given->place, IN_HAND);
    given->place = IN_BATCH;
}

static void end(known_object *ended) {
    ended->place = RELEASED;
    free(ended->memory);
    ended->memory = NULL;
}

static void release(void *ctx, void *pointer) {
    batch *of = ctx;
    known_object *released = object_at(of, pointer);
    CHECK_EQ(released->place, IN_BATCH);
    end(released);
    // A finaliser may use the library.
    switch (next_byte(8)) {
    case 6:
        fork_here();
        break;
    case 7:
        next_call();
        break;
    default:
        break;
    }
}

ft_local_host host_of(batch *of) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.ctx = of;
    if (!of->plain) {
        host.release = release;
    }
    return host;
}

size_t objects_inside(const batch *of) {
    size_t inside = 0;
    for (size_t number = 0; number < the_world.objects_made; number++) {
        const known_object *one = &the_world.objects[number];
        inside += one->batch == of && one->place == IN_BATCH && !one->parents;
    }
    return inside;
}

void *object_in_hand(batch *of) {
    for (size_t number = the_world.objects_made; number-- > 0;) {
        known_object *one = &the_world.objects[number];
        if (one->batch == of && one->place == IN_HAND) {
            return of->plain ? (void *)(uintptr_t)number : one->memory;
        }
    }
    return NULL;
}

void objects_in_hand_end(batch *of) {
    for (size_t number = 0; number < the_world.objects_made; number++) {
        known_object *one = &the_world.objects[number];
        // The library drops plain values without a word.
        if (one->batch == of && (one->place == IN_HAND || of->plain)) {
            end(one);
        }
    }
}

void objects_are_the_parents(void) {
    for (size_t number = 1; number < the_world.objects_made; number++) {
        known_object *one = &the_world.objects[number];
        one->parents = one->place == IN_BATCH && one->batch->on_fork == FT_LOCAL_FORK_DISCARD;
    }
    for (size_t index = 0; index < BATCHES; index++) {
        batch *one = &the_world.batches[index];
        one->forked = one->on_fork == FT_LOCAL_FORK_ERROR;
    }
}
