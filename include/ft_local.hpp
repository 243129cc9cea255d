// ft_local for C++17: handles that free themselves, sources that throw, objects of the language.
//
// Header-only, over ft_local.h, whose comments are the reference. Link what ft_local.h needs.
//
//   ft_local::batch<std::shared_ptr<session>> sessions(64, [] { return open_session(); });
//   std::shared_ptr<session> mine = sessions.load();   // in any thread
//
// What a source throws is thrown again, unchanged, by the `load` that ran the source. A function
// that is given a place for its result returns a status and throws nothing.

#ifndef FT_LOCAL_HPP
#define FT_LOCAL_HPP

#include "ft_local.h"

#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
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

// How an object of type P becomes one pointer, and back. Specialise it for pointers of your own:
// `host` says what the library may do with them, `give` moves an object out, `take` in.
template <class P, class = void> struct object_traits;

// A counted object: the library keeps a copy of the shared_ptr, on the heap.
template <class T> struct object_traits<std::shared_ptr<T>> {
    using pointer = std::shared_ptr<T>;

    static ft_local_host host() noexcept {
        ft_local_host table = FT_LOCAL_HOST_INIT;
        table.retain_plain = [](void *object) -> void * {
            return new (std::nothrow) pointer(*static_cast<pointer *>(object));
        };
        table.release_plain = [](void *handle) { delete static_cast<pointer *>(handle); };
        return table;
    }

    static void *give(pointer object) {
        return new pointer(std::move(object));
    }

    static pointer take(void *handle) noexcept {
        const std::unique_ptr<pointer> held(static_cast<pointer *>(handle));
        return std::move(*held);
    }
};

// An object with one owner at a time, which is the batch in between.
template <class T> struct object_traits<std::unique_ptr<T>> {
    static ft_local_host host() noexcept {
        ft_local_host table = FT_LOCAL_HOST_INIT;
        table.release_plain = [](void *object) { delete static_cast<T *>(object); };
        return table;
    }

    static void *give(std::unique_ptr<T> object) {
        if (!object) {
            throw std::invalid_argument("ft_local: a source made an empty std::unique_ptr; "
                                        "throw an exception to say that there is nothing");
        }
        return object.release();
    }

    static std::unique_ptr<T> take(void *handle) noexcept {
        return std::unique_ptr<T>(static_cast<T *>(handle));
    }
};

// A plain value that fits into a pointer: a number, an enumerator, a pointer to what lives anyway.
template <class V>
struct object_traits<
    V, std::enable_if_t<std::is_trivially_copyable_v<V> && std::is_default_constructible_v<V> &&
                        sizeof(V) <= sizeof(void *)>> {
    static ft_local_host host() noexcept {
        return FT_LOCAL_HOST_INIT;
    }

    static void *give(V value) noexcept {
        void *word = nullptr;
        std::memcpy(&word, &value, sizeof value);
        return word;
    }

    static V take(void *word) noexcept {
        V value;
        std::memcpy(&value, &word, sizeof value);
        return value;
    }
};

// A thread's own handle on a shared object: the count of `object` is touched when the wrapper is
// made and when it dies, and not in between.
template <class T> class wrapper {
    using traits = object_traits<std::shared_ptr<T>>;

  public:
    explicit wrapper(std::shared_ptr<T> object) : object_(object.get()) {
        const ft_local_host host = traits::host();
        ft_local_wrapper *made = nullptr;
        detail::check(ft_local_wrapper_new(&host, &object, &made));
        handle_.reset(made);
    }

    T *get() const noexcept {
        return object_;
    }
    T &operator*() const noexcept {
        return *object_;
    }
    T *operator->() const noexcept {
        return object_;
    }

    // One more owner, for another thread say.
    std::shared_ptr<T> share() const noexcept {
        void *held = handle_ ? ft_local_wrapper_get(handle_.get()) : nullptr;
        return held == nullptr ? nullptr : *static_cast<std::shared_ptr<T> *>(held);
    }

    wrapper(wrapper &&other) noexcept
        : object_(std::exchange(other.object_, nullptr)), handle_(std::move(other.handle_)) {}
    wrapper &operator=(wrapper &&other) noexcept {
        object_ = std::exchange(other.object_, nullptr);
        handle_ = std::move(other.handle_);
        return *this;
    }

  private:
    struct freed {
        void operator()(ft_local_wrapper *handle) const noexcept {
            ft_local_wrapper_free(handle);
        }
    };

    T *object_;
    std::unique_ptr<ft_local_wrapper, freed> handle_;
};

