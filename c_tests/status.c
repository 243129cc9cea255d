// Statuses, their texts, and the message that goes with an argument error.

#include "check.h"
#include "ft_local.h"

#include <pthread.h>

static void numbers_stay_what_they_are(void) {
    CHECK_EQ(FT_LOCAL_OK, 0);
    CHECK_EQ(FT_LOCAL_ERR_ARGUMENT, -1);
    CHECK_EQ(FT_LOCAL_ERR_NO_MEMORY, -2);
    CHECK_EQ(FT_LOCAL_ERR_RETAIN, -3);
    CHECK_EQ(FT_LOCAL_ERR_SOURCE, -4);
    CHECK_EQ(FT_LOCAL_ERR_NOTHING_PRODUCED, -5);
    CHECK_EQ(FT_LOCAL_ERR_REENTRANT, -6);
    CHECK_EQ(FT_LOCAL_ERR_INTERRUPTED, -7);
    CHECK_EQ(FT_LOCAL_ERR_PANIC, -8);
    CHECK_EQ(FT_LOCAL_ERR_DEADLOCK, -9);
    CHECK_EQ(FT_LOCAL_ERR_END, -10);
    CHECK_EQ(FT_LOCAL_ERR_CLOSED, -11);
    CHECK_EQ(FT_LOCAL_ERR_TIMED_OUT, -12);
    CHECK_EQ(FT_LOCAL_ERR_EMPTY, -13);
    CHECK_EQ(FT_LOCAL_ERR_FORKED, -14);
    CHECK_EQ(FT_LOCAL_ERR_WOULD_WAIT, -15);
}

static void each_status_has_a_text_of_its_own(void) {
    // Behind those of the library: one that it does not know, and one of a source's own.
    const ft_local_status statuses[] = {
        FT_LOCAL_OK,
        FT_LOCAL_ERR_ARGUMENT,
        FT_LOCAL_ERR_NO_MEMORY,
        FT_LOCAL_ERR_RETAIN,
        FT_LOCAL_ERR_SOURCE,
        FT_LOCAL_ERR_NOTHING_PRODUCED,
        FT_LOCAL_ERR_REENTRANT,
        FT_LOCAL_ERR_INTERRUPTED,
        FT_LOCAL_ERR_PANIC,
        FT_LOCAL_ERR_DEADLOCK,
        FT_LOCAL_ERR_END,
        FT_LOCAL_ERR_CLOSED,
        FT_LOCAL_ERR_TIMED_OUT,
        FT_LOCAL_ERR_EMPTY,
        FT_LOCAL_ERR_FORKED,
        FT_LOCAL_ERR_WOULD_WAIT,
        INT32_MIN,
        1,
    };
    for (size_t a = 0; a < sizeof statuses / sizeof *statuses; a++) {
        CHECK(strlen(ft_local_status_text(statuses[a])) > 0);
        for (size_t b = 0; b < a; b++) {
            CHECK(strcmp(ft_local_status_text(statuses[a]), ft_local_status_text(statuses[b])));
        }
    }
}

static void all_codes_of_sources_share_a_text_and_so_do_unknown_statuses(void) {
    CHECK_PTR(ft_local_status_text(INT32_MAX), ft_local_status_text(1));
    CHECK_PTR(ft_local_status_text(-1000), ft_local_status_text(INT32_MIN));
}

static void fail_once(void) {
    CHECK_EQ(ft_local_host_init(NULL, 0), FT_LOCAL_ERR_ARGUMENT);
}

static void *the_message_of_a_new_thread(void *arg) {
    (void)arg;
    CHECK_EQ(strlen(ft_local_last_error()), 0);
    CHECK_EQ(ft_local_source_init(NULL, 0), FT_LOCAL_ERR_ARGUMENT);
    CHECK_SAYS(ft_local_last_error(), "source");
    return NULL;
}

static void each_thread_has_its_own_message(void) {
    fail_once();
    CHECK_SAYS(ft_local_last_error(), "host");
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, the_message_of_a_new_thread, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_SAYS(ft_local_last_error(), "host");
}

static void success_leaves_the_message(void) {
    fail_once();
    ft_local_source source;
    CHECK_EQ(ft_local_source_init(&source, sizeof source), FT_LOCAL_OK);
    CHECK_SAYS(ft_local_last_error(), "host");
}

int main(void) {
    CHECK_EQ(strlen(ft_local_last_error()), 0);
    RUN(numbers_stay_what_they_are);
    RUN(each_status_has_a_text_of_its_own);
    RUN(all_codes_of_sources_share_a_text_and_so_do_unknown_statuses);
    RUN(each_thread_has_its_own_message);
    RUN(success_leaves_the_message);
    return 0;
}
