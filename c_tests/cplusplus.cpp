// The header in C++17: handles in smart pointers, callbacks from a class, objects of the language.

#include "check.h"
#include "ft_local.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<long> alive{0};

// An object that counts its own references, as a C++ program has it.
class Text {
  public:
    explicit Text(std::string text) : text_(std::move(text)) {
        ++alive;
    }
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;

    static void *retain(void *object) noexcept {
        ++static_cast<Text *>(object)->references_;
        return object;
    }

    static void release(void *object) noexcept {
        auto *text = static_cast<Text *>(object);
        if (--text->references_ == 0) {
            delete text;
        }
    }

    const std::string &text() const {
        return text_;
    }
    int references() const {
        return references_;
    }

  private:
    ~Text() {
        --alive;
    }

    std::string text_;
    std::atomic<int> references_{1};
};

struct Free {
    void operator()(ft_local_wrapper *wrapper) const {
        ft_local_wrapper_free(wrapper);
    }
    void operator()(ft_local_batch *batch) const {
        ft_local_batch_free(batch);
    }
    void operator()(ft_local_cursor *cursor) const {
        ft_local_cursor_free(cursor);
    }
    void operator()(Text *text) const {
        Text::release(text);
    }
};

template <class Handle> using Owned = std::unique_ptr<Handle, Free>;

ft_local_host host_table() {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.retain_plain = Text::retain;
    table.release_plain = Text::release;
    return table;
}

class Numbers {
  public:
    static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) noexcept {
        auto *self = static_cast<Numbers *>(ctx);
        for (size_t index = 0; index < capacity; ++index) {
            out[index] = new Text(std::to_string(self->next_++));
        }
        *produced = capacity;
        return 0;
    }

  private:
    int next_ = 0;
};

void a_wrapper_holds_an_object() {
    const ft_local_host table = host_table();
    Owned<Text> text(new Text("held"));
    ft_local_wrapper *made = nullptr;
    CHECK_EQ(ft_local_wrapper_new(&table, text.get(), &made), FT_LOCAL_OK);
    Owned<ft_local_wrapper> wrapper(made);
    CHECK_EQ(text->references(), 2);
    auto *held = static_cast<Text *>(ft_local_wrapper_get(wrapper.get()));
    CHECK(held->text() == "held");
    CHECK(ft_local_wrapper_get_inline(wrapper.get()) == held);
    int visits = 0;
    const auto count = [](void *, void *arg) -> int32_t { return ++*static_cast<int *>(arg); };
    CHECK_EQ(ft_local_wrapper_visit(wrapper.get(), count, &visits), 1);
    wrapper.reset();
    CHECK_EQ(text->references(), 1);
}

Owned<ft_local_batch> make_batch(Numbers &numbers, size_t size) {
    const ft_local_host table = host_table();
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &numbers;
    source.fill = Numbers::fill;
    ft_local_batch *made = nullptr;
    CHECK_EQ(ft_local_batch_new(&table, &source, size, &made), FT_LOCAL_OK);
    return Owned<ft_local_batch>(made);
}

Owned<Text> load(const ft_local_batch *batch) {
    void *loaded = nullptr;
    const ft_local_status status = ft_local_batch_load(batch, &loaded);
    CHECK_EQ(status, FT_LOCAL_OK);
    return Owned<Text>(static_cast<Text *>(loaded));
}

void a_batch_hands_out_objects_in_order() {
    Numbers numbers;
    const auto batch = make_batch(numbers, 3);
    for (int number = 0; number < 10; ++number) {
        CHECK(load(batch.get())->text() == std::to_string(number));
    }
    CHECK_EQ(ft_local_batch_len(batch.get()), 2);
    CHECK_EQ(alive, 2);
    CHECK_EQ(ft_local_batch_clear(batch.get()), FT_LOCAL_OK);
    CHECK_EQ(alive, 0);
}

