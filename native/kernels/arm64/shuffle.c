/* NEON shuffles: 16 elements at a time, bits 64 bytes at a time.
 *
 * Of an element of `size` bytes, a register holds 16 / size; its bytes are sorted by weight, and what is then a matrix of
 * `size` × `size` equal parts is transposed. Bits: matrices of 8 × 8 bits are transposed in words, then the words' bytes.
 */
#include "../shuffle.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#define INLINE __attribute__((always_inline)) static inline

enum { GROUP = 16, BIT_GROUP = 64 };

static const uint8_t sort_2[16] = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15};
static const uint8_t sort_4[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
static const uint8_t sort_8[16] = {0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15};
static const uint8_t columns[4][16] = {
    {0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57},
    {2, 10, 18, 26, 34, 42, 50, 58, 3, 11, 19, 27, 35, 43, 51, 59},
    {4, 12, 20, 28, 36, 44, 52, 60, 5, 13, 21, 29, 37, 45, 53, 61},
    {6, 14, 22, 30, 38, 46, 54, 62, 7, 15, 23, 31, 39, 47, 55, 63},
};

INLINE void transpose_2(uint8x16_t x[2]) {
    uint64x2_t a = vreinterpretq_u64_u8(x[0]), b = vreinterpretq_u64_u8(x[1]);
    x[0] = vreinterpretq_u8_u64(vzip1q_u64(a, b));
    x[1] = vreinterpretq_u8_u64(vzip2q_u64(a, b));
}

INLINE void transpose_4(uint8x16_t x[4]) {
    uint32x4_t a = vreinterpretq_u32_u8(x[0]), b = vreinterpretq_u32_u8(x[1]);
    uint32x4_t c = vreinterpretq_u32_u8(x[2]), d = vreinterpretq_u32_u8(x[3]);
    uint8x16_t low[2] = {vreinterpretq_u8_u32(vzip1q_u32(a, b)), vreinterpretq_u8_u32(vzip1q_u32(c, d))};
    uint8x16_t high[2] = {vreinterpretq_u8_u32(vzip2q_u32(a, b)), vreinterpretq_u8_u32(vzip2q_u32(c, d))};
    transpose_2(low);
    transpose_2(high);
    x[0] = low[0];
    x[1] = low[1];
    x[2] = high[0];
    x[3] = high[1];
}

INLINE void transpose_8(uint8x16_t x[8]) {
    uint8x16_t low[4], high[4];
    for (int i = 0; i < 4; i++) {
        uint16x8_t a = vreinterpretq_u16_u8(x[2 * i]), b = vreinterpretq_u16_u8(x[2 * i + 1]);
        low[i] = vreinterpretq_u8_u16(vzip1q_u16(a, b));
        high[i] = vreinterpretq_u8_u16(vzip2q_u16(a, b));
    }
    transpose_4(low);
    transpose_4(high);
    for (int i = 0; i < 4; i++) {
        x[i] = low[i];
        x[i + 4] = high[i];
    }
}

INLINE void transpose(uint8x16_t *x, int size) {
    if (size == 2) transpose_2(x);
    if (size == 4) transpose_4(x);
    if (size == 8) transpose_8(x);
}

INLINE void shuffle_groups(const uint8_t *data, uint8_t *out, size_t count, int size, const uint8_t order[16]) {
    uint8x16_t sorted = vld1q_u8(order), x[8];
    for (size_t e = 0; e + GROUP <= count; e += GROUP) {
        for (int i = 0; i < size; i++) x[i] = vqtbl1q_u8(vld1q_u8(data + e * size + 16 * i), sorted);
        transpose(x, size);
        for (int i = 0; i < size; i++) vst1q_u8(out + i * count + e, x[i]);
    }
    instar_shuffle_rest(data, out, count, size, count / GROUP * GROUP);
}

INLINE void unshuffle_groups(const uint8_t *data, uint8_t *out, size_t count, int size, const uint8_t order[16]) {
    uint8x16_t unsorted = vld1q_u8(order), x[8];
    for (size_t e = 0; e + GROUP <= count; e += GROUP) {
        for (int i = 0; i < size; i++) x[i] = vld1q_u8(data + i * count + e);
        transpose(x, size);
        for (int i = 0; i < size; i++) vst1q_u8(out + e * size + 16 * i, vqtbl1q_u8(x[i], unsorted));
    }
    instar_unshuffle_rest(data, out, count, size, count / GROUP * GROUP);
}

static void shuffle(const uint8_t *data, uint8_t *out, size_t count, size_t size) {
    if (size == 2) shuffle_groups(data, out, count, 2, sort_2);
    if (size == 4) shuffle_groups(data, out, count, 4, sort_4);
    if (size == 8) shuffle_groups(data, out, count, 8, sort_8);
}

static void unshuffle(const uint8_t *data, uint8_t *out, size_t count, size_t size) {
    if (size == 2) unshuffle_groups(data, out, count, 2, sort_8); /* the orders of 2 and 8 are each other's inverse */
    if (size == 4) unshuffle_groups(data, out, count, 4, sort_4);
    if (size == 8) unshuffle_groups(data, out, count, 8, sort_2);
}

/* Transposes the 8 × 8 bits of each word; Warren, "Hacker's Delight", 7-3. */
INLINE uint8x16_t transpose_bits(uint8x16_t bytes) {
    uint64x2_t x = vreinterpretq_u64_u8(bytes), swap;
    swap = vandq_u64(veorq_u64(x, vshrq_n_u64(x, 7)), vdupq_n_u64(0x00AA00AA00AA00AA));
    x = veorq_u64(x, veorq_u64(swap, vshlq_n_u64(swap, 7)));
    swap = vandq_u64(veorq_u64(x, vshrq_n_u64(x, 14)), vdupq_n_u64(0x0000CCCC0000CCCC));
    x = veorq_u64(x, veorq_u64(swap, vshlq_n_u64(swap, 14)));
    swap = vandq_u64(veorq_u64(x, vshrq_n_u64(x, 28)), vdupq_n_u64(0x00000000F0F0F0F0));
    x = veorq_u64(x, veorq_u64(swap, vshlq_n_u64(swap, 28)));
    return vreinterpretq_u8_u64(x);
}

static void spread_bits(const uint8_t *data, uint8_t *out, size_t count) {
    for (size_t e = 0; e + BIT_GROUP <= count; e += BIT_GROUP) {
        uint8x16x4_t words = vld1q_u8_x4(data + e);
        for (int i = 0; i < 4; i++) words.val[i] = transpose_bits(words.val[i]);
        for (int i = 0; i < 4; i++) {
            uint8x16_t two = vqtbl4q_u8(words, vld1q_u8(columns[i]));
            vst1_u8(out + 2 * i * (count / 8) + e / 8, vget_low_u8(two));
            vst1_u8(out + (2 * i + 1) * (count / 8) + e / 8, vget_high_u8(two));
        }
    }
    instar_spread_rest(data, out, count, count / BIT_GROUP * BIT_GROUP);
}

static void gather_bits(const uint8_t *data, uint8_t *out, size_t count) {
    for (size_t e = 0; e + BIT_GROUP <= count; e += BIT_GROUP) {
        uint8x16x4_t planes;
        for (int i = 0; i < 4; i++)
            planes.val[i] = vcombine_u8(vld1_u8(data + 2 * i * (count / 8) + e / 8),
                                        vld1_u8(data + (2 * i + 1) * (count / 8) + e / 8));
        for (int i = 0; i < 4; i++)
            vst1q_u8(out + e + 16 * i, transpose_bits(vqtbl4q_u8(planes, vld1q_u8(columns[i]))));
    }
    instar_gather_rest(data, out, count, count / BIT_GROUP * BIT_GROUP);
}

const instar_shuffles instar_shuffles_neon = {shuffle, unshuffle, spread_bits, gather_bits};

#else
typedef int instar_no_neon;
#endif
