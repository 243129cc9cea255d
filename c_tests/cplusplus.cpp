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
    RUN(a_status_is_a_number_and_its_names_are_too);
    CHECK_EQ(alive, 0);
    return 0;
}
