#include "despawns.h"

#include <stdlib.h>
#include <string.h>

static void mark_word(instar_despawns *despawns, uint64_t word, uint64_t bits) {
    despawns->count += (uint64_t)__builtin_popcountll(bits & ~despawns->marks[word]);
    despawns->marks[word] |= bits;
}

static void widen(instar_despawns *despawns, uint64_t low, uint64_t high) {
    if (low < despawns->low || despawns->low == despawns->high) despawns->low = low;
    if (high > despawns->high) despawns->high = high;
}

int instar_despawns_reserve(instar_despawns *despawns, uint64_t rows) {
    uint64_t words = (rows + 63) / 64;
    if (words <= despawns->words) return 0;
    if (words < 2 * despawns->words) words = 2 * despawns->words;
    uint64_t *marks = realloc(despawns->marks, words * sizeof *marks);
    if (marks == NULL) return INSTAR_DESPAWNS_NO_MEMORY;
    memset(marks + despawns->words, 0, (words - despawns->words) * sizeof *marks);
    despawns->marks = marks;
    despawns->words = words;
    despawns->growths++;
    return 0;
}

int64_t instar_despawns_mark(instar_despawns *despawns, const int64_t *chosen, uint64_t count, uint64_t rows) {
    int64_t lowest = INT64_MAX, highest = INT64_MIN, all = (int64_t)rows;
    if (count == 0) return -1;
    for (uint64_t i = 0; i < count; i++) {
        if (chosen[i] < -all || chosen[i] >= all) return (int64_t)i;
        int64_t row = chosen[i] < 0 ? chosen[i] + all : chosen[i];
        lowest = row < lowest ? row : lowest;
        highest = row > highest ? row : highest;
    }
    widen(despawns, (uint64_t)lowest / 64, (uint64_t)highest / 64 + 1);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = (uint64_t)(chosen[i] < 0 ? chosen[i] + all : chosen[i]);
        mark_word(despawns, row / 64, UINT64_C(1) << row % 64);
    }
    return -1;
}

/* The eight bytes' truth as eight bits, the first byte's lowest. */
static uint64_t truth_of(const uint8_t *bytes) {
    uint64_t eight;
    memcpy(&eight, bytes, 8);
    eight |= eight >> 4;
    eight |= eight >> 2;
    eight |= eight >> 1;
    return ((eight & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080)) >> 56;
}

void instar_despawns_mark_mask(instar_despawns *despawns, const uint8_t *mask, uint64_t rows) {
    uint64_t whole = rows / 64;
    widen(despawns, 0, (rows + 63) / 64);
    for (uint64_t word = 0; word < whole; word++) {
        uint64_t bits = 0;
        for (uint64_t byte = 0; byte < 8; byte++) bits |= truth_of(mask + 64 * word + 8 * byte) << 8 * byte;
        mark_word(despawns, word, bits);
    }
    for (uint64_t row = 64 * whole; row < rows; row++)
        if (mask[row]) mark_word(despawns, whole, UINT64_C(1) << row % 64);
}

void instar_despawns_mark_range(instar_despawns *despawns, int64_t start, uint64_t count, int64_t step) {
    if (count == 0) return;
    int64_t last = start + (int64_t)(count - 1) * step;
    uint64_t low = (uint64_t)(start < last ? start : last), high = (uint64_t)(start < last ? last : start);
    uint64_t stride = (uint64_t)(step < 0 ? -step : step);
    widen(despawns, low / 64, high / 64 + 1);
    if (stride != 1 || count < 64) {
        for (uint64_t i = 0; i < count; i++) mark_word(despawns, (low + i * stride) / 64, UINT64_C(1) << (low + i * stride) % 64);
        return;
    }
    for (uint64_t word = low / 64; word <= high / 64; word++) {
        uint64_t bits = ~UINT64_C(0);
        if (word == low / 64) bits &= ~UINT64_C(0) << low % 64;
        if (word == high / 64) bits &= ~UINT64_C(0) >> (63 - high % 64);
        mark_word(despawns, word, bits);
    }
}

static int reserve_moves(instar_despawns *despawns, uint64_t moves) {
    if (moves <= despawns->room) return 0;
    if (moves < 2 * despawns->room) moves = 2 * despawns->room;
    uint32_t *holes = realloc(despawns->holes, moves * sizeof *holes);
    if (holes != NULL) despawns->holes = holes;
    uint32_t *movers = realloc(despawns->movers, moves * sizeof *movers);
    if (movers != NULL) despawns->movers = movers;
    if (holes == NULL || movers == NULL) return INSTAR_DESPAWNS_NO_MEMORY;
    despawns->room = moves;
    despawns->growths++;
    return 0;
}

int instar_despawns_plan(instar_despawns *despawns, uint64_t rows) {
    uint64_t kept = rows - despawns->count, holes = 0, movers = 0;
    if (reserve_moves(despawns, despawns->count < kept ? despawns->count : kept)) return INSTAR_DESPAWNS_NO_MEMORY;
    for (uint64_t word = despawns->low; word < despawns->high && 64 * word < kept; word++)
        for (uint64_t bits = despawns->marks[word]; bits; bits &= bits - 1) {
            uint64_t row = 64 * word + (uint64_t)__builtin_ctzll(bits);
            if (row >= kept) break;
            despawns->holes[holes++] = (uint32_t)row;
        }
    for (uint64_t word = kept / 64; 64 * word < rows && movers < holes; word++)
        for (uint64_t bits = ~despawns->marks[word]; bits && movers < holes; bits &= bits - 1) {
            uint64_t row = 64 * word + (uint64_t)__builtin_ctzll(bits);
            if (row >= kept) despawns->movers[movers++] = (uint32_t)row;
        }
    despawns->moves = movers;
    return 0;
}

#define MOVE(bytes)                                                                               \
    for (uint64_t i = 0; i < despawns->moves; i++)                                                \
        memcpy(cells + (size_t)(bytes)*despawns->holes[i], cells + (size_t)(bytes)*despawns->movers[i], bytes)

void instar_despawns_close(const instar_despawns *despawns, uint8_t *cells, size_t cell_bytes, uint64_t rows) {
    switch (cell_bytes) {
    case 1: MOVE(1); break;
    case 2: MOVE(2); break;
    case 4: MOVE(4); break;
    case 8: MOVE(8); break;
    case 12: MOVE(12); break;
    case 16: MOVE(16); break;
    default: MOVE(cell_bytes);
    }
    memset(cells + cell_bytes * (rows - despawns->count), 0, cell_bytes * despawns->count);
}

void instar_despawns_clear(instar_despawns *despawns) {
    if (despawns->high > despawns->low)
        memset(despawns->marks + despawns->low, 0, (despawns->high - despawns->low) * sizeof *despawns->marks);
    despawns->low = despawns->high = despawns->count = despawns->moves = 0;
}

void instar_despawns_free(instar_despawns *despawns) {
    free(despawns->marks);
    free(despawns->holes);
    free(despawns->movers);
}
