// Limits of time.

#include "counted.hpp"

#include <chrono>
#include <limits>
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

// If it took one of these for no limit at all, the test would not end.
void a_time_that_is_past_or_no_number_is_no_time() {
    using namespace std::chrono;
    while_the_source_runs([](const ft_local::batch<int> &batch) {
        const auto no_number = std::numeric_limits<double>::quiet_NaN();
        CHECK(!batch.load_for(duration<double>(no_number)));
        CHECK(!batch.load_for(-duration<double>(std::numeric_limits<double>::infinity())));
        CHECK(!batch.load_for(hours::min()));
        CHECK(!batch.load_until(steady_clock::time_point::min()));
        CHECK(!batch.load_until(system_clock::time_point::min()));
        CHECK(!batch.load_until(time_point<system_clock, hours>::min()));
        CHECK(!batch.load_until(
            time_point<system_clock, duration<double>>(duration<double>(no_number))));
        CHECK(!batch.cursor().next_for(duration<double>(no_number)));
        CHECK(!batch.cursor().next_until(steady_clock::time_point::min()));
    });
}

void a_time_too_far_to_count_is_no_limit() {
    using namespace std::chrono;
    const auto until = [](auto when) {
        return ft_local::detail::nanoseconds(ft_local::detail::left_until(when));
    };
    CHECK_EQ(until(time_point<system_clock, hours>::max()), -1);
    CHECK_EQ(
        ft_local::detail::nanoseconds(duration<double>(std::numeric_limits<double>::infinity())),
        -1);
    const auto in_an_hour = until(system_clock::now() + hours(1));
    CHECK(in_an_hour > 3590000000000 && in_an_hour <= 3600000000000);
}

} // namespace

int main() {
    RUN(a_load_can_have_a_limit_of_time);
    RUN(a_time_that_is_past_or_no_number_is_no_time);
    RUN(a_time_too_far_to_count_is_no_limit);
    CHECK_EQ(alive, 0);
    return 0;
}
