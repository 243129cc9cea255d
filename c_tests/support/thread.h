// Threads of a test.

#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

// Starts a thread that runs `function`.
pthread_t start_thread(void *(*function)(void *), void *arg);

// Waits for its end.
void end_thread(pthread_t thread);

#endif
