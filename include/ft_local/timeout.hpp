// Times to wait, and results that may not come in time.

#ifndef FT_LOCAL_TIMEOUT_HPP
#define FT_LOCAL_TIMEOUT_HPP

#include "status.hpp"

#include <chrono>
#include <optional>

namespace ft_local {
inline namespace FT_LOCAL_MODE {

namespace detail {

// Nothing for the status `nothing`, which is no error to a caller that asked for it.
template <class Traits>
auto check_or(ft_local_status nothing, ft_local_status status, void *object,
              const any_source *source) -> std::optional<decltype(Traits::take(object))> {
    if (status == nothing) {
        return std::nullopt;
    }
    check(status, source);
    return Traits::take(object);
}

// A call with no time to wait says that it would wait.
inline ft_local_status timed_out(ft_local_status status) noexcept {
    return status == FT_LOCAL_ERR_WOULD_WAIT ? FT_LOCAL_ERR_TIMED_OUT : status;
}

// Rounded up, so that no wait is shorter than was asked for. More than the library can count, which
// is 292 years, has no limit. A time in the past is no time, and so is what is no number.
template <class Rep, class Period>
int64_t nanoseconds(const std::chrono::duration<Rep, Period> &timeout) {
    using std::chrono::nanoseconds;
    if (!(timeout > timeout.zero())) {
        return 0;
    }
    if (std::chrono::duration<long double>(timeout) >= nanoseconds::max()) {
        return -1;
    }
    return std::chrono::ceil<nanoseconds>(timeout).count();
}

// In floating point, because the difference of integers overflows for a clock's first moments, and
// for its last ones in coarse units.
template <class Clock, class Duration>
auto left_until(const std::chrono::time_point<Clock, Duration> &when) {
    using seconds = std::chrono::duration<long double>;
    return seconds(when.time_since_epoch()) - seconds(Clock::now().time_since_epoch());
}

} // namespace detail

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
