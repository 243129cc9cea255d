// A process that forks: nothing that the parent has prefetched is handed out twice, and the child
// goes on where a thread of the parent cannot.

#include "check.h"
#include "child.h"
#include "fake_source.h"

#include <stdatomic.h>
#include <unistd.h>

typedef struct family {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
} family;

static void family_begin(family *all, size_t size) {
    *all = (family){.source = {.per_call = 1}};
    all->source.host = &all->host;
    all->batch = fake_source_batch(&all->source, size);
}

static void family_end(family *all) {
    ft_local_batch_free(all->batch);
    fake_host_end(&all->host);
}

static void child_starts_with_nothing(void *arg) {
    family *all = arg;
    CHECK_EQ(ft_local_batch_len(all->batch), 0);
    // 1, 2 and 3 are the parent's; 4 is the first of this process.
    load_expecting(all->batch, 4);
    CHECK_EQ(ft_local_batch_len(all->batch), 3);
    CHECK_EQ(atomic_load(&all->host.alive), 3);
    family_end(all);
}

static void a_child_starts_with_nothing(void) {
    family all;
    family_begin(&all, 4);
    load_expecting(all.batch, 0);
    passes_in_child(child_starts_with_nothing, &all);
    load_expecting(all.batch, 1);
    family_end(&all);
}

static void child_frees(void *arg) {
    family_end(arg);
}

static void a_child_may_free_what_it_never_used(void) {
    family all;
    family_begin(&all, 4);
    load_expecting(all.batch, 0);
    passes_in_child(child_frees, &all);
    passes_in_child(child_starts_with_nothing, &all);
    family_end(&all);
}

// A source whose thread stays in the parent in the middle of a call.
typedef struct stuck {
    family family;
    pid_t parent;
    atomic_bool running;
    atomic_bool go_on;
} stuck;

static int32_t fill_stuck_in_parent(void *ctx, void **out, size_t capacity, size_t *produced) {
    stuck *all = ctx;
    if (getpid() == all->parent) {
        atomic_store(&all->running, true);
        while (!atomic_load(&all->go_on)) {
            usleep(1000);
        }
    }
    (void)capacity;
    *out = fake_object_new(&all->family.host, all->family.source.made++);
    *produced = 1;
    return 0;
}

static void *load_and_release(void *batch) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    fake_object_release(object);
    return NULL;
}

static void child_takes_the_fill_over(void *arg) {
    stuck *all = arg;
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, load_and_release, all->family.batch), 0);
    load_and_release(all->family.batch);
    CHECK_EQ(pthread_join(other, NULL), 0);
    family_end(&all->family);
}

static void a_child_takes_over_a_fill_and_forgets_the_threads_that_waited(void) {
    stuck all = {.parent = getpid()};
    ft_local_host host = fake_host_table(&all.family.host);
    ft_local_source source = {
        .struct_size = sizeof source, .ctx = &all, .fill = fill_stuck_in_parent};
    CHECK_EQ(ft_local_batch_new(&host, &source, 2, &all.family.batch), FT_LOCAL_OK);
    pthread_t loaders[3];
    for (size_t index = 0; index < 3; index++) {
        CHECK_EQ(pthread_create(&loaders[index], NULL, load_and_release, all.family.batch), 0);
    }
    while (!atomic_load(&all.running)) {
        usleep(1000);
    }
    // Time for the two others to begin to wait. Without it the test covers a little less.
    usleep(20000);
    passes_in_child(child_takes_the_fill_over, &all);
    atomic_store(&all.go_on, true);
    for (size_t index = 0; index < 3; index++) {
        CHECK_EQ(pthread_join(loaders[index], NULL), 0);
    }
    family_end(&all.family);
}

static void child_has_nothing_in_hand(void *arg) {
    ft_local_cursor *cursor = *(ft_local_cursor **)arg;
    // The inline function checks nothing.
    void *next = NULL;
    CHECK_EQ(ft_local_cursor_next_inline(cursor, &next), FT_LOCAL_OK);
    receive(next, 4);
}

static void a_cursor_has_nothing_in_hand_in_a_child(void) {
    family all;
    family_begin(&all, 4);
    load_expecting(all.batch, 0);
    ft_local_cursor *cursor = cursor_of(all.batch);
    next_expecting(cursor, 1);
    CHECK_EQ(ft_local_cursor_len(cursor), 2);
    passes_in_child(child_has_nothing_in_hand, &cursor);
    next_expecting(cursor, 2);
    ft_local_cursor_free(cursor);
    family_end(&all);
}

// A handler of a program that registers it before it makes its first batch.
static ft_local_batch *for_the_handler;

static void load_in_handler(void) {
    if (for_the_handler) {
        load_expecting(for_the_handler, 4);
    }
}

static void child_goes_on(void *arg) {
    family *all = arg;
    load_expecting(all->batch, 5);
    family_end(all);
}

static void a_handler_of_the_program_finds_a_child(void) {
    family all;
    family_begin(&all, 4);
    load_expecting(all.batch, 0);
    for_the_handler = all.batch;
    passes_in_child(child_goes_on, &all);
    for_the_handler = NULL;
    load_expecting(all.batch, 1);
    family_end(&all);
}

int main(void) {
    CHECK_EQ(pthread_atfork(NULL, NULL, load_in_handler), 0);
    RUN(a_child_starts_with_nothing);
    RUN(a_child_may_free_what_it_never_used);
    RUN(a_child_takes_over_a_fill_and_forgets_the_threads_that_waited);
    RUN(a_cursor_has_nothing_in_hand_in_a_child);
    RUN(a_handler_of_the_program_finds_a_child);
    return fake_hosts_report();
}
