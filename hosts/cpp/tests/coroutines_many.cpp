// Thousands of coroutines beside threads: no result is lost, none comes twice.

#include "coroutine.hpp"

namespace {

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
    RUN(ten_thousand_coroutines_and_threads_get_each_result_once);
    RUN(coroutines_may_go_on_in_the_thread_that_wakes_them);
    CHECK_EQ(alive, 0);
    return 0;
}
