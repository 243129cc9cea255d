// FtLocal::Batch for Ruby. Results are plain values to the library; the collector keeps them alive
// because the batch marks them, so that nothing is pinned for longer and circles are collected.

#include <ft_local.h>
#include <ruby.h>
#include <ruby/fiber/scheduler.h>
#include <ruby/thread.h>
#include <stdbool.h>

typedef struct {
    ft_local_batch *batch;
    VALUE source;
    // The fibers that wait in their scheduler: what the library will pass to `wake`.
    VALUE waiters;
    size_t size;
} ruby_batch;

// Classes that ruby.h does not name.
static VALUE closed_queue_error, fiber_error, uncaught_throw_error, timeout_error;

// Whether a batch is being freed, by the collector. Then nobody waits for it any more.
static bool is_freeing;

static int32_t mark_one(void *value, void *arg) {
    (void)arg;
    rb_gc_mark((VALUE)value);
    return 0;
}

static void batch_mark(void *data) {
    ruby_batch *self = data;
    rb_gc_mark(self->source);
    rb_gc_mark(self->waiters);
    if (self->batch != NULL) {
        ft_local_batch_visit(self->batch, mark_one, NULL);
    }
}

// How many batches the library has not ended.
static long batches;

// The struct is what the library passes to the source and to `block`, so it ends after the batch.
static void free_context(void *self) {
    batches--;
    ruby_xfree(self);
}

static void batch_free(void *data) {
    ruby_batch *self = data;
    if (self->batch == NULL) {
        ruby_xfree(self);
        return;
    }
    is_freeing = true;
    ft_local_batch_free(self->batch);
    is_freeing = false;
}

static size_t batch_memory(const void *data) {
    return sizeof(ruby_batch) + 16 * ((const ruby_batch *)data)->size;
}

