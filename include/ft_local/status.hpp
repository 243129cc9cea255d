// How a status becomes an exception, and an exception a status.

#ifndef FT_LOCAL_STATUS_HPP
#define FT_LOCAL_STATUS_HPP

#include "../ft_local.h"

#include <exception>
#include <new>
#include <stdexcept>
#include <utility>

namespace ft_local {

// What goes wrong in the library itself.
class error : public std::runtime_error {
  public:
    error(ft_local_status status, const char *text) : std::runtime_error(text), status_(status) {}

    ft_local_status status() const noexcept {
        return status_;
    }

  private:
    ft_local_status status_;
};

// The source has ended, and all that it made was handed out. A source throws it to end.
class end_of_source : public error {
  public:
    end_of_source() : error(FT_LOCAL_ERR_END, ft_local_status_text(FT_LOCAL_ERR_END)) {}
};

namespace detail {

// A failing source returns this. What it threw waits in `thrown` meanwhile: a variable of the
// thread, because another thread may run the source, and fail, before this one comes to look.
constexpr int32_t threw = 1;
inline thread_local std::exception_ptr thrown;

[[noreturn]] inline void raise(ft_local_status status) {
    if (status == threw && thrown) {
        std::rethrow_exception(std::exchange(thrown, nullptr));
    }
    if (status == FT_LOCAL_ERR_NO_MEMORY) {
        throw std::bad_alloc();
    }
    if (status == FT_LOCAL_ERR_END) {
        throw end_of_source();
    }
    throw error(status, status == FT_LOCAL_ERR_ARGUMENT ? ft_local_last_error()
                                                        : ft_local_status_text(status));
}

inline void check(ft_local_status status) {
    if (status != FT_LOCAL_OK) {
        raise(status);
    }
}

} // namespace detail

// What the source of the last load in this thread threw, for callers that look at the status: a
// positive status says that there is something. Taking it forgets it.
inline std::exception_ptr take_exception() noexcept {
    return std::exchange(detail::thrown, nullptr);
}

} // namespace ft_local

#endif
