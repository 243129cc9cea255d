// A batch and a cursor as ranges: what a view takes is loaded, and nothing more.

#include "counted.hpp"

#include <vector>
#if __cplusplus >= 202002L
#include <ranges>
#endif

namespace {

using objects = ft_local::batch<std::unique_ptr<counted>>;

auto some(long last) {
    return [last] {
        if (made == last) {
            throw ft_local::end_of_source();
        }
        return make_counted<std::unique_ptr<counted>>();
    };
}

void a_loop_that_is_left_has_loaded_what_it_saw() {
    begin_counting();
    {
        const objects batch(8, some(100));
        CHECK(batch.begin() != batch.end());
        CHECK_EQ(batch.load()->number, 1);
        for (auto &&one : batch) {
            if (one->number == 3) {
                break;
            }
        }
        CHECK_EQ(batch.load()->number, 4);
        auto it = batch.begin();
        ++it;
        ++it;
        CHECK_EQ((*it)->number, 7);
        auto cursor = batch.cursor();
        long sum = 0;
        for (auto &&one : cursor) {
            sum += one->number;
        }
        CHECK_EQ(sum, 99 * 100 / 2 - 28);
        CHECK(batch.begin() == batch.end());
    }
    CHECK_EQ(alive, 0);
}

#if __cplusplus >= 202002L

static_assert(std::ranges::input_range<const objects>);
static_assert(std::ranges::input_range<objects>);
static_assert(std::ranges::input_range<ft_local::cursor<int>>);
static_assert(!std::ranges::forward_range<objects>);

// Older versions of clang cannot compile the views of libstdc++.
#if !defined(__clang__) || __clang_major__ >= 16
void a_view_loads_what_it_takes() {
    namespace views = std::views;
    begin_counting();
    {
        const objects batch(8, some(100));
        std::vector<long> seen;
        for (auto &&one : batch | views::take(3)) {
            seen.push_back(one->number);
        }
        CHECK(seen == std::vector<long>({0, 1, 2}));
        CHECK_EQ(batch.load()->number, 3);
        auto cursor = batch.cursor();
        auto number = [](const std::unique_ptr<counted> &one) { return one->number; };
        long sum = 0;
        for (long one : cursor | views::transform(number) | views::take(5)) {
            sum += one;
        }
        CHECK_EQ(sum, 4 + 5 + 6 + 7 + 8);
        for (auto &&one : cursor | views::drop(7)) {
            CHECK_EQ(one->number, 16);
            break;
        }
    }
    CHECK_EQ(alive, 0);
}
#define VIEWS 1
#endif
#endif

} // namespace

int main() {
    RUN(a_loop_that_is_left_has_loaded_what_it_saw);
#ifdef VIEWS
    RUN(a_view_loads_what_it_takes);
#endif
    CHECK_EQ(alive, 0);
    return 0;
}
