// Functions of C++ as the source of a batch.

#ifndef FT_LOCAL_SOURCE_HPP
#define FT_LOCAL_SOURCE_HPP

#include "object.hpp"
#include "status.hpp"

namespace ft_local {

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

namespace detail {

// The sources of different types that a batch can have.
struct any_source {
    virtual ~any_source() = default;
};

template <class P, class Source> struct held_source final : any_source {
    explicit held_source(Source given) : source(std::move(given)) {}

    static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) noexcept {
        slots<P> room(out, capacity, produced);
        try {
            auto &source = static_cast<held_source *>(ctx)->source;
            if constexpr (std::is_invocable_v<Source &, slots<P> &>) {
                source(room);
            } else {
                static_assert(std::is_invocable_r_v<P, Source &>,
                              "a source is P source() or void source(slots<P> &)");
                room.push(source());
            }
            return 0;
        } catch (const end_of_source &) {
            return FT_LOCAL_ERR_END;
        } catch (...) {
            thrown = std::current_exception();
            return threw;
        }
    }

    Source source;
};

} // namespace detail

} // namespace ft_local

#endif
