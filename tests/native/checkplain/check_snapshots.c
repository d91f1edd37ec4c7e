#include <pthread.h>
#include <string.h>

#include "check.h"
#include "random.h"
#include "snapshot.h"
#include "world.h"

enum { HELPERS = 2 };

/* A snapshot of all columns, and what it must be in the end. */
typedef struct taken {
    instar_snapshot snapshot;
    instar_snapshot_column columns[COLUMNS];
    uint8_t *right[COLUMNS];
    pthread_t helpers[HELPERS];
    int late; /* whether the helpers come when all is over */
} taken;

static void *help(void *snapshot) {
    instar_snapshot_complete(snapshot);
    return NULL;
}

static void call_helpers(taken *taken) {
    for (int i = 0; i < HELPERS; i++) EXPECT(pthread_create(&taken->helpers[i], NULL, help, &taken->snapshot) == 0);
}

static void begin(taken *taken, world *world) {
    uint32_t count = 0;
    for (uint32_t key = 0; key < COLUMNS; key++) {
        instar_column *column = &world->columns[key];
        uint64_t bytes = (column->committed_extent + INSTAR_CHUNK_BYTES - 1) / INSTAR_CHUNK_BYTES * INSTAR_CHUNK_BYTES;
        if (random_below(6) == 0) continue;
        taken->columns[count] = (instar_snapshot_column){.column = column, .key = key, .bytes = bytes, .target = take_memory(bytes)};
        taken->right[count] = take_memory(bytes);
        memcpy(taken->right[count++], column->committed, bytes);
    }
    instar_snapshot_begin(&taken->snapshot, &world->deltas, taken->columns, count);
    taken->late = random_below(2) == 0;
    if (!taken->late) call_helpers(taken);
}

static void finish(taken *taken, world *world) {
    if (taken->late) call_helpers(taken);
    if (random_below(2)) instar_snapshot_complete(&taken->snapshot);
    for (int i = 0; i < HELPERS; i++) EXPECT(pthread_join(taken->helpers[i], NULL) == 0);
    EXPECT(taken->snapshot.done == taken->snapshot.pieces && !taken->snapshot.damaged);
    instar_snapshots_forget_complete(&world->deltas);
    for (uint32_t i = 0; i < taken->snapshot.count; i++) {
        EXPECT(memcmp(taken->columns[i].target, taken->right[i], taken->columns[i].bytes) == 0);
        free(taken->columns[i].target);
        free(taken->right[i]);
    }
}

/* Whatever the frame thread may do while others take the bytes. */
static void go_on(world *world) {
    switch (random_below(9)) {
    case 0:
        world_write(world);
        world_commit(world, world->deltas.current);
        break;
    case 1: world_undo(world); break;
    case 2: world_redo(world); break;
    case 3: world_forget_redo(world); break;
    default: world_write_and_commit(world);
    }
}

/* A few frames back, or to the oldest: there nothing of the ring outlasts the next commit. */
static void go_back(world *world) {
    size_t most = random_below(3) ? random_below(3) : MOST_FRAMES;
    while (most-- > 0 && world_undo(world) == 0) {
    }
}

static void take_snapshots(const instar_kernels *path, int rounds, const uint64_t chunks[COLUMNS], uint64_t ring_bytes, unsigned threads) {
    world world;
    world_open(&world, path, chunks, ring_bytes, threads);
    for (int round = 0; round < rounds; round++) {
        taken first, second;
        int both = random_below(3) == 0;
        world_write_and_commit(&world);
        go_back(&world);
        begin(&first, &world);
        for (size_t n = random_below(5); n > 0; n--) go_on(&world);
        if (both) {
            begin(&second, &world);
            for (size_t n = random_below(4); n > 0; n--) go_on(&world);
        }
        if (both && random_below(2)) {
            finish(&second, &world);
            both = 0;
        }
        finish(&first, &world);
        if (both) finish(&second, &world);
        world_expect_sound(&world);
    }
    world_close(&world);
}

void check_snapshots(const instar_kernels *path, int rounds) {
    static const uint64_t small[COLUMNS] = {2, 1, 5}, large[COLUMNS] = {66, 3, 1};
    take_snapshots(path, 3 * rounds, small, 80 << 10, 1);
    take_snapshots(path, 3 * rounds, small, 1 << 20, 1);
    take_snapshots(path, rounds / 3, large, 256 << 10, 1);
    take_snapshots(path, rounds / 3, large, 4 << 20, 1);
    take_snapshots(path, rounds / 3, large, 4 << 20, 2);
}
