// Exceptions go in, and come out as they are or as a status.

#include "counted.hpp"

namespace {

void what_a_source_throws_comes_out_of_its_load() {
    begin_counting();
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
            CHECK(ft_local::take_exception() == nullptr);
        }
        // What it had made before is kept.
        CHECK_EQ(batch.load()->number, made - 1);
        block = 0;
    }
    CHECK_EQ(alive, 0);
}

void a_status_comes_out_where_a_place_is_given() {
    begin_counting();
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

// While a batch throws results away, which load from another batch that fails, in the same thread.
struct loads_when_destroyed {
    explicit loads_when_destroyed(const ft_local::batch<int> &given) : from(given) {}
    ~loads_when_destroyed() {
        int out = 0;
        CHECK(from.load(out) > 0);
    }
    const ft_local::batch<int> &from;
};

void an_exception_is_that_of_its_batch() {
    const ft_local::batch<int> other(1, []() -> int { throw used_up(2); });
    const ft_local::batch<std::unique_ptr<loads_when_destroyed>> *self = nullptr;
    const ft_local::batch<std::unique_ptr<loads_when_destroyed>> batch(4, [&, calls = 0]() mutable {
        if (++calls == 3) {
            self->close();
            throw used_up(1);
        }
        return std::make_unique<loads_when_destroyed>(other);
    });
    self = &batch;
    try {
        batch.load();
        CHECK(!"the source threw");
    } catch (const used_up &thrown) {
        CHECK_EQ(thrown.block, 1);
    }
    try {
        std::rethrow_exception(ft_local::take_exception());
    } catch (const used_up &thrown) {
        CHECK_EQ(thrown.block, 2);
    }
}

void a_source_may_return_a_status() {
    int calls = 0;
    const ft_local::batch<int> batch(4, [&](ft_local::slots<int> &room) -> ft_local_status {
        room.push(++calls);
        return calls == 2 ? 77 : calls == 4 ? FT_LOCAL_ERR_END : FT_LOCAL_OK;
    });
    says(ft_local_status(77), [&] { batch.load(); });
    CHECK_EQ(batch.load_many(10).size(), 4);
    int out = 0;
    CHECK_EQ(batch.load(out), FT_LOCAL_ERR_END);
}

void errors_of_the_library_are_exceptions() {
    const auto one = [] { return 1; };
    CHECK(says(FT_LOCAL_ERR_ARGUMENT, [&] { ft_local::batch<int>(0, one); }) ==
          "size must be between 1 and 1073741824, got 0");
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

void a_source_ends_by_throwing_that() {
    begin_counting();
    ft_local::batch<std::unique_ptr<counted>> batch(4, [] {
        return made == 10 ? throw ft_local::end_of_source()
                          : make_counted<std::unique_ptr<counted>>();
    });
    for (long number = 0; number < 10; ++number) {
        CHECK_EQ(batch.load()->number, number);
    }
    for (int times = 0; times < 3; ++times) {
        try {
            batch.load();
            CHECK(!"the source has ended");
        } catch (const ft_local::end_of_source &ended) {
            CHECK_EQ(ended.status(), FT_LOCAL_ERR_END);
        }
    }
    std::unique_ptr<counted> out;
    CHECK_EQ(batch.load(out), FT_LOCAL_ERR_END);
}

void a_closed_batch_says_so() {
    begin_counting();
    const ft_local::batch<std::shared_ptr<counted>> batch(8,
                                                          make_counted<std::shared_ptr<counted>>);
    batch.load();
    CHECK(!batch.is_closed());
    batch.close();
    CHECK(batch.is_closed());
    CHECK_EQ(alive, 0);
    std::shared_ptr<counted> out;
    CHECK_EQ(batch.load(out), FT_LOCAL_ERR_CLOSED);
}

void options_reach_the_library() {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = 2;
    int calls = 0;
    const ft_local::batch<int> batch(10, [&] { return ++calls; }, options);
    CHECK_EQ(batch.load(), 1);
    CHECK_EQ(calls, 2);
    options.low_water = 11;
    try {
        ft_local::batch<int>(10, [] { return 1; }, options);
        CHECK(!"the mark is above the size");
    } catch (const ft_local::error &refused) {
        CHECK_SAYS(refused.what(), "low_water");
    }
}

} // namespace

int main() {
    RUN(what_a_source_throws_comes_out_of_its_load);
    RUN(a_status_comes_out_where_a_place_is_given);
    RUN(an_exception_is_that_of_its_batch);
    RUN(a_source_may_return_a_status);
    RUN(errors_of_the_library_are_exceptions);
    RUN(bad_results_are_refused);
    RUN(a_source_ends_by_throwing_that);
    RUN(a_closed_batch_says_so);
    RUN(options_reach_the_library);
    CHECK_EQ(alive, 0);
    return 0;
}
