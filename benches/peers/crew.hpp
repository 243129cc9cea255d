// Threads that take results in one way, and how long that takes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

constexpr unsigned SIZE = 1024; // results a refill makes
constexpr unsigned BLOCK = 32;  // results a thread takes at once, where it takes several

// What one thread has of its own. On lines of its own, so that counting costs the others nothing.
struct alignas(128) Mine {
    std::uint64_t taken = 0, sum = 0;
    void *handle = nullptr;
    std::uint64_t block[BLOCK];
    unsigned at = 0, end = 0;
};

// Numbers 1, 2, 3 ..., from a function that the compiler cannot see through.
struct alignas(128) Source {
    std::uint64_t made = 0;
};

__attribute__((noinline)) inline void *next_number(void *made) {
    asm volatile("");
    return reinterpret_cast<void *>(++*static_cast<std::uint64_t *>(made));
}

inline void *(*volatile make_one)(void *) = next_number;

inline std::uint64_t make(Source &source) {
    return reinterpret_cast<std::uint64_t>(make_one(&source.made));
}

// One way to hand out the numbers.
class Way {
  public:
    explicit Way(std::string name) : name(std::move(name)) {}
    virtual ~Way() = default;
    virtual void begin(Mine &) {}
    virtual void end(Mine &) {}
    // Takes `count` results, and does `work` multiplications after each.
    virtual void take(Mine &mine, unsigned count, unsigned work) = 0;
    // Takes one of those that nobody has taken; false if there are none.
    virtual bool left(std::uint64_t &) {
        return false;
    }
    virtual std::uint64_t made() = 0;

    const std::string name;
    std::vector<Mine> of_threads;
};

inline volatile std::uint64_t multiplier = 0x9E3779B97F4A7C15;

template <class Take> void take_all(Mine &mine, unsigned count, unsigned work, Take take) {
    std::uint64_t sum = 0, product = multiplier, factor = multiplier;
    for (unsigned i = 0; i < count; i++) {
        std::uint64_t number = take();
        sum += number;
        product += number;
        for (unsigned step = 0; step < work; step++) {
            product *= factor;
            asm volatile("" : "+r"(product));
        }
    }
    mine.taken += count;
    mine.sum += sum;
}

inline void pause(unsigned &turns) {
    if (++turns < 64)
        __builtin_ia32_pause();
    else
        sched_yield();
}

inline double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

struct Sample {
    double ns; // a result, of all threads together
    bool disturbed;
};

// Lets `threads` threads take results for so long.
inline Sample sample(Way &way, unsigned threads, unsigned work, double for_seconds) {
    std::atomic<unsigned> ready{0};
    std::atomic<bool> go{false}, stop{false}, disturbed{false};
    std::atomic<std::uint64_t> results{0};
    std::vector<double> ends(threads);
    unsigned cores = std::thread::hardware_concurrency();

    auto body = [&](unsigned index) {
        cpu_set_t core;
        CPU_ZERO(&core);
        CPU_SET(index % cores, &core);
        pthread_setaffinity_np(pthread_self(), sizeof core, &core);
        Mine &mine = way.of_threads[index];
        way.begin(mine);
        ready++;
        for (unsigned turns = 0; !go.load(std::memory_order_acquire);)
            pause(turns);
        rusage before, after;
        getrusage(RUSAGE_THREAD, &before);
        std::uint64_t took = mine.taken;
        while (!stop.load(std::memory_order_relaxed))
            way.take(mine, 64, work);
        ends[index] = seconds();
        getrusage(RUSAGE_THREAD, &after);
        results += mine.taken - took;
        // Another program took the core away.
        if (after.ru_nivcsw != before.ru_nivcsw)
            disturbed = true;
        way.end(mine);
    };

    std::vector<std::thread> crew;
    for (unsigned index = 0; index < threads; index++)
        crew.emplace_back(body, index);
    while (ready.load() < threads)
        std::this_thread::yield();
    double began = seconds();
    go.store(true, std::memory_order_release);
    std::this_thread::sleep_for(std::chrono::duration<double>(for_seconds));
    stop = true;
    double ended = began;
    for (unsigned index = 0; index < threads; index++) {
        crew[index].join();
        ended = std::max(ended, ends[index]);
    }
    return {(ended - began) * 1e9 / static_cast<double>(results), disturbed && threads <= cores};
}
