// All tests of fork.c on a kernel that wipes nothing in a child, as those before Linux 4.14.

#define _GNU_SOURCE

#include "check.h"
#include "filter.h"

#ifdef HAVE_FILTER

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    CHECK(argc == 1);
    filter_calls(SYS_madvise, SECCOMP_RET_ERRNO | EINVAL, 1, MADV_WIPEONFORK);
    void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK_EQ(madvise(page, 1, MADV_WIPEONFORK), -1);
    // The program beside this one.
    char path[4096];
    const char *name = strrchr(argv[0], '/');
    int folder = name ? (int)(name + 1 - argv[0]) : 0;
    CHECK(snprintf(path, sizeof path, "%.*stest_fork", folder, argv[0]) < (int)sizeof path);
    execl(path, path, (char *)NULL);
    CHECK_FAIL("%s does not start: %s", path, strerror(errno));
}

#else

int main(void) {
    return 0;
}

#endif
