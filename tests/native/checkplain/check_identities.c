#include <string.h>

#include "check.h"
#include "identities.h"
#include "random.h"
#include "world.h"

enum { SLOTS = 90, ROWS = 70 };
static const uint32_t NOBODY = UINT32_MAX;

static uint64_t entry(uint64_t generation, uint64_t row) { return generation << 32 | row; }
static uint64_t id_of(uint64_t generation, uint64_t slot) { return (generation << 32 | slot) + 1; }

/* A random world of identities of which some are wrong, each counted as it is made so. */
void check_identities(const instar_kernels *path, int rounds) {
    (void)path;
    for (int round = 0; round < rounds; round++) {
        uint64_t *ids = take_memory(ROWS * sizeof *ids), *slots = take_memory(SLOTS * sizeof *slots), *references = take_memory(ROWS * sizeof *references);
        uint32_t *free_list = take_memory((SLOTS - ROWS) * sizeof *free_list);
        uint8_t *seen = take_memory(SLOTS / 8 + 1);
        uint64_t retired = 0, strays = 0, bad = 0, dangling = 0, first_stray = 0, first_dangling = 0, found, place = 0;
        for (uint64_t row = 0; row < ROWS; row++) {
            uint64_t generation = random_below(5), slot = SLOTS - 1 - row;
            slots[slot] = entry(generation, row);
            ids[row] = id_of(generation, slot);
        }
        for (uint64_t slot = 0; slot < SLOTS - ROWS; slot++) {
            slots[slot] = entry(1 + random_below(5), NOBODY);
            free_list[slot] = (uint32_t)slot;
        }
        for (uint64_t row = ROWS; row-- > 0;) {
            references[row] = random_below(3) ? ids[random_below(ROWS)] : 0;
            if (random_below(10)) continue;
            references[row] = random_below(2) ? id_of(9, random_below(SLOTS)) : id_of(random_below(5), SLOTS + random_below(100));
            dangling++, first_dangling = row;
        }
        EXPECT(instar_count_dangling(references, 0, ROWS, slots, SLOTS, &place) == dangling && place == first_dangling);
        for (uint64_t row = ROWS; row-- > 0;) {
            if (random_below(10)) continue;
            ids[row] = random_below(3) ? ids[row] + (UINT64_C(1) << 32) : 0;
            strays++, first_stray = row;
        }
        place = 0;
        EXPECT(instar_count_stray_rows(ids, 0, ROWS, slots, SLOTS, &place) == strays && place == first_stray);
        if (random_below(2)) slots[0] = entry(UINT32_MAX, NOBODY), retired = 1;
        EXPECT(instar_count_dead_slots(slots, SLOTS, &found) == SLOTS - ROWS && found == retired);
        for (uint64_t i = 0; i < SLOTS - ROWS; i++) {
            if (random_below(8)) continue;
            free_list[i] = random_below(2) ? (uint32_t)(SLOTS + random_below(1000)) : SLOTS - ROWS + (uint32_t)random_below(ROWS);
            bad++;
        }
        EXPECT(instar_count_bad_free(free_list, SLOTS - ROWS, slots, SLOTS, seen) == bad);
        memset(seen, 0, SLOTS / 8 + 1);
        for (uint64_t i = 0; i < SLOTS - ROWS; i++) free_list[i] = 3;
        EXPECT(instar_count_bad_free(free_list, SLOTS - ROWS, slots, SLOTS, seen) == SLOTS - ROWS - 1);
        free(ids), free(slots), free(references), free(free_list), free(seen);
    }
}
