// What is no handle, or one of another kind, to every function that takes a handle.

#include "check.h"
#include "good.h"
#include "refusals.h"

static void no_handle(void) {
    good *all = good_begin();
    functions_of_wrapper(NULL, "wrapper is NULL, or no address");
    functions_of_wrapper(MISALIGNED(all->wrapper), "wrapper is NULL, or no address");
    functions_of_batch(NULL, "batch is NULL, or no address");
    functions_of_batch(MISALIGNED(all->batch), "batch is NULL, or no address");
    functions_of_cursor(NULL, "cursor is NULL, or no address");
    functions_of_cursor(MISALIGNED(all->cursor), "cursor is NULL, or no address");
    good_end(all);
}

static void a_handle_of_another_kind(void) {
    good *all = good_begin();
    void *handles[] = {all->wrapper, all->batch, all->cursor};
    for (size_t index = 0; index < sizeof handles / sizeof *handles; index++) {
        void *handle = handles[index];
        if (handle != all->wrapper) {
            functions_of_wrapper(handle, "wrapper is");
        }
        if (handle != all->batch) {
            functions_of_batch(handle, "batch is");
        }
        if (handle != all->cursor) {
            functions_of_cursor(handle, "cursor is");
        }
    }
    good_end(all);
}

// Many of them, because where they lie decides which check each of them meets.
static void wrappers_wherever_they_lie(void) {
    good *all = good_begin();
    ft_local_wrapper *wrappers[32];
    for (size_t index = 0; index < 32; index++) {
        CHECK_EQ(ft_local_wrapper_new(&all->host_table, all->object, &wrappers[index]),
                 FT_LOCAL_OK);
        functions_of_batch(wrappers[index], "batch is");
        functions_of_cursor(wrappers[index], "cursor is");
    }
    for (size_t index = 0; index < 32; index++) {
        CHECK_PTR(ft_local_wrapper_get(wrappers[index]), all->object);
        ft_local_wrapper_free(wrappers[index]);
    }
    good_end(all);
}

int main(void) {
    RUN(no_handle);
    RUN(a_handle_of_another_kind);
    RUN(wrappers_wherever_they_lie);
    return fake_hosts_report();
}
