// Many threads, many batches, many cursors, sources that differ a thousandfold in speed. Each number
// comes once, a thread that waits sleeps, and a program that stands still says where. How long the
// waits were, as a multiple of the median, and how the numbers were shared out, is printed.
//
// FT_LOCAL_TEST_CROWD_LOADS in the environment is how many results each scene takes (50000).

#define _GNU_SOURCE

#include "check.h"
#include "crowd.h"
#include "thread.h"
#include "watchdog.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BATCHES = 1000, SIZE = 16, BUCKETS = 64, PATIENCE = 60 };

typedef struct fair_batch {
    ft_local_batch *handle;
    // In the upper half of each of its numbers.
    uint64_t index, last;
    long pause_ns;
    tally made;
} fair_batch;

typedef struct taker {
    pthread_t thread;
    int index;
    tally taken;
    // How many loads took from 2^n nanoseconds on, less than twice as long.
    unsigned long took[BUCKETS];
    uint64_t longest_ns;
    ft_local_cursor **cursors;
} taker;

static struct {
    int threads, batches;
    bool by_cursors;
    unsigned long loads;
    fair_batch all[MOST_BATCHES];
    taker takers[MOST_THREADS];
} scene;

// What the watchdog watches.
static atomic_ulong taken_in_all, left_to_take;
static pthread_barrier_t start_together;

static void pause_for(long nanoseconds) {
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

static void *make_one(void *ctx) {
    fair_batch *of = ctx;
    if (of->pause_ns > 0 && of->last % SIZE == 0) {
        pause_for(of->pause_ns);
    }
    const uint64_t number = of->index << 32 | ++of->last;
    tally_add(&of->made, number);
    return (void *)(uintptr_t)number;
}

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void note_time(taker *mine, uint64_t nanoseconds) {
    int bucket = 0;
    while (nanoseconds >> bucket > 1) {
        bucket++;
    }
    mine->took[bucket]++;
    if (nanoseconds > mine->longest_ns) {
        mine->longest_ns = nanoseconds;
    }
}

static bool claim_one_of_the_loads(void) {
    unsigned long left = atomic_load(&left_to_take);
    while (left > 0 && !atomic_compare_exchange_weak(&left_to_take, &left, left - 1)) {
    }
    return left > 0;
}

static void *take_a_share(void *arg) {
    taker *mine = arg;
    uint64_t choice = (uint64_t)mine->index;
    pthread_barrier_wait(&start_together);
    while (claim_one_of_the_loads()) {
        choice = choice * 6364136223846793005U + 1442695040888963407U;
        const size_t which = (choice >> 33) % (size_t)scene.batches;
        const uint64_t start = now_ns();
        void *object = NULL;
        const ft_local_status status = scene.by_cursors
                                           ? ft_local_cursor_next(mine->cursors[which], &object)
                                           : ft_local_batch_load(scene.all[which].handle, &object);
        CHECK_EQ(status, FT_LOCAL_OK);
        note_time(mine, now_ns() - start);
        tally_add(&mine->taken, (uintptr_t)object);
        atomic_fetch_add(&taken_in_all, 1);
    }
    return NULL;
}

static void scene_begin(void) {
    const ft_local_host host = FT_LOCAL_HOST_INIT;
    for (int index = 0; index < scene.batches; index++) {
        fair_batch *one = &scene.all[index];
        one->index = (uint64_t)index + 1;
        const ft_local_source source = {
            .struct_size = sizeof source, .ctx = one, .next_plain = make_one};
        CHECK_EQ(ft_local_batch_new(&host, &source, SIZE, &one->handle), FT_LOCAL_OK);
    }
    for (int index = 0; index < scene.threads; index++) {
        taker *one = &scene.takers[index];
        one->index = index;
        if (!scene.by_cursors) {
            continue;
        }
        one->cursors = calloc((size_t)scene.batches, sizeof *one->cursors);
        CHECK(one->cursors != NULL);
        for (int batch = 0; batch < scene.batches; batch++) {
            CHECK_EQ(ft_local_cursor_new(scene.all[batch].handle, &one->cursors[batch]),
                     FT_LOCAL_OK);
        }
    }
}

static void add(tally *to, tally more) {
    to->count += more.count;
    to->sum += more.sum;
}

static void everything_came_once(void) {
    tally made = {0}, taken = {0};
    for (int index = 0; index < scene.threads; index++) {
        taker *one = &scene.takers[index];
        add(&taken, one->taken);
        for (int batch = 0; scene.by_cursors && batch < scene.batches; batch++) {
            ft_local_cursor_free(one->cursors[batch]);
        }
        free(one->cursors);
    }
    for (int index = 0; index < scene.batches; index++) {
        fair_batch *one = &scene.all[index];
        void *object = NULL;
        while (ft_local_batch_try_load(one->handle, &object) == FT_LOCAL_OK) {
            tally_add(&taken, (uintptr_t)object);
        }
        add(&made, one->made);
        ft_local_batch_free(one->handle);
    }
    CHECK_EQ(taken.count, made.count);
    CHECK_EQ(taken.sum, made.sum);
}

static long sleeps(void) {
    struct rusage usage;
    CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_nvcsw;
}

static void print_waits(void) {
    unsigned long took[BUCKETS] = {0}, seen = 0, most = 0, least = scene.loads;
    uint64_t longest = 0;
    for (int index = 0; index < scene.threads; index++) {
        const taker *one = &scene.takers[index];
        for (int bucket = 0; bucket < BUCKETS; bucket++) {
            took[bucket] += one->took[bucket];
        }
        longest = one->longest_ns > longest ? one->longest_ns : longest;
        most = one->taken.count > most ? one->taken.count : most;
        least = one->taken.count < least ? one->taken.count : least;
    }
    int median = 0;
    while ((seen += took[median]) < scene.loads / 2) {
        median++;
    }
    printf("  %d threads, %d batches: median below %llu ns, longest %llu ns (%llu times);"
           " a thread took %lu to %lu\n",
           scene.threads, scene.batches, 2ULL << median, (unsigned long long)longest,
           (unsigned long long)longest >> median, least, most);
}

// So many threads take so many results from so many batches.
static void share(int threads, int batches, bool by_cursors, const long *pauses, int speeds) {
    const char *wanted = getenv("FT_LOCAL_TEST_CROWD_LOADS");
    memset(&scene, 0, sizeof scene);
    scene.threads = threads;
    scene.batches = batches;
    scene.by_cursors = by_cursors;
    scene.loads = wanted == NULL ? 50000 : strtoul(wanted, NULL, 10);
    for (int index = 0; index < batches; index++) {
        scene.all[index].pause_ns = pauses[index % speeds];
    }
    scene_begin();
    atomic_store(&left_to_take, scene.loads);
    CHECK_EQ(pthread_barrier_init(&start_together, NULL, (unsigned)threads), 0);
    const long before = sleeps();
    for (int index = 0; index < threads; index++) {
        scene.takers[index].thread = start_thread(take_a_share, &scene.takers[index]);
    }
    for (int index = 0; index < threads; index++) {
        end_thread(scene.takers[index].thread);
    }
    // Each but the last one sleeps until all are there.
    const long slept = sleeps() - before - threads;
    CHECK_EQ(pthread_barrier_destroy(&start_together), 0);
    everything_came_once();
    print_waits();
    printf("  %.3f sleeps a result\n", (double)slept / (double)scene.loads);
    // Most results wake nobody. A herd that is woken for each would be seen here.
    CHECK(slept < (long)scene.loads);
}

static const long fast[] = {0};
// From none to 5 ms for each sixteen.
static const long uneven[] = {0, 1000, 50000, 0, 1000000, 5000000, 0, 10000};

static void threads_of_a_fast_source_lose_nothing(void) {
    share(64, 1, false, fast, 1);
    share(500, 1, false, fast, 1);
}

static void sources_that_differ_a_thousandfold_lose_nothing(void) {
    share(64, 8, false, uneven, 8);
    share(500, 8, false, uneven, 8);
}

static void a_thousand_batches_and_ten_thousand_cursors_lose_nothing(void) {
    share(64, MOST_BATCHES, false, fast, 1);
    share(10, MOST_BATCHES, true, fast, 1);
}

// The watchdog itself: a program that stands still, with a thread that waits for a source.

static void *never(void *unused) {
    for (;;) {
        pause();
    }
    return unused;
}

static void *load_in_vain(void *batch) {
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(batch, &object), FT_LOCAL_OK);
    return NULL;
}

