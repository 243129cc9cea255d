// A process that has come to its limits: no more address space, no thread left to start, a stack as
// small as there may be.

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "crowd.h"
#include "filter.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *count_up(void *last) {
    return (void *)(uintptr_t)++*(uint64_t *)last;
}

static ft_local_status make_batch(uint64_t *last, size_t size, ft_local_batch **out) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {.struct_size = sizeof source, .ctx = last, .next_plain = count_up};
    return ft_local_batch_new(&host, &source, size, out);
}

static void load_next(ft_local_batch *batch, uint64_t expected) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)object, expected);
}

// Every allocation that needs a page from the system fails from some round on.
static void make_until_there_is_no_more(void *arg) {
    (void)arg;
    alarm(100);
    uint64_t last = 0, taken = 0;
    ft_local_batch *first = NULL, *batch = NULL;
    CHECK_EQ(make_batch(&last, 64, &first), FT_LOCAL_OK);
    load_next(first, ++taken);
    const struct rlimit none = {0, 0};
    CHECK_EQ(setrlimit(RLIMIT_AS, &none), 0);
    CHECK_PTR(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
    // A large one at once, small ones when the heap has no room for them.
    CHECK_EQ(make_batch(&last, 1 << 20, &batch), FT_LOCAL_ERR_NO_MEMORY);
    CHECK_PTR(batch, NULL);
    enum { MOST = 100000 };
    static ft_local_cursor *cursors[MOST];
    size_t made = 0;
    ft_local_status status;
    while ((status = ft_local_cursor_new(first, &cursors[made])) == FT_LOCAL_OK) {
        CHECK(++made < MOST);
    }
    CHECK_EQ(status, FT_LOCAL_ERR_NO_MEMORY);
    CHECK_PTR(cursors[made], NULL);
    CHECK_EQ(make_batch(&last, 64, &batch), FT_LOCAL_ERR_NO_MEMORY);
    for (int turn = 0; turn < 1000; turn++) {
        load_next(first, ++taken);
    }
    // As usual once there is room again.
    CHECK(made > 0);
    while (made > 0) {
        ft_local_cursor_free(cursors[--made]);
    }
    CHECK_EQ(ft_local_cursor_new(first, cursors), FT_LOCAL_OK);
    ft_local_cursor_free(cursors[0]);
    ft_local_batch_free(first);
}

static void a_process_without_address_space_gets_an_error(void) {
    passes_in_child(make_until_there_is_no_more, NULL);
}

static int count_threads(void) {
    DIR *folder = opendir("/proc/self/task");
    CHECK(folder != NULL);
    int threads = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        threads += entry->d_name[0] != '.';
    }
    CHECK_EQ(closedir(folder), 0);
    return threads;
}

#ifdef HAVE_FILTER

#include <linux/seccomp.h>

static void *do_nothing(void *unused) {
    return unused;
}

static void use_without_threads(void *arg) {
    (void)arg;
    alarm(100);
    static crowd all = {.threads = 2, .size = 8, .interruptible = true};
    crowd_begin(&all);
    filter_calls(SYS_clone, SECCOMP_RET_ERRNO | EAGAIN, 0, 0);
    filter_calls(SYS_clone3, SECCOMP_RET_ERRNO | EAGAIN, 0, 0);
    pthread_t none;
    CHECK(pthread_create(&none, NULL, do_nothing, NULL) != 0);
    CHECK_EQ(fork(), -1);
    crowd_does(&all, 10000);
    // This thread is refused too, and makes, uses and frees batches.
    for (uint64_t turn = 0; turn < 1000; turn++) {
        uint64_t last = 0;
        ft_local_batch *batch = NULL;
        CHECK_EQ(make_batch(&last, 64, &batch), FT_LOCAL_OK);
        load_next(batch, 1);
        ft_local_batch_free(batch);
    }
    CHECK_EQ(count_threads(), 3);
    crowd_end(&all);
}

static void it_starts_no_threads_and_needs_none(void) {
    passes_in_child(use_without_threads, NULL);
}

#else

static void it_starts_no_threads_and_needs_none(void) {
    uint64_t last = 0;
    ft_local_batch *batch = NULL;
    CHECK_EQ(make_batch(&last, 64, &batch), FT_LOCAL_OK);
    load_next(batch, 1);
    CHECK_EQ(count_threads(), 1);
    ft_local_batch_free(batch);
}