// Room for results, for a source that makes several in one call.
template <class P> class slots {
  public:
    slots(void **out, size_t capacity, size_t *produced) noexcept
        : out_(out), capacity_(capacity), produced_(produced) {}

    // How many results there is still room for.
    size_t capacity() const noexcept {
        return capacity_ - *produced_;
    }

    // Adds a result. It is kept even if the source throws afterwards.
    void push(P object) {
        if (capacity() == 0) {
            throw std::length_error("ft_local: a source made more results than there was room "
                                    "for; look at capacity()");
        }
        out_[*produced_] = object_traits<P>::give(std::move(object));
        ++*produced_;
    }

  private:
    void **out_;
    size_t capacity_;
    size_t *produced_;
};

// Runs a source in one thread at a time and hands each of its results to exactly one `load`.
//
// P is what the threads get: a std::shared_ptr, a std::unique_ptr, or a plain value of at most the
// size of a pointer. Any thread may load, at once; who moves or destroys the batch must be alone
// with it.
template <class P> class batch {
    using traits = object_traits<P>;

  public:
    // Asks `source` for up to `size` results whenever there are none. The source is called as
    // `P source()`, which makes one result, or as `void source(slots<P> &)`, which makes some.
    template <class Source> batch(size_t size, Source source) {
        using held = holder<std::decay_t<Source>>;
        auto kept = std::make_unique<held>(std::move(source));
        ft_local_source table = FT_LOCAL_SOURCE_INIT;
        table.ctx = kept.get();
        table.fill = held::fill;
        const ft_local_host host = traits::host();
        ft_local_batch *made = nullptr;
        detail::check(ft_local_batch_new(&host, &table, size, &made));
        source_ = std::move(kept);
        handle_.reset(made);
    }

    // The next result. Runs the source if there is none, or waits for the thread that runs it.
    P load() const {
        void *object = nullptr;
        detail::check(ft_local_batch_load(handle_.get(), &object));
        return traits::take(object);
    }

    // The same for callers without exceptions: `out` changes only if the status is FT_LOCAL_OK.
    FT_LOCAL_MUST_USE ft_local_status load(P &out) const noexcept {
        void *object = nullptr;
        const ft_local_status status = ft_local_batch_load(handle_.get(), &object);
        if (status == FT_LOCAL_OK) {
            out = traits::take(object);
        }
        return status;
    }

    // How many results are ready; a moment later there may be others.
    size_t len() const noexcept {
        return ft_local_batch_len(handle_.get());
    }

    // How many results one fill makes at most.
    size_t size() const noexcept {
        return ft_local_batch_size(handle_.get());
    }

    // Destroys all results that are ready. The batch works on.
    void clear() const {
        detail::check(ft_local_batch_clear(handle_.get()));
    }

    // For functions of ft_local.h. It stays the batch's.
    const ft_local_batch *handle() const noexcept {
        return handle_.get();
    }

    batch(batch &&) noexcept = default;
    batch &operator=(batch &&other) noexcept {
        // The old handle goes before the source that it has the address of.
        handle_ = std::move(other.handle_);
        source_ = std::move(other.source_);
        return *this;
    }

  private:
    struct any_holder {
        virtual ~any_holder() = default;
    };

    template <class Source> struct holder final : any_holder {
        explicit holder(Source given) : source(std::move(given)) {}

        static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) noexcept {
            slots<P> room(out, capacity, produced);
            try {
                auto &source = static_cast<holder *>(ctx)->source;
                if constexpr (std::is_invocable_v<Source &, slots<P> &>) {
                    source(room);
                } else {
                    static_assert(std::is_invocable_r_v<P, Source &>,
                                  "a source is P source() or void source(slots<P> &)");
                    room.push(source());
                }
                return 0;
            } catch (...) {
                detail::thrown = std::current_exception();
                return detail::threw;
            }
        }

        Source source;
    };

    struct freed {
        void operator()(ft_local_batch *handle) const noexcept {
            ft_local_batch_free(handle);
        }
    };

    // In this order, so that the handle, which has the source's address, is destroyed first.
    std::unique_ptr<any_holder> source_;
    std::unique_ptr<ft_local_batch, freed> handle_;
};

} // namespace ft_local

#endif
