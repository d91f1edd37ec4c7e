#include <string.h>

#include "bundle.h"
#include "check.h"
#include "random.h"
#include "upkeep.h"
#include "world.h"

/* Puts the oldest frames of the ring, so many, together in a ring of their own. */
static instar_ring join(const world *world, uint64_t frames) {
    const instar_deltas *deltas = &world->deltas;
    instar_counts counts = {0};
    uint64_t place = deltas->ring.tail, end = place;
    for (uint64_t n = 0; n < frames; n++) {
        EXPECT(instar_bundle_count(deltas->kernels, &deltas->ring, place, &counts) == 0);
        end = instar_frame_at(&deltas->ring, place)->end;
        place = (uint64_t)instar_frame_after(&deltas->ring, place);
    }
    uint64_t headers_bytes = instar_bundle_headers(&counts), words_bytes = instar_bundle_words(&counts);
    uint8_t *headers = take_memory(headers_bytes), *words = take_memory(words_bytes);
    EXPECT(counts.frames == frames && instar_bundle_take(&deltas->ring, deltas->ring.tail, &counts, headers, words) == end);
    instar_ring joined = {.bytes = instar_bundle_room(headers, headers_bytes, words_bytes)};
    EXPECT(joined.bytes > 0);
    EXPECT(instar_bundle_room(headers, headers_bytes - 8, words_bytes) == 0 && instar_bundle_room(headers, headers_bytes, words_bytes + 4) == 0);
    joined.base = take_memory(joined.bytes);
    EXPECT(instar_bundle_join(deltas->kernels, headers, words, &joined) == frames && joined.head <= joined.bytes);
    free(headers);
    free(words);
    return joined;
}

/* Where the joined record is that leads from a frame back, or forward. */
static uint64_t find(const instar_ring *joined, int64_t frame, int back) {
    for (int64_t place = 0; place >= 0; place = instar_frame_after(joined, (uint64_t)place)) {
        const instar_frame *record = instar_frame_at(joined, (uint64_t)place);
        if ((back ? record->frame : record->frame_before) == frame) return (uint64_t)place;
    }
    fprintf(stderr, "frame %lld is not among those joined\n", (long long)frame);
    exit(1);
}

static void step(world *world, const instar_ring *joined, int back) {
    uint64_t place = find(joined, world->deltas.current, back);
    EXPECT(instar_frame_damage(world->deltas.kernels, joined, place) == INSTAR_NONE);
    EXPECT(instar_deltas_step(&world->deltas, joined, place, world->by_key) == 0);
    world->current += back ? -1 : 1;
    world_expect_committed(world);
}

/* The frame at hand lies in the joined ring; adding to it makes it the only one that the history holds. */
static void add_to_past(world *world, const instar_ring *joined) {
    uint64_t place = find(joined, world->deltas.current, 1);
    instar_deltas_bring_back(&world->deltas, joined, place);
    world_write(world);
    world_commit(world, world->deltas.current);
    for (int n = 0; n < 3; n++) world_write_and_commit(world);
    world_expect_sound(world);
    while (world->deltas.behind) EXPECT(world_undo(world) == 0);
    world_expect_sound(world);
}

static void pack_and_travel(world *world) {
    while (world->deltas.behind < 6) world_write_and_commit(world);
    for (size_t n = random_below(2); n > 0; n--) world_undo(world);
    int oldest = world_find(world, world->deltas.oldest), packed = 1 + (int)random_below(world->deltas.behind);
    instar_ring joined = join(world, (uint64_t)packed);
    instar_deltas_drop(&world->deltas, (uint64_t)packed);
    world_expect_sound(world);
    while (world->deltas.behind) EXPECT(world_undo(world) == 0);
    EXPECT(world->current == oldest + packed);
    while (world->current > oldest) step(world, &joined, 1);
    while (world->current < oldest + packed && random_below(8)) step(world, &joined, 0);
    if (world->current > oldest && random_below(2)) {
        add_to_past(world, &joined);
    } else if (world->current == oldest + packed) {
        while (world->deltas.held > world->deltas.behind) EXPECT(world_redo(world) == 0);
        world_expect_sound(world);
    } else {
        instar_deltas_reset(&world->deltas, world->deltas.current);
    }
    free(joined.base);
}

void check_bundles(const instar_kernels *path, int rounds) {
    static const uint64_t chunks[COLUMNS] = {2, 1, 5};
    world world;
    world_open(&world, path, chunks, 1 << 20, 1);
    for (int round = 0; round < rounds; round++) pack_and_travel(&world);
    world_close(&world);
}
