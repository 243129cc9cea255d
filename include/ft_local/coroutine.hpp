// Results that a coroutine awaits (C++20): it is put aside, and no thread is blocked.
//
//   int id = co_await ids;                                  // goes on in the thread that wakes it
//   int id = co_await ft_local::async_load(ids, loop);      // goes on where `loop` runs it
//   int id = co_await ft_local::async_load(ids, loop, stop) // until a stop is requested
//   int id = co_await ft_local::async_load_with(ids, arg, loop, stop) // as load_with does
//
// `ids` is a batch, or a cursor that no other coroutine and no thread uses meanwhile.
//
// A scheduler is called as `scheduler(resumption)`, in the thread that wakes the coroutine, which is in
// the library meanwhile: it hands the resumption, a function object, to an event loop or a pool of
// threads, and returns. Without one, the coroutine goes on in that thread, before its load returns.
//
// The batch or the cursor must outlive every coroutine that waits for it. A coroutine that waits may
// be destroyed in the thread that would resume it, and then takes nothing from others; from other
// threads, stop it.

#ifndef FT_LOCAL_COROUTINE_HPP
#define FT_LOCAL_COROUTINE_HPP

#ifdef __cpp_impl_coroutine
#define FT_LOCAL_COROUTINES 1

#include "waiting.hpp"

#include <stop_token>

namespace ft_local {
inline namespace FT_LOCAL_MODE {

// What `co_await` makes of a batch or a cursor: the next result, or what `load` would throw. A load
// that was stopped throws an error with the status FT_LOCAL_ERR_INTERRUPTED.
template <class P, class Scheduler> class load_awaiter {
    using traits = object_traits<P>;

  public:
    load_awaiter(const detail::origin &from, Scheduler scheduler, std::stop_token stop)
        : from_(from), scheduler_(std::move(scheduler)), stop_(std::move(stop)) {}
    load_awaiter(const load_awaiter &) = delete;
    load_awaiter &operator=(const load_awaiter &) = delete;
    ~load_awaiter() {
        on_stop_.reset();
        if (load_ != nullptr) {
            load_->abandon();
            load_->drop();
        }
    }

    bool await_ready() noexcept {
        if (stop_.stop_requested()) {
            status_ = FT_LOCAL_ERR_INTERRUPTED;
            return true;
        }
        status_ = from_.load(&object_);
        return status_ != FT_LOCAL_ERR_WOULD_WAIT;
    }

    bool await_suspend(std::coroutine_handle<> coroutine) {
        detail::waiting *load = new detail::waiting_on<Scheduler>(from_, std::move(scheduler_));
        load_ = load;
        load->begin(coroutine);
        if (stop_.stop_possible()) {
            on_stop_.emplace(std::move(stop_), detail::stop_waiting{load});
        }
        // When it waits, another thread may resume the coroutine, which ends this awaiter.
        load->keep();
        const bool waits = !load->has_outcome();
        load->drop();
        return waits;
    }

    P await_resume() {
        on_stop_.reset();
        if (load_ != nullptr) {
            status_ = load_->status;
            object_ = load_->object;
            std::exchange(load_, nullptr)->drop();
        }
        detail::check(status_, from_.source);
        return traits::take(object_);
    }

  private:
    const detail::origin from_;
    Scheduler scheduler_;
    std::stop_token stop_;
    ft_local_status status_ = FT_LOCAL_OK;
    void *object_ = nullptr;
    detail::waiting *load_ = nullptr;
    std::optional<std::stop_callback<detail::stop_waiting>> on_stop_;
};

template <class P, class Arg, class Scheduler>
load_awaiter<P, Scheduler> async_load(const batch<P, Arg> &from, Scheduler scheduler,
                                      std::stop_token stop = {}) {
    return {{from, nullptr}, std::move(scheduler), std::move(stop)};
}
template <class P, class Arg, class Scheduler>
load_awaiter<P, Scheduler> async_load(cursor<P, Arg> &from, Scheduler scheduler,
                                      std::stop_token stop = {}) {
    return {{from, nullptr}, std::move(scheduler), std::move(stop)};
}

// The same, and the source gets `arg`, if this load runs it. `arg` must live until then.
template <class P, class Arg, class Scheduler>
load_awaiter<P, Scheduler> async_load_with(const batch<P, Arg> &from, detail::argument<Arg> &arg,
                                           Scheduler scheduler, std::stop_token stop = {}) {
    return {{from, detail::address(arg)}, std::move(scheduler), std::move(stop)};
}
template <class P, class Arg, class Scheduler>
load_awaiter<P, Scheduler> async_load_with(cursor<P, Arg> &from, detail::argument<Arg> &arg,
                                           Scheduler scheduler, std::stop_token stop = {}) {
    return {{from, detail::address(arg)}, std::move(scheduler), std::move(stop)};
}

template <class P, class Arg>
load_awaiter<P, in_the_waking_thread> operator co_await(const batch<P, Arg> &from) {
    return {{from, nullptr}, {}, {}};
}
template <class P, class Arg>
load_awaiter<P, in_the_waking_thread> operator co_await(cursor<P, Arg> &from) {
    return {{from, nullptr}, {}, {}};
}

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif

#endif
