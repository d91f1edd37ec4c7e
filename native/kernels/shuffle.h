/* Shuffles: the bytes, or the bits, of like weight of many elements are put side by side, which LZ4 then finds alike.
 *
 * After Alted, "Why modern CPUs are starving and what can be done about it", 2010 (byte-shuffle, in Blosc), and Masui et al.,
 * "A compression scheme for radio data in high performance computing", 2015 (bit-shuffle). No alignment is asked for, `data`
 * and `out` must not overlap, and both directions are exact.
 */
#ifndef INSTAR_SHUFFLE_H
#define INSTAR_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct instar_shuffles {
    /* Byte b of element e goes to out[b * count + e], and back; an element has `size` bytes: 2, 4 or 8. */
    void (*shuffle)(const uint8_t *data, uint8_t *out, size_t count, size_t size);
    void (*unshuffle)(const uint8_t *data, uint8_t *out, size_t count, size_t size);

    /* Bit b of byte e goes to bit e % 8 of out[b * count / 8 + e / 8], and back; `count` is a multiple of 8. */
    void (*spread_bits)(const uint8_t *data, uint8_t *out, size_t count);
    void (*gather_bits)(const uint8_t *data, uint8_t *out, size_t count);
} instar_shuffles;

extern const instar_shuffles instar_shuffles_generic;
#if defined(__x86_64__)
extern const instar_shuffles instar_shuffles_avx2;
#elif defined(__aarch64__)
extern const instar_shuffles instar_shuffles_neon;
#endif

/* The shuffles that go with a path of kernels, by the path's name. */
const instar_shuffles *instar_shuffles_of(const char *isa);

/* The elements, or bytes, from `start` on: what a twin leaves over. `start` is a multiple of 8 for bits. */
void instar_shuffle_rest(const uint8_t *data, uint8_t *out, size_t count, size_t size, size_t start);
void instar_unshuffle_rest(const uint8_t *data, uint8_t *out, size_t count, size_t size, size_t start);
void instar_spread_rest(const uint8_t *data, uint8_t *out, size_t count, size_t start);
void instar_gather_rest(const uint8_t *data, uint8_t *out, size_t count, size_t start);

#endif
