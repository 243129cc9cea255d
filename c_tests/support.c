// The fake host finds what it is there to find: each of these mistakes stops the program.

#include "check.h"
#include "fake_host.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void release_twice(fake_host *host) {
    fake_object *object = fake_object_new(host, 1);
    fake_object_release(object);
    fake_object_release(object);
}

static void retain_the_dead(fake_host *host) {
    fake_object *object = fake_object_new(host, 1);
    fake_object_release(object);
    fake_object_retain(object);
}

static void ask_the_dead(fake_host *host) {
    fake_object *object = fake_object_new(host, 1);
    fake_object_release(object);
    fake_object_references(object);
}

static void release_a_handle_twice(fake_host *host) {
    host->retain_makes_handles = true;
    fake_object *object = fake_object_new(host, 1);
    fake_object *handle = fake_object_retain(object);
    fake_object_release(handle);
    fake_object_release(handle);
}

static void forget_an_object(fake_host *host) {
    fake_object_new(host, 1);
    fake_host_end(host);
}

static void mistake_the_host(fake_host *host) {
    fake_host other = {0};
    ft_local_host table = fake_host_table(&other);
    table.release(&other, fake_object_new(host, 1));
}

static void report_an_object(fake_host *host) {
    fake_object_new(host, 1);
    if (fake_hosts_report() == 1) {
        abort();
    }
}

static void stops(void (*mistake)(fake_host *host)) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        // What it says is expected, and none of the reader's business.
        CHECK(freopen("/dev/null", "w", stderr) != NULL);
        fake_host host = {0};
        mistake(&host);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void each_mistake_stops_the_program(void) {
    stops(release_twice);
    stops(retain_the_dead);
    stops(ask_the_dead);
    stops(release_a_handle_twice);
    stops(forget_an_object);
    stops(mistake_the_host);
    stops(report_an_object);
}

static void a_host_without_mistakes_is_left_alone(void) {
    fake_host host = {.retain_makes_handles = true};
    fake_object *object = fake_object_new(&host, 1);
    fake_object *handle = fake_object_retain(object);
    fake_object_release(object);
    CHECK_EQ(fake_object_references(object), 1);
    fake_object_release(handle);
    fake_host_end(&host);
}

int main(void) {
    RUN(each_mistake_stops_the_program);
    RUN(a_host_without_mistakes_is_left_alone);
    return fake_hosts_report();
}
