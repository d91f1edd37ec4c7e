#include <string.h>

#include "check.h"
#include "index.h"
#include "random.h"
#include "world.h"

enum { ROOM = 300, MOST_DEAD = 512, SIZES = 8 };
static const size_t sizes[SIZES] = {1, 2, 3, 4, 8, 12, 16, 40};

/* A table of nothing but ids, and cells of each size that follow them. */
typedef struct table {
    instar_index index;
    instar_despawns despawns;
    uint64_t rows;
    uint8_t *cells[SIZES];
    uint64_t dead[MOST_DEAD]; /* ids of some that went */
    size_t dead_count;
    uint8_t marked[ROOM];
} table;

/* What a cell of an id's row holds. */
static uint8_t cell_of(uint64_t id, size_t byte) { return (uint8_t)((id * UINT64_C(0x9e3779b97f4a7c15) >> (8 + byte % 40)) | 1); }

static void open_table(table *table) {
    memset(table, 0, sizeof *table);
    table->index = (instar_index){.ids = take_memory(ROOM * sizeof(uint64_t)), .slots = take_memory(ROOM * sizeof(uint64_t)),
                                  .free = take_memory(ROOM * sizeof(uint32_t)), .room = ROOM};
    /* Some slots have few generations left. */
    for (uint64_t slot = 0; slot < ROOM; slot += 7) table->index.slots[slot] = (UINT64_C(0xffffffff) - 1 - random_below(4)) << 32;
    for (int i = 0; i < SIZES; i++) table->cells[i] = take_memory(ROOM * sizes[i]);
}

static void close_table(table *table) {
    instar_despawns_free(&table->despawns);
    for (int i = 0; i < SIZES; i++) free(table->cells[i]);
    free(table->index.ids), free(table->index.slots), free(table->index.free);
}

static void expect_row(const table *table, uint64_t row) {
    uint64_t id = table->index.ids[row];
    int64_t found;
    instar_index_rows(&table->index, &id, &found, 1);
    EXPECT(id != 0 && found == (int64_t)row);
    for (int i = 0; i < SIZES; i++)
        for (size_t byte = 0; byte < sizes[i]; byte++) EXPECT(table->cells[i][row * sizes[i] + byte] == cell_of(id, byte));
}

static void expect_sound(const table *table) {
    int64_t found[MOST_DEAD];
    for (uint64_t row = 0; row < table->rows; row++) expect_row(table, row);
    for (uint64_t row = table->rows; row < ROOM; row++) EXPECT(table->index.ids[row] == 0 && table->cells[0][row] == 0);
    for (uint64_t i = table->index.free_count; i < ROOM; i++) EXPECT(table->index.free[i] == 0);
    instar_index_rows(&table->index, table->dead, found, table->dead_count);
    for (size_t i = 0; i < table->dead_count; i++) EXPECT(found[i] == -1);
    EXPECT(table->despawns.count == 0 && table->despawns.low == table->despawns.high);
}

static void spawn(table *table) {
    uint64_t count = random_below(40);
    uint64_t unused = table->index.room - table->index.used + table->index.free_count;
    int status = instar_index_spawn(&table->index, table->rows, count);
    EXPECT(status == (count <= ROOM - table->rows && count <= unused ? 0 : INSTAR_INDEX_FULL));
    if (status) return;
    for (; count > 0; count--, table->rows++)
        for (int i = 0; i < SIZES; i++)
            for (size_t byte = 0; byte < sizes[i]; byte++)
                table->cells[i][table->rows * sizes[i] + byte] = cell_of(table->index.ids[table->rows], byte);
}

static void mark_rows(table *table) {
    uint64_t count = random_below(30);
    int64_t *chosen = take_memory(count * sizeof *chosen);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = random_below(table->rows);
        table->marked[row] = 1;
        chosen[i] = (int64_t)row - (random_below(2) ? (int64_t)table->rows : 0);
    }
    EXPECT(instar_despawns_mark(&table->despawns, chosen, count, table->rows) == -1);
    uint64_t before = table->despawns.count;
    if (count) {
        chosen[count - 1] = random_below(2) ? (int64_t)table->rows : -(int64_t)table->rows - 1;
        EXPECT(instar_despawns_mark(&table->despawns, chosen, count, table->rows) == (int64_t)count - 1);
    }
    EXPECT(table->despawns.count == before);
    free(chosen);
}

static void mark_mask(table *table) {
    uint8_t *mask = take_memory(table->rows);
    for (uint64_t row = 0; row < table->rows; row++)
        if (random_below(9) == 0) table->marked[row] = mask[row] = (uint8_t)(1u << random_below(8));
    instar_despawns_mark_mask(&table->despawns, mask, table->rows);
    free(mask);
}

static void mark_range(table *table) {
    uint64_t start = random_below(table->rows), step = random_below(3) ? 1 : 1 + random_below(9);
    uint64_t count = random_below((table->rows - 1 - start) / step + 2);
    for (uint64_t i = 0; i < count; i++) table->marked[start + i * step] = 1;
    if (count && random_below(2))
        instar_despawns_mark_range(&table->despawns, (int64_t)(start + (count - 1) * step), count, -(int64_t)step);
    else
        instar_despawns_mark_range(&table->despawns, (int64_t)start, count, (int64_t)step);
}

