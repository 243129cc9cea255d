// Times to wait, and results that may not come in time.

#ifndef FT_LOCAL_TIMEOUT_HPP
#define FT_LOCAL_TIMEOUT_HPP

#include "status.hpp"

#include <chrono>
#include <optional>

namespace ft_local {

namespace detail {

// Nothing for the status `nothing`, which is no error to a caller that asked for it.
template <class Traits>
auto check_or(ft_local_status nothing, ft_local_status status, void *object)
    -> std::optional<decltype(Traits::take(object))> {
    if (status == nothing) {
        return std::nullopt;
    }
    check(status);
    return Traits::take(object);
}

// Rounded up, so that no wait is shorter than was asked for. What the library cannot count, which
// is 292 years, is for ever; a time in the past is no time.
template <class Rep, class Period>
int64_t nanoseconds(const std::chrono::duration<Rep, Period> &timeout) {
    using std::chrono::nanoseconds;
    if (timeout <= timeout.zero()) {
        return 0;
    }
    if (std::chrono::duration<long double>(timeout) >= nanoseconds::max()) {
        return -1;
    }
    return std::chrono::ceil<nanoseconds>(timeout).count();
}

template <class Clock, class Duration>
auto left_until(const std::chrono::time_point<Clock, Duration> &when) {
    return when - Clock::now();
}

} // namespace detail

} // namespace ft_local

#endif
