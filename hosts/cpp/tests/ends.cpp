// How threads, waits and batches end.

#include "counted.hpp"

#include <fstream>
#include <pthread.h>
#include <thread>

namespace {

using batch = ft_local::batch<std::unique_ptr<counted>>;

// Ends the thread that runs it, the second time.
template <class End> auto source_that_ends_its_thread(End end) {
    return [calls = 0, end]() mutable {
        if (++calls == 2) {
            end();
        }
        return make_counted<std::unique_ptr<counted>>();
    };
}

void *load_in_thread(void *from) {
    static_cast<batch *>(from)->load();
    return nullptr;
}

template <class End> void a_thread_may_end_in_its_source(End end) {
    begin_counting();
    {
        batch results(4, source_that_ends_its_thread(end));
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, nullptr, load_in_thread, &results), 0);
        CHECK_EQ(pthread_join(thread, nullptr), 0);
        // What it had made is kept, and another thread runs the source.
        CHECK_EQ(results.load()->number, 0);
        CHECK_EQ(results.load()->number, 1);
    }
    CHECK_EQ(alive, 0);
}

void a_thread_may_exit_in_its_source() {
    a_thread_may_end_in_its_source([] { pthread_exit(nullptr); });
}

void a_thread_may_be_cancelled_in_its_source() {
    a_thread_may_end_in_its_source([] {
        pthread_cancel(pthread_self());
        for (;;) {
            pthread_testcancel();
        }
    });
}

void closing_wakes_a_thread_that_waits() {
    std::atomic<int> calls{0};
    std::atomic<bool> go_on{false};
    const ft_local::batch<int> numbers(2, [&] {
        ++calls;
        while (!go_on) {
            std::this_thread::yield();
        }
        return 5;
    });
    std::thread filler([&] { CHECK_EQ(numbers.load(), 5); });
    while (calls == 0) {
        std::this_thread::yield();
    }
    std::thread waiter([&] { says(FT_LOCAL_ERR_CLOSED, [&] { numbers.load(); }); });
    while (numbers.stats().waits == 0) {
        std::this_thread::yield();
    }
    numbers.close();
    waiter.join();
    go_on = true;
    filler.join();
    CHECK_EQ(calls, 1);
}

// In pages.
long resident() {
    long size = 0;
    long pages = 0;
    std::ifstream("/proc/self/statm") >> size >> pages;
    return pages;
}

void make_and_drop_batches() {
    for (int count = 0; count < 10000; ++count) {
        const ft_local::batch<std::shared_ptr<counted>> some(
            64, make_counted<std::shared_ptr<counted>>);
        auto mine = some.cursor();
        mine.next();
    }
}

void dropped_batches_are_freed() {
    begin_counting();
    make_and_drop_batches();
    const long before = resident();
    make_and_drop_batches();
    CHECK_EQ(alive, 0);
    // If they stayed, there would be more than 10,000 others.
    CHECK(resident() - before < 5000);
}

} // namespace

int main() {
    RUN(a_thread_may_exit_in_its_source);
    RUN(a_thread_may_be_cancelled_in_its_source);
    RUN(closing_wakes_a_thread_that_waits);
    RUN(dropped_batches_are_freed);
    CHECK_EQ(alive, 0);
    return 0;
}
