// The library is loaded and unloaded thousands of times, with threads that use it in between. The
// process does not grow, and a fork after the last unload calls nothing that is gone.
//
// FT_LOCAL_TEST_RELOADS in the environment is how often (3000).

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "ft_local.h"
#include "thread.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <unistd.h>

enum { THREADS = 2, LOADS = 20, WARM_UP = 100, MOST_PAGES = 128 };

// Those functions of the library that a round uses.
typedef struct library {
    void *handle;
    ft_local_status (*batch_new)(const ft_local_host *, const ft_local_source *, size_t,
                                 ft_local_batch **);
    ft_local_status (*batch_load)(const ft_local_batch *, void **);
    void (*batch_free)(ft_local_batch *);
    const char *(*last_error)(void);
    ft_local_batch *batch;
} library;

static void *symbol(void *handle, const char *name) {
    void *found = dlsym(handle, name);
    CHECK(found != NULL);
    return found;
}

static bool is_mapped(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    char line[4096];
    bool found = false;
    while (fgets(line, sizeof line, maps) != NULL) {
        found |= strstr(line, "libft_local") != NULL;
    }
    fclose(maps);
    return found;
}

static long resident_pages(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;
    CHECK(file != NULL);
    CHECK_EQ(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return pages;
}

static void library_open(library *of, const char *path) {
    of->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (of->handle == NULL) {
        CHECK_FAIL("%s", dlerror());
    }
    // C has no other way from a data pointer to a function's.
    *(void **)&of->batch_new = symbol(of->handle, "ft_local_batch_new");
    *(void **)&of->batch_load = symbol(of->handle, "ft_local_batch_load");
    *(void **)&of->batch_free = symbol(of->handle, "ft_local_batch_free");
    *(void **)&of->last_error = symbol(of->handle, "ft_local_last_error");
}

static void *count_up(void *last) {
    return (void *)++*(uintptr_t *)last;
}

// The last error is memory of the thread's own, which goes when the thread does.
static void *load_some(void *arg) {
    const library *of = arg;
    for (int turn = 0; turn < LOADS; turn++) {
        void *object = NULL;
        CHECK_EQ(of->batch_load(of->batch, &object), FT_LOCAL_OK);
    }
    CHECK_EQ(of->batch_load(of->batch, NULL), FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(of->last_error(), "out");
    return NULL;
}

// Loads the library, and makes a batch that counts in `last`.
static void library_begin(library *of, const char *path, uintptr_t *last) {
    const ft_local_host host = FT_LOCAL_HOST_INIT;
    const ft_local_source source = {
        .struct_size = sizeof source, .ctx = last, .next_plain = count_up};
    library_open(of, path);
    CHECK_EQ(of->batch_new(&host, &source, 4, &of->batch), FT_LOCAL_OK);
}

static void library_end(library *of) {
    of->batch_free(of->batch);
    CHECK_EQ(dlclose(of->handle), 0);
}

static void load_use_unload(const char *path) {
    library of;
    uintptr_t last = 0;
    library_begin(&of, path, &last);
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++) {
        threads[index] = start_thread(load_some, &of);
    }
    load_some(&of);
    for (int index = 0; index < THREADS; index++) {
        end_thread(threads[index]);
    }
    CHECK(last >= (THREADS + 1) * LOADS);
    library_end(&of);
}

static void do_nothing(void *unused) {
    (void)unused;
}

static void a_process_does_not_grow_by_loading_it_again(const char *path) {
    const char *wanted = getenv("FT_LOCAL_TEST_RELOADS");
    const long reloads = wanted == NULL ? 3000 : atol(wanted);
    CHECK(!is_mapped());
    long before = 0;
    for (long round = 0; round < WARM_UP + reloads; round++) {
        if (round == WARM_UP) {
            before = resident_pages();
        }
        load_use_unload(path);
    }
    const long growth = resident_pages() - before;
    printf("  %ld rounds: %ld pages more, %s\n", reloads, growth,
           is_mapped() ? "still mapped" : "unmapped");
    CHECK(growth <= MOST_PAGES);
    passes_in_child(do_nothing, NULL);
}

// A thread that has used the library outlives it: its own memory of it goes when it ends.
static pthread_barrier_t barrier;

static void *load_and_outlive(void *arg) {
    load_some(arg);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void a_thread_may_outlive_the_library(const char *path) {
    library of;
    uintptr_t last = 0;
    library_begin(&of, path, &last);
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 2), 0);
    pthread_t thread = start_thread(load_and_outlive, &of);
    pthread_barrier_wait(&barrier);
    library_end(&of);
    pthread_barrier_wait(&barrier);
    end_thread(thread);
    passes_in_child(do_nothing, NULL);
    load_use_unload(path);
}

int main(int argc, char **argv) {
    CHECK_EQ(argc, 2);
    alarm(290);
    puts("a_process_does_not_grow_by_loading_it_again");
    a_process_does_not_grow_by_loading_it_again(argv[1]);
    puts("a_thread_may_outlive_the_library");
    a_thread_may_outlive_the_library(argv[1]);
    return 0;
}
