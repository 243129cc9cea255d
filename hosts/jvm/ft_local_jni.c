// The native half of Batch.java. Handles are global references; each thread has its own JNIEnv.

#include "ft_local_Batch.h"

#include <ft_local.h>
#include <stdbool.h>

static JavaVM *vm;
static jmethodID get, interrupted, wake_waiter;
static jclass thread_class;
// What a source returns to end, and a load that would wait.
static jobject end, would_wait;

// What travels with a load. The source is Java's to keep, so that the collector sees a source that
// refers to its batch. Global references would hide such a circle from it.
typedef struct {
    JNIEnv *env;
    jobject source;
} load_call;

static JNIEnv *env_of_this_thread(void) {
    void *env = NULL;
    // Each thread that calls the library comes from Java, and is attached.
    (void)(*vm)->GetEnv(vm, &env, JNI_VERSION_10);
    return env;
}

static void throw_new(JNIEnv *env, const char *class_name, const char *message) {
    jclass class = (*env)->FindClass(env, class_name);
    if (class != NULL) {
        (*env)->ThrowNew(env, class, message);
    }
}

// A positive status with an exception pending in this thread, which is the one whose load ran the
// source.
static int32_t make_one(void *unused, void *arg, void **out, size_t capacity, size_t *produced) {
    (void)unused, (void)capacity;
    const load_call *call = arg;
    JNIEnv *env = call->env;
    jobject local = (*env)->CallObjectMethod(env, call->source, get);
    if ((*env)->ExceptionCheck(env)) {
        return 1;
    }
    if (local == NULL) {
        throw_new(env, "java/lang/NullPointerException", "the source returned null");
        return 1;
    }
    if ((*env)->IsSameObject(env, local, end)) {
        (*env)->DeleteLocalRef(env, local);
        return FT_LOCAL_ERR_END;
    }
    out[0] = (*env)->NewGlobalRef(env, local);
    // A fill may call this many times before it returns to Java, which would free local references.
    (*env)->DeleteLocalRef(env, local);
    if (out[0] == NULL) {
        if (!(*env)->ExceptionCheck(env)) {
            throw_new(env, "java/lang/OutOfMemoryError", "no memory for a global reference");
        }
        return 1;
    }
    *produced = 1;
    return FT_LOCAL_OK;
}

// Lets a waiter try again. `waiter` is its global reference.
static void wake(void *waiter) {
    JNIEnv *env = env_of_this_thread();
    // An exception of the source may be pending in this thread, which has loaded.
    jthrowable pending = (*env)->ExceptionOccurred(env);
    (*env)->ExceptionClear(env);
    (*env)->CallVoidMethod(env, waiter, wake_waiter);
    bool failed = (*env)->ExceptionCheck(env);
    (*env)->DeleteGlobalRef(env, waiter);
    if (pending != NULL) {
        if (failed) {
            (*env)->ExceptionClear(env);
        }
        (*env)->Throw(env, pending);
        (*env)->DeleteLocalRef(env, pending);
    }
}

static void release(void *handle) {
    JNIEnv *env = env_of_this_thread();
    (*env)->DeleteGlobalRef(env, handle);
}

// Clears the flag, as a method that throws an InterruptedException does.
static int32_t is_interrupted(void) {
    JNIEnv *env = env_of_this_thread();
    jboolean answer = (*env)->CallStaticBooleanMethod(env, thread_class, interrupted);
    return (*env)->ExceptionCheck(env) || answer;
}

static void throw_status(JNIEnv *env, ft_local_status status) {
    const char *text = ft_local_status_text(status);
    if ((*env)->ExceptionCheck(env)) {
        return; // The source's own, which goes on to the caller.
    }
    switch (status) {
    case FT_LOCAL_ERR_ARGUMENT:
        throw_new(env, "java/lang/IllegalArgumentException", ft_local_last_error());
        break;
    case FT_LOCAL_ERR_NO_MEMORY:
        throw_new(env, "java/lang/OutOfMemoryError", text);
        break;
    case FT_LOCAL_ERR_INTERRUPTED:
        throw_new(env, "java/lang/InterruptedException", text);
        break;
    default:
        throw_new(env, "java/lang/IllegalStateException", text);
    }
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *java, void *reserved) {
    (void)reserved;
    vm = java;
    JNIEnv *env = env_of_this_thread();
    jclass supplier = (*env)->FindClass(env, "java/util/function/Supplier");
    if (supplier == NULL) {
        return JNI_ERR;
    }
    get = (*env)->GetMethodID(env, supplier, "get", "()Ljava/lang/Object;");
    jclass thread = get == NULL ? NULL : (*env)->FindClass(env, "java/lang/Thread");
    if (thread == NULL) {
        return JNI_ERR;
    }
    interrupted = (*env)->GetStaticMethodID(env, thread, "interrupted", "()Z");
    thread_class = interrupted == NULL ? NULL : (*env)->NewGlobalRef(env, thread);
    return thread_class == NULL ? JNI_ERR : JNI_VERSION_10;
}

