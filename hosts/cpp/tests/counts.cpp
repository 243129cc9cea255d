// What is made is delivered once or destroyed, over threads, cursors, wrappers and moves.

#include "counted.hpp"

#include <thread>
#include <vector>

namespace {

template <class P> void threads_get_each_object_once() {
    constexpr std::size_t threads = 4;
    constexpr std::size_t loads = 20001;
    begin_counting();
    {
        ft_local::batch<P> batch(64, make_counted<P>);
        std::vector<std::atomic<int>> seen(threads * loads);
        std::vector<std::thread> crowd;
        for (std::size_t index = 0; index < threads; ++index) {
            crowd.emplace_back([&] {
                for (std::size_t count = 0; count < loads; ++count) {
                    const P mine = batch.load();
                    CHECK(mine->number >= 0 && mine->number < long(threads * loads));
                    ++seen[static_cast<std::size_t>(mine->number)];
                }
            });
        }
        for (auto &thread : crowd) {
            thread.join();
        }
        for (const auto &times : seen) {
            CHECK_EQ(times, 1);
        }
        CHECK(batch.len() > 0);
        CHECK_EQ(made, threads * loads + batch.len());
        CHECK_EQ(alive, batch.len());
    }
    CHECK_EQ(alive, 0);
}

template <class P> void cursors_get_each_object_once_and_give_the_rest_back() {
    constexpr std::size_t threads = 4;
    constexpr std::size_t loads = 20001;
    begin_counting();
    {
        ft_local::batch<P> batch(1024, make_counted<P>);
        std::vector<std::atomic<int>> seen(threads * loads + 1024);
        std::vector<std::thread> crowd;
        for (std::size_t index = 0; index < threads; ++index) {
            crowd.emplace_back([&] {
                auto mine = batch.cursor();
                for (std::size_t count = 0; count < loads; ++count) {
                    ++seen.at(static_cast<std::size_t>(mine.next()->number));
                }
            });
        }
        for (auto &thread : crowd) {
            thread.join();
        }
        CHECK_EQ(made, threads * loads + batch.len());
        CHECK_EQ(alive, batch.len());
        for (const ft_local_stats counts = batch.stats(); batch.len() > 0;) {
            CHECK_EQ(counts.loads + counts.claimed - counts.given_back, threads * loads);
            ++seen.at(static_cast<std::size_t>(batch.load()->number));
        }
        for (std::size_t number = 0; number < std::size_t(made); ++number) {
            CHECK_EQ(seen[number], 1);
        }
    }
    CHECK_EQ(alive, 0);
}

void a_cursor_may_outlive_its_batch() {
    begin_counting();
    {
        using batch = ft_local::batch<std::shared_ptr<counted>>;
        auto with = std::make_unique<batch>(8, make_counted<std::shared_ptr<counted>>);
        auto cursor = with->cursor();
        auto other = with->cursor();
        with.reset();
        for (long number = 0; number < 20; ++number) {
            CHECK_EQ(cursor.next()->number, number);
        }
        other = std::move(cursor);
        CHECK_EQ(other.next_for(std::chrono::hours(1)).value()->number, 20);
        try {
            cursor.next();
            CHECK(!"a cursor that was moved from is none");
        } catch (const ft_local::error &thrown) {
            CHECK_EQ(thrown.status(), FT_LOCAL_ERR_ARGUMENT);
        }
    }
    CHECK_EQ(alive, 0);
}

void values_need_no_memory() {
    enum class color : unsigned char { red, green };
    int calls = 0;
    ft_local::batch<color> colors(3, [&] { return ++calls % 2 != 0 ? color::green : color::red; });
    CHECK(colors.load() == color::green);
    CHECK(colors.load() == color::red);
    ft_local::batch<unsigned> numbers(2, [n = 0U]() mutable { return n++; });
    for (unsigned expected = 0; expected < 10; ++expected) {
        CHECK_EQ(numbers.load(), expected);
    }
}

void a_shared_object_can_be_kept_by_the_source_too() {
    begin_counting();
    const auto only = std::make_shared<counted>(7);
    {
        ft_local::batch<std::shared_ptr<counted>> batch(8, [only] { return only; });
        CHECK_EQ(batch.load()->number, 7);
        // Here, in the source, and seven times in the buffer.
        CHECK_EQ(only.use_count(), 9);
        batch.clear();
        CHECK_EQ(only.use_count(), 2);
    }
    CHECK_EQ(only.use_count(), 1);
}

void batches_and_wrappers_move() {
    begin_counting();
    using batch = ft_local::batch<std::shared_ptr<counted>>;
    batch first(4, make_counted<std::shared_ptr<counted>>);
    CHECK_EQ(first.load()->number, 0);
    batch second(std::move(first));
    CHECK_EQ(second.load()->number, 1);
    batch third(1, [] { return std::make_shared<counted>(-1); });
    third.load();
    third = std::move(second);
    CHECK_EQ(third.load()->number, 2);
    CHECK_EQ(third.size(), 4);
    CHECK_EQ(third.len(), 1);
    // A batch that was moved from is no batch, and says so.
    says(FT_LOCAL_ERR_ARGUMENT, [&] { first.load(); });
    static_assert(!std::is_copy_constructible_v<batch>);
    static_assert(!std::is_copy_assignable_v<ft_local::wrapper<counted>>);
}

void a_wrapper_touches_the_count_twice() {
    begin_counting();
    auto shared = std::make_shared<counted>(3);
    {
        ft_local::wrapper<counted> mine(shared);
        CHECK_EQ(shared.use_count(), 2);
        CHECK_EQ(mine->number, 3);
        CHECK_PTR(&*mine, shared.get());
        CHECK_EQ(shared.use_count(), 2);
        ft_local::wrapper<counted> moved(std::move(mine));
        CHECK_EQ(shared.use_count(), 2);
        CHECK_PTR(mine.get(), nullptr);
        CHECK(mine.share() == nullptr);
        CHECK(moved.share() == shared);
        // The object lives as long as the wrapper.
        shared.reset();
        CHECK_EQ(alive, 1);
        CHECK_EQ(moved->number, 3);
    }
    CHECK_EQ(alive, 0);
}

} // namespace

int main() {
    RUN(threads_get_each_object_once<std::shared_ptr<counted>>);
    RUN(threads_get_each_object_once<std::unique_ptr<counted>>);
    RUN(cursors_get_each_object_once_and_give_the_rest_back<std::shared_ptr<counted>>);
    RUN(cursors_get_each_object_once_and_give_the_rest_back<std::unique_ptr<counted>>);
    RUN(a_cursor_may_outlive_its_batch);
    RUN(values_need_no_memory);
    RUN(a_shared_object_can_be_kept_by_the_source_too);
    RUN(batches_and_wrappers_move);
    RUN(a_wrapper_touches_the_count_twice);
    CHECK_EQ(alive, 0);
    return 0;
}