#endif

// What a thread uses of its stack, which was filled with a pattern.

enum { STACK = 1 << 16, PATTERN = 0xa5 };

typedef struct user {
    void (*use)(struct user *mine);
    uint64_t last;
    ft_local_batch *batch;
    ft_local_cursor *cursor;
} user;

static void use_nothing(user *mine) {
    (void)mine;
}

static void use_new(user *mine) {
    CHECK_EQ(make_batch(&mine->last, 64, &mine->batch), FT_LOCAL_OK);
    CHECK_EQ(ft_local_cursor_new(mine->batch, &mine->cursor), FT_LOCAL_OK);
}

static void use_load(user *mine) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(mine->batch, &object), FT_LOCAL_OK);
}

static void use_load_many(user *mine) {
    void *objects[10];
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(mine->batch, 10, -1, objects, &count), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_give_back(mine->batch, objects, count), FT_LOCAL_OK);
}

static void use_next(user *mine) {
    void *object = NULL;
    CHECK_EQ(ft_local_cursor_next(mine->cursor, &object), FT_LOCAL_OK);
}

static void use_prefill(user *mine) {
    size_t made = 0;
    CHECK_EQ(ft_local_batch_prefill(mine->batch, 1000, 5, 0, &made), FT_LOCAL_OK);
    CHECK_EQ(ft_local_batch_prefill(mine->batch, 1, 5, 1000000, &made), FT_LOCAL_OK);
    CHECK_EQ(made, 0);
}

static void use_an_error(user *mine) {
    CHECK_EQ(ft_local_batch_load(mine->batch, NULL), FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(ft_local_last_error(), "out");
}

static void use_stats(user *mine) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    CHECK_EQ(ft_local_batch_stats(mine->batch, &stats), FT_LOCAL_OK);
}

static void use_free(user *mine) {
    ft_local_cursor_free(mine->cursor);
    CHECK_EQ(ft_local_batch_close(mine->batch), FT_LOCAL_OK);
    ft_local_batch_free(mine->batch);
}

static void *use_it(void *arg) {
    user *mine = arg;
    mine->use(mine);
    return NULL;
}

// How much of its stack a thread that calls `use` has written to.
static long stack_used(user *mine, void (*use)(user *mine)) {
    static _Alignas(4096) unsigned char stack[STACK];
    memset(stack, PATTERN, sizeof stack);
    pthread_attr_t attributes;
    pthread_t thread;
    mine->use = use;
    CHECK_EQ(pthread_attr_init(&attributes), 0);
    CHECK_EQ(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
    CHECK_EQ(pthread_create(&thread, &attributes, use_it, mine), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(pthread_attr_destroy(&attributes), 0);
    long untouched = 0;
    while (stack[untouched] == PATTERN) {
        untouched++;
    }
    return STACK - untouched;
}

static void no_call_needs_more_than_a_few_kilobytes_of_stack(void) {
    static const struct {
        const char *name;
        void (*use)(user *mine);
    } uses[] = {
        {"new", use_new},     {"load", use_load},        {"load_many, give_back", use_load_many},
        {"next", use_next},   {"prefill", use_prefill},  {"a refused argument", use_an_error},
        {"stats", use_stats}, {"close, free", use_free},
    };
    user mine = {.last = 0};
    // What the C library itself takes, and what the dynamic linker takes once.
    uint64_t last = 0;
    ft_local_batch *first = NULL;
    CHECK_EQ(make_batch(&last, 1, &first), FT_LOCAL_OK);
    load_next(first, 1);
    ft_local_batch_free(first);
    const long empty = stack_used(&mine, use_nothing);
    for (size_t index = 0; index < sizeof uses / sizeof *uses; index++) {
        const long used = stack_used(&mine, uses[index].use) - empty;
        printf("  %-22s%5ld bytes of stack\n", uses[index].name, used);
        CHECK(used < 8192);
    }
}

int main(void) {
    RUN(a_process_without_address_space_gets_an_error);
    RUN(it_starts_no_threads_and_needs_none);
    RUN(no_call_needs_more_than_a_few_kilobytes_of_stack);
    return 0;
}