JNIEXPORT void JNICALL Java_ft_1local_Batch_begin(JNIEnv *env, jclass class, jclass waiter,
                                                  jobject end_of_source, jobject must_wait) {
    (void)class;
    wake_waiter = (*env)->GetMethodID(env, waiter, "wake", "()V");
    end = (*env)->NewGlobalRef(env, end_of_source);
    would_wait = (*env)->NewGlobalRef(env, must_wait);
}

JNIEXPORT jlong JNICALL Java_ft_1local_Batch_maxSize(JNIEnv *env, jclass class) {
    (void)env, (void)class;
    return FT_LOCAL_BATCH_MAX_SIZE;
}

JNIEXPORT jlong JNICALL Java_ft_1local_Batch_create(JNIEnv *env, jclass class, jlong size) {
    (void)class;
    ft_local_host host = FT_LOCAL_HOST_INIT;
    host.release_plain = release;
    host.interrupted_plain = is_interrupted;
    ft_local_source source = FT_LOCAL_SOURCE_INIT;
    source.fill_with = make_one;
    ft_local_batch *batch;
    ft_local_status status = ft_local_batch_new(&host, &source, (size_t)size, &batch);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
    }
    return (jlong)batch;
}

// Never waits: a thread waits in Java, where a virtual one gives its carrier to others.
JNIEXPORT jobject JNICALL Java_ft_1local_Batch_loadNow(JNIEnv *env, jclass class, jlong batch,
                                                       jobject source) {
    (void)class;
    load_call call = {env, source};
    void *handle;
    ft_local_status status = ft_local_batch_load_with((ft_local_batch *)batch, &call, 0, &handle);
    if (status == FT_LOCAL_ERR_WOULD_WAIT || status == FT_LOCAL_ERR_END) {
        return (*env)->NewLocalRef(env, status == FT_LOCAL_ERR_END ? end : would_wait);
    }
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
        return NULL;
    }
    jobject result = (*env)->NewLocalRef(env, handle);
    (*env)->DeleteGlobalRef(env, handle);
    return result;
}

// Registers a waiter, and stores its ticket and its global reference, which `forget` frees.
JNIEXPORT void JNICALL Java_ft_1local_Batch_register(JNIEnv *env, jclass class, jlong batch,
                                                     jobject waiter, jlongArray registration) {
    (void)class;
    jobject kept = (*env)->NewGlobalRef(env, waiter);
    if (kept == NULL) {
        throw_status(env, FT_LOCAL_ERR_NO_MEMORY);
        return;
    }
    uint64_t ticket;
    ft_local_status status = ft_local_batch_notify((ft_local_batch *)batch, wake, kept, &ticket);
    if (status != FT_LOCAL_OK) {
        (*env)->DeleteGlobalRef(env, kept);
        throw_status(env, status);
        return;
    }
    const jlong stored[] = {(jlong)ticket, (jlong)kept};
    (*env)->SetLongArrayRegion(env, registration, 0, 2, stored);
}

// For a waiter that does not try again.
JNIEXPORT void JNICALL Java_ft_1local_Batch_forget(JNIEnv *env, jclass class, jlong batch,
                                                   jlong ticket, jlong reference) {
    (void)class;
    if (ft_local_batch_forget((ft_local_batch *)batch, (uint64_t)ticket)) {
        (*env)->DeleteGlobalRef(env, (jobject)reference);
    }
}

JNIEXPORT jlong JNICALL Java_ft_1local_Batch_length(JNIEnv *env, jclass class, jlong batch) {
    (void)env, (void)class;
    return (jlong)ft_local_batch_len((ft_local_batch *)batch);
}

JNIEXPORT void JNICALL Java_ft_1local_Batch_close(JNIEnv *env, jclass class, jlong batch) {
    (void)class;
    ft_local_status status = ft_local_batch_close((ft_local_batch *)batch);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
    }
}

JNIEXPORT void JNICALL Java_ft_1local_Batch_free(JNIEnv *env, jclass class, jlong batch) {
    (void)env, (void)class;
    ft_local_batch_free((ft_local_batch *)batch);
}
