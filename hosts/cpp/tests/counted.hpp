// Objects that are counted, and what errors say.

#ifndef COUNTED_HPP
#define COUNTED_HPP

#include "check.h"

#include <ft_local.hpp>

#include <atomic>
#include <memory>
#include <string>

inline std::atomic<long> alive{0};
inline std::atomic<long> made{0};

struct counted {
    explicit counted(long given) : number(given) {
        ++alive;
        ++made;
    }
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;
    ~counted() {
        --alive;
    }
    const long number;
};

inline void begin_counting() {
    CHECK_EQ(alive, 0);
    made = 0;
}

struct used_up : std::exception {
    explicit used_up(int given) : block(given) {}
    int block;
};

template <class P> P make_counted() {
    return P(new counted(made));
}

template <class Function> std::string says(ft_local_status status, Function function) {
    try {
        function();
    } catch (const ft_local::error &thrown) {
        CHECK_EQ(thrown.status(), status);
        return thrown.what();
    }
    CHECK(!"it throws an ft_local::error");
    return "";
}

#endif
