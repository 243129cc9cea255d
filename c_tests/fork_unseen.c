// Children that the library's handler does not see, or not in time: the kernel itself says that
// they are children. What is called in a child of `_Fork` and of a bare clone here is more than
// POSIX promises a process with threads; it is what programs do nevertheless.

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "fake_source.h"

#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)

// Not in every C library.
pid_t _Fork(void) __attribute__((weak));

static pid_t without_handlers(void) {
    return _Fork ? _Fork() : bare_clone();
}

typedef struct family {
    fake_host host;
    fake_source source;
    ft_local_batch *batch;
    ft_local_cursor *cursor;
} family;

// 1 to 3 are ready.
static void family_begin(family *all, ft_local_batch_options *options) {
    *all = (family){.source = {.per_call = 1}};
    all->source.host = &all->host;
    all->batch = fake_source_batch_with(&all->source, 4, options);
    load_expecting(all->batch, 0);
}

static void family_end(family *all) {
    ft_local_cursor_free(all->cursor);
    ft_local_batch_free(all->batch);
    fake_host_end(&all->host);
}

static void in_each_child(void (*test)(void *), void *arg) {
    passes_in_child_of(without_handlers, test, arg);
    passes_in_child_of(bare_clone, test, arg);
    passes_in_child(test, arg);
}

static void starts_with_nothing(void *arg) {
    family *all = arg;
    CHECK_EQ(ft_local_batch_len(all->batch), 0);
    load_expecting(all->batch, 4);
    CHECK_EQ(ft_local_batch_len(all->batch), 3);
    CHECK_EQ(atomic_load(&all->host.alive), 3);
}

static void starts_with_nothing_and_so_does_its_child(void *arg) {
    family *all = arg;
    starts_with_nothing(all);
    // Seen by the handler or not, after a child that was not.
    for (int seen = 0; seen < 2; seen++) {
        pid_t child = seen ? fork() : without_handlers();
        if (child == 0) {
            load_expecting(all->batch, 8);
            family_end(all);
            _exit(0);
        }
        child_has_passed(child);
    }
    load_expecting(all->batch, 5);
    family_end(all);
}

static void a_child_that_no_handler_sees_repeats_nothing(void) {
    family all;
    family_begin(&all, NULL);
    in_each_child(starts_with_nothing_and_so_does_its_child, &all);
    load_expecting(all.batch, 1);
    family_end(&all);
}

static void keeps(void *arg) {
    family *all = arg;
    load_expecting(all->batch, 1);
    family_end(all);
}

static void refuses(void *arg) {
    family *all = arg;
    load_failing(all->batch, FT_LOCAL_ERR_FORKED);
    family_end(all);
}

static void a_child_follows_the_options_of_the_batch(void) {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    family all;
    options.on_fork = FT_LOCAL_FORK_KEEP;
    family_begin(&all, &options);
    in_each_child(keeps, &all);
    family_end(&all);
    options.on_fork = FT_LOCAL_FORK_ERROR;
    family_begin(&all, &options);
    in_each_child(refuses, &all);
    family_end(&all);
}

// Only the inline function checks nothing. Any other call sets its cursor right.
static void drops_what_the_cursor_has(void *arg) {
    family *all = arg;
    CHECK_EQ(ft_local_cursor_len(all->cursor), 0);
    void *next = NULL;
    CHECK_EQ(ft_local_cursor_next_inline(all->cursor, &next), FT_LOCAL_OK);
    receive(next, 4);
    family_end(all);
}

static void loads_first(void *arg) {
    family *all = arg;
    load_expecting(all->batch, 4);
    void *next = NULL;
    CHECK_EQ(ft_local_cursor_next_inline(all->cursor, &next), FT_LOCAL_OK);
    receive(next, 5);
    family_end(all);
}

static void a_cursor_is_set_right_by_the_first_call_of_any_function(void) {
    family all;
    family_begin(&all, NULL);
    all.cursor = cursor_of(all.batch);
    next_expecting(all.cursor, 1);
    CHECK_EQ(ft_local_cursor_len(all.cursor), 2);
    in_each_child(drops_what_the_cursor_has, &all);
    in_each_child(loads_first, &all);
    next_expecting(all.cursor, 2);
    family_end(&all);
}

static void *load_some(void *batch) {
    for (size_t loads = 0; loads < 100; loads++) {
        void *object = NULL;
        CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
        CHECK(((fake_object *)object)->number >= 4);
        fake_object_release(object);
    }
    return NULL;
}

// Several threads come by at once, and the one that was copied is not among them.
static void loads_in_new_threads(void *arg) {
    family *all = arg;
    pthread_t loaders[4];
    for (size_t index = 0; index < 4; index++) {
        CHECK_EQ(pthread_create(&loaders[index], NULL, load_some, all->batch), 0);
    }
    for (size_t index = 0; index < 4; index++) {
        CHECK_EQ(pthread_join(loaders[index], NULL), 0);
    }
    CHECK_EQ(atomic_load(&all->host.alive), ft_local_batch_len(all->batch));
    family_end(all);
}

static void new_threads_of_a_child_begin_it_once(void) {
    family all;
    family_begin(&all, NULL);
    for (int turn = 0; turn < 20; turn++) {
        in_each_child(loads_in_new_threads, &all);
    }
    load_expecting(all.batch, 1);
    family_end(&all);
}

