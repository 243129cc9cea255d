// The conformance kit on the host of std::shared_ptr.

#include "conformance.h"

#include <ft_local.hpp>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace {

std::atomic<long> objects{0};

struct counted {
    explicit counted(std::size_t given) : number(given) {
        ++objects;
    }
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;
    ~counted() {
        --objects;
    }
    const std::size_t number;
};

using pointer = std::shared_ptr<counted>;
using traits = ft_local::object_traits<pointer>;

void describe(ft_local_host *host) {
    *host = traits::host();
}

void *make(std::size_t number) {
    return traits::give(std::make_shared<counted>(number));
}

std::size_t number_of(void *handle) {
    return (*static_cast<pointer *>(handle))->number;
}

void drop(void *handle) {
    traits::take(handle);
}

long alive() {
    return objects;
}

void threads(std::size_t count, void (*function)(void *, std::size_t), void *arg) {
    std::vector<std::thread> crowd;
    for (std::size_t index = 0; index < count; ++index) {
        crowd.emplace_back(function, arg, index);
    }
    for (auto &thread : crowd) {
        thread.join();
    }
}

void pause_a_little() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

} // namespace

int main() {
    conformance_adapter adapter{};
    adapter.name = "std::shared_ptr";
    adapter.describe = describe;
    adapter.make = make;
    adapter.number = number_of;
    adapter.drop = drop;
    adapter.alive = alive;
    adapter.threads = threads;
    adapter.pause = pause_a_little;
    return conformance_run(&adapter);
}
