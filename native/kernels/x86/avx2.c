/* AVX2 and PCLMULQDQ.
 *
 * A chunk is taken in blocks of 64 lines: one pass compares a block into a word of bits, and the changed lines of a block are
 * handled after the next one has been compared, so that neither waits for the other and nothing branches per line. The CRC
 * follows from the delta alone: each changed word is multiplied by the power of x that belongs to its place, the products are
 * added up, and one reduction ends the chunk.
 */
#include "../kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "../crc64.h"

#define AVX2 __attribute__((target("avx2,pclmul,bmi")))

enum { BLOCK_LINES = 64, BLOCK_BYTES = BLOCK_LINES * INSTAR_LINE_BYTES };

AVX2 static inline __m256i load(const uint8_t *at) { return _mm256_load_si256((const __m256i *)at); }

AVX2 static inline void store(uint8_t *at, __m256i value) { _mm256_store_si256((__m256i *)at, value); }

AVX2 static inline __m128i load_16(const void *at) { return _mm_loadu_si128(at); }

AVX2 static inline uint64_t line_differs(const uint8_t *a, const uint8_t *b) {
    __m256i difference = _mm256_or_si256(_mm256_xor_si256(load(a), load(b)), _mm256_xor_si256(load(a + 32), load(b + 32)));
    return !_mm256_testz_si256(difference, difference);
}

/* Bit l is set where line l of two blocks differs. */
AVX2 static inline uint64_t compare_block(const uint8_t *a, const uint8_t *b) {
    uint64_t bits = 0;
    for (int line = 0; line < BLOCK_LINES; line++) bits |= line_differs(a + line * 64, b + line * 64) << line;
    return bits;
}

/* The products of the four words of half a line with their powers of x. */
AVX2 static inline __m128i multiply_half(__m256i words, const uint64_t *powers) {
    __m256i factors = load((const uint8_t *)powers);
    __m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
    __m128i low_factors = _mm256_castsi256_si128(factors), high_factors = _mm256_extracti128_si256(factors, 1);
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(low, low_factors, 0x00), _mm_clmulepi64_si128(low, low_factors, 0x11)),
                         _mm_xor_si128(_mm_clmulepi64_si128(high, high_factors, 0x00),
                                       _mm_clmulepi64_si128(high, high_factors, 0x11)));
}

/* The polynomial of 128 bits modulo P, by Barrett's method. */
AVX2 static inline uint64_t reduce(__m128i product) {
    __m128i constants = load_16(instar_crc64.barrett);
    __m128i estimate = _mm_slli_epi64(_mm_clmulepi64_si128(product, constants, 0x00), 1);
    __m128i quotient = _mm_xor_si128(product, estimate);
    __m128i multiple = _mm_clmulepi64_si128(quotient, constants, 0x10);
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(multiple), high = (uint64_t)_mm_extract_epi64(multiple, 1);
    return (uint64_t)_mm_extract_epi64(product, 1) ^ (high << 1 | low >> 63);
}

/* Commits the lines of one block that `bits` names; returns where the next delta line goes. */
AVX2 static inline uint8_t *commit_lines(const uint8_t *live, uint8_t *committed, uint8_t *delta, const uint64_t *powers,
                                         uint64_t bits, __m128i *product) {
    for (; bits; bits = _blsr_u64(bits), delta += INSTAR_LINE_BYTES) {
        size_t at = (size_t)_tzcnt_u64(bits) * INSTAR_LINE_BYTES;
        __m256i low = load(live + at), high = load(live + at + 32);
        __m256i low_delta = _mm256_xor_si256(low, load(committed + at)), high_delta = _mm256_xor_si256(high, load(committed + at + 32));
        store(committed + at, low);
        store(committed + at + 32, high);
        store(delta, low_delta);
        store(delta + 32, high_delta);
        __m128i low_product = multiply_half(low_delta, powers + at / 8), high_product = multiply_half(high_delta, powers + at / 8 + 4);
        *product = _mm_xor_si128(*product, _mm_xor_si128(low_product, high_product));
    }
    return delta;
}