// A source that is stuck in the parent, and forks in a way of its own if it is to.
typedef struct stuck {
    family family;
    pid_t parent;
    pid_t (*fork_it)(void);
    pid_t child;
    atomic_bool running;
    atomic_bool go_on;
} stuck;

static int32_t fill_stuck(void *ctx, void **out, size_t capacity, size_t *produced) {
    stuck *all = ctx;
    (void)capacity;
    if (all->fork_it && all->family.source.made == 2) {
        all->child = all->fork_it();
    } else if (!all->fork_it && getpid() == all->parent) {
        atomic_store(&all->running, true);
        while (!atomic_load(&all->go_on)) {
            usleep(1000);
        }
    }
    *out = fake_object_new(&all->family.host, all->family.source.made++);
    *produced = 1;
    return 0;
}

static void stuck_begin(stuck *all, pid_t (*fork_it)(void)) {
    *all = (stuck){.parent = getpid(), .fork_it = fork_it};
    ft_local_host host = fake_host_table(&all->family.host);
    ft_local_source source = {.struct_size = sizeof source, .ctx = all, .fill = fill_stuck};
    CHECK_EQ(ft_local_batch_new(&host, &source, 4, &all->family.batch), FT_LOCAL_OK);
}

static void *load_first(void *batch) {
    load_expecting(batch, 0);
    return NULL;
}

static void takes_the_fill_over(void *arg) {
    stuck *all = arg;
    alarm(20);
    load_expecting(all->family.batch, 0);
    family_end(&all->family);
}

static void a_child_takes_over_a_fill_that_stayed_behind(void) {
    stuck all;
    stuck_begin(&all, NULL);
    pthread_t filler;
    CHECK_EQ(pthread_create(&filler, NULL, load_first, all.family.batch), 0);
    while (!atomic_load(&all.running)) {
        usleep(1000);
    }
    in_each_child(takes_the_fill_over, &all);
    atomic_store(&all.go_on, true);
    CHECK_EQ(pthread_join(filler, NULL), 0);
    family_end(&all.family);
}

static void a_source_may_fork_in_any_way(void) {
    pid_t (*const ways[])(void) = {without_handlers, bare_clone, fork};
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        stuck all;
        stuck_begin(&all, ways[way]);
        // The source forks before it makes 2: the child's load gets that, and 0 is the parent's.
        void *object = NULL;
        CHECK_EQ(ft_local_batch_load(all.family.batch, &object), FT_LOCAL_OK);
        bool is_child = getpid() != all.parent;
        receive(object, is_child ? 2 : 0);
        load_expecting(all.family.batch, is_child ? 3 : 1);
        if (is_child) {
            family_end(&all.family);
            _exit(0);
        }
        child_has_passed(all.child);
        family_end(&all.family);
    }
}

// A handler that runs in the child before the library's.
static ft_local_batch *for_the_handler;
static size_t the_handler_got;

static void load_in_handler(void) {
    void *object = NULL;
    if (for_the_handler) {
        CHECK_EQ(ft_local_batch_load(for_the_handler, &object), FT_LOCAL_OK);
        the_handler_got = ((fake_object *)object)->number;
        fake_object_release(object);
    }
}

#ifdef __GLIBC__
// Before any library's own.
static void register_early(void) {
    CHECK_EQ(pthread_atfork(NULL, NULL, load_in_handler), 0);
}

__attribute__((section(".preinit_array"), used)) static void (*const early)(void) = register_early;
#else
static const bool early = false;
#endif

static void goes_on_after_the_handler(void *arg) {
    family *all = arg;
    CHECK_EQ(the_handler_got, 4);
    // What it made is not taken for the parent's afterwards.
    load_expecting(all->batch, 5);
    family_end(all);
}

static void a_handler_that_comes_first_repeats_nothing(void) {
    if (!early) {
        CHECK_EQ(pthread_atfork(NULL, NULL, load_in_handler), 0);
    }
    family all;
    family_begin(&all, NULL);
    for_the_handler = all.batch;
    passes_in_child(goes_on_after_the_handler, &all);
    for_the_handler = NULL;
    load_expecting(all.batch, 1);
    family_end(&all);
}

extern char **environ;

static void a_process_that_only_starts_another_is_no_child(void) {
    family all;
    family_begin(&all, NULL);
    pid_t child = 0;
    char *arguments[] = {"true", NULL};
    CHECK_EQ(posix_spawnp(&child, "true", NULL, NULL, arguments, environ), 0);
    child_has_passed(child);
    load_expecting(all.batch, 1);
    child = vfork();
    if (child == 0) {
        _exit(0);
    }
    child_has_passed(child);
    load_expecting(all.batch, 2);
    CHECK_EQ(exact_stats(all.batch).dropped_on_fork, 0);
    family_end(&all);
}

int main(void) {
    RUN(a_child_that_no_handler_sees_repeats_nothing);
    RUN(a_child_follows_the_options_of_the_batch);
    RUN(a_cursor_is_set_right_by_the_first_call_of_any_function);
    RUN(new_threads_of_a_child_begin_it_once);
    RUN(a_child_takes_over_a_fill_that_stayed_behind);
    RUN(a_source_may_fork_in_any_way);
    RUN(a_handler_that_comes_first_repeats_nothing);
    RUN(a_process_that_only_starts_another_is_no_child);
    return fake_hosts_report();
}

#else

int main(void) {
    return 0;
}

#endif
