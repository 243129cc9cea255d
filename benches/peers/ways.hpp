// The ways to hand out numbers: ft_local, queues of other libraries, locks.
#pragma once

#include "crew.hpp"

#include <algorithm>
#include <boost/lockfree/queue.hpp>
#include <concurrentqueue/concurrentqueue.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ft_local.h>
#include <mutex>
#include <oneapi/tbb/concurrent_queue.h>
#include <rte_ring.h>

extern "C" {
void *peer_ck_new(void);
void peer_ck_push(void *ring, void *item);
int peer_ck_pop(void *ring, uint64_t *item);
}

inline void check(ft_local_status status) {
    if (status != 0) {
        std::fprintf(stderr, "ft_local: status %d\n", status);
        std::abort();
    }
}

// The unit: a relaxed fetch_add on one counter.
class FetchAdd : public Way {
  public:
    FetchAdd() : Way("fetch_add") {}
    void take(Mine &mine, unsigned count, unsigned work) override {
        take_all(mine, count, work,
                 [&] { return last.fetch_add(1, std::memory_order_relaxed) + 1; });
    }
    std::uint64_t made() override {
        return last;
    }

  private:
    alignas(128) std::atomic<std::uint64_t> last{0};
    alignas(128) char apart = 0;
};

class Executor : public Way {
  public:
    explicit Executor(const char *name) : Way(name) {
        ft_local_host host = FT_LOCAL_HOST_INIT;
        ft_local_source made_by = FT_LOCAL_SOURCE_INIT;
        made_by.ctx = &source.made;
        made_by.next_plain = next_number;
        check(ft_local_batch_new(&host, &made_by, SIZE, &batch));
    }
    ~Executor() override {
        ft_local_batch_free(batch);
    }
    bool left(std::uint64_t &number) override {
        void *out;
        if (ft_local_batch_len(batch) == 0)
            return false;
        check(ft_local_batch_load(batch, &out));
        number = reinterpret_cast<std::uint64_t>(out);
        return true;
    }
    std::uint64_t made() override {
        return source.made;
    }

  protected:
    Source source;
    ft_local_batch *batch;
};

class Load : public Executor {
  public:
    Load() : Executor("ft_local load") {}
    void take(Mine &mine, unsigned count, unsigned work) override {
        take_all(mine, count, work, [&] {
            void *out;
            check(ft_local_batch_load(batch, &out));
            return reinterpret_cast<std::uint64_t>(out);
        });
    }
};

class Cursor : public Executor {
  public:
    Cursor() : Executor("ft_local cursor") {}
    void begin(Mine &mine) override {
        check(ft_local_cursor_new(batch, reinterpret_cast<ft_local_cursor **>(&mine.handle)));
    }
    void end(Mine &mine) override {
        ft_local_cursor_free(static_cast<ft_local_cursor *>(mine.handle));
    }
    void take(Mine &mine, unsigned count, unsigned work) override {
        auto *cursor = static_cast<ft_local_cursor *>(mine.handle);
        take_all(mine, count, work, [&] {
            void *out;
            check(ft_local_cursor_next_inline(cursor, &out));
            return reinterpret_cast<std::uint64_t>(out);
        });
    }
};

// A queue of another library: the thread that finds it empty fills it.
template <class Queue> class Queued : public Way {
  public:
    explicit Queued(const char *name) : Way(name) {}
    void begin(Mine &mine) override {
        queue.begin(mine);
    }
    void take(Mine &mine, unsigned count, unsigned work) override {
        take_all(mine, count, work, [&] { return take_one(mine); });
    }
    bool left(std::uint64_t &number) override {
        Mine &first = of_threads[0];
        queue.begin(first);
        return queue.pop(first, number);
    }
    std::uint64_t made() override {
        return source.made;
    }

  private:
    std::uint64_t take_one(Mine &mine) {
        std::uint64_t number;
        for (unsigned turns = 0; !queue.pop(mine, number);) {
            if (filling.exchange(true, std::memory_order_acquire)) {
                pause(turns);
                continue;
            }
            // It may have been filled meanwhile.
            bool got = queue.pop(mine, number);
            for (unsigned i = 0; !got && i < SIZE; i++)
                queue.push(make(source));
            filling.store(false, std::memory_order_release);
            if (got)
                break;
        }
        return number;
    }

    Queue queue;
    Source source;
    alignas(128) std::atomic<bool> filling{false};
    alignas(128) char apart = 0;
};

