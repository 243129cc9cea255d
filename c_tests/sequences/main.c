// Runs sequences: those of a fuzzer, or as many random ones as $FT_LOCAL_TEST_SEQUENCES says, or
// those in the file that is named. $FT_LOCAL_TEST_SEED begins other random ones. A sequence whose
// process forks takes far longer than others: none does if $FT_LOCAL_TEST_FORKS is 0.

#include "check.h"
#include "world.h"

#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

world the_world;

unsigned next_byte(unsigned limit) {
    if (the_world.left == 0) {
        return 0;
    }
    the_world.left--;
    return *the_world.bytes++ % limit;
}

// Whether sequences may fork.
static bool forks_are_wanted(void) {
    static int wanted = -1;
    if (wanted < 0) {
        const char *said = getenv("FT_LOCAL_TEST_FORKS");
        wanted = said == NULL || strcmp(said, "0") != 0;
    }
    return wanted;
}

void fork_here(void) {
    if (!the_world.forks || the_world.is_child) {
        return;
    }
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        // A child that hangs is to end all the same.
        alarm(60);
        the_world.is_child = true;
        objects_are_the_parents();
        return;
    }
    int status = 0;
    pid_t ended;
    do {
        ended = waitpid(child, &status, 0);
    } while (ended < 0 && errno == EINTR); // A fuzzer has an alarm clock.
    CHECK_EQ(ended, child);
    CHECK_EQ(status, 0);
}

void run_sequence(const uint8_t *bytes, size_t size) {
    memset(&the_world, 0, offsetof(world, objects));
    memset(the_world.batches, 0, sizeof the_world - offsetof(world, batches));
    // Number 0 would be a plain value that is NULL, which a source returns to fail.
    the_world.objects_made = 1;
    the_world.bytes = bytes;
    the_world.left = size;
    the_world.forks = next_byte(16) == 15 && forks_are_wanted();
    while (the_world.left > 0) {
        if (next_byte(32) == 31) {
            fork_here();
        }
        next_call();
        for (size_t index = 0; index < BATCHES; index++) {
            check_batch(&the_world.batches[index]);
        }
    }
    free_everything();
    for (size_t number = 1; number < the_world.objects_made; number++) {
        known_object *one = &the_world.objects[number];
        CHECK_EQ(one->place, RELEASED);
    }
    if (the_world.is_child) {
        // Not by way of exit: what the parent registered is the parent's.
        _exit(0);
    }
}

#ifdef FT_LOCAL_FUZZER

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size <= 2000) {
        run_sequence(bytes, size);
    }
    return 0;
}

#else

static uint64_t random_state = 88172645463325252U;

// Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (14), 2003.
static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int digit(int letter) {
    return letter <= '9' ? letter - '0' : letter - 'a' + 10;
}

// A sequence a line, in hexadecimal.
static long run_file(const char *path) {
    static char line[8192];
    static uint8_t bytes[sizeof line / 2];
    long sequences = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        CHECK_FAIL("%s cannot be read", path);
    }
    for (; fgets(line, sizeof line, file) != NULL; sequences++) {
        size_t size = strcspn(line, "\n") / 2;
        for (size_t index = 0; index < size; index++) {
            bytes[index] = (uint8_t)(digit(line[2 * index]) * 16 + digit(line[2 * index + 1]));
        }
        run_sequence(bytes, size);
    }
    fclose(file);
    CHECK(sequences > 0);
    return sequences;
}

int main(int count, char **arguments) {
    const char *wanted = getenv("FT_LOCAL_TEST_SEQUENCES");
    long sequences = wanted == NULL ? 30000 : atol(wanted);
    if (count > 1) {
        sequences = run_file(arguments[1]);
    } else {
        const char *seed = getenv("FT_LOCAL_TEST_SEED");
        random_state ^= seed == NULL ? 0 : strtoull(seed, NULL, 10) << 1;
        for (long sequence = 0; sequence < sequences; sequence++) {
            uint8_t bytes[400];
            size_t size = next_random() % sizeof bytes;
            for (size_t index = 0; index < size; index++) {
                bytes[index] = (uint8_t)(next_random() >> 24);
            }
            run_sequence(bytes, size);
        }
    }
    printf("%ld sequences\n", sequences);
    return 0;
}

#endif
