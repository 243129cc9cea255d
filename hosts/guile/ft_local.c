// (ft-local): batches for Guile, whose threads run in parallel and whose objects a collector owns.

#include <libguile.h>

#include <ft_local.h>

#include <stdatomic.h>
#include <stdbool.h>

// What the collector keeps for the library: references taken, less those given up.
static atomic_long protected_now;

static void *retain(void *object) {
    scm_gc_protect_object(SCM_PACK_POINTER(object));
    atomic_fetch_add(&protected_now, 1);
    return object;
}

static void release(void *object) {
    scm_gc_unprotect_object(SCM_PACK_POINTER(object));
    atomic_fetch_sub(&protected_now, 1);
}

typedef struct waiting {
    ft_local_wait wait;
    void *arg;
} waiting;

// A load that is in the library, on the stack, where the collector sees what it refers to. It travels
// with the call to the source that it runs.
typedef struct load {
    SCM source;
    // What the source returned, as `call-guarded` in ft-local.scm has it: (#t . result), or
    // (#f . exception). #f if it left by a continuation.
    SCM outcome;
    // The thread, and how often it had blocked asyncs before the source was called.
    scm_thread *thread;
    unsigned blocked;
} load;

static scm_thread *this_thread(void) {
    return SCM_I_THREAD_DATA(scm_current_thread());
}

static void *wait_outside(void *arg) {
    waiting *call = arg;
    call->wait(call->arg);
    return NULL;
}

// Outside of Guile, where a collection need not stop this thread first.
static void block(void *ctx, ft_local_wait wait, void *arg) {
    (void)ctx;
    scm_without_guile(wait_outside, &(waiting){wait, arg});
}

// Whether an async waits to run in this thread, such as the handler of a signal. It may throw, or
// leave by a continuation, so it must not run here, inside the library: `batch_load` runs it, and
// then goes on.
static int32_t interrupted(void) {
    const scm_thread *thread = this_thread();
    return thread->block_asyncs == 0 &&
           !scm_is_null(
               SCM_PACK(__atomic_load_n((scm_t_bits *)&thread->pending_asyncs, __ATOMIC_ACQUIRE)));
}

// A thread that blocks asyncs sleeps until it is woken.
static int32_t interruptible(void) {
    return this_thread()->block_asyncs == 0;
}

static SCM call_guarded, raise_exception;

// An abort to a prompt unwinds the stack whatever is on it; an exception stops it.
static void refuse_continuation(void *arg) {
    load *self = arg;
    self->thread->block_asyncs = self->blocked + 1;
    if (scm_is_false(self->outcome)) {
        scm_throw(scm_from_utf8_symbol("left"), SCM_EOL);
    }
}

static SCM call_source(void *arg) {
    load *self = arg;
    scm_dynwind_begin(0);
    scm_dynwind_unwind_handler(refuse_continuation, self, 0);
    self->thread->block_asyncs = self->blocked;
    self->outcome = scm_call_1(call_guarded, self->source);
    self->thread->block_asyncs = self->blocked + 1;
    scm_dynwind_end();
    return SCM_BOOL_T;
}

static SCM ignore_throw(void *arg, SCM key, SCM args) {
    (void)arg, (void)key, (void)args;
    return SCM_BOOL_F;
}

// The source ends by returning the end-of-file object, as a reader does.
static int32_t fill(void *ctx, void *arg, void **out, size_t capacity, size_t *produced) {
    (void)ctx, (void)capacity;
    load *self = arg;
    self->outcome = SCM_BOOL_F;
    self->blocked = self->thread->block_asyncs;
    // An async that ran between here and the source could leave without being refused. Guile's own
    // functions that block asyncs run those that wait when they end, which is here, too.
    self->thread->block_asyncs = self->blocked + 1;
    scm_c_catch(SCM_BOOL_T, call_source, self, ignore_throw, NULL, NULL, NULL);
    self->thread->block_asyncs = self->blocked;
    if (scm_is_false(self->outcome) || scm_is_false(scm_car(self->outcome))) {
        return 1;
    }
    if (SCM_EOF_OBJECT_P(scm_cdr(self->outcome))) {
        return FT_LOCAL_ERR_END;
    }
    *out = retain(SCM_UNPACK_POINTER(scm_cdr(self->outcome)));
    *produced = 1;
    return 0;
}

static SCM batch_type;

// Slots of the foreign object: the handle, and the source, which the collector sees there. A
// protected source that refers to its batch would keep both alive.
enum { HANDLE, SOURCE };

static ft_local_batch *batch_of(SCM object) {
    scm_assert_foreign_object_type(batch_type, object);
    return scm_foreign_object_ref(object, HANDLE);
}

static void finalize(SCM object) {
    ft_local_batch_free(scm_foreign_object_ref(object, HANDLE));
}

static void raise_status(const char *who, ft_local_status status) {
    if (status == FT_LOCAL_ERR_NO_MEMORY) {
        scm_report_out_of_memory();
    }
    scm_misc_error(who, "~A",
                   scm_list_1(scm_from_utf8_string(status == FT_LOCAL_ERR_ARGUMENT
                                                       ? ft_local_last_error()
                                                       : ft_local_status_text(status))));
}

