#include "identities.h"

static const uint64_t low = 0xffffffff;

uint64_t instar_count_stray_rows(const uint64_t *ids, uint64_t first, uint64_t stop, const uint64_t *slots, uint64_t slot_count,
                                 uint64_t *row) {
    uint64_t strays = 0;
    for (uint64_t at = stop; at-- > first;) {
        uint64_t id = ids[at] - 1, slot = id & low;
        if (slot < slot_count && slots[slot] == ((id & ~low) | at)) continue;
        strays++;
        *row = at;
    }
    return strays;
}

uint64_t instar_count_dead_slots(const uint64_t *slots, uint64_t slot_count, uint64_t *retired) {
    uint64_t dead = 0, spent = 0;
    for (uint64_t slot = 0; slot < slot_count; slot++) {
        dead += (slots[slot] & low) == low;
        spent += slots[slot] == ~(uint64_t)0;
    }
    *retired = spent;
    return dead;
}

uint64_t instar_count_bad_free(const uint32_t *free_list, uint64_t count, const uint64_t *slots, uint64_t slot_count,
                               uint8_t *seen) {
    uint64_t bad = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t slot = free_list[i];
        int known = slot < slot_count, bit = 1 << (slot & 7);
        if (!known || (slots[slot] & low) != low || seen[slot >> 3] & bit) bad++;
        if (known) seen[slot >> 3] |= (uint8_t)bit;
    }
    return bad;
}

uint64_t instar_count_dangling(const uint64_t *references, uint64_t first, uint64_t stop, const uint64_t *slots,
                               uint64_t slot_count, uint64_t *place) {
    uint64_t dangling = 0;
    for (uint64_t at = stop; at-- > first;) {
        uint64_t id = references[at] - 1, slot = id & low;
        if (references[at] == 0) continue;
        if (slot < slot_count && (slots[slot] ^ id) <= low && (slots[slot] & low) != low) continue;
        dangling++;
        *place = at;
    }
    return dangling;
}
