// How a status becomes an exception, and an exception a status.

#ifndef FT_LOCAL_STATUS_HPP
#define FT_LOCAL_STATUS_HPP

#include "../ft_local.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

// Without exceptions (-fno-exceptions), what would throw prints why and aborts. Functions that
// return a status do neither.
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define FT_LOCAL_EXCEPTIONS 1
#define FT_LOCAL_MODE throwing
#else
#define FT_LOCAL_EXCEPTIONS 0
#define FT_LOCAL_MODE aborting
#endif

// glibc ends a thread (pthread_exit, pthread_cancel) by unwinding it, and aborts if that is caught
// and not thrown on.
#if FT_LOCAL_EXCEPTIONS && defined(__GLIBCXX__)
#include <cxxabi.h>
#define FT_LOCAL_FORCED_UNWIND 1
#else
#define FT_LOCAL_FORCED_UNWIND 0
#endif

// A type that is the same one in all libraries, though each hides its symbols.
#if defined(__GNUC__)
#define FT_LOCAL_SHARED __attribute__((visibility("default")))
#else
#define FT_LOCAL_SHARED
#endif

namespace ft_local {

// A program may be compiled in part with exceptions and in part without. Each part gets functions of
// its own.
inline namespace FT_LOCAL_MODE {

// What goes wrong in the library itself.
class FT_LOCAL_SHARED error : public std::runtime_error {
  public:
    error(ft_local_status status, const char *text) : std::runtime_error(text), status_(status) {}

    ft_local_status status() const noexcept {
        return status_;
    }

  private:
    ft_local_status status_;
};

// The source has ended, and all that it made was handed out. A source throws it to end.
class FT_LOCAL_SHARED end_of_source : public error {
  public:
    end_of_source() : error(FT_LOCAL_ERR_END, ft_local_status_text(FT_LOCAL_ERR_END)) {}
};

namespace detail {

[[noreturn]] inline void give_up(const char *text) {
    std::fprintf(stderr, "ft_local: %s\n", text);
    std::abort();
}

template <class Exception> [[noreturn]] void fail(const char *text) {
#if FT_LOCAL_EXCEPTIONS
    throw Exception(text);
#else
    give_up(text);
#endif
}

[[noreturn]] inline void refuse(const char *text) {
#if FT_LOCAL_EXCEPTIONS
    throw error(FT_LOCAL_ERR_ARGUMENT, text);
#else
    give_up(text);
#endif
}

inline void check_between(const char *name, size_t least, size_t most, size_t given) {
    if (given < least || given > most) {
        char text[96];
        std::snprintf(text, sizeof text, "%s must be between %zu and %zu, got %zu", name, least,
                      most, given);
        refuse(text);
    }
}

// What the library checks too, in words that name the number.
inline void check_arguments(size_t size, const ft_local_batch_options &options) {
    check_between("size", 1, FT_LOCAL_BATCH_MAX_SIZE, size);
    check_between("options.low_water", 0, size, options.low_water);
    check_between("options.fillers", 0, 256, options.fillers);
    // Negative ones become numbers that are too large.
    check_between("options.on_fork", FT_LOCAL_FORK_DISCARD, FT_LOCAL_FORK_ERROR,
                  static_cast<uint32_t>(options.on_fork));
    check_between("options.wipe", 0, 1, static_cast<uint32_t>(options.wipe));
}

// A source that threw returns this.
constexpr int32_t threw = INT32_MAX;

// The sources of different types that a batch can have.
struct any_source {
    virtual ~any_source() = default;
#if FT_LOCAL_EXCEPTIONS
    // What this source threw in this thread last, and nobody has taken. Virtual, because the load
    // may be in another library than the source, and have variables of its own.
    virtual std::exception_ptr take_thrown() const noexcept = 0;
#endif
};

#if FT_LOCAL_EXCEPTIONS
// What sources have thrown, until the load that ran them looks: in the same thread, because in
// another one the source may run, and fail, before that. For each source by itself, because a load
// may destroy results, whose destructors may load from other batches.
class thrown_here {
  public:
    static int32_t keep(const any_source *source, std::exception_ptr thrown) noexcept {
        try {
            auto &all = list();
            take(source);
            all.emplace_back(source, std::move(thrown));
            return threw;
        } catch (...) {
            return FT_LOCAL_ERR_SOURCE;
        }
    }

    static std::exception_ptr take(const any_source *source) noexcept {
        auto &all = list();
        for (auto &each : all) {
            if (each.first == source) {
                std::swap(each, all.back());
                const std::exception_ptr thrown = std::move(all.back().second);
                all.pop_back();
                return thrown;
            }
        }
        return nullptr;
    }

  private:
    using pairs = std::vector<std::pair<const any_source *, std::exception_ptr>>;

    static pairs &list() noexcept {
        static thread_local pairs all;
        return all;
    }
};

// For callers that look at the status.
inline thread_local std::exception_ptr left_to_take;
#endif

// What a handle without a source is.
constexpr const char *moved_from =
    "this handle was moved from; use the one that it was moved to, or assign another to it";

[[noreturn]] inline void raise(ft_local_status status, const any_source *source = nullptr) {
    const char *text = status != FT_LOCAL_ERR_ARGUMENT ? ft_local_status_text(status)
                       : source != nullptr             ? ft_local_last_error()
                                                       : moved_from;
#if FT_LOCAL_EXCEPTIONS
    if (status == threw && source != nullptr) {
        if (std::exception_ptr thrown = source->take_thrown()) {
            std::rethrow_exception(std::move(thrown));
        }
    }
    if (status == FT_LOCAL_ERR_NO_MEMORY) {
        throw std::bad_alloc();
    }
    if (status == FT_LOCAL_ERR_END) {
        throw end_of_source();
    }
    throw error(status, text);
#else
    (void)source;
    give_up(text);
#endif
}

inline void check(ft_local_status status, const any_source *source = nullptr) {
    if (status != FT_LOCAL_OK) {
        raise(status, source);
    }
}

// Leaves what the source threw to `take_exception`.
inline ft_local_status leave_exception(ft_local_status status, const any_source *source) noexcept {
#if FT_LOCAL_EXCEPTIONS
    if (status == threw) {
        left_to_take = source->take_thrown();
    }
#else
    (void)source;
#endif
    return status;
}

} // namespace detail

#if FT_LOCAL_EXCEPTIONS
// What the source of the last load in this thread threw, for callers that look at the status: a
// positive status says that there is something. Taking it forgets it.
inline std::exception_ptr take_exception() noexcept {
    return std::exchange(detail::left_to_take, nullptr);
}
#endif

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
