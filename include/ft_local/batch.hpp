// A source run by one thread at a time, whose results many threads load.

#ifndef FT_LOCAL_BATCH_HPP
#define FT_LOCAL_BATCH_HPP

#include "source.hpp"
#include "timeout.hpp"

namespace ft_local {

template <class P> class cursor;

// Runs a source in one thread at a time and hands each of its results to exactly one `load`.
//
// P is what the threads get: a std::shared_ptr, a std::unique_ptr, or a plain value of at most the
// size of a pointer. Any thread may load, at once; who moves or destroys the batch must be alone
// with it.
template <class P> class batch {
    using traits = object_traits<P>;

  public:
    // Asks `source` for up to `size` results whenever there are none. The source is called as
    // `P source()`, which makes one result, or as `void source(slots<P> &)`, which makes some.
    template <class Source>
    batch(size_t size, Source source,
          const ft_local_batch_options &options = FT_LOCAL_BATCH_OPTIONS_INIT) {
        using held = detail::held_source<P, std::decay_t<Source>>;
        auto kept = std::make_shared<held>(std::move(source));
        ft_local_source table = FT_LOCAL_SOURCE_INIT;
        table.ctx = kept.get();
        table.fill = held::fill;
        const ft_local_host host = traits::host();
        ft_local_batch *made = nullptr;
        detail::check(ft_local_batch_new_with(&host, &table, size, &options, &made));
        source_ = std::move(kept);
        handle_.reset(made);
    }

    // The next result. Runs the source if there is none, or waits for the thread that runs it.
    P load() const {
        void *object = nullptr;
        detail::check(ft_local_batch_load(handle_.get(), &object));
        return traits::take(object);
    }

    // The same for callers without exceptions: `out` changes only if the status is FT_LOCAL_OK.
    FT_LOCAL_MUST_USE ft_local_status load(P &out) const noexcept {
        void *object = nullptr;
        const ft_local_status status = ft_local_batch_load(handle_.get(), &object);
        if (status == FT_LOCAL_OK) {
            out = traits::take(object);
        }
        return status;
    }

    // The same, but nothing if it would have to wait longer than `timeout` for another thread. A
    // source that this thread comes to run takes as long as it takes.
    template <class Rep, class Period>
    std::optional<P> load_for(const std::chrono::duration<Rep, Period> &timeout) const {
        void *object = nullptr;
        const ft_local_status status =
            ft_local_batch_load_for(handle_.get(), detail::nanoseconds(timeout), &object);
        return detail::check_or<traits>(FT_LOCAL_ERR_TIMED_OUT, status, object);
    }
    template <class Clock, class Duration>
    std::optional<P> load_until(const std::chrono::time_point<Clock, Duration> &when) const {
        return load_for(detail::left_until(when));
    }

    // The next result if one is ready: never waits and never runs the source.
    std::optional<P> try_load() const {
        void *object = nullptr;
        const ft_local_status status = ft_local_batch_try_load(handle_.get(), &object);
        return detail::check_or<traits>(FT_LOCAL_ERR_EMPTY, status, object);
    }

    // One thread's own way in: see cursor.
    ft_local::cursor<P> cursor() const {
        return ft_local::cursor<P>(*this);
    }

    // Destroys what is ready. Every load from now on throws, also where one waits.
    void close() const {
        detail::check(ft_local_batch_close(handle_.get()));
    }
    bool is_closed() const noexcept {
        return ft_local_batch_is_closed(handle_.get()) != 0;
    }

    ft_local_stats stats() const {
        ft_local_stats counts = FT_LOCAL_STATS_INIT;
        detail::check(ft_local_batch_stats(handle_.get(), &counts));
        return counts;
    }

    // How many results are ready; a moment later there may be others.
    size_t len() const noexcept {
        return ft_local_batch_len(handle_.get());
    }

    // How many results one fill makes at most.
    size_t size() const noexcept {
        return ft_local_batch_size(handle_.get());
    }

    // Destroys all results that are ready. The batch works on.
    void clear() const {
        detail::check(ft_local_batch_clear(handle_.get()));
    }

    // For functions of ft_local.h. It stays the batch's.
    const ft_local_batch *handle() const noexcept {
        return handle_.get();
    }

    batch(batch &&) noexcept = default;
    batch &operator=(batch &&other) noexcept {
        // The old handle goes before the source that it has the address of.
        handle_ = std::move(other.handle_);
        source_ = std::move(other.source_);
        return *this;
    }

  private:
    friend class ft_local::cursor<P>;

    struct freed {
        void operator()(ft_local_batch *handle) const noexcept {
            ft_local_batch_free(handle);
        }
    };

    // In this order, so that the handle, which has the source's address, is destroyed first.
    std::shared_ptr<detail::any_source> source_;
    std::unique_ptr<ft_local_batch, freed> handle_;
};

} // namespace ft_local

#endif
