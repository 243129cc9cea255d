// A runtime with one lock, as interpreters have it: a thread holds it while it is inside the
// runtime, and host functions run inside only.

#ifndef BIG_LOCK_H
#define BIG_LOCK_H

#include "ft_local.h"

#include <stdatomic.h>
#include <stdbool.h>

void runtime_enter(void);
void runtime_leave(void);
bool runtime_is_inside(void);

// How the library leaves the runtime while a thread waits.
typedef enum way_to_wait { NO_WAY, BY_BLOCK, BY_DETACH_AND_ATTACH } way_to_wait;
void runtime_set_wait(ft_local_host *table, way_to_wait way);

// How a waiting thread asks whether it is to stop.
typedef enum way_to_ask { BY_INTERRUPTED, BY_INTERRUPTED_PLAIN } way_to_ask;
void runtime_set_interrupted(ft_local_host *table, way_to_ask way);

// What the runtime answers, how often it was asked, and how often a thread left it to wait.
extern _Atomic int32_t runtime_answer;
extern atomic_int runtime_asked;
extern atomic_int runtime_waits;

// Sets the counts to 0 and the answer to "go on".
void runtime_reset(void);

#endif
