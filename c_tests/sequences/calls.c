// One call of the library, chosen by the next bytes, and what must be true after it.

#include "check.h"
#include "world.h"

enum { MANY = 6 };

static batch *some_batch(void) {
    return &the_world.batches[next_byte(BATCHES)];
}

static cursor *some_cursor(void) {
    return &the_world.cursors[next_byte(CURSORS)];
}

// What a load of any kind has brought, given the status.
static void loaded(batch *from, ft_local_status status, void *object, bool was_closed,
                   bool was_forked) {
    if (status == FT_LOCAL_OK) {
        CHECK(!was_forked);
        object_received(from, object);
        return;
    }
    CHECK_PTR(object, NULL);
    CHECK(status != FT_LOCAL_ERR_PANIC && status != FT_LOCAL_ERR_ARGUMENT);
    CHECK(status != FT_LOCAL_ERR_TIMED_OUT && status != FT_LOCAL_ERR_DEADLOCK);
    CHECK(status != FT_LOCAL_ERR_CLOSED || from->closed);
    CHECK(status != FT_LOCAL_ERR_END || from->ended);
    CHECK(status == FT_LOCAL_ERR_FORKED ? from->forked : !was_forked);
    CHECK(!was_closed || from->forked || from->closing || from->busy > 1 ||
          status == FT_LOCAL_ERR_CLOSED);
    CHECK(status != FT_LOCAL_ERR_REENTRANT || from->busy > 1);
    if (status == FT_LOCAL_ERR_END || status == FT_LOCAL_ERR_EMPTY) {
        CHECK_EQ(ft_local_batch_len(from->handle), 0);
    }
}

static void load(void) {
    batch *from = some_batch();
    void *object = &object;
    bool closed = from->closed, forked = from->forked;
    unsigned way = next_byte(3);
    if (from->handle == NULL) {
        CHECK_EQ(ft_local_batch_load(NULL, &object), FT_LOCAL_ERR_ARGUMENT);
        CHECK_PTR(object, NULL);
        return;
    }
    from->busy++;
    ft_local_status status = way == 0   ? ft_local_batch_load(from->handle, &object)
                             : way == 1 ? ft_local_batch_load_for(from->handle, 0, &object)
                                        : ft_local_batch_try_load(from->handle, &object);
    CHECK(way == 2 || status != FT_LOCAL_ERR_EMPTY);
    // A callback may have closed the batch in the middle of the load.
    loaded(from, status, object, closed, forked);
    from->busy--;
}

static void load_many(void) {
    batch *from = some_batch();
    void *objects[MANY] = {0};
    size_t count = 99;
    if (from->handle == NULL) {
        return;
    }
    from->busy++;
    ft_local_status status =
        ft_local_batch_load_many(from->handle, next_byte(MANY + 1), -1, objects, &count);
    CHECK(count <= MANY);
    for (size_t index = 0; index < count; index++) {
        object_received(from, objects[index]);
    }
    CHECK(status != FT_LOCAL_ERR_PANIC && status != FT_LOCAL_ERR_ARGUMENT);
    CHECK((status != FT_LOCAL_ERR_END && status != FT_LOCAL_ERR_CLOSED) || count == 0);
    from->busy--;
}

static void cursor_next(void) {
    cursor *of = some_cursor();
    void *object = &object;
    unsigned way = next_byte(3);
    // One thread at a time, and not again from a callback.
    if (of->handle == NULL || of->busy > 0) {
        return;
    }
    batch *from = of->batch;
    bool forked = from->forked;
    from->busy++;
    of->busy++;
    ft_local_status status = way == 0   ? ft_local_cursor_next(of->handle, &object)
                             : way == 1 ? ft_local_cursor_next_for(of->handle, 0, &object)
                                        : ft_local_cursor_next_inline(of->handle, &object);
    // A closed batch's cursors still hand out what they have.
    loaded(from, status, object, false, forked);
    of->busy--;
    from->busy--;
}

static void give_back(void) {
    batch *to = some_batch();
    bool was_forked = to->forked;
    void *objects[MANY];
    size_t count = 0, wanted = next_byte(MANY + 1);
    if (to->handle == NULL) {
        return;
    }
    while (count < wanted && (objects[count] = object_in_hand(to)) != NULL) {
        object_given_back(to, objects[count++]);
    }
    to->busy++;
    ft_local_status status = ft_local_batch_give_back(to->handle, objects, count);
    to->busy--;
    CHECK(status == FT_LOCAL_OK ? !was_forked : to->forked && status == FT_LOCAL_ERR_FORKED);
    for (size_t index = 0; index < count && status != FT_LOCAL_OK; index++) {
        object_received(to, objects[index]);
    }
}

static void prefill(void) {
    batch *of = some_batch();
    size_t made = 99;
    if (of->handle == NULL) {
        return;
    }
    of->busy++;
    ft_local_status status =
        ft_local_batch_prefill(of->handle, next_byte(12), next_byte(12), 0, &made);
    of->busy--;
    CHECK(status != FT_LOCAL_ERR_PANIC && status != FT_LOCAL_ERR_ARGUMENT);
    CHECK(made <= of->size);
}

static void clear_or_close(void) {
    batch *of = some_batch();
    bool close = next_byte(4) == 0, was_forked = of->forked;
    if (of->handle == NULL) {
        return;
    }
    // Finalisers of what is released run before or after the batch counts as closed.
    of->closing += close && !of->closed;
    of->closed = of->closed || (close && !of->forked);
    of->busy++;
    ft_local_status status =
        close ? ft_local_batch_close(of->handle) : ft_local_batch_clear(of->handle);
    of->busy--;
    of->closing = 0;
    // A finaliser may have forked in the middle of it.
    CHECK(status == FT_LOCAL_OK ? !was_forked : of->forked && status == FT_LOCAL_ERR_FORKED);
}

