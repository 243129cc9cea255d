// Sources that take an argument of the load that runs them, such as the connection of its thread.

#include "counted.hpp"

#include <thread>
#include <vector>

namespace {

struct connection {
    std::atomic<long> asked{0};
};

using ids = ft_local::batch<long, connection>;
using slots = ft_local::slots<long>;

// Fills the batch with numbers from 0 on.
auto leasing() {
    return [next = 0L](slots &room, connection *server) mutable {
        if (server != nullptr) {
            ++server->asked;
        }
        while (room.capacity() > 0) {
            room.push(next++);
        }
    };
}

void a_source_gets_the_argument_of_the_load_that_runs_it() {
    const ids batch(4, leasing());
    connection mine;
    connection others;
    for (long number = 0; number < 4; ++number) {
        CHECK_EQ(batch.load_with(number == 0 ? mine : others), number);
    }
    CHECK_EQ(others.asked, 0);
    long out = 0;
    CHECK_EQ(batch.load_with(others, out), FT_LOCAL_OK);
    CHECK_EQ(out, 4);
    CHECK_EQ(batch.load_with_for(others, std::chrono::seconds(0)).value(), 5);
    auto cursor = batch.cursor();
    for (long number = 6; number < 12; ++number) {
        CHECK_EQ(cursor.next_with(mine), number);
    }
    CHECK_EQ(cursor.next_with(others, out), FT_LOCAL_OK);
    CHECK_EQ(cursor.next_with_for(mine, std::chrono::hours(1)).value(), 13);
    CHECK_EQ(mine.asked, 2);
    CHECK_EQ(others.asked, 2);
}

void another_function_gives_it_none() {
    connection mine;
    long without = 0;
    const ids batch(1, [&](connection *server) {
        without += server == nullptr;
        return 5L;
    });
    CHECK_EQ(batch.load(), 5);
    CHECK_EQ(batch.cursor().next(), 5);
    CHECK_EQ(batch.load_many(2).size(), 2);
    CHECK_EQ(batch.prefill(1, 1), 1);
    CHECK_EQ(without, 5);
    CHECK_EQ(batch.load_with(mine), 5);
    CHECK_EQ(batch.load_with(mine), 5);
    CHECK_EQ(without, 5);
}

void an_argument_may_be_constant_and_a_source_return_a_status() {
    const ft_local::batch<int, const int> batch(
        2, [](ft_local::slots<int> &room, const int *base) -> ft_local_status {
            if (*base < 0) {
                return 77;
            }
            room.push(*base);
            return FT_LOCAL_OK;
        });
    const int good = 3;
    const int bad = -1;
    CHECK_EQ(batch.load_with(good), 3);
    CHECK_EQ(batch.load_with(good), 3);
    int out = 0;
    CHECK_EQ(batch.load_with(bad, out), 77);
}

void what_a_source_throws_comes_out_of_the_load_that_ran_it() {
    const ids batch(2, [](connection *server) -> long {
        ++server->asked;
        throw used_up(int(server->asked));
    });
    connection mine;
    for (int times = 1; times < 3; ++times) {
        try {
            batch.load_with(mine);
            CHECK(!"the source threw");
        } catch (const used_up &thrown) {
            CHECK_EQ(thrown.block, times);
        }
    }
    long out = 0;
    CHECK(batch.cursor().next_with(mine, out) > 0);
    CHECK(ft_local::take_exception() != nullptr);
}

void a_load_with_an_argument_can_have_a_limit_of_time() {
    std::atomic<bool> runs{false};
    std::atomic<bool> done{false};
    const ids batch(2, [&](connection *) {
        runs = true;
        while (!done) {
            std::this_thread::yield();
        }
        return 5L;
    });
    connection mine;
    std::thread filler([&] { CHECK_EQ(batch.load_with(mine), 5); });
    while (!runs) {
        std::this_thread::yield();
    }
    CHECK(!batch.load_with_for(mine, std::chrono::seconds(0)));
    CHECK(!batch.load_with_for(mine, std::chrono::milliseconds(1)));
    CHECK(!batch.cursor().next_with_for(mine, std::chrono::seconds(0)));
    done = true;
    filler.join();
}

void the_argument_is_that_of_the_thread() {
    static thread_local connection *of_this_thread = nullptr;
    long next = 0;
    long calls = 0;
    const ids batch(16, [&](connection *server) {
        CHECK_PTR(server, of_this_thread);
        ++server->asked;
        ++calls;
        return next++;
    });
    constexpr long loads = 2000;
    std::vector<connection> connections(4);
    std::vector<std::thread> crowd;
    std::atomic<long> sum{0};
    for (auto &mine : connections) {
        crowd.emplace_back([&] {
            of_this_thread = &mine;
            auto cursor = batch.cursor();
            for (long count = 0; count < loads; ++count) {
                sum += count % 2 == 0 ? batch.load_with(mine) : cursor.next_with(mine);
            }
        });
    }
    for (auto &thread : crowd) {
        thread.join();
    }
    while (batch.len() > 0) {
        sum += batch.load();
    }
    long asked = 0;
    for (const auto &mine : connections) {
        asked += mine.asked;
    }
    CHECK_EQ(asked, calls);
    CHECK_EQ(sum, next * (next - 1) / 2);
}

template <class Batch, class = void> constexpr bool takes_arguments = false;
template <class Batch>
constexpr bool takes_arguments<
    Batch, std::void_t<decltype(std::declval<Batch &>().load_with(std::declval<connection &>()))>> =
    true;
static_assert(takes_arguments<ids>);
static_assert(!takes_arguments<ft_local::batch<long>>);
static_assert(!takes_arguments<ft_local::batch<long, int>>);

} // namespace

int main() {
    RUN(a_source_gets_the_argument_of_the_load_that_runs_it);
    RUN(another_function_gives_it_none);
    RUN(an_argument_may_be_constant_and_a_source_return_a_status);
    RUN(what_a_source_throws_comes_out_of_the_load_that_ran_it);
    RUN(a_load_with_an_argument_can_have_a_limit_of_time);
    RUN(the_argument_is_that_of_the_thread);
    return 0;
}