static void stand_still(void) {
    static atomic_ulong progress;
    const ft_local_host host = FT_LOCAL_HOST_INIT;
    const ft_local_source source = {.struct_size = sizeof source, .next_plain = never};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&host, &source, 1, &batch), FT_LOCAL_OK);
    start_thread(load_in_vain, batch);
    watch(&progress, 1);
    load_in_vain(batch);
}

static void a_program_that_stands_still_says_where_each_thread_is(void) {
    int lines[2];
    CHECK_EQ(pipe(lines), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(dup2(lines[1], STDERR_FILENO) >= 0);
        close(lines[0]);
        close(lines[1]);
        stand_still();
    }
    close(lines[1]);
    static char text[100000];
    size_t length = 0;
    ssize_t more;
    while ((more = read(lines[0], text + length, sizeof text - 1 - length)) > 0) {
        length += (size_t)more;
    }
    close(lines[0]);
    int status = -1, threads = 0, inside = 0;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    for (char *at = strstr(text, "thread "); at != NULL; threads++) {
        char *next = strstr(at + 1, "thread ");
        char *library = strstr(at, "libft_local");
        inside += library != NULL && (next == NULL || library < next);
        at = next;
    }
    // Two that load, one of them as the source, and the watchdog.
    CHECK_EQ(threads, 3);
    CHECK_EQ(inside, 2);
    CHECK_SAYS(text, "no progress for 1 seconds");
}

int main(void) {
    RUN(a_program_that_stands_still_says_where_each_thread_is);
    watch(&taken_in_all, PATIENCE);
    RUN(threads_of_a_fast_source_lose_nothing);
    RUN(sources_that_differ_a_thousandfold_lose_nothing);
    RUN(a_thousand_batches_and_ten_thousand_cursors_lose_nothing);
    return 0;
}
