// Several results at once: loops, load_many, give_back and prefill.

#include "counted.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#if __cplusplus >= 202002L
#include <ranges>
#endif

namespace {

using batch = ft_local::batch<std::unique_ptr<counted>>;

// Makes as many as `last`, then ends.
batch up_to(long last, size_t size) {
    return batch(size, [last] {
        return made == last ? throw ft_local::end_of_source()
                            : make_counted<std::unique_ptr<counted>>();
    });
}

std::vector<long> numbers(const std::vector<std::unique_ptr<counted>> &objects) {
    std::vector<long> all;
    for (const auto &object : objects) {
        all.push_back(object->number);
    }
    return all;
}

void a_loop_ends_with_the_source() {
    begin_counting();
    const batch ten = up_to(10, 4);
    long expected = 0;
    for (auto &&object : ten) {
        CHECK_EQ(object->number, expected++);
    }
    CHECK_EQ(expected, 10);
    for (const auto &object : ten) {
        CHECK(object == nullptr && !"the source has ended");
    }
    made = 0;
    const batch others = up_to(10, 4);
    expected = 0;
    auto mine = others.cursor();
    for (std::unique_ptr<counted> object : mine) {
        CHECK_EQ(object->number, expected++);
        if (expected == 5) {
            break;
        }
    }
    // A loop that is left has taken no more than it showed.
    CHECK_EQ(mine.next()->number, 5);
    CHECK_EQ(made, 8);
}

void a_loop_ends_when_the_batch_is_closed() {
    const ft_local::batch<int> ones(4, [] { return 1; });
    int count = 0;
    for (const int one : ones) {
        count += one;
        if (count == 7) {
            ones.close();
        }
    }
    CHECK_EQ(count, 7);
}

void a_loop_throws_what_the_source_throws() {
    const ft_local::batch<int> failing(
        4, [calls = 0]() mutable { return ++calls == 3 ? throw used_up(calls) : calls; });
    try {
        for (const int number : failing) {
            CHECK(number == 0 && !"the first fill fails");
        }
        CHECK(!"the source threw");
    } catch (const used_up &thrown) {
        CHECK_EQ(thrown.block, 3);
    }
}

#if __cplusplus >= 202002L && defined(__GLIBCXX__) && !defined(__clang__)
static_assert(std::ranges::input_range<const batch>);
static_assert(std::ranges::input_range<ft_local::cursor<int>>);

void views_take_results() {
    const ft_local::batch<int> ones(4, [calls = 0]() mutable { return calls++; });
    std::vector<int> even;
    for (const int number :
         ones | std::views::filter([](int each) { return each % 2 == 0; }) | std::views::take(3)) {
        even.push_back(number);
    }
    CHECK(even == std::vector<int>({0, 2, 4}));
}
#endif

void load_many_takes_results_in_order() {
    begin_counting();
    {
        const batch ten = up_to(10, 4);
        CHECK(numbers(ten.load_many(6)) == std::vector<long>({0, 1, 2, 3, 4, 5}));
        CHECK(ten.load_many(0).empty());
        std::vector<std::unique_ptr<counted>> objects;
        CHECK_EQ(ten.load_many(100, objects), FT_LOCAL_OK);
        CHECK(numbers(objects) == std::vector<long>({6, 7, 8, 9}));
        CHECK_EQ(ten.load_many(1, objects), FT_LOCAL_ERR_END);
        try {
            (void)ten.load_many(3);
            CHECK(!"the source has ended");
        } catch (const ft_local::end_of_source &) {
        }
        CHECK_EQ(alive, 4);
    }
    CHECK_EQ(alive, 0);
}

void load_many_loses_nothing_when_the_source_throws() {
    begin_counting();
    bool fails = true;
    const batch some(2, [&] {
        return made == 3 && fails ? throw used_up(3) : make_counted<std::unique_ptr<counted>>();
    });
    try {
        (void)some.load_many(10);
        CHECK(!"the source threw");
    } catch (const used_up &) {
    }
    std::vector<std::unique_ptr<counted>> objects;
    const ft_local_status status = some.load_many(10, objects);
    CHECK(status > 0);
    CHECK(ft_local::take_exception() != nullptr);
    CHECK_EQ(objects.size(), 3);
    fails = false;
    CHECK_EQ(some.load()->number, 3);
    std::vector<long> sorted = numbers(objects);
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == std::vector<long>({0, 1, 2}));
}

void load_many_can_have_a_limit_of_time() {
    std::atomic<bool> runs{false};
    std::atomic<bool> done{false};
    const ft_local::batch<int> slow(2, [&] {
        runs = true;
        while (!done) {
            std::this_thread::yield();
        }
        return 5;
    });
    std::thread filler([&] { CHECK_EQ(slow.load(), 5); });
    while (!runs) {
        std::this_thread::yield();
    }
    CHECK(slow.load_many_for(3, std::chrono::milliseconds(1)).empty());
    CHECK_EQ(slow.prefill_for(1, 1, std::chrono::milliseconds(1)), 0);
    done = true;
    filler.join();
    CHECK_EQ(slow.load_many_for(3, std::chrono::hours(1)).size(), 3);
}

void what_is_given_back_comes_first() {
    begin_counting();
    {
        const batch some(4, make_counted<std::unique_ptr<counted>>);
        auto objects = some.load_many(3);
        some.give_back(std::move(objects[2]));
        objects.pop_back();
        CHECK_EQ(some.load()->number, 2);
        some.give_back(std::move(objects));
        CHECK(numbers(some.load_many(3)) == std::vector<long>({0, 1, 3}));
        some.close();
        some.give_back(make_counted<std::unique_ptr<counted>>());
        CHECK_EQ(alive, 0);
        try {
            some.give_back(std::unique_ptr<counted>());
            CHECK(!"an empty pointer is refused");
        } catch (const std::invalid_argument &) {
        }
    }
    CHECK_EQ(alive, 0);
}

void prefill_makes_results_ahead_of_time() {
    begin_counting();
    const batch some(8, make_counted<std::unique_ptr<counted>>);
    CHECK_EQ(some.prefill(1, 3), 3);
    CHECK_EQ(some.len(), 3);
    CHECK_EQ(some.prefill_for(4, 100, std::chrono::seconds(1)), 5);
    CHECK_EQ(some.prefill_for(4, 100, std::chrono::seconds(0)), 0);
    CHECK_EQ(some.try_load().value()->number, 0);
    const ft_local::batch<int> failing(2, []() -> int { throw used_up(1); });
    try {
        (void)failing.prefill(1, 1);
        CHECK(!"the source threw");
    } catch (const used_up &) {
    }
}

} // namespace

int main() {
    RUN(a_loop_ends_with_the_source);
    RUN(a_loop_ends_when_the_batch_is_closed);
    RUN(a_loop_throws_what_the_source_throws);
#if __cplusplus >= 202002L && defined(__GLIBCXX__) && !defined(__clang__)
    RUN(views_take_results);
#endif
    RUN(load_many_takes_results_in_order);
    RUN(load_many_loses_nothing_when_the_source_throws);
    RUN(load_many_can_have_a_limit_of_time);
    RUN(what_is_given_back_comes_first);
    RUN(prefill_makes_results_ahead_of_time);
    CHECK_EQ(alive, 0);
    return 0;
}
