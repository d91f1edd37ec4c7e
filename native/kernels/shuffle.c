/* The reference shuffles, which also finish what a twin leaves over, and the choice among them. */
#include "shuffle.h"

#include <string.h>

void instar_shuffle_rest(const uint8_t *data, uint8_t *out, size_t count, size_t size, size_t start) {
    for (size_t e = start; e < count; e++)
        for (size_t b = 0; b < size; b++) out[b * count + e] = data[e * size + b];
}

void instar_unshuffle_rest(const uint8_t *data, uint8_t *out, size_t count, size_t size, size_t start) {
    for (size_t e = start; e < count; e++)
        for (size_t b = 0; b < size; b++) out[e * size + b] = data[b * count + e];
}

void instar_spread_rest(const uint8_t *data, uint8_t *out, size_t count, size_t start) {
    for (size_t group = start / 8; group < count / 8; group++)
        for (size_t b = 0; b < 8; b++) {
            unsigned bits = 0;
            for (size_t e = 0; e < 8; e++) bits |= (data[group * 8 + e] >> b & 1u) << e;
            out[b * (count / 8) + group] = (uint8_t)bits;
        }
}

void instar_gather_rest(const uint8_t *data, uint8_t *out, size_t count, size_t start) {
    for (size_t e = start; e < count; e++) {
        unsigned byte = 0;
        for (size_t b = 0; b < 8; b++) byte |= (data[b * (count / 8) + e / 8] >> e % 8 & 1u) << b;
        out[e] = (uint8_t)byte;
    }
}

static void shuffle(const uint8_t *data, uint8_t *out, size_t count, size_t size) {
    instar_shuffle_rest(data, out, count, size, 0);
}

static void unshuffle(const uint8_t *data, uint8_t *out, size_t count, size_t size) {
    instar_unshuffle_rest(data, out, count, size, 0);
}

static void spread_bits(const uint8_t *data, uint8_t *out, size_t count) { instar_spread_rest(data, out, count, 0); }

static void gather_bits(const uint8_t *data, uint8_t *out, size_t count) { instar_gather_rest(data, out, count, 0); }

const instar_shuffles instar_shuffles_generic = {shuffle, unshuffle, spread_bits, gather_bits};

const instar_shuffles *instar_shuffles_of(const char *isa) {
    if (strcmp(isa, "generic") == 0) return &instar_shuffles_generic;
#if defined(__x86_64__)
    return &instar_shuffles_avx2; /* every other path of x86-64 has AVX2 */
#elif defined(__aarch64__)
    return &instar_shuffles_neon;
#else
    return &instar_shuffles_generic;
#endif
}
