// Prints a table: nanoseconds a result, and multiples of one shared fetch_add, side by side.
//
//   peers [ROUNDS]    15 by default; each takes one sample of 4 ms of each way

#include "ways.hpp"

#include <fstream>
#include <functional>
#include <map>

namespace {

struct Column {
    const char *title;
    unsigned threads;
    double work_ns;
};

const Column COLUMNS[] = {
    {"1 thread", 1, 0},
    {"2 threads", 2, 0},
    {"2 threads, 40 ns of work", 2, 40},
    {"4 threads, 40 ns of work", 4, 40},
};

constexpr double SAMPLE_SECONDS = 0.004;
constexpr unsigned TRIES = 8;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double ns_of_a_multiplication() {
    constexpr unsigned COUNT = 20'000'000;
    std::uint64_t product = multiplier, factor = multiplier;
    double began = seconds();
    for (unsigned i = 0; i < COUNT; i++) {
        product *= factor;
        asm volatile("" : "+r"(product));
    }
    return (seconds() - began) * 1e9 / COUNT;
}

std::vector<std::unique_ptr<Way>> all_ways() {
    std::vector<std::unique_ptr<Way>> ways;
    auto add = [&](Way *way) { ways.emplace_back(way); };
    add(new FetchAdd);
    add(new Load);
    add(new Cursor);
    add(new Queued<RteRing>("DPDK rte_ring"));
    add(new Queued<CkRing>("Concurrency Kit ck_ring, spmc"));
    add(new Queued<Moodycamel>("moodycamel::ConcurrentQueue"));
    add(new Queued<Tbb>("tbb::concurrent_queue"));
    add(new Queued<Boost>("boost::lockfree::queue"));
    add(new Locked<Spinlock, 1>("spinlock and array"));
    add(new Locked<std::mutex, 1>("std::mutex and array"));
    add(new Locked<Spinlock, BLOCK>("spinlock, blocks of 32"));
    add(new Locked<std::mutex, BLOCK>("std::mutex, blocks of 32"));
    for (auto &way : ways)
        way->of_threads.resize(
            std::max_element(std::begin(COLUMNS), std::end(COLUMNS), [](auto &a, auto &b) {
                return a.threads < b.threads;
            })->threads);
    return ways;
}

// Whether number and sum of what was taken and is left are those of what was made.
bool exact(Way &way) {
    std::uint64_t count = 0, sum = 0, number;
    for (Mine &mine : way.of_threads) {
        count += mine.taken;
        sum += mine.sum;
        for (; mine.at != mine.end; count++)
            sum += mine.block[mine.at++];
    }
    for (; way.left(number); count++)
        sum += number;
    std::uint64_t made = way.made();
    if (count == made && sum == made * (made + 1) / 2)
        return true;
    std::fprintf(stderr, "FAULT: %s: %llu taken and left, %llu made\n", way.name.c_str(),
                 static_cast<unsigned long long>(count), static_cast<unsigned long long>(made));
    return false;
}

Sample undisturbed(Way &way, const Column &column, unsigned work) {
    Sample found = sample(way, column.threads, work, SAMPLE_SECONDS);
    for (unsigned i = 1; found.disturbed && i < TRIES; i++)
        found = sample(way, column.threads, work, SAMPLE_SECONDS);
    return found;
}

std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);)
        if (line.rfind("model name", 0) == 0)
            return line.substr(line.find(':') + 2);
    return "unknown processor";
}

} // namespace

int main(int count, char **arguments) {
    unsigned rounds = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 15;
    if (rounds == 0) {
        std::fprintf(stderr, "usage: peers [ROUNDS]\n");
        return 2;
    }
    double multiplication = ns_of_a_multiplication();
    auto ways = all_ways();
    std::map<std::string, std::vector<std::string>> cells;
    unsigned disturbed = 0, samples = 0;
    for (const Column &column : COLUMNS) {
        auto work = static_cast<unsigned>(column.work_ns / multiplication + 0.5);
        std::vector<std::vector<double>> ns(ways.size()), ratios(ways.size());
        for (unsigned round = 0; round < rounds; round++) {
            std::fprintf(stderr, "\r\033[K%s, round %u of %u", column.title, round + 1, rounds);
            std::vector<double> now(ways.size());
            for (std::size_t i = 0; i < ways.size(); i++) {
                // Another one begins each time.
                std::size_t which = (i + round) % ways.size();
                Sample found = undisturbed(*ways[which], column, work);
                now[which] = found.ns;
                disturbed += found.disturbed;
                samples++;
            }
            for (std::size_t i = 0; i < ways.size(); i++) {
                ns[i].push_back(now[i]);
                ratios[i].push_back(now[i] / now[0]);
            }
        }
        for (std::size_t i = 0; i < ways.size(); i++) {
            char cell[64];
            std::snprintf(cell, sizeof cell, "%.1f (%.2f)", median(ns[i]), median(ratios[i]));
            cells[ways[i]->name].push_back(cell);
        }
    }
    std::fprintf(stderr, "\r\033[K");
    bool all_exact = true;
    for (auto &way : ways)
        all_exact &= exact(*way);

    std::printf("%s, %u cores, %u rounds; another program disturbed %u of %u samples.\n\n",
                processor().c_str(), std::thread::hardware_concurrency(), rounds, disturbed,
                samples);
    std::printf("| ns a result (multiples of fetch_add) |");
    for (const Column &column : COLUMNS)
        std::printf(" %s |", column.title);
    std::printf("\n| --- | ---: | ---: | ---: | ---: |\n");
    for (auto &way : ways) {
        std::printf("| %s |", way->name.c_str());
        for (const std::string &cell : cells[way->name])
            std::printf(" %s |", cell.c_str());
        std::printf("\n");
    }
    return all_exact ? 0 : 1;
}
