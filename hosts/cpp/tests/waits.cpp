// Limits of time.

#include "counted.hpp"

#include <chrono>
#include <thread>

namespace {

// One thread is in the source until `part`, in another one, has returned.
template <class Part> void while_the_source_runs(Part part) {
    std::atomic<bool> runs{false};
    std::atomic<bool> done{false};
    const auto wait_for = [](std::atomic<bool> &flag) {
        while (!flag) {
            std::this_thread::yield();
        }
    };
    const ft_local::batch<int> batch(2, [&] {
        runs = true;
        wait_for(done);
        return 5;
    });
    std::thread filler([&] { CHECK_EQ(batch.load(), 5); });
    wait_for(runs);
    part(batch);
    done = true;
    filler.join();
}

void a_load_can_have_a_limit_of_time() {
    using namespace std::chrono_literals;
    while_the_source_runs([](const ft_local::batch<int> &batch) {
        CHECK(!batch.load_for(2ms));
        CHECK(!batch.load_for(0s));
        CHECK(!batch.load_for(-1s));
        CHECK(!batch.load_for(std::chrono::duration<double>(0.001)));
        CHECK(!batch.load_until(std::chrono::steady_clock::now() + 1ms));
        CHECK(!batch.load_until(std::chrono::system_clock::now() - 1h));
        CHECK(!batch.try_load());
        CHECK(!batch.cursor().next_for(1us));
    });
    const ft_local::batch<int> ready(2, [] { return 5; });
    CHECK(!ready.try_load());
    // A time that no counter of nanoseconds can hold.
    CHECK_EQ(ready.load_for(std::chrono::hours::max()).value(), 5);
    CHECK_EQ(ready.try_load().value(), 5);
    CHECK_EQ(ft_local::detail::nanoseconds(std::chrono::hours::max()), -1);
    CHECK_EQ(ft_local::detail::nanoseconds(std::chrono::duration<double, std::nano>(0.1)), 1);
}

} // namespace

int main() {
    RUN(a_load_can_have_a_limit_of_time);
    CHECK_EQ(alive, 0);
    return 0;
}
