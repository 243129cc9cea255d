// A world of handles and objects that any sequence of calls of the library keeps consistent.
//
// The sequence is read from bytes: which call, with which handle, and what each callback does. The
// world knows where each object is, so a result that is lost, handed out twice, released twice or
// used after its end stops the program.

#ifndef WORLD_H
#define WORLD_H

#include "ft_local.h"

#include <stdbool.h>

enum { BATCHES = 3, CURSORS = 4, WRAPPERS = 2, MOST_OBJECTS = 1 << 14, DEEPEST = 3 };

typedef enum place { IN_BATCH, IN_HAND, RELEASED } place;

typedef struct batch batch;

// An object is known by its number, which is its address too where objects are plain values.
typedef struct known_object {
    // NULL once the last reference was given up, so that a sanitizer sees what is used later.
    uint64_t *memory;
    batch *batch;
    place place;
    // Made before the fork that made this process, which is to drop it.
    bool parents;
} known_object;

struct batch {
    ft_local_batch *handle;
    size_t size;
    // Calls that are inside the library with this batch, which cannot be freed meanwhile.
    int busy;
    int32_t on_fork;
    bool plain, ended, closed, failed, forked, in_source;
    int closing;
    // What the source says when it is asked whether it has ended.
    bool end_asked;
    uint64_t source_calls;
};

typedef struct cursor {
    ft_local_cursor *handle;
    batch *batch;
    int busy;
} cursor;

typedef struct world {
    const uint8_t *bytes;
    size_t left;
    int depth;
    bool forks, is_child;
    size_t objects_made;
    known_object objects[MOST_OBJECTS];
    batch batches[BATCHES];
    cursor cursors[CURSORS];
    ft_local_wrapper *wrappers[WRAPPERS];
    uint64_t *wrapped[WRAPPERS];
    int wrapped_references[WRAPPERS];
} world;

extern world the_world;

// Runs the sequence that the bytes stand for, then frees everything and checks the counts.
void run_sequence(const uint8_t *bytes, size_t size);

// Forks now and then, waits for the child, which goes on with the same sequence, and checks that it
// ended well.
void fork_here(void);

// The next byte, modulo `limit`; 0 at the end of the sequence.
unsigned next_byte(unsigned limit);

// objects.c: where objects are.
void *object_made(batch *from);
void object_received(batch *from, void *pointer);
void object_given_back(batch *to, void *pointer);
// How many objects of a batch the library has.
size_t objects_inside(const batch *of);
// Some object of a batch that the caller has in hand, or NULL.
void *object_in_hand(batch *of);
void objects_in_hand_end(batch *of);
// In the child of a fork.
void objects_are_the_parents(void);
ft_local_host host_of(batch *of);

// source.c: what makes objects, well or badly.
ft_local_source source_of(batch *of, unsigned kind);

// calls.c: one call of the library, and what must be true after it.
void next_call(void);
void check_batch(batch *of);
void free_everything(void);

#endif
