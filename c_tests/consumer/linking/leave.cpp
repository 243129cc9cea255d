// A source that leaves the library otherwise than by returning. The thread that ran it is gone or has
// caught the exception; the batch goes on with the next result.

#include <ft_local.h>

#include <cstdio>
#include <cstdlib>
#include <pthread.h>
#include <stdexcept>

static void check(bool condition, const char *what) {
    if (!condition) {
        std::fprintf(stderr, "not true: %s\n", what);
        std::exit(1);
    }
}

enum class way { to_return, exception, exit, cancel };

struct state {
    way next;
    std::uintptr_t last;
    ft_local_batch *batch;
};

static void *make(void *ctx) {
    state *it = static_cast<state *>(ctx);
    way leave = it->next;
    it->next = way::to_return;
    switch (leave) {
    case way::exception:
        throw std::runtime_error("a source that throws");
    case way::exit:
        pthread_exit(ctx);
    case way::cancel:
        pthread_cancel(pthread_self());
        pthread_testcancel();
        break;
    case way::to_return:
        break;
    }
    return reinterpret_cast<void *>(++it->last);
}

static void *load(void *ctx) {
    void *out = nullptr;
    ft_local_status status = ft_local_batch_load(static_cast<state *>(ctx)->batch, &out);
    check(status == FT_LOCAL_OK, "a thread that comes back has a result");
    return out;
}

static void *in_a_thread(state *it) {
    pthread_t thread;
    void *result = nullptr;
    check(pthread_create(&thread, nullptr, load, it) == 0, "a thread can be made");
    check(pthread_join(thread, &result) == 0, "it ends");
    return result;
}

int main() {
    state it = {way::to_return, 0, nullptr};
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = &it;
    source.next_plain = make;
    check(ft_local_batch_new(&host, &source, 1, &it.batch) == FT_LOCAL_OK, "a batch is made");

    it.next = way::exception;
    bool caught = false;
    try {
        load(&it);
    } catch (const std::runtime_error &) {
        caught = true;
    }
    check(caught, "the exception arrives");
    check(load(&it) == reinterpret_cast<void *>(1), "the batch goes on after it");

    it.next = way::exit;
    check(in_a_thread(&it) == &it, "pthread_exit ends the thread with its value");
    check(in_a_thread(&it) == reinterpret_cast<void *>(2), "the batch goes on after it");

    it.next = way::cancel;
    check(in_a_thread(&it) == PTHREAD_CANCELED, "pthread_cancel ends the thread");
    check(in_a_thread(&it) == reinterpret_cast<void *>(3), "the batch goes on after it");
    ft_local_batch_free(it.batch);
    std::printf("ft_local %s\n", ft_local_version());
}