static const rb_data_type_t batch_type = {
    .wrap_struct_name = "FtLocal::Batch",
    .function = {.dmark = batch_mark, .dfree = batch_free, .dsize = batch_memory},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE batch_alloc(VALUE class) {
    ruby_batch *self;
    VALUE object = TypedData_Make_Struct(class, ruby_batch, &batch_type, self);
    self->source = self->waiters = Qnil;
    return object;
}

static ruby_batch *unwrap(VALUE object) {
    ruby_batch *self;
    TypedData_Get_Struct(object, ruby_batch, &batch_type, self);
    if (self->batch == NULL) {
        rb_raise(rb_eArgError, "the batch was not initialized; call super in initialize");
    }
    return self;
}

// `cell` is an array with the source in it, which the result replaces. A result that went through
// `rb_fiber_resume` would be kept alive by the thread's root fiber.
static VALUE call_source(RB_BLOCK_CALL_FUNC_ARGLIST(unused, cell)) {
    (void)unused, (void)argc, (void)argv, (void)blockarg;
    rb_ary_store(cell, 0, rb_proc_call_kw(rb_ary_entry(cell, 0), rb_ary_new(), 0));
    return Qnil;
}

// A source runs in a fiber of its own. In the fiber of the load it could yield that one, and leave
// the library's frames on a stack that nobody may ever come back to.
static VALUE call_in_fiber(VALUE source) {
    VALUE cell = rb_ary_new_from_values(1, &source);
    VALUE fiber = rb_fiber_new(call_source, cell);
    rb_fiber_resume(fiber, 0, NULL);
    if (RTEST(rb_fiber_alive_p(fiber))) {
        rb_raise(fiber_error, "the source yielded its fiber; it must return or raise");
    }
    return rb_ary_pop(cell);
}

// Whether the current exception is one of a class. It is none in a thread that is killed.
static bool raised(VALUE class) {
    VALUE error = rb_errinfo();
    return RB_TYPE_P(error, T_OBJECT) && RTEST(rb_obj_is_kind_of(error, class));
}

// An exception of the source stops here. Its tag is the status of the load that ran the source,
// where it goes on. A StopIteration ends the batch, as it ends an enumerator.
static int32_t fill_one(void *ctx, void **out, size_t capacity, size_t *produced) {
    ruby_batch *self = ctx;
    int tag = 0;
    (void)capacity;
    VALUE value = rb_protect(call_in_fiber, self->source, &tag);
    if (tag == 0) {
        out[0] = (void *)value;
        *produced = 1;
    } else if (raised(rb_eStopIteration)) {
        rb_set_errinfo(Qnil);
        return FT_LOCAL_ERR_END;
    }
    return tag;
}

typedef struct {
    ft_local_wait wait;
    void *arg;
} call;

static void *call_wait(void *data) {
    call *it = data;
    it->wait(it->arg);
    return NULL;
}

// Called by the thread that interrupts one that waits. That one then looks by `interrupted`, now or, if
// it is just about to sleep, 50 ms later.
static void stop_wait(void *data) {
    if (ft_local_batch_interrupt(((ruby_batch *)data)->batch) != FT_LOCAL_OK) {
        rb_bug("the batch of a thread that waits is gone");
    }
}

// The variant with a 2 raises nothing, which would jump over the library. If anything is pending, be
// it another thread's turn to run, it returns at once and keeps Ruby's lock, and the load ends as an
// interrupted one.
static void block(void *self, ft_local_wait wait, void *arg) {
    rb_thread_call_without_gvl2(call_wait, &(call){wait, arg}, stop_wait, self);
}

// Only checks. `batch_load` runs what is pending, outside the library, where it may jump.
static int32_t interrupted(void) {
    return rb_thread_interrupted(rb_thread_current());
}

static void check(ft_local_status status) {
    switch (status) {
    case FT_LOCAL_OK:
        return;
    case FT_LOCAL_ERR_ARGUMENT:
        rb_raise(rb_eArgError, "%s", ft_local_last_error());
    case FT_LOCAL_ERR_NO_MEMORY:
        rb_memerror();
    case FT_LOCAL_ERR_CLOSED:
        rb_raise(closed_queue_error, "%s", ft_local_status_text(status));
    case FT_LOCAL_ERR_END:
        rb_raise(rb_eStopIteration, "%s", ft_local_status_text(status));
    case FT_LOCAL_ERR_TIMED_OUT:
        rb_raise(timeout_error, "%s", ft_local_status_text(status));
    case FT_LOCAL_ERR_REENTRANT:
    case FT_LOCAL_ERR_DEADLOCK:
        rb_raise(rb_eThreadError, "%s", ft_local_status_text(status));
    default:
        rb_raise(rb_eRuntimeError, "%s", ft_local_status_text(status));
    }
}

static size_t check_size(VALUE size) {
    if (!RB_INTEGER_TYPE_P(size)) {
        rb_raise(rb_eTypeError, "size must be an Integer, got %" PRIsVALUE, rb_obj_class(size));
    }
    if (!FIXNUM_P(size) || FIX2LONG(size) < 1 || FIX2LONG(size) > FT_LOCAL_BATCH_MAX_SIZE) {
        rb_raise(rb_eArgError, "size must be between 1 and %ld, got %" PRIsVALUE,
                 (long)FT_LOCAL_BATCH_MAX_SIZE, size);
    }
    return (size_t)FIX2LONG(size);
}

// call-seq: Batch.new(size) { result }
static VALUE batch_initialize(VALUE object, VALUE size) {
    ruby_batch *self;
    TypedData_Get_Struct(object, ruby_batch, &batch_type, self);
    if (self->batch != NULL) {
        rb_raise(rb_eTypeError, "the batch is initialized already");
    }
    rb_need_block();
    self->source = rb_block_proc();
    self->waiters = rb_funcall(rb_hash_new(), rb_intern("compare_by_identity"), 0);
    self->size = check_size(size);
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.ctx = self;
    host.block = block;
    host.interrupted_plain = interrupted;
    host.one_lock = 1;
    host.free_ctx = free_context;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = self;
    source.fill = fill_one;
    check(ft_local_batch_new(&host, &source, self->size, &self->batch));
    batches++;
    return object;
}

static VALUE count_batches(VALUE module) {
    (void)module;
    return LONG2NUM(batches);
}

// Goes on with what the source raised. What it threw found no `catch` in its fiber, and looks for one
// here.
static void jump(int tag) {
    if (raised(uncaught_throw_error)) {
        VALUE error = rb_errinfo();
        rb_set_errinfo(Qnil);
        rb_throw_obj(rb_funcall(error, rb_intern("tag"), 0),
                     rb_funcall(error, rb_intern("value"), 0));
    }
    rb_jump_tag(tag);
}

// Lets the scheduler of a fiber go on with it.
static VALUE unblock(VALUE waiter) {
    rb_hash_delete(unwrap(rb_ary_entry(waiter, 0))->waiters, waiter);
    rb_ary_store(waiter, 3, Qtrue);
    return rb_fiber_scheduler_unblock(rb_ary_entry(waiter, 1), rb_ary_entry(waiter, 0),
                                      rb_ary_entry(waiter, 2));
}

// Called in some thread of Ruby, whose own exception stays. One of the scheduler is dropped.
static void wake(void *waiter) {
    if (!is_freeing) {
        VALUE error = rb_errinfo();
        int tag = 0;
        rb_protect(unblock, (VALUE)waiter, &tag);
        if (tag != 0) {
            rb_set_errinfo(RTEST(rb_obj_is_kind_of(error, rb_eException)) ? error : Qnil);
        }
    }
}

typedef struct {
    ruby_batch *batch;
    VALUE waiter, timeout;
    uint64_t ticket;
} registration;

static VALUE wait_in_scheduler(VALUE data) {
    const registration *it = (registration *)data;
    while (!RTEST(rb_ary_entry(it->waiter, 3))) {
        rb_fiber_scheduler_block(rb_ary_entry(it->waiter, 1), rb_ary_entry(it->waiter, 0),
                                 it->timeout);
        if (!NIL_P(it->timeout)) {
            break;
        }
    }
    return Qnil;
}

// A fiber that leaves without having been called, because it is out of time or an exception ends
// its wait.
static VALUE stop_waiting(VALUE data) {
    const registration *it = (registration *)data;
    if (!RTEST(rb_ary_entry(it->waiter, 3)) &&
        ft_local_batch_forget(it->batch->batch, it->ticket)) {
        rb_hash_delete(it->batch->waiters, it->waiter);
    }
    return Qnil;
}

static void wait_as_fiber(VALUE object, VALUE scheduler, VALUE timeout) {
    ruby_batch *self = unwrap(object);
    VALUE waiter = rb_ary_new_from_args(4, object, scheduler, rb_fiber_current(), Qfalse);
    rb_hash_aset(self->waiters, waiter, Qtrue);
    registration it = {.batch = self, .waiter = waiter, .timeout = timeout};
    ft_local_status status = ft_local_batch_notify(self->batch, wake, (void *)waiter, &it.ticket);
    if (status != FT_LOCAL_OK) {
        rb_hash_delete(self->waiters, waiter);
        check(status);
    }
    rb_ensure(wait_in_scheduler, (VALUE)&it, stop_waiting, (VALUE)&it);
    RB_GC_GUARD(waiter);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int64_t nanoseconds(double seconds) {
    return seconds > 9e9 ? -1 : (int64_t)(1e9 * (seconds < 0 ? 0 : seconds));
}

// Loads until `until`, negative for no limit. A fiber of a scheduler waits there, and does not block
// its thread.
static ft_local_status load_until(VALUE object, double until, void **value) {
    ft_local_batch *batch = unwrap(object)->batch;
    VALUE scheduler = rb_fiber_scheduler_current();
    for (;;) {
        double left = until < 0 ? -1 : until - now();
        int64_t timeout = until < 0 ? -1 : nanoseconds(left);
        ft_local_status status = NIL_P(scheduler) ? ft_local_batch_load_for(batch, timeout, value)
                                                  : ft_local_batch_load_now(batch, value);
        if (status == FT_LOCAL_ERR_INTERRUPTED) {
            // A signal's handler may return, or another thread had its turn: then this one waits on.
            rb_thread_check_ints();
        } else if (status != FT_LOCAL_ERR_WOULD_WAIT) {
            return status;
        } else if (until >= 0 && left <= 0) {
            return FT_LOCAL_ERR_TIMED_OUT;
        } else {
            wait_as_fiber(object, scheduler, until < 0 ? Qnil : rb_float_new(left));
        }
    }
}

// How long a load may wait, from its keyword `timeout`; negative for no limit.
static double check_timeout(VALUE options) {
    static ID names[1];
    VALUE timeout = Qundef;
    if (names[0] == 0) {
        names[0] = rb_intern("timeout");
    }
    if (NIL_P(options)) {
        return -1;
    }
    rb_get_kwargs(options, names, 0, 1, &timeout);
    if (timeout == Qundef || NIL_P(timeout)) {
        return -1;
    }
    double seconds = NUM2DBL(timeout);
    if (!(seconds >= 0)) {
        rb_raise(rb_eArgError, "timeout must be 0 or more seconds, got %" PRIsVALUE, timeout);
    }
    return seconds;
}

// call-seq: load(timeout: nil) -> result
//
// Takes the next result; the block runs if there is none.
static VALUE batch_load(int argc, VALUE *argv, VALUE object) {
    VALUE options;
    rb_scan_args(argc, argv, "0:", &options);
    double timeout = check_timeout(options);
    void *value;
    ft_local_status status = load_until(object, timeout < 0 ? -1 : now() + timeout, &value);
    if (status > 0) {
        jump(status);
    }
    check(status);
    RB_GC_GUARD(object);
    return (VALUE)value;
}

// Yields results until the source has ended. Other threads get others.
static VALUE batch_each(VALUE object) {
    RETURN_ENUMERATOR(object, 0, NULL);
    void *value;
    ft_local_status status;
    while ((status = load_until(object, -1, &value)) == FT_LOCAL_OK) {
        rb_yield((VALUE)value);
    }
    if (status > 0) {
        jump(status);
    } else if (status != FT_LOCAL_ERR_END) {
        check(status);
    }
    return object;
}

// Ends the batch: drops what is ready. Later loads fail, and so do those that wait.
static VALUE batch_close(VALUE object) {
    check(ft_local_batch_close(unwrap(object)->batch));
    RB_GC_GUARD(object);
    return Qnil;
}

static VALUE batch_is_closed(VALUE object) {
    return ft_local_batch_is_closed(unwrap(object)->batch) ? Qtrue : Qfalse;
}

// How many loads have had to wait for another thread so far.
static VALUE batch_waits(VALUE object) {
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    check(ft_local_batch_stats(unwrap(object)->batch, &stats));
    return ULL2NUM(stats.waits);
}

// How many results are ready.
static VALUE batch_length(VALUE object) {
    return SIZET2NUM(ft_local_batch_len(unwrap(object)->batch));
}

static VALUE class_named(const char *name) {
    VALUE class = rb_const_get(rb_cObject, rb_intern(name));
    rb_gc_register_mark_object(class);
    return class;
}

void Init_ft_local(void);

void Init_ft_local(void) {
    closed_queue_error = class_named("ClosedQueueError");
    fiber_error = class_named("FiberError");
    uncaught_throw_error = class_named("UncaughtThrowError");
    rb_require("timeout");
    timeout_error = rb_const_get(class_named("Timeout"), rb_intern("Error"));
    rb_gc_register_mark_object(timeout_error);
    VALUE module = rb_define_module("FtLocal");
    rb_define_singleton_method(module, "batches", count_batches, 0);
    VALUE class = rb_define_class_under(module, "Batch", rb_cObject);
    rb_define_alloc_func(class, batch_alloc);
    rb_undef_method(class, "initialize_copy");
    rb_define_method(class, "initialize", batch_initialize, 1);
    rb_include_module(class, rb_mEnumerable);
    rb_define_method(class, "load", batch_load, -1);
    rb_define_method(class, "each", batch_each, 0);
    rb_define_method(class, "close", batch_close, 0);
    rb_define_method(class, "closed?", batch_is_closed, 0);
    rb_define_method(class, "waits", batch_waits, 0);
    rb_define_method(class, "length", batch_length, 0);
}
