// A host that leaves a wait by an exception, or ends its thread by pthread_exit, when the thread has
// just been woken: another thread that waits gets what that one was woken for.

#include "check.h"
#include "ft_local.h"

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <mutex>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

enum class Way { throws, exits };
enum class Place { block, attach, interrupted };
enum class Cause { result, end_of_fill, given_back };
struct Left {};

Way way;
// The next thread that comes by leaves.
std::atomic<bool> leaves;
std::atomic<int> alive, waits, left, loaded;

void *make() {
    alive++;
    return new int;
}

void drop(void *object) {
    alive--;
    delete static_cast<int *>(object);
}

void pass() {
    if (leaves.exchange(false)) {
        if (way == Way::exits) {
            pthread_exit(nullptr);
        }
        throw Left();
    }
}

// What the source waits for.
class Tap {
    std::mutex mutex;
    std::condition_variable changed;
    size_t results = 0;
    bool fails = false;

  public:
    void open(size_t count) {
        const std::lock_guard<std::mutex> guard(mutex);
        results += count;
        changed.notify_all();
    }

    // The next call fails.
    void fail() {
        const std::lock_guard<std::mutex> guard(mutex);
        fails = true;
        changed.notify_all();
    }

    int32_t fill(void **out, size_t capacity, size_t *produced) {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [this] { return fails || results > 0; });
        if (fails) {
            fails = false;
            return 1;
        }
        for (; results > 0 && *produced < capacity; results--) {
            out[(*produced)++] = make();
        }
        return 0;
    }
};

extern "C" {
static void block(void *, ft_local_wait wait, void *arg) {
    waits++;
    wait(arg);
    pass();
}

static void *detach() {
    waits++;
    return &way;
}

static void attach(void *) {
    pass();
}

static void attach_at_once(void *) {}

static int32_t interrupted() {
    pass();
    return 0;
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    return static_cast<Tap *>(ctx)->fill(out, capacity, produced);
}

static void *fill_and_load(void *batch) {
    void *object = nullptr;
    if (ft_local_batch_load(static_cast<ft_local_batch *>(batch), &object) == FT_LOCAL_OK) {
        drop(object);
    }
    return nullptr;
}
}

ft_local_batch *batch_with(Place place, Tap *tap) {
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.release_plain = drop;
    if (place == Place::block) {
        host.block = block;
    } else {
        host.detach = detach;
        host.attach = place == Place::attach ? attach : attach_at_once;
    }
    if (place == Place::interrupted) {
        host.interrupted_plain = interrupted;
    }
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = tap;
    source.fill = fill;
    ft_local_batch *batch = nullptr;
    CHECK_EQ(ft_local_batch_new(&host, &source, 8, &batch), FT_LOCAL_OK);
    return batch;
}

struct Waiter {
    ft_local_batch *batch = nullptr;
    pthread_t thread{};
    std::atomic<long> number{0};

    void start(ft_local_batch *of);
    bool sleeps() const;
};

// Counts how the load ends, also when its thread does.
struct Outcome {
    bool is_loaded = false;
    ~Outcome() {
        (is_loaded ? loaded : left)++;
    }
};

extern "C" {
static void *wait_and_load(void *arg) {
    auto *waiter = static_cast<Waiter *>(arg);
    waiter->number = syscall(SYS_gettid);
    try {
        Outcome outcome;
        void *object = nullptr;
        CHECK_EQ(ft_local_batch_load(waiter->batch, &object), FT_LOCAL_OK);
        outcome.is_loaded = true;
        drop(object);
    } catch (const Left &) {
    }
    return nullptr;
}
}

void Waiter::start(ft_local_batch *of) {
    batch = of;
    CHECK_EQ(pthread_create(&thread, nullptr, wait_and_load, this), 0);
}

// By what the system says of the thread.
bool Waiter::sleeps() const {
    char name[64], state = 0;
    snprintf(name, sizeof name, "/proc/self/task/%ld/stat", number.load());
    FILE *file = fopen(name, "r");
    CHECK(file != nullptr);
    CHECK_EQ(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
    fclose(file);
    return state == 'S';
}

void until(const std::function<bool()> &done) {
    while (!done()) {
        usleep(100);
    }
}

void bring_about(Cause cause, ft_local_batch *batch, Tap *tap) {
    void *object = make();
    switch (cause) {
    case Cause::result:
        tap->open(1);
        break;
    case Cause::end_of_fill:
        tap->fail();
        break;
    case Cause::given_back:
        CHECK_EQ(ft_local_batch_give_back(batch, &object, 1), FT_LOCAL_OK);
        return;
    }
    drop(object);
}

// Two threads sleep, and one of them leaves its host when it is woken. Without another wake-up the
// second one sleeps until the alarm.
void another_gets_it(Way how, Place place, Cause cause) {
    alarm(120);
    way = how;
    waits = left = loaded = 0;
    Tap tap;
    ft_local_batch *batch = batch_with(place, &tap);
    pthread_t filler;
    tap.open(1);
    CHECK_EQ(pthread_create(&filler, nullptr, fill_and_load, batch), 0);
    until([&] { return alive == 1; });
    Waiter waiters[2];
    for (Waiter &waiter : waiters) {
        waiter.start(batch);
    }
    until([&] { return waits >= 2 && waiters[0].sleeps() && waiters[1].sleeps(); });
    leaves = true;
    bring_about(cause, batch, &tap);
    for (const Waiter &waiter : waiters) {
        CHECK_EQ(pthread_join(waiter.thread, nullptr), 0);
    }
    CHECK_EQ(left, 1);
    CHECK_EQ(loaded, 1);
    CHECK(!leaves);
    // The thread that fills ends now.
    tap.fail();
    CHECK_EQ(pthread_join(filler, nullptr), 0);
    ft_local_batch_free(batch);
    CHECK_EQ(alive, 0);
    alarm(0);
}

void at_each_place(Way how) {
    for (Place place : {Place::block, Place::attach, Place::interrupted}) {
        for (Cause cause : {Cause::result, Cause::end_of_fill, Cause::given_back}) {
            another_gets_it(how, place, cause);
        }
    }
}

void an_exception_out_of_a_wait_passes_the_wake_up_on() {
    at_each_place(Way::throws);
}

void a_thread_that_ends_in_a_wait_passes_its_wake_up_on() {
    at_each_place(Way::exits);
}

} // namespace

int main() {
    RUN(an_exception_out_of_a_wait_passes_the_wake_up_on);
    RUN(a_thread_that_ends_in_a_wait_passes_its_wake_up_on);
    return 0;
}
