// A handle of one thread on a shared object.

#ifndef FT_LOCAL_WRAPPER_HPP
#define FT_LOCAL_WRAPPER_HPP

#include "object.hpp"
#include "status.hpp"

namespace ft_local {
inline namespace FT_LOCAL_MODE {

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
        void *held = handle_ ? ft_local_wrapper_get_inline(handle_.get()) : nullptr;
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

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
