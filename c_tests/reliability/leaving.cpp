// A callback that does not return: the outcome of each way to leave, from each callback.
//
// The header forbids an exception and longjmp. What unwinds the stack does no harm nevertheless: it
// runs the library's destructors. What only drops the stack, longjmp and the end of the bare thread,
// leaves behind what the library was about to do. The table at the end states which.

#include "check.h"
#include "child.h"
#include "ft_local.h"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

enum Way { throws, exits, is_cancelled, jumps, ends_the_bare_thread, WAYS };
enum Place {
    in_retain,
    in_release,
    in_fill,
    in_next_plain,
    in_ended_plain,
    before_block,
    after_block,
    in_detach,
    in_attach,
    in_interrupted,
    in_interruptible,
    in_visitor,
    PLACES
};

// Also the exit status of the child in which it was found out.
enum Outcome {
    // Nothing is lost, and all goes on.
    sound,
    // All goes on, but some object is never released.
    leaks,
    // The role of the thread that fills is never given up: loads without a timeout wait forever.
    stuck,
};

struct Left {};

Way way;
Place place;
std::jmp_buf before_call;
std::atomic<bool> armed, filling, gone;
std::atomic<int> alive;
bool ended;

void leave() {
    switch (way) {
    case throws:
        throw Left();
    case exits:
        pthread_exit(nullptr);
    case is_cancelled:
        CHECK_EQ(pthread_cancel(pthread_self()), 0);
        pthread_testcancel();
        break;
    case jumps:
        std::longjmp(before_call, 1);
    case ends_the_bare_thread:
        gone = true;
        syscall(SYS_exit, 0);
        break;
    default:
        break;
    }
    CHECK_FAIL("the callback was not left");
}

// The first call after the thread was started leaves.
void pass(Place here) {
    if (here == place && armed.exchange(false)) {
        leave();
    }
}

extern "C" {
static void *retain(void *object) {
    pass(in_retain);
    alive++;
    return object;
}

static void release(void *) {
    alive--;
    pass(in_release);
}

static int32_t fill(void *, void **out, size_t capacity, size_t *produced) {
    pass(in_fill);
    filling = true;
    while (place == in_interruptible && !gone) {
        usleep(100);
    }
    while (*produced < capacity) {
        alive++;
        out[(*produced)++] = &alive;
    }
    return 0;
}

static void *next_plain(void *) {
    pass(in_next_plain);
    if (ended) {
        ended = false;
        return nullptr;
    }
    alive++;
    return &alive;
}

static int32_t ended_plain(void *) {
    pass(in_ended_plain);
    return 0;
}

static void block(void *, ft_local_wait wait, void *arg) {
    pass(before_block);
    wait(arg);
    pass(after_block);
}

static void *detach() {
    pass(in_detach);
    return &way;
}

static void attach(void *) {
    pass(in_attach);
}

static int32_t interrupted() {
    pass(in_interrupted);
    return 0;
}

static int32_t interruptible() {
    pass(in_interruptible);
    return 1;
}

static int32_t look(void *, void *) {
    pass(in_visitor);
    return 0;
}
}

ft_local_host host_table() {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.retain_plain = retain;
    table.release_plain = release;
    if (place == before_block || place == after_block) {
        table.block = block;
    } else {
        table.detach = detach;
        table.attach = attach;
    }
    table.interrupted_plain = interrupted;
    table.interruptible_plain = interruptible;
    return table;
}

ft_local_batch *batch_of(const ft_local_host &table) {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    if (place == in_next_plain || place == in_ended_plain) {
        source.next_plain = next_plain;
        source.ended_plain = ended_plain;
    } else {
        source.fill = fill;
    }
    ft_local_batch *batch = nullptr;
    CHECK_EQ(ft_local_batch_new(&table, &source, 4, &batch), FT_LOCAL_OK);
    return batch;
}

void load(const ft_local_batch *batch) {
    void *object = nullptr;
    if (ft_local_batch_load(batch, &object) == FT_LOCAL_OK) {
        alive--;
    }
}

// The call in which the callback is reached.
void call(const ft_local_batch *batch) {
    const ft_local_host table = host_table();
    ft_local_wrapper *wrapper = nullptr;
    size_t made = 0;
    int32_t status = 0;
    switch (place) {
    case in_retain:
        status = ft_local_wrapper_new(&table, &alive, &wrapper);
        break;
    case in_release:
        status = ft_local_batch_clear(batch);
        break;
    case in_fill:
    case in_next_plain:
    case in_ended_plain:
    case in_interruptible:
        load(batch);
        break;
    case in_visitor:
        status = ft_local_batch_visit(batch, look, nullptr);
        break;
    default:
        // There is enough, so it waits.
        status = ft_local_batch_prefill(batch, 1, 4, 1000000, &made);
    }
    CHECK_FAIL("the call returned %d", status);
}

