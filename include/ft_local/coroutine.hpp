// Results that a coroutine awaits (C++20): it is put aside, and no thread is blocked.
//
//   int id = co_await ids;                                  // goes on in the thread that wakes it
//   int id = co_await ft_local::async_load(ids, loop);      // goes on where `loop` runs it
//   int id = co_await ft_local::async_load(ids, loop, stop) // until a stop is requested
//
// A scheduler is called as `scheduler(resumption)`, in the thread that wakes the coroutine, which is in
// the library meanwhile: it hands the resumption, a function object, to an event loop or a pool of
// threads, and returns. Without one, the coroutine goes on in that thread, before its load returns.
//
// The batch must outlive every coroutine that waits for it. A coroutine that waits may be destroyed in
// the thread that would resume it, and then takes nothing from others; from other threads, stop it.

#ifndef FT_LOCAL_COROUTINE_HPP
#define FT_LOCAL_COROUTINE_HPP

#ifdef __cpp_impl_coroutine
#define FT_LOCAL_COROUTINES 1

#include "batch.hpp"

#include <atomic>
#include <coroutine>
#include <stop_token>

namespace ft_local {
inline namespace FT_LOCAL_MODE {

class resumption;

namespace detail {

// A load that waits. It is shared by the coroutine, the registration and each resumption.
class waiting {
  public:
    explicit waiting(const ft_local_batch *batch) noexcept : batch_(batch) {}
    virtual ~waiting() = default;
    waiting(const waiting &) = delete;
    waiting &operator=(const waiting &) = delete;

    void keep() noexcept {
        users_.fetch_add(1, std::memory_order_relaxed);
    }
    void drop() noexcept {
        if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete this;
        }
    }

    // Loads, or has itself called when it is worth another try. Returns whether it has an outcome.
    bool has_outcome() noexcept;

    // Before it waits for the first time.
    void begin(std::coroutine_handle<> coroutine) noexcept {
        coroutine_ = coroutine;
    }
    // In the thread that the scheduler has chosen.
    void go_on() {
        if ((events_.load(std::memory_order_acquire) & abandoned) == 0 && has_outcome()) {
            coroutine_.resume();
        }
    }
    // It will not be resumed. What it was called for goes to another waiter.
    void abandon() noexcept {
        events_.fetch_or(abandoned, std::memory_order_acq_rel);
        forget();
    }
    void stop() noexcept {
        if (events_.fetch_or(stopped, std::memory_order_acq_rel) == registered) {
            keep();
            schedule();
        }
    }

    ft_local_status status = FT_LOCAL_OK;
    void *object = nullptr;

  protected:
    // Hands on a reference of the caller's.
    virtual void schedule() noexcept = 0;

  private:
    enum : int { registered = 1, called = 2, stopped = 4, abandoned = 8 };

    static void wake(void *arg) noexcept {
        auto *self = static_cast<waiting *>(arg);
        // Called before it has said that it is registered, it tries again by itself.
        if (self->events_.fetch_or(called, std::memory_order_acq_rel) == registered) {
            self->schedule();
        } else {
            self->drop();
        }
    }

    // Returns whether it must wait for a call. If not, it was called, or `status` is an error.
    bool put_aside() noexcept {
        events_.fetch_and(stopped, std::memory_order_acq_rel);
        keep();
        status = ft_local_batch_notify(batch_, wake, this, &ticket_);
        if (status != FT_LOCAL_OK) {
            drop();
            return false;
        }
        return events_.fetch_or(registered, std::memory_order_acq_rel) == 0;
    }

    void forget() noexcept {
        if (ticket_ != 0 && ft_local_batch_forget(batch_, std::exchange(ticket_, 0)) == 1) {
            drop();
        }
    }

    const ft_local_batch *batch_;
    std::coroutine_handle<> coroutine_;
    uint64_t ticket_ = 0;
    std::atomic<int> users_{1};
    std::atomic<int> events_{0};
};

} // namespace detail

// What a scheduler runs, once: `run()`. If it drops it, the coroutine must be destroyed.
class resumption {
  public:
    // Takes the caller's reference.
    explicit resumption(detail::waiting *load) noexcept : load_(load) {}
    resumption(const resumption &other) noexcept : load_(other.load_) {
        if (load_ != nullptr) {
            load_->keep();
        }
    }
    resumption(resumption &&other) noexcept : load_(std::exchange(other.load_, nullptr)) {}
    resumption &operator=(resumption other) noexcept {
        std::swap(load_, other.load_);
        return *this;
    }
    ~resumption() {
        if (load_ != nullptr) {
            load_->drop();
        }
    }

