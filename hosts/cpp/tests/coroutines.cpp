// Coroutines that await results: they wait, and their thread goes on.

#include "coroutine.hpp"

namespace {

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

struct connection {
    int asked = 0;
};

task await_with(const batch<int, connection> &from, connection &server, loop &on, int &got) {
    got = co_await async_load_with(from, server, on.here());
}

void an_argument_goes_to_the_source_that_the_coroutine_runs() {
    const batch<int, connection> ids(
        1, [](connection *server) { return server == nullptr ? -1 : ++server->asked; });
    connection mine;
    loop on;
    int got = 0;
    for (int number = 1; number < 4; ++number) {
        const task one = await_with(ids, mine, on, got);
        CHECK_EQ(got, number);
    }
    CHECK_EQ(mine.asked, 3);
}

} // namespace

int main() {
    RUN(what_is_ready_is_not_waited_for);
    RUN(coroutines_wait_and_their_thread_goes_on);
    RUN(closing_ends_every_wait);
    RUN(what_a_source_throws_comes_out_of_the_co_await_that_ran_it);
    RUN(one_that_goes_on_in_the_thread_of_the_source_waits_for_it);
    RUN(an_argument_goes_to_the_source_that_the_coroutine_runs);
    CHECK_EQ(alive, 0);
    return 0;
}
