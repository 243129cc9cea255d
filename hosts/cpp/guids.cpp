// Random GUIDs for many threads. The source asks the kernel once for a whole block of them.

#include <ft_local.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

struct guid {
    std::array<std::uint8_t, 16> bytes;

    std::string text() const {
        std::string written;
        for (std::size_t index = 0; index < bytes.size(); ++index) {
            char pair[3];
            std::snprintf(pair, sizeof pair, "%02x", bytes[index]);
            written += index == 4 || index == 6 || index == 8 || index == 10 ? "-" : "";
            written += pair;
        }
        return written;
    }
};

// Version 4, variant 1, and 122 random bits.
std::unique_ptr<guid> make_guid(std::random_device &random) {
    auto made = std::make_unique<guid>();
    for (auto &byte : made->bytes) {
        byte = static_cast<std::uint8_t>(random());
    }
    made->bytes[6] = (made->bytes[6] & 0x0F) | 0x40;
    made->bytes[8] = (made->bytes[8] & 0x3F) | 0x80;
    return made;
}

} // namespace

int main() {
    constexpr std::size_t threads = 4;
    constexpr std::size_t each = 2500;
    // The random device is the source's alone: one thread at a time uses it.
    std::random_device random;
    ft_local::batch<std::unique_ptr<guid>> guids(
        64, [&random](ft_local::slots<std::unique_ptr<guid>> &room) {
            while (room.capacity() > 0) {
                room.push(make_guid(random));
            }
        });

    std::mutex lock;
    std::set<std::string> seen;
    std::vector<std::thread> crowd;
    for (std::size_t index = 0; index < threads; ++index) {
        crowd.emplace_back([&] {
            std::vector<std::string> mine;
            for (std::size_t count = 0; count < each; ++count) {
                mine.push_back(guids.load()->text());
            }
            const std::lock_guard<std::mutex> held(lock);
            seen.insert(mine.begin(), mine.end());
        });
    }
    for (auto &thread : crowd) {
        thread.join();
    }
    std::printf("%zu GUIDs, %zu of them different, such as %s\n", threads * each, seen.size(),
                seen.begin()->c_str());
    return seen.size() == threads * each ? 0 : 1;
}
