// Coroutines that await a cursor, each one of its own.

#include "coroutine.hpp"

#include <optional>
#include <set>

namespace {

using cursor_of_objects = cursor<std::unique_ptr<counted>>;

void what_is_in_hand_is_not_waited_for() {
    begin_counting();
    {
        held_up scene(4);
        scene.open();
        auto mine = scene.batch.cursor();
        CHECK_EQ(mine.next()->number, 1);
        const size_t in_hand = mine.len();
        CHECK(in_hand > 0);
        loop on;
        std::vector<long> got;
        const task one = await_into(mine, on, got);
        CHECK(got == std::vector<long>({2}));
        CHECK_EQ(mine.len(), in_hand - 1);
    }
    CHECK_EQ(alive, 0);
}

void coroutines_wait_for_cursors_and_their_thread_goes_on() {
    begin_counting();
    {
        held_up scene(4);
        loop on;
        std::vector<long> got;
        std::vector<cursor_of_objects> cursors;
        std::vector<task> tasks;
        for (int count = 0; count < 6; ++count) {
            cursors.push_back(scene.batch.cursor());
        }
        for (auto &each : cursors) {
            tasks.push_back(await_into(each, on, got));
        }
        CHECK(got.empty());
        scene.open();
        on.run([&] { return got.size() == 6; });
        CHECK_EQ(std::set<long>(got.begin(), got.end()).size(), 6);
        CHECK_EQ(scene.batch.stats().waits, 0);
    }
    CHECK_EQ(alive, 0);
}

void one_that_gives_up_takes_nothing_from_another() {
    begin_counting();
    {
        held_up scene(2);
        loop on;
        std::stop_source stop;
        std::vector<long> stopped;
        std::vector<long> got;
        auto first = scene.batch.cursor();
        auto second = scene.batch.cursor();
        auto third = scene.batch.cursor();
        std::optional<task> destroyed(await_into(first, on, got));
        const task given_up = await_into(second, on, stopped, stop.get_token());
        const task last = await_into(third, on, got);
        scene.open();
        // Both were called, one for a result and one for the source.
        CHECK_EQ(on.ready(), 2);
        destroyed.reset();
        stop.request_stop();
        on.run([&] { return got.size() == 1; });
        CHECK(stopped == std::vector<long>({FT_LOCAL_ERR_INTERRUPTED}));
        CHECK(got == std::vector<long>({1}));
    }
    CHECK_EQ(alive, 0);
}

void a_cursor_that_waits_outlives_its_batch() {
    begin_counting();
    {
        std::atomic<bool> runs{false};
        std::atomic<bool> done{false};
        std::optional<objects> from(std::in_place, 4, [&] {
            runs = true;
            yield_until(done);
            return make_counted<std::unique_ptr<counted>>();
        });
        auto fills = from->cursor();
        auto waits = from->cursor();
        loop on;
        std::vector<long> got;
        std::thread filler([&] { CHECK_EQ(fills.next()->number, 0); });
        yield_until(runs);
        const task one = await_into(waits, on, got);
        from.reset();
        // It goes on waiting, since it is not the last that has the batch.
        CHECK_EQ(on.ready(), 0);
        done = true;
        filler.join();
        on.run([&] { return got.size() == 1; });
        CHECK(got[0] > 0);
    }
    CHECK_EQ(alive, 0);
}

void the_filler_wakes_one_that_goes_on_with_a_cursor_in_its_thread() {
    begin_counting();
    {
        held_up scene(4);
        seen all(16);
        std::atomic<size_t> finished{0};
        auto mine = scene.batch.cursor();
        const task one = load_where_woken(mine, 3, all, finished);
        scene.open();
        CHECK_EQ(finished.load(), 1);
        CHECK_EQ(all.count(), 3);
    }
    CHECK_EQ(alive, 0);
}

constexpr size_t each = 300;

task load_some(const objects &batch, loop &on, std::stop_token stop, seen &all, size_t &finished) {
    auto mine = batch.cursor();
    try {
        for (size_t count = 0; count < 10; ++count) {
            all.mark(co_await async_load(mine, on.here(), stop));
        }
    } catch (const error &thrown) {
        CHECK_EQ(thrown.status(), FT_LOCAL_ERR_INTERRUPTED);
    }
    ++finished;
}

// Some are stopped and some destroyed, beside threads that block in cursors.
void hundreds_of_cursors_get_each_result_once() {
    begin_counting();
    {
        const objects batch(7, yielding());
        seen all(each * 100);
        std::stop_source stop;
        std::vector<std::thread> crowd;
        for (size_t index = 0; index < 2; ++index) {
            crowd.emplace_back([&] {
                loop on;
                size_t finished = 0;
                std::vector<task> tasks;
                for (size_t number = 0; number < each; ++number) {
                    const bool may_stop = number % 3 == 0;
                    tasks.push_back(load_some(
                        batch, on, may_stop ? stop.get_token() : std::stop_token(), all, finished));
                    if (number % 7 == 0 && !tasks.back().handle.done()) {
                        tasks.pop_back();
                    }
                }
                on.run([&] { return finished >= tasks.size(); });
            });
        }
        crowd.emplace_back([&] {
            auto mine = batch.cursor();
            for (size_t count = 0; count < each * 10; ++count) {
                all.mark(mine.next());
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

} // namespace

int main() {
    RUN(what_is_in_hand_is_not_waited_for);
    RUN(coroutines_wait_for_cursors_and_their_thread_goes_on);
    RUN(one_that_gives_up_takes_nothing_from_another);
    RUN(a_cursor_that_waits_outlives_its_batch);
    RUN(the_filler_wakes_one_that_goes_on_with_a_cursor_in_its_thread);
    RUN(hundreds_of_cursors_get_each_result_once);
    CHECK_EQ(alive, 0);
    return 0;
}