AVX2 static uint32_t commit_chunk(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t bitmap[INSTAR_BITMAP_WORDS],
                                  uint64_t *crc) {
    uint8_t *end = delta;
    __m128i product = _mm_setzero_si128();
    bitmap[0] = compare_block(live, committed);
    for (size_t block = 0; block < INSTAR_BITMAP_WORDS; block++) {
        size_t at = block * BLOCK_BYTES, next = at + BLOCK_BYTES;
        if (block + 1 < INSTAR_BITMAP_WORDS) bitmap[block + 1] = compare_block(live + next, committed + next);
        end = commit_lines(live + at, committed + at, end, instar_crc64.powers + at / 8, bitmap[block], &product);
    }
    if (end != delta) *crc ^= reduce(product);
    return (uint32_t)((end - delta) / INSTAR_LINE_BYTES);
}

AVX2 static void xor_chunk(uint8_t *live, uint8_t *committed, const uint8_t *delta, const uint64_t bitmap[INSTAR_BITMAP_WORDS]) {
    for (size_t block = 0; block < INSTAR_BITMAP_WORDS; block++)
        for (uint64_t bits = bitmap[block]; bits; bits = _blsr_u64(bits), delta += INSTAR_LINE_BYTES) {
            size_t at = block * BLOCK_BYTES + (size_t)_tzcnt_u64(bits) * INSTAR_LINE_BYTES;
            __m256i low = _mm256_xor_si256(load(committed + at), load(delta));
            __m256i high = _mm256_xor_si256(load(committed + at + 32), load(delta + 32));
            store(committed + at, low);
            store(committed + at + 32, high);
            store(live + at, low);
            store(live + at + 32, high);
        }
}

AVX2 static uint32_t restore_chunk(uint8_t *live, const uint8_t *committed) {
    uint32_t restored = 0;
    for (size_t block = 0; block < INSTAR_CHUNK_BYTES; block += BLOCK_BYTES)
        for (uint64_t bits = compare_block(live + block, committed + block); bits; bits = _blsr_u64(bits), restored++) {
            size_t at = block + (size_t)_tzcnt_u64(bits) * INSTAR_LINE_BYTES;
            store(live + at, load(committed + at));
            store(live + at + 32, load(committed + at + 32));
        }
    return restored;
}

/* What the two words of a remainder are multiplied by to move it `words` on. */
AVX2 static inline __m128i powers_of(size_t words) { return load_16(instar_crc64.powers + INSTAR_CHUNK_WORDS - words - 1); }

AVX2 static inline __m128i fold(__m128i remainder, __m128i powers) {
    return _mm_xor_si128(_mm_clmulepi64_si128(remainder, powers, 0x00), _mm_clmulepi64_si128(remainder, powers, 0x11));
}

AVX2 static uint64_t crc64(const uint8_t *data, size_t bytes, uint64_t crc) {
    if (bytes < INSTAR_LINE_BYTES) return instar_generic.crc64(data, bytes, crc);
    const __m128i by_line = powers_of(8), by_part = powers_of(2);
    __m128i part[4];
    for (int i = 0; i < 4; i++) part[i] = load_16(data + 16 * i);
    part[0] = _mm_xor_si128(part[0], _mm_cvtsi64_si128((long long)~crc));
    for (data += 64, bytes -= 64; bytes >= 64; data += 64, bytes -= 64)
        for (int i = 0; i < 4; i++) part[i] = _mm_xor_si128(fold(part[i], by_line), load_16(data + 16 * i));
    __m128i all = part[0];
    for (int i = 1; i < 4; i++) all = _mm_xor_si128(fold(all, by_part), part[i]);
    return ~instar_crc64_linear(data, bytes, reduce(fold(all, powers_of(1))));
}

const instar_kernels instar_avx2 = {"avx2", commit_chunk, xor_chunk, restore_chunk, crc64};

#else
typedef int instar_not_x86;
#endif
