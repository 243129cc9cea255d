// What the library keeps for a C++ object.

#ifndef FT_LOCAL_OBJECT_HPP
#define FT_LOCAL_OBJECT_HPP

#include "status.hpp"

#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace ft_local {
inline namespace FT_LOCAL_MODE {

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
            detail::fail<std::invalid_argument>("ft_local: an empty std::unique_ptr is no result; "
                                                "a source that has nothing throws");
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

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
