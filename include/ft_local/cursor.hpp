// A thread's own way into a batch.

#ifndef FT_LOCAL_CURSOR_HPP
#define FT_LOCAL_CURSOR_HPP

#include "batch.hpp"

namespace ft_local {
inline namespace FT_LOCAL_MODE {

// Takes several results of a batch at once and hands them out without touching what other threads
// write. Make one for each thread. What it has left when it is destroyed goes back to the batch.
template <class P, class Arg> class cursor {
    using traits = object_traits<P>;
    using argument = detail::argument<Arg>;

  public:
    explicit cursor(const batch<P, Arg> &from) : source_(from.source_), batch_(from.handle_) {
        ft_local_cursor *made = nullptr;
        detail::check(ft_local_cursor_new(from.handle(), &made), source_.get());
        handle_.reset(made);
    }

    // As batch::load.
    P next() {
        void *object = nullptr;
        detail::check(take_next(&object), source_.get());
        return traits::take(object);
    }
    FT_LOCAL_MUST_USE ft_local_status next(P &out) {
        void *object = nullptr;
        const ft_local_status status = take_next(&object);
        if (status == FT_LOCAL_OK) {
            out = traits::take(object);
        }
        return detail::leave_exception(status, source_.get());
    }

    // As batch::load_with.
    P next_with(argument &arg) {
        void *object = nullptr;
        detail::check(take_next_with(arg, -1, &object), source_.get());
        return traits::take(object);
    }
    FT_LOCAL_MUST_USE ft_local_status next_with(argument &arg, P &out) {
        void *object = nullptr;
        const ft_local_status status = take_next_with(arg, -1, &object);
        if (status == FT_LOCAL_OK) {
            out = traits::take(object);
        }
        return detail::leave_exception(status, source_.get());
    }

    // As batch::load_for.
    template <class Rep, class Period>
    std::optional<P> next_for(const std::chrono::duration<Rep, Period> &timeout) {
        void *object = nullptr;
        const ft_local_status status =
            ft_local_cursor_next_for(handle_.get(), detail::nanoseconds(timeout), &object);
        return detail::check_or<traits>(FT_LOCAL_ERR_TIMED_OUT, status, object, source_.get());
    }
    template <class Clock, class Duration>
    std::optional<P> next_until(const std::chrono::time_point<Clock, Duration> &when) {
        return next_for(detail::left_until(when));
    }

    // As batch::load_with_for.
    template <class Rep, class Period>
    std::optional<P> next_with_for(argument &arg,
                                   const std::chrono::duration<Rep, Period> &timeout) {
        void *object = nullptr;
        const ft_local_status status =
            detail::timed_out(take_next_with(arg, detail::nanoseconds(timeout), &object));
        return detail::check_or<traits>(FT_LOCAL_ERR_TIMED_OUT, status, object, source_.get());
    }

    // As batch::begin: `for (auto &&result : cursor)`.
    result_iterator<P, cursor> begin() {
        return result_iterator<P, cursor>(*this);
    }
    end_of_results end() const noexcept {
        return {};
    }

    // How many results it has in hand.
    size_t len() const noexcept {
        return ft_local_cursor_len(handle_.get());
    }

    cursor(cursor &&) noexcept = default;
    cursor &operator=(cursor &&other) noexcept {
        handle_ = std::move(other.handle_);
        batch_ = std::move(other.batch_);
        source_ = std::move(other.source_);
        return *this;
    }

  private:
    friend class result_iterator<P, cursor>;
    friend struct detail::origin;

    ft_local_status take_next(void **object) {
        // Of a cursor that was moved from, only the function tells that it is none.
        return handle_ ? ft_local_cursor_next_inline(handle_.get(), object)
                       : ft_local_cursor_next(nullptr, object);
    }

    ft_local_status take_next_with(argument &arg, int64_t timeout, void **object) {
        return ft_local_cursor_next_with(handle_.get(), detail::address(arg), timeout, object);
    }

    std::optional<P> load_unless_over() {
        void *object = nullptr;
        const ft_local_status status = take_next(&object);
        return detail::check_unless_over<traits>(status, object, source_.get());
    }

    struct freed {
        void operator()(ft_local_cursor *handle) const noexcept {
            ft_local_cursor_free(handle);
        }
    };

    // A cursor may outlive its batch, and then the source and the handle do: a coroutine that waits
    // for the cursor is registered with the handle.
    std::shared_ptr<detail::any_source> source_;
    std::shared_ptr<ft_local_batch> batch_;
    std::unique_ptr<ft_local_cursor, freed> handle_;
};

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
