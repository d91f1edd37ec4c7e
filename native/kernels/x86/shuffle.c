/* AVX2 shuffles: 32 elements at a time, the first 16 in the lower lanes and the others in the upper ones.
 *
 * Of an element of `size` bytes, a lane holds 16 / size; its bytes are sorted by weight, and what is then a matrix of
 * `size` × `size` equal parts is transposed within the lanes.
 */
#include "../shuffle.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define INLINE AVX2 __attribute__((always_inline)) static inline

enum { GROUP = 32 };

static const uint8_t sort_2[16] = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15};
static const uint8_t sort_4[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
static const uint8_t sort_8[16] = {0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15};
static const uint8_t unsort_2[16] = {0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15};
static const uint8_t unsort_8[16] = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15};

INLINE __m256i both_lanes(const uint8_t *bytes) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)bytes));
}

INLINE __m256i load_halves(const uint8_t *low, const uint8_t *high) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

INLINE void store_halves(uint8_t *low, uint8_t *high, __m256i value) {
    _mm_storeu_si128((__m128i *)low, _mm256_castsi256_si128(value));
    _mm_storeu_si128((__m128i *)high, _mm256_extracti128_si256(value, 1));
}

INLINE void transpose_2(__m256i x[2]) {
    __m256i a = x[0], b = x[1];
    x[0] = _mm256_unpacklo_epi64(a, b);
    x[1] = _mm256_unpackhi_epi64(a, b);
}

INLINE void transpose_4(__m256i x[4]) {
    __m256i a = _mm256_unpacklo_epi32(x[0], x[1]), b = _mm256_unpackhi_epi32(x[0], x[1]);
    __m256i c = _mm256_unpacklo_epi32(x[2], x[3]), d = _mm256_unpackhi_epi32(x[2], x[3]);
    x[0] = _mm256_unpacklo_epi64(a, c);
    x[1] = _mm256_unpackhi_epi64(a, c);
    x[2] = _mm256_unpacklo_epi64(b, d);
    x[3] = _mm256_unpackhi_epi64(b, d);
}

INLINE void transpose_8(__m256i x[8]) {
    __m256i even[4], odd[4]; /* words 0, 1, 4, 5 and 2, 3, 6, 7 of pairs of rows, two rows each */
    for (int i = 0; i < 4; i++) {
        even[i] = _mm256_unpacklo_epi16(x[2 * i], x[2 * i + 1]);
        odd[i] = _mm256_unpackhi_epi16(x[2 * i], x[2 * i + 1]);
    }
    transpose_4(even);
    transpose_4(odd);
    for (int i = 0; i < 4; i++) {
        x[i] = even[i];
        x[i + 4] = odd[i];
    }
}

INLINE void transpose(__m256i *x, int size) {
    if (size == 2) transpose_2(x);
    if (size == 4) transpose_4(x);
    if (size == 8) transpose_8(x);
}

INLINE void shuffle_groups(const uint8_t *data, uint8_t *out, size_t count, int size, const uint8_t order[16]) {
    __m256i sorted = both_lanes(order), x[8];
    for (size_t e = 0; e + GROUP <= count; e += GROUP) {
        const uint8_t *at = data + e * size;
        for (int i = 0; i < size; i++)
            x[i] = _mm256_shuffle_epi8(load_halves(at + 16 * i, at + 16 * (size + i)), sorted);
        transpose(x, size);
        for (int i = 0; i < size; i++) _mm256_storeu_si256((__m256i *)(out + i * count + e), x[i]);
    }
    instar_shuffle_rest(data, out, count, size, count / GROUP * GROUP);
}

INLINE void unshuffle_groups(const uint8_t *data, uint8_t *out, size_t count, int size, const uint8_t order[16]) {
    __m256i unsorted = both_lanes(order), x[8];
    for (size_t e = 0; e + GROUP <= count; e += GROUP) {
        uint8_t *at = out + e * size;
        for (int i = 0; i < size; i++) x[i] = _mm256_loadu_si256((const __m256i *)(data + i * count + e));
        transpose(x, size);
        for (int i = 0; i < size; i++)
            store_halves(at + 16 * i, at + 16 * (size + i), _mm256_shuffle_epi8(x[i], unsorted));
    }
    instar_unshuffle_rest(data, out, count, size, count / GROUP * GROUP);
}

AVX2 static void shuffle(const uint8_t *data, uint8_t *out, size_t count, size_t size) {
    if (size == 2) shuffle_groups(data, out, count, 2, sort_2);
    if (size == 4) shuffle_groups(data, out, count, 4, sort_4);
    if (size == 8) shuffle_groups(data, out, count, 8, sort_8);
}

AVX2 static void unshuffle(const uint8_t *data, uint8_t *out, size_t count, size_t size) {
    if (size == 2) unshuffle_groups(data, out, count, 2, unsort_2);
    if (size == 4) unshuffle_groups(data, out, count, 4, sort_4); /* its own inverse */
    if (size == 8) unshuffle_groups(data, out, count, 8, unsort_8);
}

AVX2 static void spread_bits(const uint8_t *data, uint8_t *out, size_t count) {
    for (size_t e = 0; e + GROUP <= count; e += GROUP) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(data + e));
        for (int b = 7; b >= 0; b--) {
            int bits = _mm256_movemask_epi8(bytes);
            memcpy(out + b * (count / 8) + e / 8, &bits, sizeof bits);
            bytes = _mm256_add_epi8(bytes, bytes);
        }
    }
    instar_spread_rest(data, out, count, count / GROUP * GROUP);
}

AVX2 static void gather_bits(const uint8_t *data, uint8_t *out, size_t count) {
    const __m256i byte_of = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit_of = _mm256_set1_epi64x((long long)0x8040201008040201);
    for (size_t e = 0; e + GROUP <= count; e += GROUP) {
        __m256i bytes = _mm256_setzero_si256();
        for (int b = 0; b < 8; b++) {
            int bits;
            memcpy(&bits, data + b * (count / 8) + e / 8, sizeof bits);
            __m256i here = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(bits), byte_of), bit_of);
            __m256i set = _mm256_cmpeq_epi8(here, bit_of);
            bytes = _mm256_or_si256(bytes, _mm256_and_si256(set, _mm256_set1_epi8((char)(1 << b))));
        }
        _mm256_storeu_si256((__m256i *)(out + e), bytes);
    }
    instar_gather_rest(data, out, count, count / GROUP * GROUP);
}

const instar_shuffles instar_shuffles_avx2 = {shuffle, unshuffle, spread_bits, gather_bits};

#else
typedef int instar_not_x86;
#endif
