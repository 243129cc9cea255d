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

// What a batch whose source takes no argument takes for one: nothing.
struct no_argument {
    no_argument() = delete;
};
template <class Arg> using argument = std::conditional_t<std::is_void_v<Arg>, no_argument, Arg>;

// The address of an argument, which goes to the source as it is.
template <class Arg> void *address(Arg &arg) noexcept {
    return const_cast<void *>(static_cast<const volatile void *>(std::addressof(arg)));
}

// Whether a source can be empty, as a pointer to a function or a std::function can.
template <class Source, class = void> constexpr bool can_be_empty = false;
template <class Source>
constexpr bool can_be_empty<
    Source, std::void_t<std::enable_if_t<std::is_pointer_v<Source> ||
                                         std::is_constructible_v<Source, std::nullptr_t>>,
                        decltype(std::declval<const Source &>() == nullptr)>> = true;

template <class Source> bool is_empty(const Source &source) {
    if constexpr (can_be_empty<Source>) {
        return source == nullptr;
    } else {
        return false;
    }
}

// Arg is void for a source that takes no argument.
template <class P, class Source, class Arg> struct held_source final : any_source {
    explicit held_source(Source given) : source(std::move(given)) {}

    static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
        slots<P> room(out, capacity, produced);
        return static_cast<held_source *>(ctx)->guard(room);
    }

    static int32_t fill_with(void *ctx, void *arg, void **out, size_t capacity, size_t *produced) {
        slots<P> room(out, capacity, produced);
        return static_cast<held_source *>(ctx)->guard(room, static_cast<Arg *>(arg));
    }

    // The library refuses a source without a function.
    void enter(ft_local_source &table) {
        table.ctx = this;
        if (is_empty(source)) {
            return;
        }
        if constexpr (std::is_void_v<Arg>) {
            table.fill = fill;
        } else {
            table.fill_with = fill_with;
        }
    }

    template <class... Args>
#if FT_LOCAL_FORCED_UNWIND
    // The exception that ends a thread has no object, which a sanitizer takes for an error. In a
    // function that this is inlined into, it would look again.
    __attribute__((no_sanitize("null"), noinline))
#endif
    int32_t guard(slots<P> &room, Args... args) {
#if FT_LOCAL_EXCEPTIONS
        try {
            return run(room, args...);
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
            return thrown_here::keep(this, std::current_exception());
        }
#else
        return run(room, args...);
#endif
    }

#if FT_LOCAL_EXCEPTIONS
    std::exception_ptr take_thrown() const noexcept override {
        return thrown_here::take(this);
    }
#endif

    template <class... Args> int32_t run(slots<P> &room, Args... args) {
        if constexpr (std::is_invocable_r_v<ft_local_status, Source &, slots<P> &, Args...>) {
            return source(room, args...);
        } else if constexpr (std::is_invocable_v<Source &, slots<P> &, Args...>) {
            source(room, args...);
            return FT_LOCAL_OK;
        } else {
            static_assert(std::is_invocable_r_v<P, Source &, Args...>,
                          "a source is P source(), void source(slots<P> &), or ft_local_status "
                          "source(slots<P> &); that of a batch<P, Arg> takes an Arg * as well");
            room.push(source(args...));
            return FT_LOCAL_OK;
        }
    }

    Source source;
};

} // namespace detail

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
