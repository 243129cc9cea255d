// Exceptions go from the source of one library to the load of another, though each hides its symbols.

#include "check.h"
#include "library.hpp"

namespace {

void an_exception_of_the_librarys_source_reaches_the_program() {
    const auto batch = batch_that_throws_a_text();
    try {
        batch->load();
        CHECK(!"the source threw");
    } catch (const std::string &thrown) {
        CHECK(thrown == "the source's own");
    }
    int out = 0;
    CHECK(batch->load(out) > 0);
    try {
        std::rethrow_exception(ft_local::take_exception());
    } catch (const std::string &thrown) {
        CHECK(thrown == "the source's own");
    }
}

void an_exception_of_the_programs_source_reaches_the_library() {
    const ft_local::batch<int> batch(1, []() -> int { throw std::string("the program's"); });
    CHECK(text_thrown_by(batch) == "the program's");
}

void errors_and_ends_are_known_on_both_sides() {
    try {
        batch_that_throws_an_error()->load();
        CHECK(!"the source threw");
    } catch (const ft_local::error &thrown) {
        CHECK_EQ(thrown.status(), FT_LOCAL_ERR_RETAIN);
    }
    try {
        batch_that_ends()->load();
        CHECK(!"the source has ended");
    } catch (const ft_local::end_of_source &) {
    }
    const ft_local::batch<int> ended(1, []() -> int { throw ft_local::end_of_source(); });
    CHECK(text_thrown_by(ended) == ft_local_status_text(FT_LOCAL_ERR_END));
}

void a_part_without_exceptions_changes_nothing() {
    CHECK_EQ(sum_of_loads(), 6);
    an_exception_of_the_programs_source_reaches_the_library();
}

} // namespace

int main() {
    RUN(an_exception_of_the_librarys_source_reaches_the_program);
    RUN(an_exception_of_the_programs_source_reaches_the_library);
    RUN(errors_and_ends_are_known_on_both_sides);
    RUN(a_part_without_exceptions_changes_nothing);
    return 0;
}
