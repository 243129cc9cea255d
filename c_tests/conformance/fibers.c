// Checks of a host that runs several fibers on a thread: each has a number, and those that share the
// thread of the one that runs the source do not stop it.

#include "kit.h"

static const char *no_fibers(void) {
    return kit_adapter->fibers == NULL ? "the host does not tell fibers apart" : NULL;
}

// The first fiber runs the source, and leaves in the middle.
typedef struct scene {
    ft_local_batch *batch;
    kit_source source;
    bool called;
} scene;

static void leave_the_source(void *arg) {
    scene *all = arg;
    kit_adapter->leave();
    void *handle = NULL;
    EXPECT_STATUS(ft_local_batch_load_now(all->batch, &handle), FT_LOCAL_ERR_REENTRANT);
}

static void set(void *flag) {
    *(bool *)flag = true;
}

static void load_in_a_fiber(void *arg, size_t index) {
    scene *all = arg;
    if (index == 0) {
        kit_load_expecting(all->batch, 0);
        return;
    }
    void *handle = NULL;
    uint64_t ticket = 0;
    EXPECT_STATUS(ft_local_batch_load_now(all->batch, &handle), FT_LOCAL_ERR_WOULD_WAIT);
    // A wait would stop the fiber that it waits for.
    EXPECT_STATUS(ft_local_batch_load(all->batch, &handle), FT_LOCAL_ERR_REENTRANT);
    EXPECT_OK(ft_local_batch_notify(all->batch, set, &all->called, &ticket));
    EXPECT(!all->called, "a fiber was called while another runs the source");
    kit_adapter->leave();
    EXPECT(all->called, "the source is free, and the fiber was not called");
    kit_load_expecting(all->batch, 1);
}

static void a_fiber_that_shares_the_fillers_thread_is_called(void) {
    ft_local_host host = kit_host();
    scene all = {.source = {.per_call = 1, .first = leave_the_source, .arg = &all}};
    all.batch = kit_batch(&host, &all.source, 1);
    kit_adapter->fibers(2, load_in_a_fiber, &all);
    EXPECT(all.source.made == 2, "%zu were made", all.source.made);
    ft_local_batch_free(all.batch);
}

enum { FIBERS = 3 };

static ft_local_host numbering;
static uint64_t numbers[FIBERS];

static void note_number(void *unused, size_t index) {
    (void)unused;
    uint64_t number = numbering.fiber(numbering.ctx);
    numbers[index] = number;
    EXPECT(number != 0 && number != UINT64_MAX, "a fiber has the number %llu",
           (unsigned long long)number);
    kit_adapter->leave();
    EXPECT(numbering.fiber(numbering.ctx) == number, "the number of a fiber changes");
    for (size_t other = 0; other < FIBERS; other++) {
        EXPECT(other == index || numbers[other] != number, "two fibers have the number %llu",
               (unsigned long long)number);
    }
}

static void a_fiber_has_one_number_and_no_other_has_it(void) {
    numbering = kit_host();
    kit_adapter->fibers(FIBERS, note_number, NULL);
}

const kit_check kit_fiber_checks[] = {
    {"a fiber that shares the filler's thread is called",
     a_fiber_that_shares_the_fillers_thread_is_called, no_fibers},
    {"a fiber has one number, and no other has it", a_fiber_has_one_number_and_no_other_has_it,
     no_fibers},
    {NULL, NULL, NULL},
};
