// Coroutines that await results: none is lost, none comes twice, whoever waits and gives up.

#include "counted.hpp"

#include <cstdio>
#include <thread>
#include <vector>

// gcc 12 has coroutines as they are in C++20; clang 14 says that it has not.
#ifdef FT_LOCAL_COROUTINES

#if !defined(__clang__)
// gcc 12 takes the constructor of std::stop_source for a use of what it makes.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <condition_variable>
#include <deque>
#include <mutex>

namespace {

using namespace ft_local;
using objects = batch<std::unique_ptr<counted>>;

// A coroutine that begins at once, and whose owner destroys it.
struct task {
    struct promise_type {
        task get_return_object() {
            return task(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_never initial_suspend() noexcept {
            return {};
        }
        std::suspend_always final_suspend() noexcept {
            return {};
        }
        void return_void() {}
        void unhandled_exception() {
            std::terminate();
        }
    };

    explicit task(std::coroutine_handle<promise_type> given) : handle(given) {}
    task(task &&other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
    task &operator=(task &&other) noexcept {
        std::swap(handle, other.handle);
        return *this;
    }
    ~task() {
        if (handle) {
            handle.destroy();
        }
    }
    std::coroutine_handle<promise_type> handle;
};

// An event loop of the thread that runs it.
class loop {
  public:
    struct scheduler {
        loop *on;

        void operator()(resumption next) const {
            const std::lock_guard<std::mutex> held(on->lock_);
            on->ready_.push_back(std::move(next));
            on->changed_.notify_one();
        }
    };

    scheduler here() {
        return {this};
    }

    // Until `done()`, which what it runs changes.
    template <class Done> void run(Done done) {
        while (!done()) {
            std::unique_lock<std::mutex> held(lock_);
            changed_.wait(held, [&] { return !ready_.empty(); });
            const resumption next = std::move(ready_.front());
            ready_.pop_front();
            held.unlock();
            next();
        }
    }

    size_t ready() {
        const std::lock_guard<std::mutex> held(lock_);
        return ready_.size();
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<resumption> ready_;
};

void yield_until(const std::atomic<bool> &flag) {
    while (!flag) {
        std::this_thread::yield();
    }
}

// A thread is in the source of `batch` from the beginning until `open`.
struct held_up {
    std::atomic<bool> runs{false};
    std::atomic<bool> done{false};
    objects batch;
    std::thread filler;

    explicit held_up(size_t size, long fails_at = -1)
        : batch(size,
                [this, fails_at] {
                    runs = true;
                    yield_until(done);
                    if (made == fails_at) {
                        throw used_up(7);
                    }
                    return make_counted<std::unique_ptr<counted>>();
                }),
          filler([this] { CHECK_EQ(batch.load()->number, 0); }) {
        yield_until(runs);
    }
    void open() {
        done = true;
        filler.join();
    }
};

task await_into(const objects &batch, loop &on, std::vector<long> &got, std::stop_token stop = {}) {
    try {
        got.push_back((co_await async_load(batch, on.here(), stop))->number);
    } catch (const used_up &thrown) {
        got.push_back(-thrown.block);
    } catch (const error &thrown) {
        got.push_back(thrown.status());
    }
}

void what_is_ready_is_not_waited_for() {
    begin_counting();
    {
        const objects batch(4, make_counted<std::unique_ptr<counted>>);
        loop on;
        std::vector<long> got;
        for (int count = 0; count < 6; ++count) {
            const task one = await_into(batch, on, got);
            CHECK(one.handle.done());
        }
        CHECK(got == std::vector<long>({0, 1, 2, 3, 4, 5}));
        CHECK_EQ(on.ready(), 0);
    }
    CHECK_EQ(alive, 0);
}

void coroutines_wait_and_their_thread_goes_on() {
    begin_counting();
    {
        held_up scene(4);
        loop on;
        std::vector<long> got;
        std::vector<task> tasks;
        for (int count = 0; count < 6; ++count) {
            tasks.push_back(await_into(scene.batch, on, got));
        }
        CHECK(got.empty());
        scene.open();
        on.run([&] { return got.size() == 6; });
        // Three that the thread has left, and three of a fill of their own.
        CHECK(got == std::vector<long>({1, 2, 3, 4, 5, 6}));
        CHECK_EQ(scene.batch.stats().waits, 0);
    }
    CHECK_EQ(alive, 0);
}

void one_that_is_destroyed_takes_nothing_from_another() {
    begin_counting();
    {
        held_up scene(2);
        loop on;
        std::vector<long> got;
        std::vector<task> given_up;
        for (int count = 0; count < 3; ++count) {
            given_up.push_back(await_into(scene.batch, on, got));
        }
        const task last = await_into(scene.batch, on, got);
        // Before it is called: it will not be.
        given_up.erase(given_up.begin());
        scene.open();
        // After they were called, one for a result and one for the source.
        CHECK_EQ(on.ready(), 2);
        given_up.clear();
        on.run([&] { return got.size() == 1; });
        CHECK(got == std::vector<long>({1}));
    }
    CHECK_EQ(alive, 0);
}

void one_that_is_stopped_takes_nothing_from_another() {
    begin_counting();
    {
        held_up scene(2);
        loop on;
        std::stop_source stop;
        std::vector<long> stopped;
        std::vector<long> got;
        std::vector<task> tasks;
        for (int count = 0; count < 3; ++count) {
            tasks.push_back(await_into(scene.batch, on, stopped, stop.get_token()));
        }
        tasks.push_back(await_into(scene.batch, on, got));
        stop.request_stop();
        on.run([&] { return stopped.size() == 3; });
        // One that begins after that.
        tasks.push_back(await_into(scene.batch, on, stopped, stop.get_token()));
        CHECK(stopped == std::vector<long>(4, FT_LOCAL_ERR_INTERRUPTED));
        scene.open();
        on.run([&] { return got.size() == 1; });
        CHECK(got == std::vector<long>({1}));
    }
    CHECK_EQ(alive, 0);
}

void closing_ends_every_wait() {
    begin_counting();
    {
        held_up scene(2);
        loop on;
        std::vector<long> got;
        std::vector<task> tasks;
        for (int count = 0; count < 3; ++count) {
            tasks.push_back(await_into(scene.batch, on, got));
        }
        scene.batch.close();
        on.run([&] { return got.size() == 3; });
        CHECK(got == std::vector<long>(3, FT_LOCAL_ERR_CLOSED));
        scene.open();
    }
    CHECK_EQ(alive, 0);
}

void what_a_source_throws_comes_out_of_the_co_await_that_ran_it() {
    begin_counting();
    {
        held_up scene(1, 1);
        loop on;
        std::vector<long> got;
        const task one = await_into(scene.batch, on, got);
        scene.open();
        on.run([&] { return got.size() == 1; });
        CHECK(got == std::vector<long>({-7}));
    }
    CHECK_EQ(alive, 0);
}

// What each of many threads and coroutines has seen, of numbers from 0 on.
struct seen {
    explicit seen(size_t count) : times(count) {}

    void mark(const std::unique_ptr<counted> &one) {
        ++times.at(static_cast<size_t>(one->number));
    }
    void check(const objects &batch) {
        while (batch.len() > 0) {
            mark(batch.load());
        }
        for (size_t number = 0; number < size_t(made); ++number) {
            CHECK_EQ(times[number], 1);
        }
    }
    std::vector<std::atomic<int>> times;
};

auto yielding() {
    return [] {
        if (made % 16 == 0) {
            std::this_thread::yield();
        }
        return make_counted<std::unique_ptr<counted>>();
    };
}

constexpr size_t loops = 3;
constexpr size_t each = 3000;

task load_some(const objects &batch, loop &on, size_t count, std::stop_token stop, seen &all,
               size_t &finished) {
    while (count > 0) {
        try {
            all.mark(co_await async_load(batch, on.here(), stop));
            --count;
        } catch (const error &thrown) {
            CHECK_EQ(thrown.status(), FT_LOCAL_ERR_INTERRUPTED);
            break;
        }
    }
    ++finished;
}

// Tasks of three loops, of which some are stopped and some destroyed, beside threads that block.
void ten_thousand_coroutines_and_threads_get_each_result_once() {
    begin_counting();
    {
        const objects batch(7, yielding());
        seen all(loops * each * 2 + 20000);
        std::stop_source stop;
        std::vector<std::thread> crowd;
        for (size_t index = 0; index < loops; ++index) {
            crowd.emplace_back([&] {
                loop on;
                size_t finished = 0;
                std::vector<task> tasks;
                for (size_t number = 0; number < each; ++number) {
                    const bool may_stop = number % 3 == 0;
                    tasks.push_back(load_some(batch, on, 2,
                                              may_stop ? stop.get_token() : std::stop_token(), all,
                                              finished));
                    if (number % 7 == 0 && !tasks.back().handle.done()) {
                        tasks.pop_back();
                    }
                }
                on.run([&] { return finished >= tasks.size(); });
            });
        }
        for (size_t index = 0; index < 2; ++index) {
            crowd.emplace_back([&] {
                for (size_t count = 0; count < each; ++count) {
                    all.mark(batch.load());
                }
            });
        }
        crowd.emplace_back([&] {
            while (made < long(each)) {
                std::this_thread::yield();
            }
            stop.request_stop();
        });
        for (auto &thread : crowd) {
            thread.join();
        }
        all.check(batch);
    }
    CHECK_EQ(alive, 0);
}

task load_where_woken(const objects &batch, size_t count, seen &all,
                      std::atomic<size_t> &finished) {
    for (; count > 0; --count) {
        all.mark(co_await batch);
    }
    ++finished;
}

// The filler wakes it for a result, and it wants more, in the thread that is about to make them.
void one_that_goes_on_in_the_thread_of_the_source_waits_for_it() {
    begin_counting();
    {
        held_up scene(4);
        seen all(8);
        std::atomic<size_t> finished{0};
        const task one = load_where_woken(scene.batch, 3, all, finished);
        scene.open();
        CHECK_EQ(finished.load(), 1);
        all.mark(std::make_unique<counted>(0));
        made = 4;
        all.check(scene.batch);
    }
    CHECK_EQ(alive, 0);
}

void coroutines_may_go_on_in_the_thread_that_wakes_them() {
    begin_counting();
    {
        constexpr size_t coroutines = 1000;
        const objects batch(5, yielding());
        seen all(coroutines * 10 + 2 * each + 100000);
        std::atomic<size_t> finished{0};
        std::vector<task> tasks;
        std::vector<std::thread> crowd;
        // They wake others, and so does each end of a coroutine's turn.
        for (size_t index = 0; index < 2; ++index) {
            crowd.emplace_back([&] {
                for (size_t count = 0; count < each || finished < coroutines; ++count) {
                    all.mark(batch.load());
                    if (count >= each) {
                        std::this_thread::yield();
                    }
                }
            });
        }
        for (size_t index = 0; index < coroutines; ++index) {
            tasks.push_back(load_where_woken(batch, 10, all, finished));
        }
        for (auto &thread : crowd) {
            thread.join();
        }
        CHECK_EQ(finished.load(), coroutines);
        all.check(batch);
    }
    CHECK_EQ(alive, 0);
}

} // namespace

int main() {
    RUN(what_is_ready_is_not_waited_for);
    RUN(coroutines_wait_and_their_thread_goes_on);
    RUN(one_that_is_destroyed_takes_nothing_from_another);
    RUN(one_that_is_stopped_takes_nothing_from_another);
    RUN(closing_ends_every_wait);
    RUN(what_a_source_throws_comes_out_of_the_co_await_that_ran_it);
    RUN(ten_thousand_coroutines_and_threads_get_each_result_once);
    RUN(one_that_goes_on_in_the_thread_of_the_source_waits_for_it);
    RUN(coroutines_may_go_on_in_the_thread_that_wakes_them);
    CHECK_EQ(alive, 0);
    return 0;
}

#else

int main() {
    std::puts("skipped: this compiler has no coroutines in this mode");
    return 0;
}

#endif
