// A fault at every point: a script calls everything that one thread can call, and whatever can fail
// in it fails in turn: each allocation, each retain, each call of the source, each wait, each
// check for an interrupt. Then each pair of them fails. Each object is delivered once or released
// once, a call in which nothing fails succeeds, and one in which something fails says what it was.
//
// FT_LOCAL_TEST_FAULTS in the environment is how many points fail together at most (3).

#include "allocator.h"
#include "check.h"
#include "fake_source.h"

#include <stdint.h>
#include <unistd.h>

enum { SIZE = 4, MANY = 6, MOST_FAULTS = 8, CODE = 4711 };

typedef enum kind { ALLOCATION, RETAIN, SOURCE, WAIT, INTERRUPT, KINDS } kind;

static const char *const names[KINDS] = {"allocation", "retain", "source", "wait", "interrupt"};

// The points that fail, in order, and where the script is.
static long failing[MOST_FAULTS];
static int faults, next_fault;
static long points;
static bool in_library;
// What has failed during the current call, a bit for each kind.
static unsigned failed;
static long failed_ever[KINDS];

static bool fails(kind what) {
    points++;
    if (next_fault == faults || points != failing[next_fault]) {
        return false;
    }
    next_fault++;
    failed |= 1U << what;
    failed_ever[what]++;
    return true;
}

static bool allocation_fails(void) {
    return in_library && fails(ALLOCATION);
}

// Callbacks are not the library.
#define OUTSIDE(type, expression)                                                                  \
    in_library = false;                                                                            \
    type result = (expression);                                                                    \
    in_library = true;                                                                             \
    return result

static void *retain(void *object) {
    OUTSIDE(void *, fails(RETAIN) ? NULL : fake_object_retain(object));
}

static fake_source source;

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    if (fails(SOURCE)) {
        // What it has counted is kept.
        source.fail_at_call = source.calls + 1;
        source.failure = CODE;
        source.made_in_failure = (size_t)points % 3;
    }
    OUTSIDE(int32_t, fake_source_table(ctx).fill(ctx, out, capacity, produced));
}

static void *make_one(void *ctx) {
    (void)ctx;
    OUTSIDE(void *, fails(SOURCE) ? NULL : fake_object_new(source.host, source.made++));
}

// It may come back without the call.
static void block(void *ctx, ft_local_wait wait, void *arg) {
    (void)ctx;
    if (!fails(WAIT)) {
        wait(arg);
    }
}

static int32_t interrupted(void) {
    OUTSIDE(int32_t, fails(INTERRUPT));
}

// What a source returns that fails.
static ft_local_status source_failure;

static const ft_local_status meanings[KINDS] = {
    [ALLOCATION] = FT_LOCAL_ERR_NO_MEMORY,
    [RETAIN] = FT_LOCAL_ERR_RETAIN,
    [WAIT] = FT_LOCAL_ERR_INTERRUPTED,
    [INTERRUPT] = FT_LOCAL_ERR_INTERRUPTED,
};

// A status is what a call that fails in nothing returns, or the meaning of what has failed in it.
static bool explained(ft_local_status status, ft_local_status usual) {
    bool is = status == FT_LOCAL_OK || status == usual;
    for (int what = 0; what < KINDS; what++) {
        const ft_local_status meaning = what == SOURCE ? source_failure : meanings[what];
        is |= (failed >> what & 1) != 0 && status == meaning;
    }
    return is;
}

static bool succeeds(ft_local_status status, ft_local_status usual, const char *call) {
    in_library = false;
    if (!explained(status, usual)) {
        CHECK_FAIL("%s returned %d with faults 0x%x at point %ld", call, status, failed, points);
    }
    failed = 0;
    return status == FT_LOCAL_OK;
}

#define CALL(usual, call) (in_library = true, succeeds(call, usual, #call))

static fake_host host;
static ft_local_batch *batch;
static ft_local_cursor *cursor;

static void wrap(const ft_local_host *table) {
    fake_object *object = fake_object_new(&host, 1);
    ft_local_wrapper *wrapper = NULL;
    if (CALL(FT_LOCAL_OK, ft_local_wrapper_new(table, object, &wrapper))) {
        CHECK_EQ(fake_object_references(object), 2);
        ft_local_wrapper_free(wrapper);
    }
    CHECK_EQ(fake_object_references(object), 1);
    fake_object_release(object);
}

static void drop(void *object) {
    CHECK_EQ(fake_object_references(object), 1);
    fake_object_release(object);
}

static void load(void) {
    void *object = &host;
    if (CALL(FT_LOCAL_OK, ft_local_batch_load(batch, &object))) {
        drop(object);
    } else {
        CHECK_PTR(object, NULL);
    }
}

static void take_from_cursor(void) {
    void *object = NULL;
    if (cursor != NULL && CALL(FT_LOCAL_OK, ft_local_cursor_next(cursor, &object))) {
        drop(object);
    }
}

