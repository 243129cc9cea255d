/* Drives the recipe of docs/leasing.md, which is compiled in front of this.
 *
 *     recipe HOST PORT KEY BLOCK THREADS COUNT FORKS
 *
 * Threads use COUNT ids each, here and in FORKS children, and write them to standard output, 8 bytes
 * each; a thread tries again while the store is away. Standard error gets the peak of memory, in KiB.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

static ft_local_batch *ids;
static long count;

static void *use(void *unused) {
    for (long done = 0; done < count;) {
        void *id;
        ft_local_status status = ft_local_batch_load(ids, &id);
        if (status == STORE_FAILED) {
            continue;
        }
        if (status != FT_LOCAL_OK || write(1, &id, sizeof id) != (ssize_t)sizeof id) {
            abort();
        }
        done++;
    }
    return unused;
}

static void run(int threads) {
    pthread_t thread[64];
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&thread[i], NULL, use, NULL) != 0) {
            abort();
        }
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
}

int main(int argc, char **argv) {
    if (argc != 8) {
        return 2;
    }
    lease mine = {.key = argv[3], .block = atoll(argv[4]), .process = getpid()};
    mine.redis = redisConnect(argv[1], atoi(argv[2]));
    ft_local_host host = FT_LOCAL_HOST_INIT;
    ft_local_source source = {.struct_size = sizeof source, .ctx = &mine, .fill = fill};
    if (mine.redis == NULL || ft_local_batch_new(&host, &source, 64, &ids) != FT_LOCAL_OK) {
        return 1;
    }
    count = atol(argv[6]);
    void *first;
    if (ft_local_batch_load(ids, &first) != FT_LOCAL_OK ||
        write(1, &first, sizeof first) != (ssize_t)sizeof first) {
        return 1;
    }
    int children = atoi(argv[7]);
    for (int i = 0; i < children; i++) {
        if (fork() == 0) {
            run(atoi(argv[5]));
            _exit(0);
        }
    }
    run(atoi(argv[5]));
    for (int i = 0; i < children; i++) {
        wait(NULL);
    }
    ft_local_batch_free(ids);
    redisFree(mine.redis);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "%ld\n", usage.ru_maxrss);
    return 0;
}