struct SaysGone {
    ~SaysGone() {
        gone = true;
    }
};

extern "C" {
static void *call_and_leave(void *batch) {
    const SaysGone at_the_end;
    if (setjmp(before_call) == 0) {
        try {
            call(static_cast<const ft_local_batch *>(batch));
        } catch (const Left &) {
        }
    }
    return nullptr;
}
}

extern "C" {
static void *load_first(void *batch) {
    load(static_cast<const ft_local_batch *>(batch));
    return nullptr;
}
}

// Whether another thread can go on with the batch, and whether all is released in the end.
Outcome outcome(ft_local_batch *batch) {
    for (int turn = 0; turn < 6; turn++) {
        void *object = nullptr;
        ft_local_status status = ft_local_batch_load_for(batch, 50000000, &object);
        if (status == FT_LOCAL_ERR_TIMED_OUT) {
            return stuck;
        }
        CHECK_EQ(status, FT_LOCAL_OK);
        alive--;
    }
    ft_local_batch_free(batch);
    CHECK(alive >= 0);
    return alive == 0 ? sound : leaks;
}

[[noreturn]] void find_out() {
    ft_local_batch *batch = batch_of(host_table());
    pthread_t filler, thread;
    CHECK_EQ(pthread_create(&filler, nullptr, load_first, batch), 0);
    if (place == in_interruptible) {
        while (!filling) {
            usleep(100);
        }
    } else {
        CHECK_EQ(pthread_join(filler, nullptr), 0);
    }
    while (place >= in_fill && place <= in_ended_plain && ft_local_batch_len(batch) > 0) {
        load(batch);
    }
    ended = place == in_ended_plain;
    armed = true;
    CHECK_EQ(pthread_create(&thread, nullptr, call_and_leave, batch), 0);
    if (way == ends_the_bare_thread) {
        while (!gone) {
            usleep(100);
        }
    } else {
        CHECK_EQ(pthread_join(thread, nullptr), 0);
    }
    CHECK(!armed);
    if (place == in_interruptible) {
        CHECK_EQ(pthread_join(filler, nullptr), 0);
    }
    _exit(outcome(batch));
}

struct Row {
    Place place;
    const char *name;
    Outcome outcomes[WAYS];
};

const Row rows[] = {
    {in_retain, "retain", {}},
    {in_release, "release", {}},
    {in_fill, "fill", {sound, sound, sound, stuck, stuck}},
    {in_next_plain, "next_plain", {sound, sound, sound, stuck, stuck}},
    {in_ended_plain, "ended_plain", {sound, sound, sound, stuck, stuck}},
    {before_block, "block, before the wait", {}},
    {after_block, "block, after the wait", {}},
    {in_detach, "detach", {}},
    {in_attach, "attach", {}},
    {in_interrupted, "interrupted", {}},
    {in_interruptible, "interruptible", {}},
    {in_visitor, "visitor", {}},
};

void every_way_to_leave_every_callback_has_its_stated_outcome() {
    const char *const names[] = {"sound", "leaks", "stuck"};
    static_assert(sizeof rows / sizeof *rows == PLACES, "each place has a row");
    int wrong = 0;
    printf("  %-24s%-10s%-10s%-10s%-10s%-10s\n", "callback", "throws", "exits", "cancelled",
           "longjmp", "bare exit");
    for (const Row &row : rows) {
        printf("  %-24s", row.name);
        for (int each = 0; each < WAYS; each++) {
            way = static_cast<Way>(each);
            place = row.place;
            fflush(stdout);
            pid_t child = fork();
            CHECK(child >= 0);
            if (child == 0) {
                alarm(60);
                find_out();
            }
            int status = -1;
            CHECK_EQ(waitpid(child, &status, 0), child);
            const char *found = WIFEXITED(status) && WEXITSTATUS(status) < 3
                                    ? names[WEXITSTATUS(status)]
                                    : "crashes";
            printf("%-10s", found);
            wrong += !WIFEXITED(status) || WEXITSTATUS(status) != row.outcomes[each];
        }
        puts("");
    }
    CHECK_EQ(wrong, 0);
}

} // namespace

int main() {
    RUN(every_way_to_leave_every_callback_has_its_stated_outcome);
    return 0;
}
