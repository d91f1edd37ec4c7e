#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "check.h"
#include "crc64.h"
#include "guard.h"
#include "random.h"

enum { ROUNDS = 40, CANARY = 0xa5 };

/* Shares of lines changed, in 1/1000. */
static const unsigned densities[] = {0, 1, 10, 100, 500, 900, 1000};
enum { DENSITIES = sizeof densities / sizeof *densities };

typedef struct chunk_pair {
    uint8_t *live, *committed, *delta;
    uint64_t *bitmap, crc;
} chunk_pair;

static chunk_pair new_pair(void) {
    return (chunk_pair){guarded(INSTAR_CHUNK_BYTES), guarded(INSTAR_CHUNK_BYTES), guarded(INSTAR_CHUNK_BYTES),
                        (uint64_t *)guarded(INSTAR_BITMAP_WORDS * sizeof(uint64_t)), 0};
}

static void change_line(uint8_t *line) {
    switch (random_below(3)) {
    case 0: line[random_below(INSTAR_LINE_BYTES)] ^= (uint8_t)(1u << random_below(8)); break;
    case 1: random_fill(line + 4 * random_below(INSTAR_LINE_BYTES / 4), 4); break;
    default: random_fill(line, INSTAR_LINE_BYTES);
    }
}

/* Two chunks that differ in about `density` thousandths of their lines. */
static void randomize(chunk_pair *pair, unsigned density) {
    random_fill(pair->committed, INSTAR_CHUNK_BYTES);
    memcpy(pair->live, pair->committed, INSTAR_CHUNK_BYTES);
    for (int line = 0; line < INSTAR_CHUNK_LINES; line++)
        if (random_below(1000) < density) change_line(pair->live + line * INSTAR_LINE_BYTES);
    memset(pair->delta, CANARY, INSTAR_CHUNK_BYTES);
    pair->crc = instar_crc64_linear(pair->committed, INSTAR_CHUNK_BYTES, 0);
}

static void copy(chunk_pair *to, const chunk_pair *from) {
    memcpy(to->live, from->live, INSTAR_CHUNK_BYTES);
    memcpy(to->committed, from->committed, INSTAR_CHUNK_BYTES);
    memcpy(to->delta, from->delta, INSTAR_CHUNK_BYTES);
    memcpy(to->bitmap, from->bitmap, INSTAR_BITMAP_WORDS * sizeof *to->bitmap);
    to->crc = from->crc;
}

static const char *compare(const chunk_pair *a, const chunk_pair *b) {
    if (memcmp(a->live, b->live, INSTAR_CHUNK_BYTES)) return "live bytes";
    if (memcmp(a->committed, b->committed, INSTAR_CHUNK_BYTES)) return "committed bytes";
    if (memcmp(a->delta, b->delta, INSTAR_CHUNK_BYTES)) return "delta, or bytes after it";
    if (memcmp(a->bitmap, b->bitmap, INSTAR_BITMAP_WORDS * sizeof *a->bitmap)) return "bitmap";
    if (a->crc != b->crc) return "chunk crc";
    return NULL;
}

static uint32_t reference_commit(chunk_pair *pair) {
    return instar_generic.commit_chunk(pair->live, pair->committed, pair->delta, pair->bitmap, &pair->crc);
}

typedef const char *step(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual);

/* Takes the same step with the reference and the path, from the same random chunks of every density. */
static const char *for_all_densities(const instar_kernels *path, step *take) {
    static chunk_pair expected, actual;
    if (!expected.live) expected = new_pair(), actual = new_pair();
    for (unsigned round = 0; round < ROUNDS * DENSITIES; round++) {
        randomize(&expected, densities[round % DENSITIES]);
        const char *fault = take(path, &expected, &actual);
        if (!fault) fault = compare(&expected, &actual);
        if (fault) return fault;
    }
    return NULL;
}

static const char *commit_both(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    random_fill((uint8_t *)expected->bitmap, INSTAR_BITMAP_WORDS * sizeof *expected->bitmap);
    copy(actual, expected);
    uint32_t lines = reference_commit(expected);
    uint32_t found = (uint32_t)CALL(path->commit_chunk, actual->live, actual->committed, actual->delta, actual->bitmap, &actual->crc);
    return lines == found ? NULL : "number of lines";
}

/* Undoes a commit: both chunks begin as they were after it. */
static const char *xor_both(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    reference_commit(expected);
    copy(actual, expected);
    instar_generic.xor_chunk(expected->live, expected->committed, expected->delta, expected->bitmap);
    CALL(path->xor_chunk, actual->live, actual->committed, actual->delta, actual->bitmap);
    return NULL;
}

static const char *restore_both(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    copy(actual, expected);
    uint32_t lines = instar_generic.restore_chunk(expected->live, expected->committed);
    uint32_t found = (uint32_t)CALL(path->restore_chunk, actual->live, actual->committed);
    return lines == found ? NULL : "number of lines";
}

const char *check_commit_chunk(const instar_kernels *path) { return for_all_densities(path, commit_both); }
const char *check_xor_chunk(const instar_kernels *path) { return for_all_densities(path, xor_both); }
const char *check_restore_chunk(const instar_kernels *path) { return for_all_densities(path, restore_both); }
