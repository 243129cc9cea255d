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

// A call of Scheme code that must come back here. It may leave in two ways, by an exception and by
// a continuation, and neither may pass through the library's frames.
typedef struct call {
    SCM thunk;
    SCM result;
    // A continuation that leaves `thunk` has no exception: `returned` tells.
    bool returned;
    // The exception, if `key` is not #f.
    SCM key;
    SCM args;
} call;

// What the innermost load of this thread failed with, on the stack of that load, where the
// collector sees it.
static _Thread_local call *failure;

static void refuse_continuation(void *arg) {
    call *self = arg;
    if (!self->returned && scm_is_false(self->key)) {
        scm_misc_error("batch-load", "a source must return or throw, not leave by a continuation",
                       SCM_EOL);
    }
}

static SCM call_thunk(void *arg) {
    call *self = arg;
    scm_dynwind_begin(0);
    scm_dynwind_unwind_handler(refuse_continuation, self, 0);
    self->result =
        SCM_UNBNDP(self->thunk) ? (scm_async_tick(), SCM_BOOL_F) : scm_call_0(self->thunk);
    self->returned = true;
    scm_dynwind_end();
    return SCM_BOOL_T;
}

static SCM note_throw(void *arg, SCM key, SCM args) {
    call *self = arg;
    self->key = key;
    self->args = args;
    return SCM_BOOL_F;
}

// Whether `thunk` returned; if not, the load that this happens in gets to know why.
static bool call_safely(SCM thunk, SCM *result) {
    call self = {.thunk = thunk, .key = SCM_BOOL_F, .args = SCM_EOL};
    scm_c_catch(SCM_BOOL_T, call_thunk, &self, note_throw, &self, note_throw, &self);
    if (!self.returned) {
        failure->key = self.key;
        failure->args = self.args;
    }
    *result = self.result;
    return self.returned;
}

static int32_t fill(void *ctx, void **out, size_t capacity, size_t *produced) {
    (void)capacity;
    SCM result;
    if (!call_safely(*(SCM *)ctx, &result)) {
        return 1;
    }
    *out = retain(SCM_UNPACK_POINTER(result));
    *produced = 1;
    return 0;
}

// Runs what waits to run in this thread, such as the handler of a signal, which may throw.
static int32_t interrupted(void) {
    SCM ignored;
    return failure != NULL && !call_safely(SCM_UNDEFINED, &ignored);
}

static SCM batch_type;

// Slots of the foreign object: the handle, and the protected place of the source.
enum { HANDLE, SOURCE };

static ft_local_batch *batch_of(SCM object) {
    scm_assert_foreign_object_type(batch_type, object);
    return scm_foreign_object_ref(object, HANDLE);
}

static void finalize(SCM object) {
    SCM *source = scm_foreign_object_ref(object, SOURCE);
    ft_local_batch_free(scm_foreign_object_ref(object, HANDLE));
    scm_gc_unprotect_object(*source);
    free(source);
}

static void raise_status(const char *who, ft_local_status status) {
    scm_misc_error(who, "~A",
                   scm_list_1(scm_from_utf8_string(status == FT_LOCAL_ERR_ARGUMENT
                                                       ? ft_local_last_error()
                                                       : ft_local_status_text(status))));
}

static SCM make_batch(SCM thunk, SCM size) {
    SCM_ASSERT_TYPE(scm_is_true(scm_thunk_p(thunk)), thunk, 1, "make-batch", "thunk");
    size_t slots = scm_to_size_t(size);
    SCM *place = scm_malloc(sizeof *place);
    *place = scm_gc_protect_object(thunk);
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.retain_plain = retain;
    host.release_plain = release;
    host.block = block;
    host.interrupted_plain = interrupted;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.ctx = place;
    source.fill = fill;
    ft_local_batch *batch;
    ft_local_status status = ft_local_batch_new(&host, &source, slots, &batch);
    if (status != FT_LOCAL_OK) {
        scm_gc_unprotect_object(thunk);
        free(place);
        raise_status("make-batch", status);
    }
    return scm_make_foreign_object_2(batch_type, batch, place);
}

static SCM batch_load(SCM object) {
    ft_local_batch *batch = batch_of(object);
    call mine = {.key = SCM_BOOL_F, .args = SCM_EOL};
    call *outer = failure;
    failure = &mine;
    void *loaded;
    ft_local_status status = ft_local_batch_load(batch, &loaded);
    failure = outer;
    scm_remember_upto_here_1(object);
    if (status == FT_LOCAL_OK) {
        // On the stack, where the collector finds it, before it is given up.
        SCM result = SCM_PACK_POINTER(loaded);
        release(loaded);
        scm_remember_upto_here_1(result);
        return result;
    }
    if (scm_is_true(mine.key)) {
        scm_throw(mine.key, mine.args);
    }
    raise_status("batch-load", status);
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

static SCM count_protected(void) {
    return scm_from_long(atomic_load(&protected_now));
}

void init_ft_local(void) {
    batch_type = scm_permanent_object(scm_make_foreign_object_type(
        scm_from_utf8_symbol("batch"),
        scm_list_2(scm_from_utf8_symbol("handle"), scm_from_utf8_symbol("source")), finalize));
    scm_c_define_gsubr("make-batch", 2, 0, 0, (scm_t_subr)make_batch);
    scm_c_define_gsubr("batch-load", 1, 0, 0, (scm_t_subr)batch_load);
    scm_c_define_gsubr("batch-clear!", 1, 0, 0, (scm_t_subr)batch_clear);
    scm_c_define_gsubr("batch-length", 1, 0, 0, (scm_t_subr)batch_length);
    scm_c_define_gsubr("protected-count", 0, 0, 0, (scm_t_subr)count_protected);
}
