// A fork while another thread is in the middle of making the first batch of the process: the child
// has that thread's half, and no thread that would do the rest.

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "fake_source.h"
#include "filter.h"

#ifdef HAVE_FILTER

#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static pid_t parent;
static atomic_bool half_made;
static atomic_bool go_on;

// The library asks the system for heavy barriers when it makes the first batch. The filter stops
// the thread there.
static void in_the_middle(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)info;
    if (getpid() == parent) {
        atomic_store(&half_made, true);
        while (!atomic_load(&go_on)) {
            sched_yield();
        }
    }
    mcontext_t *registers = &((ucontext_t *)context)->uc_mcontext;
#ifdef __x86_64__
    registers->gregs[REG_RAX] = -ENOSYS;
#else
    registers->regs[0] = (unsigned long long)-ENOSYS;
#endif
}

static void *make_and_load(void *unused) {
    (void)unused;
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch *batch = fake_source_batch(&source, 4);
    load_expecting(batch, 0);
    ft_local_batch_free(batch);
    fake_host_end(&host);
    return NULL;
}

static void child_makes_its_first(void *unused) {
    // A child that waits for the parent's thread waits until this.
    alarm(20);
    make_and_load(unused);
}

static void a_child_is_not_held_up_by_what_the_parent_has_half_made(void) {
    parent = getpid();
    struct sigaction action = {.sa_sigaction = in_the_middle, .sa_flags = SA_SIGINFO};
    CHECK_EQ(sigaction(SIGSYS, &action, NULL), 0);
    filter_calls(SYS_membarrier, SECCOMP_RET_TRAP, 0, 0);
    pthread_t maker;
    CHECK_EQ(pthread_create(&maker, NULL, make_and_load, NULL), 0);
    while (!atomic_load(&half_made)) {
        sched_yield();
    }
    passes_in_child(child_makes_its_first, NULL);
    passes_in_child_of(bare_clone, child_makes_its_first, NULL);
    atomic_store(&go_on, true);
    CHECK_EQ(pthread_join(maker, NULL), 0);
}

int main(void) {
    RUN(a_child_is_not_held_up_by_what_the_parent_has_half_made);
    return fake_hosts_report();
}

#else

int main(void) {
    return 0;
}

#endif