// Takes several, and gives some of them back if that succeeds.
static void load_several(void) {
    void *objects[MANY];
    size_t count = 0;
    bool all = CALL(FT_LOCAL_OK, ft_local_batch_load_many(batch, MANY, -1, objects, &count));
    CHECK(all ? count == MANY : count < MANY);
    size_t given = count / 2;
    if (CALL(FT_LOCAL_OK, ft_local_batch_give_back(batch, objects, given))) {
        count -= given;
        memmove(objects, objects + given, count * sizeof *objects);
    }
    while (count > 0) {
        drop(objects[--count]);
    }
}

// The second finds the batch full enough, so that it waits until its time is over, which must not be
// before it waits.
static void prefill(void) {
    size_t made = 0;
    CALL(FT_LOCAL_ERR_TIMED_OUT, ft_local_batch_prefill(batch, SIZE, SIZE, 0, &made));
    CHECK(made <= SIZE);
    CALL(FT_LOCAL_ERR_TIMED_OUT, ft_local_batch_prefill(batch, 1, SIZE, 20000, &made));
}

static void try_to_load(void) {
    void *object = NULL;
    if (CALL(FT_LOCAL_ERR_EMPTY, ft_local_batch_try_load(batch, &object))) {
        drop(object);
    }
}

static void use_batch(void) {
    CALL(FT_LOCAL_OK, ft_local_cursor_new(batch, &cursor));
    for (int turn = 0; turn < 2; turn++) {
        load();
        take_from_cursor();
        load_several();
        prefill();
        take_from_cursor();
        try_to_load();
        CALL(FT_LOCAL_OK, ft_local_batch_clear(batch));
    }
    load();
    size_t in_hand = cursor == NULL ? 0 : ft_local_cursor_len(cursor);
    ft_local_cursor_free(cursor);
    CHECK(ft_local_batch_len(batch) >= in_hand);
    ft_local_stats stats = exact_stats(batch);
    CHECK_EQ(stats.produced, source.made);
    CALL(FT_LOCAL_OK, ft_local_batch_close(batch));
    ft_local_batch_free(batch);
}

static ft_local_host host_with_faults(void) {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.retain_plain = retain;
    table.release_plain = fake_object_release;
    table.block = block;
    table.interrupted_plain = interrupted;
    return table;
}

// Runs the script. What fails is in `failing`; returns how many points there were.
static long run_script(void) {
    // For a call that waits in vain.
    alarm(60);
    points = next_fault = 0;
    host = (fake_host){0};
    source = (fake_source){.host = &host, .per_call = 3};
    batch = NULL;
    cursor = NULL;
    const ft_local_host table = host_with_faults();
    ft_local_source made_by = {.struct_size = sizeof made_by, .ctx = &source};
    if (source_failure == CODE) {
        made_by.fill = fill;
    } else {
        made_by.next_plain = make_one;
    }
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.low_water = 2;
    allocator_refuses = allocation_fails;
    wrap(&table);
    if (CALL(FT_LOCAL_OK, ft_local_batch_new_with(&table, &made_by, SIZE, &options, &batch))) {
        use_batch();
    } else {
        CHECK_PTR(batch, NULL);
    }
    allocator_refuses = NULL;
    fake_host_end(&host);
    return points;
}

// Every choice of so many more points behind `after`. Returns how many scripts were run.
static long fail_at_more(int more, long after) {
    const int mine = faults;
    long scripts = 0;
    faults++;
    for (failing[mine] = after + 1;; failing[mine]++) {
        faults = mine + 1;
        const long there_were = run_script();
        if (there_were < failing[mine]) {
            break;
        }
        CHECK_EQ(next_fault, faults);
        scripts++;
        if (more > 1) {
            scripts += fail_at_more(more - 1, failing[mine]);
        }
    }
    faults = mine;
    return scripts;
}

static void the_script_succeeds_if_nothing_fails(void) {
    faults = 0;
    memset(failed_ever, 0, sizeof failed_ever);
    CHECK(run_script() > 20);
    for (int what = 0; what < KINDS; what++) {
        CHECK_EQ(failed_ever[what], 0);
    }
}

static void nothing_is_lost_whatever_fails(void) {
    const char *wanted = getenv("FT_LOCAL_TEST_FAULTS");
    const int together = wanted == NULL ? 3 : atoi(wanted);
    CHECK(together > 0 && together <= MOST_FAULTS);
    printf("  %ld scripts with up to %d faults:", fail_at_more(together, 0), together);
    for (int what = 0; what < KINDS; what++) {
        printf(" %s %ld", names[what], failed_ever[what]);
        CHECK(failed_ever[what] > 0);
    }
    puts("");
}

static void every_fault_of(ft_local_status failure) {
    source_failure = failure;
    RUN(the_script_succeeds_if_nothing_fails);
    RUN(nothing_is_lost_whatever_fails);
}

int main(void) {
    if (!allocator_works()) {
        return SKIPPED;
    }
    every_fault_of(CODE);
    // A source of single objects has no code of its own.
    every_fault_of(FT_LOCAL_ERR_SOURCE);
    return fake_hosts_report();
}
