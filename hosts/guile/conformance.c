// The conformance kit on the host of ft_local.c: an object is a list of its number.

#include "ft_local.c"

#include "conformance.h"

static void describe(ft_local_host *host) {
    host->retain_plain = retain;
    host->release_plain = release;
    host->block = block;
}

static void *make(size_t number) {
    return retain(SCM_UNPACK_POINTER(scm_list_1(scm_from_size_t(number))));
}

static size_t number_of(void *object) {
    return scm_to_size_t(scm_car(SCM_PACK_POINTER(object)));
}

static long alive(void) {
    return atomic_load(&protected_now);
}

typedef struct part {
    void (*function)(void *arg, size_t index);
    void *arg;
    size_t index;
} part;

static SCM play_part(void *arg) {
    part *mine = arg;
    mine->function(mine->arg, mine->index);
    return SCM_BOOL_T;
}

static void threads(size_t count, void (*function)(void *, size_t), void *arg) {
    part *parts = scm_calloc(count * sizeof *parts);
    SCM running = SCM_EOL;
    for (size_t index = 0; index < count; index++) {
        parts[index] = (part){function, arg, index};
        running = scm_cons(scm_spawn_thread(play_part, &parts[index], NULL, NULL), running);
    }
    for (; scm_is_pair(running); running = scm_cdr(running)) {
        scm_join_thread(scm_car(running));
    }
    free(parts);
}

static void pause_outside(void) {
    scm_std_usleep(1000);
}

// The argument of a load is on its stack.
static ft_local_status load_with(const ft_local_batch *batch, void **out) {
    load self = {.source = SCM_BOOL_F, .thread = this_thread()};
    return load_until(batch, &self, -1, out);
}

static bool is_argument(const void *argument) {
    const load *self = argument;
    return self != NULL && self->thread == this_thread();
}

static void *run(void *result) {
    const conformance_adapter adapter = {
        .name = "Guile",
        .describe = describe,
        .make = make,
        .number = number_of,
        .drop = release,
        .alive = alive,
        .threads = threads,
        .pause = pause_outside,
        .load_with = load_with,
        .is_argument = is_argument,
    };
    *(int *)result = conformance_run(&adapter);
    return NULL;
}

int main(void) {
    int result = 1;
    scm_with_guile(run, &result);
    return result;
}
