#include <string.h>

#include "check.h"
#include "random.h"
#include "snapshot.h"
#include "upkeep.h"
#include "world.h"

/* What memory held before: a ring, or a column. */
static uint8_t right[512 << 10];

/* How many of the frames from a place on are whole, or are mended. */
static uint64_t count_whole(world *world, int64_t place, uint64_t count, int back, int *mended) {
    instar_deltas *deltas = &world->deltas;
    for (uint64_t whole = 0; whole < count; whole++) {
        if (place < 0) return whole;
        if (instar_frame_damage(deltas->kernels, &deltas->ring, (uint64_t)place) != INSTAR_NONE) {
            int status = mended ? instar_frame_mend(deltas, (uint64_t)place) : INSTAR_DAMAGED;
            if (status < 0) return whole;
            *mended += status;
        }
        place = back ? (int64_t)instar_frame_at(&deltas->ring, (uint64_t)place)->previous : instar_frame_after(&deltas->ring, (uint64_t)place);
    }
    return count;
}

/* Mends frames, if `mended` is to receive their number, and drops those that lie behind a damaged one. Returns whether none does. */
static int repair(world *world, int *mended) {
    instar_deltas *deltas = &world->deltas;
    uint64_t count_ahead = deltas->held - deltas->behind;
    uint64_t behind = count_whole(world, (int64_t)deltas->at, deltas->behind, 1, mended);
    uint64_t ahead = count_whole(world, instar_deltas_ahead(deltas), count_ahead, 0, mended);
    if (behind + ahead == deltas->held) return 1;
    instar_deltas_narrow(deltas, behind, ahead);
    return 0;
}

static int is_damaged(const world *world) {
    const instar_deltas *deltas = &world->deltas;
    int64_t place = (int64_t)deltas->at;
    for (uint64_t n = 0; n < deltas->behind; n++) {
        if (instar_frame_damage(deltas->kernels, &deltas->ring, (uint64_t)place) != INSTAR_NONE) return 1;
        place = (int64_t)instar_frame_at(&deltas->ring, (uint64_t)place)->previous;
    }
    place = instar_deltas_ahead(deltas);
    for (uint64_t n = deltas->behind; n < deltas->held; n++) {
        if (place < 0 || instar_frame_damage(deltas->kernels, &deltas->ring, (uint64_t)place) != INSTAR_NONE) return 1;
        place = instar_frame_after(&deltas->ring, (uint64_t)place);
    }
    return 0;
}

/* The place of a random record of a random frame, none of which is damaged. */
static uint64_t some_record(const world *world) {
    const instar_deltas *deltas = &world->deltas;
    uint64_t frame = deltas->ring.tail;
    for (uint64_t n = random_below(deltas->held); n > 0; n--) frame = (uint64_t)instar_frame_after(&deltas->ring, frame);
    uint64_t place = frame;
    while (random_below(4)) {
        int64_t next = instar_frame_next(&deltas->ring, frame, place);
        if (next < 0) break;
        place = (uint64_t)next;
    }
    return place;
}

/* A byte of a record, or of what lies behind a short one; at the beginning of a long one, where the search for its bit is short. */
static uint64_t choose_byte(const world *world) {
    const instar_deltas *deltas = &world->deltas;
    uint64_t place = some_record(world), length = instar_length(instar_ring_at(&deltas->ring, place));
    return (place + random_below(length < 512 ? length + 8 : 80)) % deltas->ring.bytes;
}

static void flip(world *world, uint64_t byte) { world->deltas.ring.base[byte] ^= (uint8_t)(1u << random_below(8)); }

/* Flips some bits, chosen while nothing is damaged. */
static void flip_some(world *world, size_t flips) {
    uint64_t bytes[4];
    if (world->deltas.held == 0) return;
    for (size_t n = 0; n < flips; n++) bytes[n] = choose_byte(world);
    for (size_t n = 0; n < flips; n++) flip(world, bytes[n]);
}

static void write_frames(world *world) {
    for (size_t n = random_below(5); n > 0 || world->deltas.held < 4; n -= n > 0) world_write_and_commit(world);
    for (size_t n = random_below(4); n > 0; n--) world_undo(world);
    world_expect_sound(world);
}

