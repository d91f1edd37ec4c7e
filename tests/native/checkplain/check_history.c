#include <string.h>

#include "check.h"
#include "random.h"
#include "upkeep.h"
#include "world.h"

static void amend(world *world) {
    world_write(world);
    world_commit(world, world->deltas.current);
}

static void undo(world *world) {
    int held = world->deltas.behind > 0;
    world_write(world);
    EXPECT(world_undo(world) == (held ? 0 : INSTAR_NONE));
}

static void redo(world *world) {
    int held = world->deltas.held > world->deltas.behind;
    EXPECT(world_redo(world) == (held ? 0 : INSTAR_NONE));
}

static void discard(world *world) {
    world_write(world);
    world_discard(world);
    for (int key = 0; key < COLUMNS; key++)
        EXPECT(memcmp(world->columns[key].live, world->columns[key].committed, world->columns[key].capacity) == 0);
}

static void reset(world *world) {
    if (random_below(8)) return;
    instar_deltas_reset(&world->deltas, world->deltas.current);
    EXPECT(world->deltas.held == 0 && world->deltas.oldest == world->deltas.newest);
}

static void drop(world *world) {
    uint64_t behind = world->deltas.behind, frames = random_below(4);
    instar_deltas_drop(&world->deltas, frames);
    EXPECT(world->deltas.behind == (frames < behind ? behind - frames : 0));
}

static void narrow(world *world) {
    if (world->deltas.held < 12) return;
    uint64_t ahead = world->deltas.held - world->deltas.behind;
    instar_deltas_narrow(&world->deltas, random_below(world->deltas.behind + 1), random_below(ahead + 1));
}

static void change_limit(world *world) {
    uint64_t least = 64 << 10, before = world->deltas.limit;
    world->deltas.limit = least + random_below(world->deltas.ring.bytes - least + 1);
    if (world->deltas.limit < before) {
        instar_deltas_keep_limit(&world->deltas);
        instar_ring_give_back(&world->deltas.ring);
    }
}

static void touch(world *world) { instar_ring_touch(&world->deltas.ring, random_below(2 * world->deltas.ring.bytes)); }

/* Leads a copy of some chunks from one held frame to another, at any address. */
static void carry(world *world) {
    const instar_deltas *deltas = &world->deltas;
    uint32_t key = (uint32_t)random_below(COLUMNS);
    uint64_t chunks = world->columns[key].capacity / INSTAR_CHUNK_BYTES, first = random_below(chunks), count = 1 + random_below(chunks - first);
    uint64_t from = first * INSTAR_CHUNK_BYTES, bytes = count * INSTAR_CHUNK_BYTES;
    if (deltas->behind == 0) return;
    int stop = world->current - (int)random_below(deltas->behind);
    uint8_t *memory = take_memory(bytes + 8), *target = memory + random_below(9);
    uint64_t place = deltas->at, extent = world->copies[stop].extents[key];
    for (int i = world->current; i > stop; i--) place = instar_frame_at(&deltas->ring, place)->previous;
    memcpy(target, world->copies[stop].bytes[key] + from, bytes);
    int start = stop;
    for (; start > world_find(world, deltas->oldest); start--) {
        if (random_below(4) == 0) break;
        EXPECT(instar_frame_carry(deltas->kernels, &deltas->ring, place, key, from, bytes, target) == 0);
        instar_frame_carry_extent(&deltas->ring, place, key, &extent);
        place = instar_frame_at(&deltas->ring, place)->previous;
    }
    EXPECT(memcmp(target, world->copies[start].bytes[key] + from, bytes) == 0);
    EXPECT(extent == world->copies[start].extents[key]);
    free(memory);
}

static const struct {
    void (*take)(world *world);
    size_t weight;
} steps[] = {{world_write_and_commit, 45}, {amend, 12}, {undo, 16}, {redo, 10}, {discard, 3}, {carry, 8},
             {drop, 3}, {narrow, 1}, {change_limit, 2}, {touch, 2}, {reset, 2}};

static void take_step(world *world) {
    size_t left = random_below(104);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (left < steps[i].weight) {
            steps[i].take(world);
            return;
        }
        left -= steps[i].weight;
    }
}

void check_history(const instar_kernels *path, int rounds) {
    static const uint64_t chunks[COLUMNS] = {2, 1, 5};
    static const uint64_t rings[] = {64 << 10, 100 << 10, 256 << 10, 1 << 20};
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
        world world;
        world_open(&world, path, chunks, rings[i], 1);
        for (int round = 0; round < rounds / 4; round++) {
            take_step(&world);
            world_expect_sound(&world);
        }
        world_close(&world);
    }
}
