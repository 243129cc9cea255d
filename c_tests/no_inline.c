// A program that wants declarations only: the header then leaves out its inline functions.

#define FT_LOCAL_NO_INLINE
#include "ft_local.h"

// A second meaning of each name, if the header gave it one.
typedef char ft_local_cursor_next_inline;
typedef char ft_local_wrapper_get_inline;

#include "check.h"
#include "fake_source.h"

static void the_exported_function_does_the_same(void) {
    fake_host host = {0};
    fake_source source = {.host = &host, .per_call = 1};
    ft_local_batch *batch = fake_source_batch(&source, 10);
    ft_local_cursor *cursor = cursor_of(batch);
    for (size_t number = 0; number < 30; number++) {
        next_expecting(cursor, number);
    }
    ft_local_cursor_free(cursor);
    ft_local_batch_free(batch);
    fake_host_end(&host);
}

int main(void) {
    const ft_local_cursor_next_inline one_byte = 1;
    const ft_local_wrapper_get_inline another = 1;
    CHECK_EQ(sizeof one_byte + sizeof another, 2);
    RUN(the_exported_function_does_the_same);
    return fake_hosts_report();
}
