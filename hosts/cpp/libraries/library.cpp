// A library that hides its symbols.

#include "library.hpp"

namespace {

template <class Source> std::unique_ptr<ft_local::batch<int>> batch_of(Source source) {
    return std::make_unique<ft_local::batch<int>>(1, source);
}

} // namespace

std::unique_ptr<ft_local::batch<int>> batch_that_throws_a_text() {
    return batch_of([]() -> int { throw std::string("the source's own"); });
}

std::unique_ptr<ft_local::batch<int>> batch_that_throws_an_error() {
    return batch_of([]() -> int { throw ft_local::error(FT_LOCAL_ERR_RETAIN, "the source's"); });
}

std::unique_ptr<ft_local::batch<int>> batch_that_ends() {
    return batch_of([]() -> int { throw ft_local::end_of_source(); });
}

std::string text_thrown_by(const ft_local::batch<int> &batch) {
    try {
        batch.load();
    } catch (const std::string &thrown) {
        return thrown;
    } catch (const ft_local::error &thrown) {
        return thrown.what();
    }
    return "nothing";
}