    void operator()() const {
        load_->go_on();
    }

  private:
    detail::waiting *load_;
};

// Resumes a coroutine in the thread that wakes it.
struct in_the_waking_thread {
    // One at a time, or coroutines that wake each other would use up the stack.
    void operator()(resumption next) const {
        auto &here = of_this_thread();
        here.waiting.push_back(std::move(next));
        if (!here.resumes) {
            here.resumes = true;
            for (size_t index = 0; index < here.waiting.size(); ++index) {
                resumption(std::move(here.waiting[index]))();
            }
            here.waiting.clear();
            here.resumes = false;
        }
    }

    // Whether this thread is inside a load, which called a coroutine.
    static bool resumes() noexcept {
        return of_this_thread().resumes;
    }

  private:
    struct state {
        std::vector<resumption> waiting;
        bool resumes = false;
    };
    static state &of_this_thread() noexcept {
        static thread_local state here;
        return here;
    }
};

namespace detail {

// A coroutine that goes on in a thread which runs the source cannot run it too, so it waits.
inline ft_local_status load_now(const ft_local_batch *batch, void **object) noexcept {
    const ft_local_status status = ft_local_batch_load_now(batch, object);
    return status == FT_LOCAL_ERR_REENTRANT && in_the_waking_thread::resumes()
               ? FT_LOCAL_ERR_WOULD_WAIT
               : status;
}

inline bool waiting::has_outcome() noexcept {
    for (;;) {
        if ((events_.load(std::memory_order_acquire) & stopped) != 0) {
            forget();
            status = FT_LOCAL_ERR_INTERRUPTED;
            return true;
        }
        status = load_now(batch_, &object);
        if (status != FT_LOCAL_ERR_WOULD_WAIT) {
            return true;
        }
        if (put_aside()) {
            return false;
        }
        if (status != FT_LOCAL_OK) {
            return true;
        }
    }
}

template <class Scheduler> class waiting_on final : public waiting {
  public:
    waiting_on(const ft_local_batch *batch, Scheduler scheduler)
        : waiting(batch), scheduler_(std::move(scheduler)) {}

  private:
    void schedule() noexcept override {
        resumption next(this);
        // A copy: when the coroutine goes on, this may go.
        Scheduler scheduler = scheduler_;
        scheduler(std::move(next));
    }

    Scheduler scheduler_;
};

struct stop_waiting {
    waiting *load;

    void operator()() const noexcept {
        load->stop();
    }
};

} // namespace detail

// What `co_await` makes of a batch: the next result, or what `load` would throw. A load that was
// stopped throws an error with the status FT_LOCAL_ERR_INTERRUPTED.
template <class P, class Scheduler> class load_awaiter {
    using traits = object_traits<P>;

  public:
    load_awaiter(const batch<P> &from, Scheduler scheduler, std::stop_token stop)
        : from_(&from), scheduler_(std::move(scheduler)), stop_(std::move(stop)) {}
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
        status_ = detail::load_now(from_->handle(), &object_);
        return status_ != FT_LOCAL_ERR_WOULD_WAIT;
    }

    bool await_suspend(std::coroutine_handle<> coroutine) {
        detail::waiting *load =
            new detail::waiting_on<Scheduler>(from_->handle(), std::move(scheduler_));
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
        detail::check(status_, from_->source_.get());
        return traits::take(object_);
    }

  private:
    const batch<P> *from_;
    Scheduler scheduler_;
    std::stop_token stop_;
    ft_local_status status_ = FT_LOCAL_OK;
    void *object_ = nullptr;
    detail::waiting *load_ = nullptr;
    std::optional<std::stop_callback<detail::stop_waiting>> on_stop_;
};

template <class P, class Scheduler>
load_awaiter<P, Scheduler> async_load(const batch<P> &from, Scheduler scheduler,
                                      std::stop_token stop = {}) {
    return load_awaiter<P, Scheduler>(from, std::move(scheduler), std::move(stop));
}

template <class P> load_awaiter<P, in_the_waking_thread> operator co_await(const batch<P> &from) {
    return load_awaiter<P, in_the_waking_thread>(from, {}, {});
}

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif

#endif
