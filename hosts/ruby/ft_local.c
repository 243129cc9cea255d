// FtLocal::Batch for Ruby. Results are plain values to the library; the collector keeps them alive
// because the batch marks them, so that nothing is pinned for longer and circles are collected.

#include <ft_local.h>
#include <ruby.h>
#include <ruby/thread.h>

typedef struct {
    ft_local_batch *batch;
    VALUE source;
    size_t size;
    // How the thread that was interrupted goes on. The lock is held from here to `rb_jump_tag`.
    int interrupt;
} ruby_batch;

static int32_t mark_one(void *value, void *arg) {
    (void)arg;
    rb_gc_mark((VALUE)value);
    return 0;
}

static void batch_mark(void *data) {
    ruby_batch *self = data;
    rb_gc_mark(self->source);
    if (self->batch != NULL) {
        ft_local_batch_visit(self->batch, mark_one, NULL);
    }
}

static void batch_free(void *data) {
    ft_local_batch_free(((ruby_batch *)data)->batch);
    ruby_xfree(data);
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
    self->source = Qnil;
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

static VALUE call_source(VALUE source) {
    return rb_proc_call_kw(source, rb_ary_new(), 0);
}

// An exception, `throw` or `break` of the source stops here. Its tag is the status of the load that
// ran the source, where it goes on.
static int32_t fill_one(void *ctx, void **out, size_t capacity, size_t *produced) {
    ruby_batch *self = ctx;
    int tag = 0;
    (void)capacity;
    VALUE value = rb_protect(call_source, self->source, &tag);
    if (tag == 0) {
        out[0] = (void *)value;
        *produced = 1;
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

// The variant with a 2 raises nothing, which would jump over the library; when an interrupt is
// pending it returns at once, and the library asks `interrupted` next.
static void block(void *ctx, ft_local_wait wait, void *arg) {
    (void)ctx;
    rb_thread_call_without_gvl2(call_wait, &(call){wait, arg}, NULL, NULL);
}

static VALUE check_interrupts(VALUE unused) {
    rb_thread_check_ints();
    return unused;
}

static int32_t interrupted(void *ctx) {
    ruby_batch *self = ctx;
    int tag = 0;
    rb_protect(check_interrupts, Qnil, &tag);
    if (tag != 0) {
        self->interrupt = tag;
    }
    return tag;
}

static void check(ft_local_status status) {
    switch (status) {
    case FT_LOCAL_OK:
        return;
    case FT_LOCAL_ERR_ARGUMENT:
        rb_raise(rb_eArgError, "%s", ft_local_last_error());
    case FT_LOCAL_ERR_NO_MEMORY:
        rb_memerror();
    case FT_LOCAL_ERR_REENTRANT:
    case FT_LOCAL_ERR_DEADLOCK:
        rb_raise(rb_eThreadError, "%s", ft_local_status_text(status));
    default:
        rb_raise(rb_eRuntimeError, "%s", ft_local_status_text(status));
    }
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
    self->size = NUM2SIZET(size);
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.ctx = self;
    host.block = block;
    host.interrupted = interrupted;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = self;
    source.fill = fill_one;
    check(ft_local_batch_new(&host, &source, self->size, &self->batch));
    return object;
}

// Takes the next result; the block runs if there is none.
static VALUE batch_load(VALUE object) {
    ruby_batch *self = unwrap(object);
    void *value;
    ft_local_status status = ft_local_batch_load(self->batch, &value);
    if (status > 0) {
        rb_jump_tag(status);
    } else if (status == FT_LOCAL_ERR_INTERRUPTED) {
        rb_jump_tag(self->interrupt);
    }
    check(status);
    RB_GC_GUARD(object);
    return (VALUE)value;
}

// How many results are ready.
static VALUE batch_length(VALUE object) {
    return SIZET2NUM(ft_local_batch_len(unwrap(object)->batch));
}

void Init_ft_local(void);

void Init_ft_local(void) {
    VALUE class = rb_define_class_under(rb_define_module("FtLocal"), "Batch", rb_cObject);
    rb_define_alloc_func(class, batch_alloc);
    rb_undef_method(class, "initialize_copy");
    rb_define_method(class, "initialize", batch_initialize, 1);
    rb_define_method(class, "load", batch_load, 0);
    rb_define_method(class, "length", batch_length, 0);
}
