// Sources that fail or break their contract: which load fails, what is kept, and that the batch
// remains usable. The counters balance each time: every object is delivered or released once, in
// order.

#include "check.h"
#include "fake_source.h"

enum { FAILURE = 4711 };

// The source fails in its call `failing`. All loads but one bring the next object.
static void fails_at(size_t size, fake_source *source, size_t failing, ft_local_status expected) {
    const size_t loads = 6 * size + 1;
    fake_host host = {0};
    source->host = &host;
    source->fail_at_call = failing;
    ft_local_batch *batch = fake_source_batch(source, size);
    size_t failures = 0;
    size_t delivered = 0;
    while (delivered < loads) {
        size_t calls_before = source->calls;
        void *loaded = &host;
        ft_local_status status = ft_local_batch_load(batch, &loaded);
        if (status != FT_LOCAL_OK) {
            // Only the load that ran the source fails.
            CHECK_EQ(status, expected);
            CHECK_PTR(loaded, NULL);
            CHECK(calls_before < failing && source->calls == failing);
            visit_expecting(batch, delivered);
            failures++;
            continue;
        }
        CHECK(!(calls_before < failing && source->calls >= failing));
        CHECK_EQ(((fake_object *)loaded)->number, delivered);
        fake_object_release(loaded);
        delivered++;
        CHECK_EQ(atomic_load(&host.alive), ft_local_batch_len(batch));
        CHECK_EQ(source->made, delivered + ft_local_batch_len(batch));
        visit_expecting(batch, delivered);
    }
    CHECK_EQ(failures, 1);
    ft_local_batch_free(batch);
    CHECK_EQ(atomic_load(&host.releases), source->made);
    fake_host_end(&host);
}

// Fails at every call there is, in each way.
static void fails_at_every_call(fake_source model, ft_local_status expected) {
    for (size_t size = 1; size <= 9; size++) {
        for (size_t failing = 1; failing <= 3 * size; failing++) {
            fake_source source = model;
            if (failing <= 3 * ((size + source.per_call - 1) / source.per_call)) {
                fails_at(size, &source, failing, expected);
            }
        }
    }
}

static void a_failure_at_every_call_of_a_source_of_single_objects(void) {
    fails_at_every_call((fake_source){.per_call = 1, .failure = FAILURE}, FAILURE);
}

static void a_failure_at_every_call_of_a_source_of_several(void) {
    fails_at_every_call((fake_source){.per_call = 2, .failure = FAILURE}, FAILURE);
    fails_at_every_call((fake_source){.per_call = 3, .failure = FAILURE}, FAILURE);
}

static void what_a_failing_call_counted_is_kept(void) {
    fake_source one = {.per_call = 1, .failure = FAILURE, .made_in_failure = 1};
    fails_at_every_call(one, FAILURE);
    fake_source three = {.per_call = 3, .failure = FAILURE, .made_in_failure = 2};
    fails_at_every_call(three, FAILURE);
}

static void every_positive_code_is_passed_through(void) {
    const int32_t codes[] = {1, 2, 255, 256, 65536, INT32_MAX};
    for (size_t index = 0; index < sizeof codes / sizeof *codes; index++) {
        fails_at(2, &(fake_source){.per_call = 1, .failure = codes[index]}, 2, codes[index]);
    }
}

static void a_negative_code_is_not_taken_for_one_of_the_library(void) {
    const int32_t codes[] = {-1, -4, -5, -6, -7, -8, -1000, INT32_MIN};
    for (size_t index = 0; index < sizeof codes / sizeof *codes; index++) {
        fails_at(2, &(fake_source){.per_call = 1, .failure = codes[index]}, 2, FT_LOCAL_ERR_SOURCE);
    }
}

static void a_source_that_makes_nothing_is_an_error(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 0};
    ft_local_batch *batch = fake_source_batch(&source, 4);
    for (int times = 0; times < 3; times++) {
        load_failing(batch, FT_LOCAL_ERR_NOTHING_PRODUCED);
    }
    CHECK_EQ(source.calls, 3);
    source.per_call = 1;
    load_expecting(batch, 0);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

typedef struct bad_source {
    fake_host *host;
    size_t made;
    // What the first call does: puts an object into the slots whose bit is set, counts `counts`.
    unsigned slots;
    size_t counts;
    bool done;
} bad_source;

static int32_t fill_badly(void *ctx, void **out, size_t capacity, size_t *produced) {
    bad_source *source = ctx;
    for (size_t index = 0; index < capacity; index++) {
        CHECK_PTR(out[index], NULL);
    }
    if (source->done) {
        out[0] = fake_object_new(source->host, source->made++);
        *produced = 1;
        return 0;
    }
    source->done = true;
    for (size_t index = 0; index < capacity; index++) {
        if (source->slots >> index & 1) {
            out[index] = fake_object_new(source->host, source->made++);
        }
    }
    *produced = source->counts;
    return 0;
}

// Slots and count are those of the first call, in a batch of 4; `kept` of its objects are good.
static void breaks_contract(unsigned slots, size_t counts, size_t kept) {
    fake_host host = {0};
    bad_source source = {.host = &host, .slots = slots, .counts = counts};
    ft_local_host table = fake_host_table(&host);
    ft_local_source source_table = {
        .struct_size = sizeof source_table, .ctx = &source, .fill = fill_badly};
    ft_local_batch *batch = NULL;
    CHECK_EQ(ft_local_batch_new(&table, &source_table, 4, &batch), FT_LOCAL_OK);
    load_failing(batch, FT_LOCAL_ERR_SOURCE);
    CHECK_EQ(ft_local_batch_len(batch), kept);
    for (size_t number = 0; number < kept + 6; number++) {
        load_expecting(batch, number);
    }
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

static void a_null_object_that_is_counted_is_an_error(void) {
    breaks_contract(0x0, 1, 0);
    breaks_contract(0x0, 4, 0);
    breaks_contract(0x1, 2, 1);
    breaks_contract(0x2, 2, 1);
    breaks_contract(0xa, 4, 2);
    breaks_contract(0x7, 4, 3);
}

static void more_objects_than_there_was_room_for_are_an_error(void) {
    breaks_contract(0xf, 5, 4);
    breaks_contract(0xf, SIZE_MAX, 4);
    breaks_contract(0x5, 5, 2);
    breaks_contract(0x0, SIZE_MAX, 0);
}

static void what_a_failing_call_did_not_count_is_forgotten(void) {
    fake_source one = {.per_call = 1, .failure = FAILURE, .uncounted_in_failure = 1};
    fails_at_every_call(one, FAILURE);
    fake_source all = {.per_call = 3, .failure = FAILURE, .uncounted_in_failure = SIZE_MAX};
    fails_at_every_call(all, FAILURE);
    fake_source rest = {
        .per_call = 3, .failure = FAILURE, .made_in_failure = 1, .uncounted_in_failure = SIZE_MAX};
    fails_at_every_call(rest, FAILURE);
}

int main(void) {
    RUN(a_failure_at_every_call_of_a_source_of_single_objects);
    RUN(a_failure_at_every_call_of_a_source_of_several);
    RUN(what_a_failing_call_counted_is_kept);
    RUN(every_positive_code_is_passed_through);
    RUN(a_negative_code_is_not_taken_for_one_of_the_library);
    RUN(a_source_that_makes_nothing_is_an_error);
    RUN(a_null_object_that_is_counted_is_an_error);
    RUN(more_objects_than_there_was_room_for_are_an_error);
    RUN(what_a_failing_call_did_not_count_is_forgotten);
    return fake_hosts_report();
}
