// A host that leaves its callbacks by an exception, or ends its thread in them by pthread_exit: at
// whatever call it happens, each object is delivered or released once, and the batch remains usable.

#include "check.h"
#include "ft_local.h"

#include <deque>
#include <functional>
#include <pthread.h>
#include <vector>

namespace {

enum class Way { throws, exits };
struct Left {};

// Every object that was made. One thread runs at a time.
struct Object {
    bool alive = true;
};
std::deque<Object> objects;

void *make() {
    return &objects.emplace_back();
}

void drop(void *object) {
    CHECK(static_cast<Object *>(object)->alive);
    static_cast<Object *>(object)->alive = false;
}

Way way;
// By one function of the host, or by two.
bool waits_by_block;
// The calls of the host, and the one that is left early.
size_t calls, leaves_at;

void call() {
    if (++calls == leaves_at) {
        if (way == Way::exits) {
            pthread_exit(nullptr);
        }
        throw Left();
    }
}

extern "C" {
static void release(void *object) {
    drop(object);
    call();
}

static void *detach() {
    call();
    return &way;
}

static void attach(void *) {
    call();
}

static void block(void *, ft_local_wait wait, void *arg) {
    call();
    wait(arg);
    call();
}

static int32_t interrupted() {
    call();
    return 0;
}

// Makes three, and may leave with the second and third in slots that it has not counted.
static int32_t fill(void *, void **out, size_t capacity, size_t *produced) {
    CHECK_EQ(*produced, 0);
    struct Uncounted {
        void **out;
        size_t *produced, made;
        ~Uncounted() {
            for (size_t slot = *produced; slot < made; slot++) {
                drop(out[slot]);
            }
        }
    } slots{out, produced, 0};
    for (size_t slot = 0; slot < capacity; slot++) {
        CHECK_PTR(out[slot], nullptr);
    }
    call();
    for (; slots.made < 3 && slots.made < capacity; slots.made++) {
        out[slots.made] = make();
    }
    call();
    *produced = slots.made;
    return 0;
}

static void *next_plain(void *) {
    call();
    return make();
}
}

struct Scene {
    ft_local_batch *batch = nullptr;
    ft_local_cursor *cursor = nullptr;
    std::vector<std::function<void()>> steps;
    // The step after the one that is just done.
    size_t next = 0;
    void *loaded = nullptr, *many[6] = {};
    size_t count = 0;

    explicit Scene(ft_local_source source);
    void drop_loaded() {
        if (loaded != nullptr) {
            drop(loaded);
            loaded = nullptr;
        }
    }
    void drop_many() {
        while (count > 0) {
            drop(many[--count]);
        }
    }
    void run();
};

// What the calls return is whatever it is: here it counts what becomes of objects.
void ignore(ft_local_status) {}

Scene::Scene(ft_local_source source) {
    ft_local_host table = FT_LOCAL_HOST_INIT;
    table.release_plain = release;
    if (waits_by_block) {
        table.block = block;
    } else {
        table.detach = detach;
        table.attach = attach;
    }
    table.interrupted_plain = interrupted;
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.low_water = 2;
    CHECK_EQ(ft_local_batch_new_with(&table, &source, 4, &options, &batch), FT_LOCAL_OK);
    CHECK_EQ(ft_local_cursor_new(batch, &cursor), FT_LOCAL_OK);
    static size_t made;
    steps = {
        [this] { ignore(ft_local_batch_load(batch, &loaded)); },
        [this] { ignore(ft_local_batch_load_many(batch, 6, 0, many, &count)); },
        [this] {
            size_t given = count;
            count = 0;
            ignore(ft_local_batch_give_back(batch, many, given));
        },
        [this] { ignore(ft_local_cursor_next(cursor, &loaded)); },
        [this] { ignore(ft_local_batch_prefill(batch, 4, 4, 0, &made)); },
        [this] { ignore(ft_local_batch_prefill(batch, 1, 4, 100000, &made)); },
        [this] { ignore(ft_local_batch_load_for(batch, 0, &loaded)); },
        [this] { ignore(ft_local_batch_clear(batch)); },
        [this] { ignore(ft_local_batch_load_many(batch, 3, 0, many, &count)); },
        [this] { ignore(ft_local_cursor_next(cursor, &loaded)); },
        [this] { ignore(ft_local_batch_try_load(batch, &loaded)); },
        [this] { ignore(ft_local_batch_close(batch)); },
        [this] {
            size_t given = count;
            count = 0;
            ignore(ft_local_batch_give_back(batch, many, given));
        },
        [this] { ft_local_cursor_free(cursor); },
        [this] { ft_local_batch_free(batch); },
    };
}

void Scene::run() {
    while (next < steps.size()) {
        const auto &step = steps[next++];
        try {
            step();
        } catch (const Left &) {
        }
        drop_loaded();
    }
}

// Does the scene, in one thread after another if the host ends them, with the host leaving at call
// number `at`. Returns how many calls there were.
size_t scene_with(Way how, ft_local_source source, size_t at) {
    objects.clear();
    way = how;
    calls = 0;
    leaves_at = at;
    Scene scene(source);
    while (scene.next < scene.steps.size()) {
        pthread_t thread;
        auto body = [](void *argument) -> void * {
            static_cast<Scene *>(argument)->run();
            return nullptr;
        };
        CHECK_EQ(pthread_create(&thread, nullptr, body, &scene), 0);
        CHECK_EQ(pthread_join(thread, nullptr), 0);
        scene.drop_loaded();
        // No thread waits for a role that was left behind.
        CHECK(scene.next == scene.steps.size() || calls >= leaves_at);
    }
    scene.drop_many();
    for (const Object &object : objects) {
        CHECK(!object.alive);
    }
    return calls;
}

void at_each_call(Way how, ft_local_source source) {
    for (bool by_block : {false, true}) {
        waits_by_block = by_block;
        size_t at = 0, there_were = 1;
        while (at < there_were) {
            there_were = scene_with(how, source, ++at);
        }
        CHECK(at > 20);
    }
}

ft_local_source source_of_many() {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.fill = fill;
    return source;
}

ft_local_source source_of_one() {
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.next_plain = next_plain;
    return source;
}

void an_exception_out_of_any_callback_loses_nothing() {
    at_each_call(Way::throws, source_of_many());
    at_each_call(Way::throws, source_of_one());
}

void a_thread_that_ends_in_any_callback_takes_nothing_along() {
    at_each_call(Way::exits, source_of_many());
    at_each_call(Way::exits, source_of_one());
}

} // namespace

int main() {
    RUN(an_exception_out_of_any_callback_loses_nothing);
    RUN(a_thread_that_ends_in_any_callback_takes_nothing_along);
    return 0;
}