static bool has_cursors(const batch *of) {
    for (size_t index = 0; index < CURSORS; index++) {
        if (the_world.cursors[index].handle != NULL && the_world.cursors[index].batch == of) {
            return true;
        }
    }
    return false;
}

static void make_batch(void) {
    batch *made = some_batch();
    unsigned kind = next_byte(4);
    if (made->handle != NULL || made->busy > 0 || has_cursors(made)) {
        return;
    }
    objects_in_hand_end(made);
    *made = (batch){.size = 1 + next_byte(200), .plain = kind >= 2, .on_fork = (int)next_byte(3)};
    ft_local_host host = host_of(made);
    ft_local_source source = source_of(made, kind % 2);
    ft_local_batch_options options = FT_LOCAL_BATCH_OPTIONS_INIT;
    options.on_fork = made->on_fork;
    options.fill_budget = next_byte(8);
    options.low_water = next_byte(8);
    options.wipe = made->size % 2;
    // Some that are refused.
    const size_t absurd[] = {0, 7, 4104, SIZE_MAX};
    size_t size = made->size, struct_size = absurd[next_byte(4)];
    switch (next_byte(16)) {
    case 0:
        size = 0;
        break;
    case 1:
        size = (size_t)FT_LOCAL_BATCH_MAX_SIZE + 1;
        break;
    case 2:
        host.struct_size = struct_size;
        break;
    case 3:
        source.struct_size = struct_size;
        break;
    case 4:
        options.struct_size = struct_size;
        break;
    case 5:
        options.on_fork = 3;
        break;
    default:
        break;
    }
    ft_local_status status = ft_local_batch_new_with(&host, &source, size, &options, &made->handle);
    CHECK(status == FT_LOCAL_OK || status == FT_LOCAL_ERR_ARGUMENT);
    CHECK_EQ(status == FT_LOCAL_OK, made->handle != NULL);
    CHECK(status == FT_LOCAL_OK || ft_local_last_error()[0] != '\0');
}

static void free_batch(batch *of) {
    if (of->busy > 0) {
        return;
    }
    ft_local_batch *handle = of->handle;
    of->handle = NULL;
    // Finalisers run, and are not to make another batch in this place meanwhile.
    of->busy++;
    ft_local_batch_free(handle);
    of->busy--;
}

static void make_cursor(void) {
    cursor *made = some_cursor();
    batch *of = some_batch();
    if (made->handle != NULL || made->busy > 0 || of->handle == NULL) {
        return;
    }
    *made = (cursor){.batch = of};
    CHECK_EQ(ft_local_cursor_new(of->handle, &made->handle), FT_LOCAL_OK);
}

static void free_cursor(cursor *of) {
    if (of->busy > 0 || (of->batch != NULL && of->batch->busy > 0)) {
        return;
    }
    ft_local_cursor *handle = of->handle;
    of->handle = NULL;
    of->busy++;
    if (of->batch != NULL) {
        of->batch->busy++;
    }
    ft_local_cursor_free(handle);
    if (of->batch != NULL) {
        of->batch->busy--;
    }
    of->busy--;
}

void next_call(void) {
    if (the_world.depth >= DEEPEST) {
        return;
    }
    the_world.depth++;
    switch (next_byte(16)) {
    case 0:
        make_batch();
        break;
    case 1:
        free_batch(some_batch());
        break;
    case 2:
        make_cursor();
        break;
    case 3:
        free_cursor(some_cursor());
        break;
    case 4:
        give_back();
        break;
    case 5:
        prefill();
        break;
    case 6:
        clear_or_close();
        break;
    case 7:
        load_many();
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        cursor_next();
        break;
    default:
        load();
        break;
    }
    the_world.depth--;
}

static int32_t count_one(void *object, void *count) {
    (void)object;
    ++*(size_t *)count;
    return 0;
}

void check_batch(batch *of) {
    size_t in_cursors = 0, seen = 0, seen_in_cursors = 0;
    for (size_t index = 0; index < CURSORS; index++) {
        cursor *one = &the_world.cursors[index];
        if (one->handle != NULL && one->batch == of) {
            in_cursors += ft_local_cursor_len(one->handle);
            CHECK_EQ(ft_local_cursor_visit(one->handle, count_one, &seen_in_cursors), 0);
        }
    }
    CHECK_EQ(seen_in_cursors, in_cursors);
    if (of->handle == NULL || of->forked) {
        return;
    }
    size_t in_batch = ft_local_batch_len(of->handle);
    CHECK(of->plain || in_batch + in_cursors == objects_inside(of));
    CHECK(!of->closed || in_batch == 0);
    CHECK_EQ(ft_local_batch_is_closed(of->handle), of->closed);
    CHECK_EQ(ft_local_batch_visit(of->handle, count_one, &seen), 0);
    // A child has the parent's results until it uses the batch, and a collector must see them.
    CHECK(seen == in_batch || (the_world.is_child && seen > in_batch));
    ft_local_stats stats = FT_LOCAL_STATS_INIT;
    CHECK_EQ(ft_local_batch_stats(of->handle, &stats), FT_LOCAL_OK);
    CHECK(seen > in_batch ||
          stats.produced + stats.given_back ==
              stats.loads + stats.claimed + stats.released + stats.dropped_on_fork + in_batch);
}

void free_everything(void) {
    for (size_t index = 0; index < CURSORS; index++) {
        free_cursor(&the_world.cursors[index]);
    }
    for (size_t index = 0; index < BATCHES; index++) {
        free_batch(&the_world.batches[index]);
        objects_in_hand_end(&the_world.batches[index]);
    }
}
