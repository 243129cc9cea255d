#include "thread.h"

#include "check.h"

pthread_t start_thread(void *(*function)(void *), void *arg) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, function, arg), 0);
    return thread;
}

void end_thread(pthread_t thread) {
    CHECK_EQ(pthread_join(thread, NULL), 0);
}
