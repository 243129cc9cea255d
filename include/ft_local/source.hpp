// Functions of C++ as the source of a batch.

#ifndef FT_LOCAL_SOURCE_HPP
#define FT_LOCAL_SOURCE_HPP

#include "object.hpp"
#include "status.hpp"

namespace ft_local {
inline namespace FT_LOCAL_MODE {

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
            detail::fail<std::length_error>("ft_local: a source made more results than there was "
                                            "room for; look at capacity()");
        }
        out_[*produced_] = object_traits<P>::give(std::move(object));
        ++*produced_;
    }

  private:
    void **out_;
    size_t capacity_;
    size_t *produced_;
};

namespace detail {

template <class P, class Source> struct held_source final : any_source {
    explicit held_source(Source given) : source(std::move(given)) {}

#if FT_LOCAL_FORCED_UNWIND
    // The exception that ends a thread has no object, which a sanitizer takes for an error.
    __attribute__((no_sanitize("null")))
#endif
    static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
        auto *self = static_cast<held_source *>(ctx);
        slots<P> room(out, capacity, produced);
#if FT_LOCAL_EXCEPTIONS
        try {
            return self->run(room);
        } catch (const end_of_source &) {
            return FT_LOCAL_ERR_END;
        }
#if FT_LOCAL_FORCED_UNWIND
        // The thread ends. The library lets this pass, and hands the source on to another thread.
        catch (abi::__forced_unwind &) {
            throw;
        }
#endif
        catch (...) {
            return thrown_here::keep(self, std::current_exception());
        }
#else
        return self->run(room);
#endif
    }

#if FT_LOCAL_EXCEPTIONS
    std::exception_ptr take_thrown() const noexcept override {
        return thrown_here::take(this);
    }
#endif

    int32_t run(slots<P> &room) {
        if constexpr (std::is_invocable_r_v<ft_local_status, Source &, slots<P> &>) {
            return source(room);
        } else if constexpr (std::is_invocable_v<Source &, slots<P> &>) {
            source(room);
            return FT_LOCAL_OK;
        } else {
            static_assert(std::is_invocable_r_v<P, Source &>,
                          "a source is P source(), void source(slots<P> &), or ft_local_status "
                          "source(slots<P> &)");
            room.push(source());
            return FT_LOCAL_OK;
        }
    }

    Source source;
};

} // namespace detail

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
