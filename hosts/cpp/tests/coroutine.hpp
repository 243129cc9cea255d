// Coroutines, an event loop and a batch that is held up, for tests of coroutines.

#ifndef COROUTINE_HPP
#define COROUTINE_HPP

#include "counted.hpp"

#if !defined(__clang__)
// gcc 12 takes the constructor of std::stop_source for a use of what it makes.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

// clang 14 cannot look at the types of coroutines, as the sanitizers do, that other files may have too.
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

inline void yield_until(const std::atomic<bool> &flag) {
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

template <class From>
task await_into(From &from, loop &on, std::vector<long> &got, std::stop_token stop = {}) {
    try {
        got.push_back((co_await async_load(from, on.here(), stop))->number);
    } catch (const used_up &thrown) {
        got.push_back(-thrown.block);
    } catch (const error &thrown) {
        got.push_back(thrown.status());
    }
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
    size_t count() const {
        return size_t(std::count_if(times.begin(), times.end(), [](int one) { return one > 0; }));
    }
    std::vector<std::atomic<int>> times;
};

inline auto yielding() {
    return [] {
        if (made % 16 == 0) {
            std::this_thread::yield();
        }
        return make_counted<std::unique_ptr<counted>>();
    };
}

// Of a batch or a cursor.
template <class From>
task load_where_woken(From &from, size_t count, seen &all, std::atomic<size_t> &finished) {
    for (; count > 0; --count) {
        all.mark(co_await from);
    }
    ++finished;
}

} // namespace

#endif
