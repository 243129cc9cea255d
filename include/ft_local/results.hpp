// The results of a batch, or of a cursor, one after the other, in a loop.

#ifndef FT_LOCAL_RESULTS_HPP
#define FT_LOCAL_RESULTS_HPP

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "status.hpp"

namespace ft_local {
inline namespace FT_LOCAL_MODE {

// Where a loop over results ends: when the source has ended or the batch was closed.
struct end_of_results {};

// The input iterator of batch and cursor. It loads when it is looked at, so a view that takes three
// results loads three. It holds the result that it has loaded; `*it` moves it out, so use it once.
template <class P, class From> class result_iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = P;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = P &&;

    explicit result_iterator(From &from) noexcept : from_(&from) {}

    P &&operator*() const {
        return std::move(*look());
    }

    result_iterator &operator++() {
        look();
        loaded_.reset();
        has_looked_ = false;
        return *this;
    }
    void operator++(int) {
        ++*this;
    }

    friend bool operator==(const result_iterator &it, end_of_results) {
        return !it.look();
    }
    friend bool operator!=(const result_iterator &it, end_of_results) {
        return it.look().has_value();
    }
    friend bool operator==(end_of_results, const result_iterator &it) {
        return !it.look();
    }
    friend bool operator!=(end_of_results, const result_iterator &it) {
        return it.look().has_value();
    }

  private:
    std::optional<P> &look() const {
        if (!has_looked_) {
            loaded_ = from_->load_unless_over();
            has_looked_ = true;
        }
        return loaded_;
    }

    From *from_;
    mutable std::optional<P> loaded_;
    mutable bool has_looked_ = false;
};

namespace detail {

// The next result, or nothing if there will be none.
template <class Traits>
auto check_unless_over(ft_local_status status, void *object, const any_source *source)
    -> std::optional<decltype(Traits::take(object))> {
    if (status == FT_LOCAL_ERR_END || status == FT_LOCAL_ERR_CLOSED) {
        return std::nullopt;
    }
    check(status, source);
    return Traits::take(object);
}

} // namespace detail

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
