// A source run by one thread at a time, whose results many threads load.

#ifndef FT_LOCAL_BATCH_HPP
#define FT_LOCAL_BATCH_HPP

#include "results.hpp"
#include "source.hpp"
#include "timeout.hpp"

namespace ft_local {
inline namespace FT_LOCAL_MODE {

template <class P, class Arg = void> class cursor;

namespace detail {
struct origin;
}

// Runs a source in one thread at a time and hands each of its results to exactly one `load`.
//
// P is what the threads get: a std::shared_ptr, a std::unique_ptr, or a plain value of at most the
// size of a pointer. Any thread may load, at once; who moves or destroys the batch must be alone
// with it.
//
// Arg is for sources that need something of the thread that runs them, such as its connection: the
// source takes an `Arg *` as its last argument, which is that of `load_with`. It is null if another
// function runs the source.
template <class P, class Arg = void> class batch {
    using traits = object_traits<P>;
    using argument = detail::argument<Arg>;

  public:
    // Asks `source` for up to `size` results whenever there are none. The source is called as
    // `P source()`, which makes one result, or as `void source(slots<P> &)`, which makes some. It
    // throws to fail, and end_of_source to end. One that does without exceptions is called as
    // `ft_local_status source(slots<P> &)`, and returns FT_LOCAL_OK, FT_LOCAL_ERR_END or a positive
    // number of its own.
    template <class Source>
    batch(size_t size, Source source,
          const ft_local_batch_options &options = FT_LOCAL_BATCH_OPTIONS_INIT) {
        detail::check_arguments(size, options);
        if (detail::is_empty(source)) {
            detail::refuse("source is empty; give the function that makes the results");
        }
        const ft_local_status status = begin(size, std::move(source), options);
        detail::check(status, source_.get());
    }

    // The same for callers without exceptions: `out` is set if the status is FT_LOCAL_OK.
    template <class Source>
    FT_LOCAL_MUST_USE static ft_local_status
    make(std::optional<batch> &out, size_t size, Source source,
         const ft_local_batch_options &options = FT_LOCAL_BATCH_OPTIONS_INIT) {
        batch made;
        const ft_local_status status = made.begin(size, std::move(source), options);
        if (status == FT_LOCAL_OK) {
            out = std::move(made);
        }
        return status;
    }

    // The next result. Runs the source if there is none, or waits for the thread that runs it.
    P load() const {
        void *object = nullptr;
        detail::check(ft_local_batch_load(handle_.get(), &object), source_.get());
        return traits::take(object);
    }

    // The same for callers without exceptions: `out` changes only if the status is FT_LOCAL_OK.
    FT_LOCAL_MUST_USE ft_local_status load(P &out) const {
        void *object = nullptr;
        const ft_local_status status = ft_local_batch_load(handle_.get(), &object);
        if (status == FT_LOCAL_OK) {
            out = traits::take(object);
        }
        return detail::leave_exception(status, source_.get());
    }

    // The same, and the source gets `arg`, if this call runs it.
    P load_with(argument &arg) const {
        void *object = nullptr;
        detail::check(ft_local_batch_load_with(handle_.get(), detail::address(arg), -1, &object),
                      source_.get());
        return traits::take(object);
    }
    FT_LOCAL_MUST_USE ft_local_status load_with(argument &arg, P &out) const {
        void *object = nullptr;
        const ft_local_status status =
            ft_local_batch_load_with(handle_.get(), detail::address(arg), -1, &object);
        if (status == FT_LOCAL_OK) {
            out = traits::take(object);
        }
        return detail::leave_exception(status, source_.get());
    }

    // As `load`, but nothing if it would have to wait longer than `timeout` for another thread. The
    // time does not limit a source that this thread runs itself.
    template <class Rep, class Period>
    std::optional<P> load_for(const std::chrono::duration<Rep, Period> &timeout) const {
        void *object = nullptr;
        const ft_local_status status =
            ft_local_batch_load_for(handle_.get(), detail::nanoseconds(timeout), &object);
        return detail::check_or<traits>(FT_LOCAL_ERR_TIMED_OUT, status, object, source_.get());
    }
    template <class Clock, class Duration>
    std::optional<P> load_until(const std::chrono::time_point<Clock, Duration> &when) const {
        return load_for(detail::left_until(when));
    }

    // The same, and the source gets `arg`, if this call runs it.
    template <class Rep, class Period>
    std::optional<P> load_with_for(argument &arg,
                                   const std::chrono::duration<Rep, Period> &timeout) const {
        void *object = nullptr;
        const ft_local_status status = detail::timed_out(ft_local_batch_load_with(
            handle_.get(), detail::address(arg), detail::nanoseconds(timeout), &object));
        return detail::check_or<traits>(FT_LOCAL_ERR_TIMED_OUT, status, object, source_.get());
    }

    // The next result if one is ready: never waits and never runs the source.
    std::optional<P> try_load() const {
        void *object = nullptr;
        const ft_local_status status = ft_local_batch_try_load(handle_.get(), &object);
        return detail::check_or<traits>(FT_LOCAL_ERR_EMPTY, status, object, source_.get());
    }

    // The next `n` results, as many at once as are ready. Fewer if the source ends or the batch is
    // closed before; throws if there is none. After another error, those that it has go back.
    std::vector<P> load_many(size_t n) const {
        std::vector<P> loaded;
        check_many(load_some(loaded, n, -1), loaded);
        return loaded;
    }
    // As many of them as come in time.
    template <class Rep, class Period>
    std::vector<P> load_many_for(size_t n,
                                 const std::chrono::duration<Rep, Period> &timeout) const {
        std::vector<P> loaded;
        const ft_local_status status = load_some(loaded, n, detail::nanoseconds(timeout));
        if (status != FT_LOCAL_ERR_TIMED_OUT) {
            check_many(status, loaded);
        }
        return loaded;
    }
    // For callers without exceptions: adds to `out` what it has, after an error too.
    FT_LOCAL_MUST_USE ft_local_status load_many(size_t n, std::vector<P> &out) const {
        return detail::leave_exception(load_some(out, n, -1), source_.get());
    }

    // Gives back results that are not wanted: they are handed out again before anything newer.
    void give_back(P object) const {
        void *word = traits::give(std::move(object));
        check_given(ft_local_batch_give_back(handle_.get(), &word, 1), &word, 1);
    }
    void give_back(std::vector<P> objects) const {
        std::vector<void *> words;
        words.reserve(objects.size());
        for (auto &object : objects) {
            words.push_back(traits::give(std::move(object)));
        }
        check_given(ft_local_batch_give_back(handle_.get(), words.data(), words.size()),
                    words.data(), words.size());
    }

    // Waits until fewer than `low_water` results are ready, then runs the source until it has made
    // `max` or there is no more room. Returns how many it made. For a thread of its own, which calls
    // it again and again, so that loads always find something.
    size_t prefill(size_t low_water, size_t max) const {
        return prefill_by(low_water, max, -1);
    }
    // The same, but none if it would have to wait longer than `timeout`.
    template <class Rep, class Period>
    size_t prefill_for(size_t low_water, size_t max,
                       const std::chrono::duration<Rep, Period> &timeout) const {
        return prefill_by(low_water, max, detail::nanoseconds(timeout));
    }

    // Loads one after the other until the source has ended or the batch was closed:
    // `for (auto &&result : batch)`. In C++20, a batch is an input range.
    result_iterator<P, const batch> begin() const {
        return result_iterator<P, const batch>(*this);
    }
    end_of_results end() const noexcept {
        return {};
    }

    // One thread's own way in: see cursor.
    ft_local::cursor<P, Arg> cursor() const {
        return ft_local::cursor<P, Arg>(*this);
    }

    // Destroys what is ready. Every load from now on throws, also where one waits.
    void close() const {
        detail::check(ft_local_batch_close(handle_.get()), source_.get());
    }
    bool is_closed() const noexcept {
        return ft_local_batch_is_closed(handle_.get()) != 0;
    }

    ft_local_stats stats() const {
        ft_local_stats counts = FT_LOCAL_STATS_INIT;
        detail::check(ft_local_batch_stats(handle_.get(), &counts), source_.get());
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
        detail::check(ft_local_batch_clear(handle_.get()), source_.get());
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
    friend class ft_local::cursor<P, Arg>;
    friend class result_iterator<P, const batch>;
    friend struct detail::origin;

    batch() = default;

    template <class Source>
    ft_local_status begin(size_t size, Source source, const ft_local_batch_options &options) {
        using held = detail::held_source<P, std::decay_t<Source>, Arg>;
        auto kept = std::make_shared<held>(std::move(source));
        ft_local_source table = FT_LOCAL_SOURCE_INIT;
        kept->enter(table);
        const ft_local_host host = traits::host();
        ft_local_batch *made = nullptr;
        const ft_local_status status =
            ft_local_batch_new_with(&host, &table, size, &options, &made);
        source_ = std::move(kept);
        handle_.reset(made, ft_local_batch_free);
        return status;
    }

    std::optional<P> load_unless_over() const {
        void *object = nullptr;
        const ft_local_status status = ft_local_batch_load(handle_.get(), &object);
        return detail::check_unless_over<traits>(status, object, source_.get());
    }

    ft_local_status load_some(std::vector<P> &out, size_t n, int64_t timeout) const {
        std::vector<void *> words(n);
        out.reserve(out.size() + n);
        size_t count = 0;
        const ft_local_status status =
            ft_local_batch_load_many(handle_.get(), n, timeout, words.data(), &count);
        for (size_t index = 0; index < count; ++index) {
            out.push_back(traits::take(words[index]));
        }
        return status;
    }

    void check_many(ft_local_status status, std::vector<P> &loaded) const {
        if (status != FT_LOCAL_OK && !loaded.empty()) {
            give_back(std::move(loaded));
        }
        detail::check(status, source_.get());
    }

    // What was not taken back is destroyed.
    void check_given(ft_local_status status, void *const *words, size_t count) const {
        for (size_t index = 0; status != FT_LOCAL_OK && index < count; ++index) {
            traits::take(words[index]);
        }
        detail::check(status, source_.get());
    }

    size_t prefill_by(size_t low_water, size_t max, int64_t timeout) const {
        size_t made = 0;
        detail::check(ft_local_batch_prefill(handle_.get(), low_water, max, timeout, &made),
                      source_.get());
        return made;
    }

    // In this order, so that the handle, which has the source's address, is destroyed first. Cursors
    // share both.
    std::shared_ptr<detail::any_source> source_;
    std::shared_ptr<ft_local_batch> handle_;
};

} // namespace FT_LOCAL_MODE
} // namespace ft_local

#endif
