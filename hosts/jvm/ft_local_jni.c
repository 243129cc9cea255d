// The native half of Batch.java. Handles are global references; each thread has its own JNIEnv.

#include "ft_local_Batch.h"

#include <ft_local.h>

static JavaVM *vm;
static jmethodID get, interrupted;
static jclass thread_class;

// The source of the load that this thread is in. It is Java's to keep, so that the collector sees
// a source that refers to its batch. Global references would hide such a circle from it.
static _Thread_local jobject source_of_this_load;

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

// NULL with an exception pending in this thread, which is the one whose load ran the source.
static void *make_one(void *unused) {
    (void)unused;
    JNIEnv *env = env_of_this_thread();
    jobject local = (*env)->CallObjectMethod(env, source_of_this_load, get);
    if ((*env)->ExceptionCheck(env)) {
        return NULL;
    }
    if (local == NULL) {
        throw_new(env, "java/lang/NullPointerException", "the source returned null");
        return NULL;
    }
    jobject handle = (*env)->NewGlobalRef(env, local);
    // A fill may call this many times before it returns to Java, which would free local references.
    (*env)->DeleteLocalRef(env, local);
    if (handle == NULL && !(*env)->ExceptionCheck(env)) {
        throw_new(env, "java/lang/OutOfMemoryError", "no memory for a global reference");
    }
    return handle;
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
    source.next_plain = make_one;
    ft_local_batch *batch;
    ft_local_status status = ft_local_batch_new(&host, &source, (size_t)size, &batch);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
    }
    return (jlong)batch;
}

JNIEXPORT jobject JNICALL Java_ft_1local_Batch_load(JNIEnv *env, jclass class, jlong batch,
                                                    jobject source) {
    (void)class;
    // A source may load from other batches, whose sources are others.
    jobject outer = source_of_this_load;
    source_of_this_load = source;
    void *handle;
    ft_local_status status = ft_local_batch_load((ft_local_batch *)batch, &handle);
    source_of_this_load = outer;
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
        return NULL;
    }
    jobject result = (*env)->NewLocalRef(env, handle);
    (*env)->DeleteGlobalRef(env, handle);
    return result;
}

JNIEXPORT jlong JNICALL Java_ft_1local_Batch_length(JNIEnv *env, jclass class, jlong batch) {
    (void)env, (void)class;
    return (jlong)ft_local_batch_len((ft_local_batch *)batch);
}

JNIEXPORT jlong JNICALL Java_ft_1local_Batch_waits(JNIEnv *env, jclass class, jlong batch) {
    (void)class;
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    ft_local_status status = ft_local_batch_stats((ft_local_batch *)batch, &stats);
    if (status != FT_LOCAL_OK) {
        throw_status(env, status);
    }
    return (jlong)stats.waits;
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