static SCM make_batch(SCM thunk, SCM size) {
    SCM_ASSERT_TYPE(scm_is_true(scm_thunk_p(thunk)), thunk, 1, "make-batch", "thunk");
    // What is out of range is named, with the range.
    size_t slots = scm_to_unsigned_integer(size, 1, FT_LOCAL_BATCH_MAX_SIZE);
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.retain_plain = retain;
    host.release_plain = release;
    host.block = block;
    host.interrupted_plain = interrupted;
    host.interruptible_plain = interruptible;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.fill_with = fill;
    ft_local_batch *batch;
    ft_local_status status = ft_local_batch_new(&host, &source, slots, &batch);
    if (status != FT_LOCAL_OK) {
        raise_status("make-batch", status);
    }
    return scm_make_foreign_object_2(batch_type, batch, SCM_UNPACK_POINTER(thunk));
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// `until` is negative if there is no limit.
static ft_local_status load_until(const ft_local_batch *batch, load *self, double until,
                                  void **loaded) {
    for (;;) {
        double left = until < 0 ? -1 : until - now();
        int64_t timeout = until < 0 || left > 9e9 ? -1 : (int64_t)(1e9 * (left < 0 ? 0 : left));
        self->outcome = SCM_BOOL_F;
        ft_local_status status = ft_local_batch_load_with(batch, self, timeout, loaded);
        if (status != FT_LOCAL_ERR_INTERRUPTED) {
            return status;
        }
        scm_async_tick();
    }
}

// (batch-load batch [seconds [default]]): the next result, the end-of-file object if the source has
// ended, or `default` if no result comes in time.
static SCM batch_load(SCM object, SCM seconds, SCM otherwise) {
    ft_local_batch *batch = batch_of(object);
    double until = -1;
    if (!SCM_UNBNDP(seconds) && scm_is_true(seconds)) {
        double time = scm_to_double(seconds);
        if (!(time >= 0)) {
            scm_out_of_range("batch-load", seconds);
        }
        until = now() + time;
    }
    load self = {.source = SCM_PACK_POINTER(scm_foreign_object_ref(object, SOURCE)),
                 .thread = this_thread()};
    void *loaded;
    ft_local_status status = load_until(batch, &self, until, &loaded);
    scm_remember_upto_here_1(object);
    if (status == FT_LOCAL_OK) {
        // On the stack, where the collector finds it, before it is given up.
        SCM result = SCM_PACK_POINTER(loaded);
        release(loaded);
        scm_remember_upto_here_1(result);
        return result;
    }
    if (status == FT_LOCAL_ERR_END) {
        return SCM_EOF_VAL;
    } else if (status == FT_LOCAL_ERR_TIMED_OUT || status == FT_LOCAL_ERR_WOULD_WAIT) {
        return SCM_UNBNDP(otherwise) ? SCM_BOOL_F : otherwise;
    } else if (status < 0) {
        raise_status("batch-load", status);
    } else if (scm_is_true(self.outcome)) {
        scm_call_1(raise_exception, scm_cdr(self.outcome));
    }
    scm_misc_error("batch-load", "a source must return or throw, not leave by a continuation",
                   SCM_EOL);
}

static SCM batch_close(SCM object) {
    ft_local_status status = ft_local_batch_close(batch_of(object));
    scm_remember_upto_here_1(object);
    if (status != FT_LOCAL_OK) {
        raise_status("batch-close!", status);
    }
    return SCM_UNSPECIFIED;
}

static SCM batch_clear(SCM object) {
    ft_local_status status = ft_local_batch_clear(batch_of(object));
    scm_remember_upto_here_1(object);
    if (status != FT_LOCAL_OK) {
        raise_status("batch-clear!", status);
    }
    return SCM_UNSPECIFIED;
}

static SCM batch_length(SCM object) {
    SCM length = scm_from_size_t(ft_local_batch_len(batch_of(object)));
    scm_remember_upto_here_1(object);
    return length;
}

// How many loads have had to wait for another thread so far.
static SCM batch_waits(SCM object) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    ft_local_status status = ft_local_batch_stats(batch_of(object), &stats);
    scm_remember_upto_here_1(object);
    if (status != FT_LOCAL_OK) {
        raise_status("batch-waits", status);
    }
    return scm_from_uint64(stats.waits);
}

static SCM count_protected(void) {
    return scm_from_long(atomic_load(&protected_now));
}

void init_ft_local(void) {
    call_guarded = scm_permanent_object(scm_variable_ref(scm_c_lookup("call-guarded")));
    raise_exception = scm_permanent_object(scm_c_public_ref("guile", "raise-exception"));
    batch_type = scm_permanent_object(scm_make_foreign_object_type(
        scm_from_utf8_symbol("batch"),
        scm_list_2(scm_from_utf8_symbol("handle"), scm_from_utf8_symbol("source")), finalize));
    scm_c_define_gsubr("make-batch", 2, 0, 0, (scm_t_subr)make_batch);
    scm_c_define_gsubr("batch-load", 1, 2, 0, (scm_t_subr)batch_load);
    scm_c_define_gsubr("batch-close!", 1, 0, 0, (scm_t_subr)batch_close);
    scm_c_define_gsubr("batch-clear!", 1, 0, 0, (scm_t_subr)batch_clear);
    scm_c_define_gsubr("batch-length", 1, 0, 0, (scm_t_subr)batch_length);
    scm_c_define_gsubr("batch-waits", 1, 0, 0, (scm_t_subr)batch_waits);
    scm_c_define_gsubr("protected-count", 0, 0, 0, (scm_t_subr)count_protected);
}
