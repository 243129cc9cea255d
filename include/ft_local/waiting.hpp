// How a coroutine waits (C++20): registered with the library, and resumed where its scheduler runs it.

#ifndef FT_LOCAL_WAITING_HPP
#define FT_LOCAL_WAITING_HPP

#include "cursor.hpp"

#include <atomic>
#include <coroutine>
#include <vector>

namespace ft_local {
inline namespace FT_LOCAL_MODE {

class resumption;

namespace detail {

// What a load takes its result from.
struct origin {
    const ft_local_batch *batch;
    ft_local_cursor *cursor; // Null if it is the batch itself.
    void *arg;               // Null if the source gets none.
    const any_source *source;

    template <class P, class Arg>
    origin(const ft_local::batch<P, Arg> &from, void *given) noexcept
        : batch(from.handle_.get()), cursor(nullptr), arg(given), source(from.source_.get()) {}
    template <class P, class Arg>
    origin(ft_local::cursor<P, Arg> &from, void *given) noexcept
        : batch(from.batch_.get()), cursor(from.handle_.get()), arg(given),
          source(from.source_.get()) {}

    // Does not wait.
    ft_local_status load(void **object) const noexcept;
};

// A load that waits. It is shared by the coroutine, the registration and each resumption.
class waiting {
  public:
    explicit waiting(const origin &from) noexcept : from_(from) {}
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
        status = ft_local_batch_notify(from_.batch, wake, this, &ticket_);
        if (status != FT_LOCAL_OK) {
            drop();
            return false;
        }
        return events_.fetch_or(registered, std::memory_order_acq_rel) == 0;
    }

    void forget() noexcept {
        if (ticket_ != 0 && ft_local_batch_forget(from_.batch, std::exchange(ticket_, 0)) == 1) {
            drop();
        }
    }

    const origin from_;
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
inline ft_local_status origin::load(void **object) const noexcept {
    const ft_local_status status = cursor == nullptr
                                       ? ft_local_batch_load_with(batch, arg, 0, object)
                                       : ft_local_cursor_next_with(cursor, arg, 0, object);
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
        status = from_.load(&object);
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
    waiting_on(const origin &from, Scheduler scheduler)
        : waiting(from), scheduler_(std::move(scheduler)) {}

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

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