void threads_share_a_batch() {
    constexpr int threads = 4;
    constexpr int loads = 1000;
    Numbers numbers;
    const auto batch = make_batch(numbers, 64);
    std::vector<std::atomic<int>> seen(threads * loads);
    std::vector<std::thread> crowd;
    for (int index = 0; index < threads; ++index) {
        crowd.emplace_back([&] {
            for (int times = 0; times < loads; ++times) {
                const auto number = std::stoul(load(batch.get())->text());
                // Four threads make so many loads in all, and loads come in order.
                CHECK(number < seen.size());
                ++seen[number];
            }
        });
    }
    for (auto &thread : crowd) {
        thread.join();
    }
    for (const auto &times : seen) {
        CHECK_EQ(times, 1);
    }
}

Owned<ft_local_cursor> make_cursor(const ft_local_batch *batch) {
    ft_local_cursor *made = nullptr;
    CHECK_EQ(ft_local_cursor_new(batch, &made), FT_LOCAL_OK);
    return Owned<ft_local_cursor>(made);
}

void a_cursor_hands_out_objects_by_the_inline_function() {
    Numbers numbers;
    auto batch = make_batch(numbers, 30);
    const auto cursor = make_cursor(batch.get());
    // The cursor keeps the batch.
    batch.reset();
    bool in_hand = false;
    for (int number = 0; number < 100; ++number) {
        void *next = nullptr;
        CHECK_EQ(ft_local_cursor_next_inline(cursor.get(), &next), FT_LOCAL_OK);
        const Owned<Text> text(static_cast<Text *>(next));
        CHECK(text->text() == std::to_string(number));
        in_hand = in_hand || ft_local_cursor_len(cursor.get()) > 0;
    }
    CHECK(in_hand);
}

void many_objects_are_loaded_and_given_back() {
    const ft_local_host table = host_table();
    Numbers numbers;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &numbers;
    source.fill = Numbers::fill;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.fill_budget = 4;
    options.on_fork = FT_LOCAL_FORK_KEEP;
    ft_local_batch *made = nullptr;
    CHECK_EQ(ft_local_batch_new_with(&table, &source, 8, &options, &made), FT_LOCAL_OK);
    const Owned<ft_local_batch> batch(made);
    std::vector<void *> objects(6);
    size_t count = 0;
    CHECK_EQ(ft_local_batch_load_many(batch.get(), objects.size(), -1, objects.data(), &count),
             FT_LOCAL_OK);
    CHECK_EQ(count, objects.size());
    CHECK_EQ(ft_local_batch_give_back(batch.get(), objects.data(), count), FT_LOCAL_OK);
    CHECK(load(batch.get())->text() == "0");
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    CHECK_EQ(ft_local_batch_stats(batch.get(), &stats), FT_LOCAL_OK);
    CHECK_EQ(stats.loads, 7);
    CHECK_EQ(stats.given_back, 6);
    CHECK_EQ(stats.fills, 2);
    CHECK_EQ(ft_local_batch_close(batch.get()), FT_LOCAL_OK);
    CHECK_EQ(alive, 0);
}

void a_status_is_a_number_and_its_names_are_too() {
    const ft_local_status status = ft_local_host_init(nullptr, 0);
    CHECK(status == FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(ft_local_last_error(), "host");
    ft_local_host by_macro = FT_LOCAL_HOST_INIT;
    ft_local_host by_function;
    CHECK_EQ(ft_local_host_init(&by_function, sizeof by_function), FT_LOCAL_OK);
    CHECK(std::memcmp(&by_macro, &by_function, sizeof by_macro) == 0);
}

} // namespace

int main() {
    RUN(a_wrapper_holds_an_object);
    RUN(a_batch_hands_out_objects_in_order);
    RUN(threads_share_a_batch);
    RUN(a_cursor_hands_out_objects_by_the_inline_function);
    RUN(many_objects_are_loaded_and_given_back);
    RUN(a_status_is_a_number_and_its_names_are_too);
    CHECK_EQ(alive, 0);
    return 0;
}