class RteRing {
  public:
    RteRing() {
        std::size_t bytes = sizeof(rte_ring) + 2 * SIZE * sizeof(void *);
        ring = static_cast<rte_ring *>(std::aligned_alloc(4096, (bytes + 4095) & ~4095ul));
        std::memset(static_cast<void *>(ring), 0, bytes);
        // As rte_ring_init(), which would need the whole environment of DPDK.
        ring->size = 2 * SIZE;
        ring->mask = ring->capacity = 2 * SIZE - 1;
        ring->prod.sync_type = RTE_RING_SYNC_ST;
        ring->cons.sync_type = RTE_RING_SYNC_MT;
    }
    ~RteRing() {
        std::free(ring);
    }
    void begin(Mine &) {}
    void push(std::uint64_t number) {
        rte_ring_sp_enqueue(ring, reinterpret_cast<void *>(number));
    }
    bool pop(Mine &, std::uint64_t &number) {
        return rte_ring_mc_dequeue(ring, reinterpret_cast<void **>(&number)) == 0;
    }

  private:
    rte_ring *ring;
};

class CkRing {
  public:
    void begin(Mine &) {}
    void push(std::uint64_t number) {
        peer_ck_push(ring, reinterpret_cast<void *>(number));
    }
    bool pop(Mine &, std::uint64_t &number) {
        return peer_ck_pop(ring, &number);
    }

  private:
    void *ring = peer_ck_new();
};

class Boost {
  public:
    void begin(Mine &) {}
    void push(std::uint64_t number) {
        queue.push(number);
    }
    bool pop(Mine &, std::uint64_t &number) {
        return queue.pop(number);
    }

  private:
    boost::lockfree::queue<std::uint64_t, boost::lockfree::fixed_sized<true>> queue{2 * SIZE};
};

class Tbb {
  public:
    void begin(Mine &) {}
    void push(std::uint64_t number) {
        queue.push(number);
    }
    bool pop(Mine &, std::uint64_t &number) {
        return queue.try_pop(number);
    }

  private:
    tbb::concurrent_queue<std::uint64_t> queue;
};

class Moodycamel {
  public:
    void begin(Mine &mine) {
        if (!mine.handle)
            mine.handle = new moodycamel::ConsumerToken(queue);
    }
    void push(std::uint64_t number) {
        queue.enqueue(producer, number);
    }
    bool pop(Mine &mine, std::uint64_t &number) {
        return queue.try_dequeue(*static_cast<moodycamel::ConsumerToken *>(mine.handle), number);
    }

  private:
    moodycamel::ConcurrentQueue<std::uint64_t> queue{4 * SIZE};
    moodycamel::ProducerToken producer{queue};
};

class Spinlock {
  public:
    void lock() {
        for (unsigned turns = 0; held.exchange(true, std::memory_order_acquire);)
            while (held.load(std::memory_order_relaxed))
                pause(turns);
    }
    void unlock() {
        held.store(false, std::memory_order_release);
    }

  private:
    std::atomic<bool> held{false};
};

// An array under a lock, of which a thread takes `at_once` at a time.
template <class Lock, unsigned at_once> class Locked : public Way {
  public:
    explicit Locked(const char *name) : Way(name) {}
    void take(Mine &mine, unsigned count, unsigned work) override {
        take_all(mine, count, work, [&] {
            if (mine.at == mine.end)
                take_block(mine);
            return mine.block[mine.at++];
        });
    }
    bool left(std::uint64_t &number) override {
        if (at == SIZE)
            return false;
        number = ready[at++];
        return true;
    }
    std::uint64_t made() override {
        return source.made;
    }

  private:
    void take_block(Mine &mine) {
        std::lock_guard<Lock> guard(lock);
        if (at == SIZE) {
            for (auto &number : ready)
                number = make(source);
            at = 0;
        }
        std::copy_n(ready + at, at_once, mine.block);
        at += at_once;
        mine.at = 0;
        mine.end = at_once;
    }

    alignas(128) Lock lock;
    unsigned at = SIZE;
    std::uint64_t ready[SIZE];
    Source source;
};
