// A program of the first header, as `ft_local.h` beside it: structs are smaller than today, and there
// are no cursors. It makes a wrapper and a batch, of plain values and of counted objects, fails in
// the source once, and says with which library it ran.

#include "ft_local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef struct object {
    int references;
    int number;
} object;

static void *retain(void *ctx, void *given) {
    object *it = given;
    ++*(int *)ctx;
    it->references++;
    return it;
}

static void release(void *ctx, void *given) {
    object *it = given;
    --*(int *)ctx;
    it->references--;
}

typedef struct maker {
    object made[16];
    int next;
    int *references;
} maker;

// Two objects a call; the third call fails with a code of its own.
static int32_t make(void *ctx, void **out, size_t capacity, size_t *produced) {
    maker *maker = ctx;
    CHECK(capacity >= 2);
    if (maker->next == 4 && maker->made[15].number == 0) {
        maker->made[15].number = 1;
        return 7;
    }
    for (*produced = 0; *produced < 2; ++*produced) {
        object *it = &maker->made[maker->next];
        it->number = maker->next++;
        it->references = 1;
        ++*maker->references;
        out[*produced] = it;
    }
    return 0;
}

// Memory that ends behind the struct: a library that reads the fields of a later header reads what
// valgrind and the address sanitizer watch.
static void *alone(const void *given, size_t size) {
    void *copy = malloc(size);
    CHECK(copy != NULL);
    return memcpy(copy, given, size);
}

static int visit(void *given, void *arg) {
    *(int *)arg += ((object *)given)->number;
    return 0;
}

static void batch_of_counted_objects(const ft_local_host *host, int *references) {
    maker maker = {.references = references};
    ft_local_source begun;
    CHECK(ft_local_source_init(&begun, sizeof begun) == FT_LOCAL_OK);
    begun.ctx = &maker;
    begun.fill = make;
    ft_local_source *source = alone(&begun, sizeof begun);
    ft_local_batch *batch = NULL;
    CHECK(ft_local_batch_new(host, source, 2, &batch) == FT_LOCAL_OK);
    free(source);
    CHECK(ft_local_batch_size(batch) == 2);
    void *out = NULL;
    for (int number = 0; number < 4; number++) {
        CHECK(ft_local_batch_load(batch, &out) == FT_LOCAL_OK);
        CHECK(((object *)out)->number == number);
        release(references, out);
    }
    CHECK(ft_local_batch_load(batch, &out) == 7 && out == NULL);
    CHECK(ft_local_batch_load(batch, &out) == FT_LOCAL_OK && ((object *)out)->number == 4);
    release(references, out);
    int sum = 0;
    CHECK(ft_local_batch_len(batch) == 1);
    CHECK(ft_local_batch_visit(batch, visit, &sum) == 0 && sum == 5);
    CHECK(ft_local_batch_clear(batch) == FT_LOCAL_OK && ft_local_batch_len(batch) == 0);
    ft_local_batch_free(batch);
    CHECK(*references == 0);
}

static void wrapper_of_one(const ft_local_host *host, int *references) {
    object one = {.references = 1, .number = 9};
    ft_local_wrapper *wrapper = NULL;
    CHECK(ft_local_wrapper_new(host, &one, &wrapper) == FT_LOCAL_OK);
    CHECK(one.references == 2 && ft_local_wrapper_get(wrapper) == &one);
    int sum = 0;
    CHECK(ft_local_wrapper_visit(wrapper, visit, &sum) == 0 && sum == 9);
    ft_local_wrapper_free(wrapper);
    CHECK(one.references == 1 && *references == 0);
}

static void wrong_arguments_are_refused(const ft_local_host *host) {
    ft_local_wrapper *wrapper = NULL;
    CHECK(ft_local_wrapper_new(NULL, NULL, &wrapper) == FT_LOCAL_ERR_ARGUMENT && wrapper == NULL);
    CHECK(strlen(ft_local_last_error()) > 0);
    CHECK(ft_local_wrapper_new(host, NULL, &wrapper) == FT_LOCAL_ERR_ARGUMENT);
    CHECK(strlen(ft_local_status_text(FT_LOCAL_ERR_PANIC)) > 0);
}

int main(void) {
    int references = 0;
    ft_local_host begun = FT_LOCAL_HOST_INIT;
    begun.ctx = &references;
    begun.retain = retain;
    begun.release = release;
    ft_local_host *host = alone(&begun, sizeof begun);
    CHECK(ft_local_abi_version() == FT_LOCAL_ABI_VERSION);
    CHECK(ft_local_version_number() >= FT_LOCAL_VERSION_NUMBER);
    batch_of_counted_objects(host, &references);
    wrapper_of_one(host, &references);
    wrong_arguments_are_refused(host);
    free(host);
    printf("a program of header %d.%d.%d with library %s\n", FT_LOCAL_VERSION_MAJOR,
           FT_LOCAL_VERSION_MINOR, FT_LOCAL_VERSION_PATCH, ft_local_version());
}
