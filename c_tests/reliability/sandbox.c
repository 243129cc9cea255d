// A kernel that refuses system calls, from the start or from some moment on, as sandboxes do: the
// library works on, and each number comes once.

#define _GNU_SOURCE

#include "check.h"
#include "child.h"
#include "crowd.h"
#include "filter.h"

#ifdef HAVE_FILTER

#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 4, STEPS = 4000 };

// Refuses a wait for a futex that has a timeout. Half of the pointer to it says whether it has one.
static void refuse_timed_waits(uint32_t answer) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAIT_PRIVATE, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
    uint32_t word = 0;
    const struct timespec period = {.tv_nsec = 1};
    CHECK_EQ(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &period), -1);
    CHECK(errno != ETIMEDOUT);
}

static void refuse_barriers(uint32_t answer) {
    filter_calls(SYS_membarrier, answer, 0, 0);
    CHECK_EQ(syscall(SYS_membarrier, 0, 0, 0), -1);
}

static void refuse_advice(uint32_t answer) {
    filter_calls(SYS_madvise, answer, 0, 0);
}

static void refuse_signal_masks(uint32_t answer) {
    filter_calls(SYS_rt_sigprocmask, answer, 0, 0);
}

static void refuse_yields(uint32_t answer) {
    filter_calls(SYS_sched_yield, answer, 0, 0);
}

static void refuse_random_numbers(uint32_t answer) {
    filter_calls(SYS_getrandom, answer, 0, 0);
}

static void refuse_all(uint32_t answer) {
    refuse_barriers(answer);
    refuse_advice(answer);
    refuse_yields(answer);
    refuse_random_numbers(answer);
    refuse_timed_waits(answer);
}

static const struct refusal {
    const char *name;
    void (*refuse)(uint32_t answer);
} refusals[] = {
    {"membarrier", refuse_barriers},
    {"madvise", refuse_advice},
    {"futex with a timeout", refuse_timed_waits},
    {"rt_sigprocmask", refuse_signal_masks},
    {"sched_yield", refuse_yields},
    {"getrandom", refuse_random_numbers},
    {"all that may be", refuse_all},
};

enum { REFUSALS = sizeof refusals / sizeof *refusals };

static const int answers[] = {EPERM, ENOSYS, EINVAL};

// What the child of a process under a filter must still be able to do.
static void use_in_child(void *arg) {
    (void)arg;
    crowd_of(2, 8, true, 50);
}

static void use_all(void) {
    crowd_of(THREADS, 1, false, STEPS / 4);
    crowd_of(THREADS, 16, true, STEPS);
    passes_in_child(use_in_child, NULL);
}

typedef struct scene {
    const struct refusal *refusal;
    int answer;
} scene;

// A batch that was made before, in whose middle the refusal begins, and batches that come later.
// A thread is under the filters of the thread that started it.
static void refuse_later(void *arg) {
    const scene *here = arg;
    alarm(100);
    static crowd all = {.threads = 0, .size = 8, .interruptible = true};
    crowd_begin(&all);
    void *object = NULL;
    CHECK_EQ(ft_local_batch_load(all.batch, &object), FT_LOCAL_OK);
    CHECK_EQ((uintptr_t)object, 1);
    here->refusal->refuse(SECCOMP_RET_ERRNO | (uint32_t)here->answer);
    for (uintptr_t expected = 2; expected < 100; expected++) {
        CHECK_EQ(ft_local_batch_load(all.batch, &object), FT_LOCAL_OK);
        CHECK_EQ((uintptr_t)object, expected);
    }
    ft_local_batch_free(all.batch);
    use_all();
}

static void later_refusals_change_nothing(void) {
    for (int index = 0; index < REFUSALS; index++) {
        for (size_t answer = 0; answer < sizeof answers / sizeof *answers; answer++) {
            scene here = {&refusals[index], answers[answer]};
            passes_in_child(refuse_later, &here);
        }
        printf("  refused later: %s\n", refusals[index].name);
    }
}

// This program again, in a process that is refused the call before the library is loaded.
static void begin_refused(void *arg) {
    const scene *here = arg;
    here->refusal->refuse(SECCOMP_RET_ERRNO | (uint32_t)here->answer);
    execl("/proc/self/exe", "sandbox", "use", (char *)NULL);
    CHECK_FAIL("this program does not start again: %s", strerror(errno));
}

static void early_refusals_change_nothing(void) {
    for (int index = 0; index < REFUSALS; index++) {
        for (size_t answer = 0; answer < sizeof answers / sizeof *answers; answer++) {
            scene here = {&refusals[index], answers[answer]};
            passes_in_child(begin_refused, &here);
        }
        printf("  refused from the start: %s\n", refusals[index].name);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "use") == 0) {
        alarm(100);
        use_all();
        return 0;
    }
    RUN(later_refusals_change_nothing);
    RUN(early_refusals_change_nothing);
    return 0;
}

#else

int main(void) {
    return 77;
}

#endif