/* What is to stand in the rows when the last ones have moved into the holes, ascending. Returns how many rows stay. */
static uint64_t close_up(const table *table, uint64_t *ids) {
    uint64_t kept = 0;
    for (uint64_t row = 0; row < table->rows; row++) kept += !table->marked[row];
    for (uint64_t row = 0, mover = kept; row < kept; row++) {
        if (table->marked[row])
            while (table->marked[mover]) mover++;
        ids[row] = table->index.ids[table->marked[row] ? mover++ : row];
    }
    return kept;
}

/* References to those that go are zeroed; others stay, and an id that was never given is told. */
static void forget(table *table, const uint64_t *before, uint64_t rows) {
    uint64_t references[ROOM], known[ROOM], gone = 0, stray = 0, place = random_below(rows);
    for (uint64_t row = 0; row < rows; row++) {
        int same = random_below(2) == 0;
        references[row] = before[row];
        known[row] = same ? before[row] : 0;
        gone += table->marked[row] && !same;
    }
    EXPECT(instar_index_forget(&table->index, references, known, rows, &stray) == gone && stray == rows);
    for (uint64_t row = 0; row < rows; row++)
        EXPECT(references[row] == (table->marked[row] && !known[row] ? 0 : before[row]));
    memcpy(known, references, rows * sizeof *known);
    references[place] = random_below(2) ? UINT64_MAX - random_below(9) : table->index.used + 1;
    EXPECT(instar_index_forget(&table->index, references, known, rows, &stray) == 0 && stray == place);
}

static void despawn(table *table) {
    static void (*const ways[])(struct table *) = {mark_rows, mark_mask, mark_range};
    uint64_t ids[ROOM], before[ROOM], rows = table->rows;
    if (rows == 0) return;
    memset(table->marked, 0, sizeof table->marked);
    EXPECT(instar_despawns_reserve(&table->despawns, rows) == 0);
    for (size_t n = 1 + random_below(2); n > 0; n--) ways[random_below(sizeof ways / sizeof *ways)](table);
    if (random_below(8) == 0) {
        instar_despawns_clear(&table->despawns);
        return;
    }
    uint64_t kept = close_up(table, ids);
    memcpy(before, table->index.ids, rows * sizeof *before);
    EXPECT(table->despawns.count == rows - kept);
    EXPECT(instar_despawns_plan(&table->despawns, rows) == 0);
    EXPECT(instar_index_despawn(&table->index, &table->despawns, rows) == 0);
    for (int i = 0; i < SIZES; i++) instar_despawns_close(&table->despawns, table->cells[i], sizes[i], rows);
    instar_despawns_clear(&table->despawns);
    table->rows = kept;
    EXPECT(memcmp(ids, table->index.ids, kept * sizeof *ids) == 0);
    for (uint64_t row = 0; row < rows; row++)
        if (table->marked[row]) table->dead[table->dead_count < MOST_DEAD ? table->dead_count++ : random_below(MOST_DEAD)] = before[row];
    forget(table, before, rows);
}

static void flip(void *memory, uint64_t bytes) { ((uint8_t *)memory)[random_below(bytes)] ^= (uint8_t)(1u << random_below(8)); }

/* A damaged index is refused with nothing changed, or the damage lies elsewhere; never is anything outside touched. */
static void damage(table *table) {
    uint64_t ids[ROOM], slots[ROOM], rows = table->rows;
    uint32_t free[ROOM];
    instar_index index = table->index, kept = {.ids = ids, .slots = slots, .free = free};
    memcpy(ids, index.ids, sizeof ids), memcpy(slots, index.slots, sizeof slots), memcpy(free, index.free, sizeof free);
    if (rows == 0) return;
    switch (random_below(5)) {
    case 0: flip(index.ids, rows * sizeof *ids); break;
    case 1: flip(index.slots, index.used * sizeof *slots); break;
    case 2: flip(index.free, (index.free_count + 1) % ROOM * sizeof *free + 1); break;
    case 3: flip(&index.used, sizeof index.used); break;
    default: flip(&index.free_count, sizeof index.free_count);
    }
    if (random_below(2)) {
        instar_index_spawn(&index, rows, random_below(ROOM - rows + 1));
    } else {
        memset(table->marked, 0, sizeof table->marked);
        EXPECT(instar_despawns_reserve(&table->despawns, rows) == 0);
        mark_mask(table);
        EXPECT(instar_despawns_plan(&table->despawns, rows) == 0);
        instar_index_despawn(&index, &table->despawns, rows);
        instar_despawns_clear(&table->despawns);
    }
    memcpy(table->index.ids, kept.ids, sizeof ids);
    memcpy(table->index.slots, kept.slots, sizeof slots);
    memcpy(table->index.free, kept.free, sizeof free);
}

void check_rows(const instar_kernels *path, int rounds) {
    (void)path;
    for (int part = 0; part < 4; part++) {
        table table;
        open_table(&table);
        for (int round = 0; round < rounds / 4; round++) {
            switch (random_below(5)) {
            case 0: damage(&table); break;
            case 1:
            case 2: despawn(&table); break;
            default: spawn(&table);
            }
            expect_sound(&table);
        }
        close_table(&table);
    }
}
