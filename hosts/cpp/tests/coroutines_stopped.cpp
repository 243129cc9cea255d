// Coroutines that give up: what they were woken for goes to another.

#include "coroutine.hpp"

namespace {

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

} // namespace

int main() {
    RUN(one_that_is_destroyed_takes_nothing_from_another);
    RUN(one_that_is_stopped_takes_nothing_from_another);
    CHECK_EQ(alive, 0);
    return 0;
}
