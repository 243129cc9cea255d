// What a program compiled with -fno-exceptions uses. It is compiled with them too.

#include "check.h"

#include <ft_local.hpp>

#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using numbers = ft_local::batch<std::shared_ptr<int>>;

// Makes as many as there are to be, then ends. Every third call fails.
struct source {
    int last;
    int calls = 0;
    int made = 0;

    ft_local_status operator()(ft_local::slots<std::shared_ptr<int>> &room) {
        if (++calls % 3 == 0) {
            return 42;
        }
        while (room.capacity() > 0) {
            if (made == last) {
                return FT_LOCAL_ERR_END;
            }
            room.push(std::make_shared<int>(made++));
        }
        return FT_LOCAL_OK;
    }
};

void results_failures_and_the_end_are_statuses() {
    std::optional<numbers> batch;
    CHECK_EQ(numbers::make(batch, 4, source{10}), FT_LOCAL_OK);
    std::shared_ptr<int> out;
    int expected = 0;
    ft_local_status status;
    int failures = 0;
    while ((status = batch->load(out)) != FT_LOCAL_ERR_END) {
        if (status == FT_LOCAL_OK) {
            CHECK_EQ(*out, expected++);
        } else {
            CHECK_EQ(status, 42);
            ++failures;
        }
    }
    CHECK_EQ(expected, 10);
    CHECK_EQ(failures, 1);
}

void cursors_and_many_results_are_statuses_too() {
    std::optional<numbers> batch;
    CHECK_EQ(numbers::make(batch, 4, source{20}), FT_LOCAL_OK);
    auto cursor = batch->cursor();
    std::shared_ptr<int> out;
    CHECK_EQ(cursor.next(out), FT_LOCAL_OK);
    CHECK_EQ(*out, 0);
    std::vector<std::shared_ptr<int>> all;
    CHECK_EQ(batch->load_many(20, all), 42);
    CHECK(!all.empty());
    batch->give_back(std::move(all));
    batch->close();
    CHECK_EQ(batch->load(out), FT_LOCAL_ERR_CLOSED);
}

void a_bad_size_is_a_status() {
    std::optional<numbers> batch;
    CHECK_EQ(numbers::make(batch, 0, source{1}), FT_LOCAL_ERR_ARGUMENT);
    CHECK(!batch);
    CHECK_SAYS(ft_local_last_error(), "size");
}

void threads_share_a_batch() {
    int calls = 0;
    const ft_local::batch<int> batch(64, [&calls] { return ++calls; });
    std::atomic<long> sum{0};
    std::vector<std::thread> crowd;
    for (int index = 0; index < 4; ++index) {
        crowd.emplace_back([&] {
            int one = 0;
            for (int count = 0; count < 1000; ++count) {
                CHECK_EQ(batch.load(one), FT_LOCAL_OK);
                sum += one;
            }
        });
    }
    for (auto &thread : crowd) {
        thread.join();
    }
    CHECK_EQ(sum, 4000L * 4001 / 2);
}

#if !FT_LOCAL_EXCEPTIONS
void what_would_throw_aborts() {
    const pid_t child = fork();
    if (child == 0) {
        const ft_local::batch<int> batch(0, [] { return 1; });
        _exit(0);
    }
    int status = 0;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
#endif

} // namespace

int main() {
    RUN(results_failures_and_the_end_are_statuses);
    RUN(cursors_and_many_results_are_statuses_too);
    RUN(a_bad_size_is_a_status);
    RUN(threads_share_a_batch);
#if !FT_LOCAL_EXCEPTIONS
    RUN(what_would_throw_aborts);
#endif
    return 0;
}
