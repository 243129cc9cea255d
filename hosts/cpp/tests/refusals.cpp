// Bad arguments are refused by errors that name them and the number.

#include "counted.hpp"

#include <functional>

namespace {

using ft_local::batch;

int one() {
    return 1;
}

ft_local_batch_options with(void (*change)(ft_local_batch_options &)) {
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    change(options);
    return options;
}

const char *const moved =
    "this handle was moved from; use the one that it was moved to, or assign another to it";
const char *const empty = "source is empty; give the function that makes the results";

batch<int> moved_from() {
    batch<int> given(4, one);
    const batch<int> taken(std::move(given));
    return given;
}

const struct {
    const char *says;
    void (*attempt)();
} refusals[] = {
    {"size must be between 1 and 1073741824, got 0", [] { batch<int>(0, one); }},
    {"size must be between 1 and 1073741824, got 1073741825",
     [] { batch<int>((size_t(1) << 30) + 1, one); }},
    {"size must be between 1 and 1073741824, got 18446744073709551615",
     [] { batch<int>(size_t(-1), one); }},
    {"options.low_water must be between 0 and 10, got 11",
     [] { batch<int>(10, one, with([](auto &options) { options.low_water = 11; })); }},
    {"options.fillers must be between 0 and 256, got 257",
     [] { batch<int>(10, one, with([](auto &options) { options.fillers = 257; })); }},
    {"options.on_fork must be between 0 and 2, got 3",
     [] { batch<int>(10, one, with([](auto &options) { options.on_fork = 3; })); }},
    {"options.wipe must be between 0 and 1, got 2",
     [] { batch<int>(10, one, with([](auto &options) { options.wipe = 2; })); }},
    {empty, [] { batch<int>(4, std::function<int()>()); }},
    {empty, [] { batch<int>(4, static_cast<int (*)()>(nullptr)); }},
    {moved, [] { moved_from().load(); }},
    {moved, [] { (void)moved_from().try_load(); }},
    {moved, [] { (void)moved_from().load_for(std::chrono::seconds(1)); }},
    {moved, [] { (void)moved_from().load_many(2); }},
    {moved, [] { moved_from().give_back(1); }},
    {moved, [] { (void)moved_from().prefill(1, 1); }},
    {moved, [] { moved_from().close(); }},
    {moved, [] { moved_from().clear(); }},
    {moved, [] { (void)moved_from().stats(); }},
    {moved, [] { (void)moved_from().cursor(); }},
    {moved,
     [] {
         const batch<int> ones(4, one);
         auto given = ones.cursor();
         const auto taken = std::move(given);
         given.next();
     }},
};

void bad_arguments_are_refused_by_name() {
    for (const auto &refusal : refusals) {
        const std::string text = says(FT_LOCAL_ERR_ARGUMENT, refusal.attempt);
        if (text != refusal.says) {
            CHECK_FAIL("\"%s\", not \"%s\"", text.c_str(), refusal.says);
        }
        CHECK(text.find("FT_LOCAL") == std::string::npos);
    }
}

void callers_without_exceptions_get_a_status() {
    std::optional<batch<int>> made;
    CHECK_EQ(batch<int>::make(made, 0, one), FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(ft_local_last_error(), "size");
    CHECK_EQ(batch<int>::make(made, 4, std::function<int()>()), FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(ft_local_last_error(), "source");
    CHECK(!made);
    int out = 7;
    CHECK_EQ(moved_from().load(out), FT_LOCAL_ERR_ARGUMENT);
    CHECK_EQ(out, 7);
}

} // namespace

int main() {
    RUN(bad_arguments_are_refused_by_name);
    RUN(callers_without_exceptions_get_a_status);
    return 0;
}
