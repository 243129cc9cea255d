// Each struct that a program hands over, at the size it had in the first version: programs that were
// compiled then must go on working when a struct has grown. The sizes are numbers on purpose.

#include "check.h"
#include "fake_source.h"

enum {
    FIRST_HOST = 4 * sizeof(void *),
    FIRST_SOURCE = 3 * sizeof(void *),
    FIRST_OPTIONS = 3 * sizeof(size_t) + 2 * sizeof(int32_t),
    FIRST_STATS = _Alignof(uint64_t) + 12 * sizeof(uint64_t),
};

_Static_assert(sizeof(ft_local_host) >= FIRST_HOST, "a struct only grows");
_Static_assert(sizeof(ft_local_source) >= FIRST_SOURCE, "a struct only grows");
_Static_assert(sizeof(ft_local_batch_options) >= FIRST_OPTIONS, "a struct only grows");
_Static_assert(sizeof(ft_local_stats) >= FIRST_STATS, "a struct only grows");

// The first `size` bytes of a struct in memory that ends behind them, which valgrind and sanitizers
// watch.
static void *first_version(const void *given, size_t size) {
    void *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, given, size);
    memcpy(copy, &size, sizeof size);
    return copy;
}

// Makes a batch with structs of the first version, and uses it.
static void old_structs_make_a_batch_that_works(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_host new_host = fake_host_table(&host);
    ft_local_source new_source = fake_source_table(&source);
    ft_local_batch_options new_options = FT_LOCAL_BATCH_OPTIONS_INIT;
    new_options.fill_budget = 2;
    void *old_host = first_version(&new_host, FIRST_HOST);
    void *old_source = first_version(&new_source, FIRST_SOURCE);
    void *old_options = first_version(&new_options, FIRST_OPTIONS);
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new_with(old_host, old_source, 8, old_options, &batch), FT_LOCAL_OK);
    load_expecting(batch, 0);
    CHECK_EQ(ft_local_batch_len(batch), 1);

    ft_local_stats *old_stats = malloc(FIRST_STATS);
    CHECK(old_stats != NULL);
    old_stats->struct_size = FIRST_STATS;
    CHECK_EQ(ft_local_batch_stats(batch, old_stats), FT_LOCAL_OK);
    CHECK_EQ(old_stats->struct_size, FIRST_STATS);
    CHECK_EQ(old_stats->produced, 2);
    CHECK_EQ(old_stats->dropped_on_fork, 0);

    ft_local_batch_free(batch);
    free(old_stats);
    free(old_options);
    free(old_source);
    free(old_host);
    fake_host_end(&host);
}

static void begin(void *memory, size_t size,
                  ft_local_status (*initialize)(void *memory, size_t size)) {
    unsigned char *bytes = memory;
    memset(bytes, 0xff, size);
    CHECK_EQ(initialize(memory, size), FT_LOCAL_OK);
    CHECK(memcmp(bytes, &size, sizeof size) == 0);
    for (size_t byte = sizeof size; byte < size; byte++) {
        CHECK_EQ(bytes[byte], 0);
    }
}

static ft_local_status begin_host(void *memory, size_t size) {
    return ft_local_host_init(memory, size);
}

static ft_local_status begin_source(void *memory, size_t size) {
    return ft_local_source_init(memory, size);
}

static ft_local_status begin_options(void *memory, size_t size) {
    return ft_local_batch_options_init(memory, size);
}

static ft_local_status begin_stats(void *memory, size_t size) {
    return ft_local_stats_init(memory, size);
}

static void old_structs_are_begun_and_not_written_beyond_their_end(void) {
    const size_t sizes[] = {FIRST_HOST, FIRST_SOURCE, FIRST_OPTIONS, FIRST_STATS};
    ft_local_status (*const initialize[])(void *, size_t) = {begin_host, begin_source,
                                                             begin_options, begin_stats};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        void *memory = malloc(sizes[index]);
        CHECK(memory != NULL);
        begin(memory, sizes[index], initialize[index]);
        free(memory);
    }
}

int main(void) {
    RUN(old_structs_make_a_batch_that_works);
    RUN(old_structs_are_begun_and_not_written_beyond_their_end);
    return fake_hosts_report();
}
