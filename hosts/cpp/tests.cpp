// The C++ layer: owners, exceptions, statuses, moves, and exact books over threads.

#include "check.h"

#include <ft_local.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<long> alive{0};
std::atomic<long> made{0};

struct counted {
    explicit counted(long given) : number(given) {
        ++alive;
        ++made;
    }
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;
    ~counted() {
        --alive;
    }
    const long number;
};

void begin_books() {
    CHECK_EQ(alive, 0);
    made = 0;
}

struct used_up : std::exception {
    explicit used_up(int given) : block(given) {}
    int block;
};

template <class P> P make_counted() {
    return P(new counted(made));
}

template <class P> void threads_get_each_object_once() {
    constexpr std::size_t threads = 4;
    constexpr std::size_t loads = 20000;
    begin_books();
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
        CHECK_EQ(made, threads * loads + batch.len());
        CHECK_EQ(alive, batch.len());
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
    begin_books();
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

void what_a_source_throws_comes_out_of_its_load() {
    begin_books();
    using slots = ft_local::slots<std::unique_ptr<counted>>;
    int block = 0;
    ft_local::batch<std::unique_ptr<counted>> batch(4, [&block](slots &room) {
        room.push(make_counted<std::unique_ptr<counted>>());
        if (++block % 2 != 0) {
            throw used_up(block);
        }
    });
    for (long round = 0; round < 3; ++round) {
        try {
            batch.load();
            CHECK(!"the source threw");
        } catch (const used_up &thrown) {
            CHECK_EQ(thrown.block, block);
        }
        // What it had made before is kept.
        CHECK_EQ(batch.load()->number, made - 1);
        block = 0;
    }
    CHECK_EQ(alive, 0);
}

void a_status_comes_out_where_a_place_is_given() {
    begin_books();
    bool good = false;
    ft_local::batch<std::shared_ptr<counted>> batch(
        2, [&good] { return good ? make_counted<std::shared_ptr<counted>>() : throw used_up(5); });
    std::shared_ptr<counted> out;
    CHECK(batch.load(out) > 0);
    CHECK(out == nullptr);
    const std::exception_ptr thrown = ft_local::take_exception();
    CHECK(thrown != nullptr);
    CHECK(ft_local::take_exception() == nullptr);
    try {
        std::rethrow_exception(thrown);
    } catch (const used_up &caught) {
        CHECK_EQ(caught.block, 5);
    }
    good = true;
    CHECK_EQ(batch.load(out), FT_LOCAL_OK);
    CHECK_EQ(out->number, 0);
}

template <class Function> std::string says(ft_local_status status, Function function) {
    try {
        function();
    } catch (const ft_local::error &thrown) {
        CHECK_EQ(thrown.status(), status);
        return thrown.what();
    }
    CHECK(!"it throws an ft_local::error");
    return "";
}

void errors_of_the_library_are_exceptions() {
    const auto one = [] { return 1; };
    CHECK_SAYS(says(FT_LOCAL_ERR_ARGUMENT, [&] { ft_local::batch<int>(0, one); }).c_str(), "size");
    const ft_local::batch<int> *self = nullptr;
    const ft_local::batch<int> batch(1, [&self] { return self->load(); });
    self = &batch;
    says(FT_LOCAL_ERR_REENTRANT, [&] { batch.load(); });
    const ft_local::batch<int> nothing(1, [](ft_local::slots<int> &) {});
    says(FT_LOCAL_ERR_NOTHING_PRODUCED, [&] { nothing.load(); });
}

void bad_results_are_refused() {
    const ft_local::batch<std::unique_ptr<counted>> empty(
        1, [] { return std::unique_ptr<counted>(); });
    try {
        empty.load();
        CHECK(!"an empty pointer is refused");
    } catch (const std::invalid_argument &refused) {
        CHECK_SAYS(refused.what(), "empty");
    }
    const ft_local::batch<int> greedy(2, [](ft_local::slots<int> &room) {
        for (;;) {
            room.push(1);
        }
    });
    try {
        greedy.load();
        CHECK(!"too many results are refused");
    } catch (const std::length_error &refused) {
        CHECK_SAYS(refused.what(), "capacity");
    }
}

void batches_and_wrappers_move() {
    begin_books();
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
    begin_books();
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
    RUN(values_need_no_memory);
    RUN(a_shared_object_can_be_kept_by_the_source_too);
    RUN(what_a_source_throws_comes_out_of_its_load);
    RUN(a_status_comes_out_where_a_place_is_given);
    RUN(errors_of_the_library_are_exceptions);
    RUN(bad_results_are_refused);
    RUN(batches_and_wrappers_move);
    RUN(a_wrapper_touches_the_count_twice);
    CHECK_EQ(alive, 0);
    return 0;
}