/* One flipped bit is mended where it flipped, or what lies behind it is dropped; what is not found is in no record. */
static void mend_one(world *world) {
    instar_ring *ring = &world->deltas.ring;
    uint64_t byte = choose_byte(world);
    int mended = 0;
    if (world->deltas.held == 0) return;
    memcpy(right, ring->base, ring->bytes);
    flip(world, byte);
    if (is_damaged(world)) {
        if (repair(world, &mended)) EXPECT(mended == 1 && memcmp(right, ring->base, ring->bytes) == 0);
    } else {
        ring->base[byte] = right[byte];
    }
    world_expect_sound(world);
}

static void change_limit(world *world) {
    world->deltas.limit = (64 << 10) + random_below(world->deltas.ring.bytes - (64 << 10) + 1);
    instar_deltas_keep_limit(&world->deltas);
}

static void amend(world *world) {
    world_write(world);
    world_commit(world, world->deltas.current);
}

/* Leads copies through the frames whose own record is whole. */
static void carry(world *world) {
    const instar_deltas *deltas = &world->deltas;
    uint64_t bytes = world->columns[0].capacity, place = deltas->at, extent = 0;
    uint8_t *target = take_memory(bytes);
    for (uint64_t n = 0; n < deltas->behind && instar_frame_known(deltas->kernels, &deltas->ring, place); n++) {
        instar_frame_carry(deltas->kernels, &deltas->ring, place, 0, 0, bytes, target);
        instar_frame_carry_extent(&deltas->ring, place, 0, &extent);
        place = instar_frame_at(&deltas->ring, place)->previous;
    }
    free(target);
}

static void undo(world *world) { world_undo(world); }
static void redo(world *world) { world_redo(world); }
static void drop(world *world) { instar_deltas_drop(&world->deltas, random_below(3)); }

static void (*const steps[])(world *world) = {world_write_and_commit, amend, undo, redo, drop, carry, change_limit};

static void take_step(world *world) {
    steps[random_below(sizeof steps / sizeof *steps)](world);
}

/* Damaged frames are not travelled through, and harm nothing else, whatever is done. */
static void go_on(world *world) {
    flip_some(world, 1 + random_below(3));
    for (size_t n = random_below(8); n > 0; n--) {
        take_step(world);
        world_expect_committed(world);
    }
    repair(world, NULL);
    EXPECT(!is_damaged(world));
    world_expect_sound(world);
}

/* A snapshot that is led back over damaged frames says so, or is right. */
static void take_snapshot(world *world) {
    uint64_t bytes = world->columns[2].capacity;
    uint8_t *target = take_memory(bytes);
    instar_snapshot_column column = {.column = &world->columns[2], .key = 2, .bytes = bytes, .target = target};
    instar_snapshot snapshot;
    size_t flips = 1 + random_below(3);
    int mended = 0;
    instar_snapshot_begin(&snapshot, &world->deltas, &column, 1);
    memcpy(right, world->columns[2].committed, bytes);
    for (size_t n = 1 + random_below(3); n > 0; n--) world_write_and_commit(world);
    flip_some(world, flips);
    for (size_t n = random_below(4); n > 0; n--) take_step(world);
    if (flips == 1) repair(world, &mended);
    instar_snapshot_complete(&snapshot);
    world->deltas.snapshots = NULL;
    EXPECT(snapshot.damaged || memcmp(target, right, bytes) == 0);
    repair(world, NULL);
    world_expect_sound(world);
    free(target);
}

void check_damage(const instar_kernels *path, int rounds) {
    static const uint64_t chunks[COLUMNS] = {2, 1, 5};
    static const uint64_t rings[] = {96 << 10, 400 << 10};
    static void (*const kinds[])(world *world) = {mend_one, go_on, take_snapshot};
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
        world world;
        world_open(&world, path, chunks, rings[i], 1);
        for (int round = 0; round < rounds / 2; round++) {
            write_frames(&world);
            kinds[random_below(sizeof kinds / sizeof *kinds)](&world);
            world.deltas.limit = world.deltas.ring.bytes;
        }
        world_close(&world);
    }
}
