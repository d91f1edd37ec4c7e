#include "chunks.h"

#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "random.h"

enum { ROUNDS = 12 };

static void change_bit(uint8_t *line) { line[random_below(INSTAR_LINE_BYTES)] ^= (uint8_t)(1u << random_below(8)); }

static void change_float(uint8_t *line) { line[INSTAR_WORD_BYTES * random_below(INSTAR_LINE_WORDS)] ^= (uint8_t)(1 + random_below(255)); }

static void change_ends(uint8_t *line) {
    line[0] ^= 1;
    line[INSTAR_LINE_BYTES - 1] ^= 0x80;
}

static void change_some_floats(uint8_t *line) {
    for (int word = 0; word < INSTAR_LINE_WORDS; word++)
        if (random_below(2)) line[word * INSTAR_WORD_BYTES + random_below(INSTAR_WORD_BYTES)] ^= 0x10;
}

static void change_all_floats(uint8_t *line) {
    for (int word = 0; word < INSTAR_LINE_WORDS; word++) line[word * INSTAR_WORD_BYTES + 1] ^= (uint8_t)(1 + random_below(255));
}

static void change_any(uint8_t *line) {
    static void (*const ways[])(uint8_t *) = {change_bit, change_float, change_ends, change_some_floats, change_all_floats};
    ways[random_below(sizeof ways / sizeof *ways)](line);
}

static const struct {
    const char *name;
    void (*change)(uint8_t *line);
} patterns[] = {
    {"one_bit_per_line", change_bit},     {"one_float_per_line", change_float}, {"ends_of_line", change_ends},
    {"some_floats", change_some_floats}, {"all_floats", change_all_floats},    {"mixed", change_any},
};

/* Lines changed in a thousand; ONE_LINE stands for one at the beginning, in the middle or at the end. */
enum { ONE_LINE = -1 };
static const int shares[] = {0, ONE_LINE, 10, 100, 500, 900, 1000};

static void change_chunk(uint8_t *live, void (*change)(uint8_t *), int share) {
    static const size_t places[] = {0, 17, 63, 64, 128, 200, INSTAR_CHUNK_LINES - 1};
    if (share == ONE_LINE) change(live + places[random_below(sizeof places / sizeof *places)] * INSTAR_LINE_BYTES);
    for (int line = 0; line < INSTAR_CHUNK_LINES; line++)
        if ((int)random_below(1000) < share) change(live + line * INSTAR_LINE_BYTES);
}

static const char *compare(const chunk_pair *a, const chunk_pair *b) {
    if (memcmp(a->live, b->live, INSTAR_CHUNK_BYTES)) return "live bytes";
    if (memcmp(a->committed, b->committed, INSTAR_CHUNK_BYTES)) return "committed bytes";
    return a->crc != b->crc ? "chunk crc" : NULL;
}

static const char *take_step(const instar_kernels *path, chunk_step *take, size_t pattern, int share) {
    static chunk_pair expected, actual;
    if (!expected.live)
        for (int i = 0; i < 2; i++)
            *(i ? &expected : &actual) = (chunk_pair){guarded(INSTAR_CHUNK_BYTES), guarded(INSTAR_CHUNK_BYTES), 0};
    random_fill(expected.committed, INSTAR_CHUNK_BYTES);
    memcpy(expected.live, expected.committed, INSTAR_CHUNK_BYTES);
    change_chunk(expected.live, patterns[pattern].change, share);
    memcpy(actual.committed, expected.committed, INSTAR_CHUNK_BYTES);
    memcpy(actual.live, expected.live, INSTAR_CHUNK_BYTES);
    expected.crc = actual.crc = random_word(); /* a CRC that does not fit its chunk must stay as wrong as it was */
    const char *fault = take(path, &expected, &actual);
    return fault ? fault : compare(&expected, &actual);
}

const char *for_all_patterns(const instar_kernels *path, chunk_step *take) {
    static char report[160];
    for (size_t pattern = 0; pattern < sizeof patterns / sizeof *patterns; pattern++)
        for (size_t share = 0; share < sizeof shares / sizeof *shares; share++)
            for (int round = 0; round < ROUNDS; round++) {
                const char *fault = take_step(path, take, pattern, shares[share]);
                if (!fault) continue;
                snprintf(report, sizeof report, "%s (%s, %d lines in 1000)", fault, patterns[pattern].name, shares[share]);
                return report;
            }
    return NULL;
}
