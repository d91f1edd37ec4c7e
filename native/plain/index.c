#include "index.h"

#define NO_ROW UINT32_MAX
/* A slot whose generation has come to this is never handed out again. */
#define LAST_GENERATION UINT32_MAX

/* So many ids ahead the slots are fetched: they lie anywhere. */
#define AHEAD 24

static uint32_t slot_of(uint64_t id) { return (uint32_t)(id - 1); }
static uint32_t generation_of(uint64_t id) { return (uint32_t)((id - 1) >> 32); }

int instar_index_spawn(instar_index *index, uint64_t start, uint64_t count) {
    if (index->free_count > index->room || index->used > index->room) return INSTAR_INDEX_DAMAGED;
    uint64_t reused = count < index->free_count ? count : index->free_count;
    if (start > index->room || count > index->room - start || count - reused > index->room - index->used) return INSTAR_INDEX_FULL;
    for (uint64_t i = index->free_count - reused; i < index->free_count; i++)
        if (index->free[i] >= index->used || (uint32_t)index->slots[index->free[i]] != NO_ROW) return INSTAR_INDEX_DAMAGED;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t slot = i < reused ? index->free[--index->free_count] : index->used++;
        uint64_t generation = index->slots[slot] & ~(uint64_t)NO_ROW;
        if (i < reused) index->free[index->free_count] = 0;
        index->slots[slot] = generation | (start + i);
        index->ids[start + i] = (generation | slot) + 1;
    }
    return 0;
}

/* Whether the slot of the row's id says that its agent stands there. */
static int is_known(const instar_index *index, uint64_t row) {
    uint64_t id = index->ids[row];
    return id != 0 && slot_of(id) < index->used && index->slots[slot_of(id)] == ((uint64_t)generation_of(id) << 32 | row);
}

static int all_known(const instar_index *index, const instar_despawns *despawns) {
    for (uint64_t word = despawns->low; word < despawns->high; word++)
        for (uint64_t bits = despawns->marks[word]; bits; bits &= bits - 1)
            if (!is_known(index, 64 * word + (uint64_t)__builtin_ctzll(bits))) return 0;
    for (uint64_t i = 0; i < despawns->moves; i++)
        if (!is_known(index, despawns->movers[i])) return 0;
    return 1;
}

int instar_index_despawn(instar_index *index, const instar_despawns *despawns, uint64_t rows) {
    if (index->used > index->room || index->free_count > index->room - despawns->count) return INSTAR_INDEX_DAMAGED;
    if (!all_known(index, despawns)) return INSTAR_INDEX_DAMAGED;
    for (uint64_t word = despawns->low; word < despawns->high; word++)
        for (uint64_t bits = despawns->marks[word]; bits; bits &= bits - 1) {
            uint64_t id = index->ids[64 * word + (uint64_t)__builtin_ctzll(bits)];
            uint64_t next = (uint64_t)generation_of(id) + 1;
            index->slots[slot_of(id)] = next << 32 | NO_ROW;
            if (next < LAST_GENERATION) index->free[index->free_count++] = slot_of(id);
        }
    for (uint64_t i = 0; i < despawns->moves; i++) {
        uint64_t id = index->ids[despawns->movers[i]];
        index->slots[slot_of(id)] = (uint64_t)generation_of(id) << 32 | despawns->holes[i];
    }
    instar_despawns_close(despawns, (uint8_t *)index->ids, sizeof *index->ids, rows);
    return 0;
}

void instar_index_rows(const instar_index *index, const uint64_t *ids, int64_t *rows, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(index->slots + slot_of(ids[i + AHEAD]));
        uint64_t entry = slot_of(ids[i]) < index->used ? index->slots[slot_of(ids[i])] : NO_ROW;
        int stands = (uint32_t)entry != NO_ROW && entry >> 32 == generation_of(ids[i]);
        rows[i] = stands ? (int64_t)(uint32_t)entry : -1;
    }
}

uint64_t instar_index_forget(const instar_index *index, uint64_t *ids, const uint64_t *known, uint64_t count, uint64_t *stray) {
    uint64_t forgotten = 0;
    *stray = count;
    for (uint64_t i = 0; i < count; i++) {
        if (known != NULL && ids[i] == known[i]) continue;
        if (i + AHEAD < count) __builtin_prefetch(index->slots + slot_of(ids[i + AHEAD]));
        if (ids[i] == 0) continue;
        uint64_t entry = slot_of(ids[i]) < index->used ? index->slots[slot_of(ids[i])] : NO_ROW;
        if (generation_of(ids[i]) >= entry >> 32) {
            int stands = (uint32_t)entry != NO_ROW && generation_of(ids[i]) == entry >> 32;
            if (!stands && *stray == count) *stray = i;
            continue;
        }
        ids[i] = 0;
        forgotten++;
    }
    return forgotten;
}
