#include <string.h>

#include "check.h"
#include "pool.h"
#include "random.h"
#include "world.h"

enum { MOST_THREADS = 3, PARTS = 64 };

typedef struct task {
    uint64_t next, done[PARTS], calls[MOST_THREADS];
} task;

static void take_parts(void *context, unsigned thread) {
    task *task = context;
    EXPECT(thread < MOST_THREADS);
    task->calls[thread]++;
    for (uint64_t part; (part = __atomic_fetch_add(&task->next, 1, __ATOMIC_RELAXED)) < PARTS;) task->done[part]++;
}

/* Every part is done once, and what was written is seen by the caller, without a lock. */
static void run_tasks(unsigned threads, int rounds) {
    instar_pool *pool = instar_pool_start(threads);
    EXPECT(pool && instar_pool_threads(pool) == threads);
    for (int round = 0; round < rounds; round++) {
        task task = {0};
        instar_pool_run(pool, take_parts, &task);
        for (int part = 0; part < PARTS; part++) EXPECT(task.done[part] == 1);
        EXPECT(task.calls[0] == 1);
    }
    instar_pool_stop(pool);
}

/* Commits that threads share leave the frames that one thread leaves; the first ring is too small for some of them. */
static void commit(const instar_kernels *path, unsigned threads, int rounds, uint64_t ring_bytes) {
    static const uint64_t chunks[COLUMNS] = {40, 1, 44};
    world world;
    world_open(&world, path, chunks, ring_bytes, threads);
    for (int key = 0; key < COLUMNS; key++) world.columns[key].extent = world.columns[key].capacity;
    for (int round = 0; round < rounds; round++) {
        size_t choice = random_below(8);
        if (choice == 0) {
            world_write(&world);
            world_commit(&world, world.deltas.current);
        } else if (choice == 1) {
            world_undo(&world);
        } else if (choice == 2) {
            world_redo(&world);
        } else {
            for (size_t n = 1 + random_below(4); n > 0; n--) world_write(&world);
            world_write_and_commit(&world);
        }
        world_expect_sound(&world);
    }
    world_close(&world);
}

void check_pool(const instar_kernels *path, int rounds) {
    for (unsigned threads = 1; threads <= MOST_THREADS; threads++) {
        run_tasks(threads, 40 * rounds);
        commit(path, threads, rounds, 128 << 10);
        commit(path, threads, rounds, 3 << 20);
    }
}
