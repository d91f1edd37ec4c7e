#include "integrity.h"

#include <math.h>
#include <string.h>

#include "check.h"
#include "crc64.h"
#include "random.h"
#include "world.h"

enum { MOST_SUSPECTS = 3 };

/* Elements outside bounds, one type after the other, at any even address and length. */
#define CHECK_BOUNDS(element_, type, member, lowest, highest)                                                        \
    do {                                                                                                             \
        size_t count = random_below(3000), outside = 0;                                                              \
        type *values = take_memory(count * sizeof *values), low = (type)(lowest), high = (type)(highest);            \
        instar_bounds bounds = {.element = element_, .low.member = low, .high.member = high};                        \
        for (size_t i = 0; i < count; i++) {                                                                         \
            values[i] = (type)((lowest) + (type)random_below(60));                                                   \
            outside += values[i] < low || values[i] > high;                                                          \
        }                                                                                                            \
        EXPECT(instar_count_outside(values, count * sizeof *values, &bounds) == outside);                            \
        free(values);                                                                                                \
    } while (0)

static void check_bounds(void) {
    CHECK_BOUNDS(INSTAR_F32, float, real, -20, 30);
    CHECK_BOUNDS(INSTAR_F64, double, real, -20, 30);
    CHECK_BOUNDS(INSTAR_I8, int8_t, integer, -20, 30);
    CHECK_BOUNDS(INSTAR_I16, int16_t, integer, -20, 30);
    CHECK_BOUNDS(INSTAR_I32, int32_t, integer, -20, 30);
    CHECK_BOUNDS(INSTAR_I64, int64_t, integer, -20, 30);
    CHECK_BOUNDS(INSTAR_U8, uint8_t, natural, 20, 70);
    CHECK_BOUNDS(INSTAR_U16, uint16_t, natural, 20, 70);
    CHECK_BOUNDS(INSTAR_U32, uint32_t, natural, 20, 70);
    CHECK_BOUNDS(INSTAR_U64, uint64_t, natural, 20, 70);
    float odd[] = {NAN, INFINITY, -INFINITY, 0};
    instar_bounds finite = {.element = INSTAR_F32, .low.real = -(double)__FLT_MAX__, .high.real = (double)__FLT_MAX__};
    EXPECT(instar_count_outside(odd, sizeof odd, &finite) == 3);
}

/* The one chunk that is suspected, found although there is room for few at a time. */
static instar_suspect find_one(const world *world, uint32_t key) {
    static const instar_bounds any = {.element = INSTAR_ANY};
    instar_suspect suspects[MOST_SUSPECTS], found = {0};
    uint32_t total = 0, count;
    for (uint64_t first = 0, stop; first < UINT64_MAX; first = count < MOST_SUSPECTS ? UINT64_MAX : stop) {
        stop = UINT64_MAX;
        count = instar_check_chunks(world->deltas.kernels, instar_crc64.zero_chunk, &world->columns[key], first, &stop, 1, &any, suspects,
                                    MOST_SUSPECTS);
        if (count) found = suspects[0];
        total += count;
    }
    EXPECT(total <= 1);
    return found;
}

/* A flipped committed bit is found, and where it is follows from its CRC. */
static void find_flip(world *world) {
    uint32_t key = (uint32_t)random_below(COLUMNS);
    instar_column *column = &world->columns[key];
    uint64_t chunks = (column->committed_extent + INSTAR_CHUNK_BYTES - 1) / INSTAR_CHUNK_BYTES;
    EXPECT(find_one(world, key).syndrome == 0 && find_one(world, key).lines == 0);
    if (chunks == 0) return;
    uint64_t byte = random_below(chunks * INSTAR_CHUNK_BYTES), bit = random_below(8);
    column->committed[byte] ^= (uint8_t)(1u << bit);
    instar_suspect suspect = find_one(world, key);
    EXPECT(suspect.chunk == byte / INSTAR_CHUNK_BYTES && suspect.lines == 1 && suspect.outside == 0);
    EXPECT(suspect.past_end == (byte >= column->committed_extent));
    EXPECT(instar_find_flip(suspect.syndrome, INSTAR_CHUNK_BYTES) == (int64_t)(8 * (byte % INSTAR_CHUNK_BYTES) + bit));
    column->committed[byte] ^= (uint8_t)(1u << bit);
    column->live[byte] ^= (uint8_t)(1u << bit);
    suspect = find_one(world, key);
    EXPECT(suspect.syndrome == 0 && suspect.lines == 1);
    column->live[byte] ^= (uint8_t)(1u << bit);
    EXPECT(instar_find_flip(random_word(), 64) == -1);
}

/* The current frame's records are walked in small strides; a flipped bit is met. */
static void walk_records(world *world) {
    const instar_deltas *deltas = &world->deltas;
    uint64_t at = deltas->at, seen = 0;
    int status;
    do {
        status = instar_frame_verify(deltas->kernels, &deltas->ring, deltas->at, &at, seen + 100, &seen);
    } while (status == 0);
    EXPECT(status == 1);
    int64_t first = instar_frame_next(&deltas->ring, deltas->at, deltas->at);
    if (first < 0) return;
    uint8_t *byte = (uint8_t *)instar_ring_at(&deltas->ring, (uint64_t)first) + random_below(24), bit = (uint8_t)(1u << random_below(8));
    *byte ^= bit;
    at = deltas->at, seen = 0;
    EXPECT(instar_frame_verify(deltas->kernels, &deltas->ring, deltas->at, &at, UINT64_MAX, &seen) == INSTAR_DAMAGED);
    *byte ^= bit;
}

void check_integrity(const instar_kernels *path, int rounds) {
    static const uint64_t chunks[COLUMNS] = {2, 1, 5};
    world world;
    world_open(&world, path, chunks, 1 << 20, 1);
    for (int round = 0; round < rounds; round++) {
        check_bounds();
        world_write_and_commit(&world);
        find_flip(&world);
        walk_records(&world);
        world_expect_sound(&world);
    }
    world_close(&world);
}
