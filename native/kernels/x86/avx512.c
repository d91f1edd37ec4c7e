/* AVX-512 (F, BW, DQ, VL) and VPCLMULQDQ: a line is one register.
 *
 * Elements: a chunk is taken in blocks of 64 lines. One pass compares a block into a word of bits, and the changed lines of a
 * block are handled after the next one has been compared, so that neither waits for the other and nothing branches per line.
 * The CRC follows from the delta alone: each changed word is multiplied by the power of x that belongs to its place, the
 * products are added up, and one reduction ends the chunk.
 *
 * Dense: one streaming pass without a question asked. The CRC is folded: four remainders move on by four lines a turn, and at
 * the end they stand for the chunk's last four lines.
 */
#include "../kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "../crc64.h"
#include "clmul.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq,pclmul,bmi,bmi2,popcnt")))

enum { BLOCK_LINES = 64, BLOCK_BYTES = BLOCK_LINES * INSTAR_LINE_BYTES, BLOCKS = INSTAR_CHUNK_BYTES / BLOCK_BYTES };

/* Where this many lines of a block changed, the next block is taken whole, without asking which. */
enum { MANY_LINES = 40 };
static const uint64_t ALL_LINES = ~UINT64_C(0);

/* How far ahead the log of deltas is brought into the caches: it was written a round of the ring ago. */
enum { PREFETCH_BYTES = 1024 };

/* Lines folded side by side. */
enum { LANES = 4, LANES_BYTES = LANES * INSTAR_LINE_BYTES };

AVX512 static inline __m512i load(const void *at) { return _mm512_load_si512(at); }

AVX512 static inline void store(uint8_t *at, __m512i value) { _mm512_store_si512(at, value); }

AVX512 static inline uint64_t line_differs(const uint8_t *a, const uint8_t *b) {
    return _mm512_cmpneq_epi64_mask(load(a), load(b)) != 0;
}

/* Bit l is set where line l of two blocks differs. */
AVX512 static inline uint64_t compare_block(const uint8_t *a, const uint8_t *b) {
    uint64_t bits = 0;
#pragma GCC unroll 16
    for (int line = 0; line < BLOCK_LINES; line++) bits |= line_differs(a + line * 64, b + line * 64) << line;
    return bits;
}

/* Adds the products of a line's words with powers of x to a sum. */
AVX512 static inline __m512i multiply_add(__m512i sum, __m512i words, __m512i powers) {
    return _mm512_ternarylogic_epi64(sum, _mm512_clmulepi64_epi128(words, powers, 0x00), _mm512_clmulepi64_epi128(words, powers, 0x11),
                                     0x96);
}

AVX512 static inline uint64_t reduce_lanes(__m512i sum) {
    __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
    return reduce(_mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
}

/* What is written while a chunk is committed, and the sum of its products. */
typedef struct commit {
    uint8_t *end;
    uint32_t lines;
    __m512i sum;
} commit;

/* Commits one line. `changed` says that it did; a line of which that is not known may have stayed the same, and adds nothing then. */
AVX512 static inline void commit_line(commit *to, const uint8_t *live, uint8_t *committed, size_t line, int changed) {
    size_t at = line * INSTAR_LINE_BYTES;
    __m512i now = load(live + at), delta = _mm512_xor_si512(now, load(committed + at));
    __mmask16 mask = _mm512_test_epi32_mask(delta, delta);
    uint32_t words = (uint32_t)_mm_popcnt_u32(mask), some = changed || mask != 0;
    store(committed + at, now);
    _mm_storeu_si32(to->end, _mm_cvtsi32_si128((int)((uint32_t)line | (uint32_t)mask << 8)));
    _mm512_storeu_si512(to->end + INSTAR_ELEMENTS_HEADER_BYTES, _mm512_maskz_compress_epi32(mask, delta));
    to->sum = multiply_add(to->sum, delta, load(instar_crc64.powers + at / 8));
    to->end += INSTAR_ELEMENTS_HEADER_BYTES * some + INSTAR_WORD_BYTES * words;
    to->lines += some;
    __builtin_prefetch(to->end + PREFETCH_BYTES, 1);
}

/* Commits the lines of one block that `bits` names; the block is the chunk's lines from `first` on. */
AVX512 static inline void commit_lines(commit *to, const uint8_t *live, uint8_t *committed, size_t first, uint64_t bits) {
    if (bits == ALL_LINES)
#pragma GCC unroll 4
        for (size_t line = 0; line < BLOCK_LINES; line++) commit_line(to, live, committed, first + line, 0);
    else
        for (; bits; bits = _blsr_u64(bits)) commit_line(to, live, committed, first + (size_t)_tzcnt_u64(bits), 1);
}

AVX512 static instar_delta_size commit_elements(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    commit to = {delta, 0, _mm512_setzero_si512()};
    uint64_t bits = compare_block(live, committed);
    for (size_t block = 1; block < BLOCKS; block++) {
        uint64_t next = ALL_LINES;
        if (_mm_popcnt_u64(bits) < MANY_LINES) next = compare_block(live + block * BLOCK_BYTES, committed + block * BLOCK_BYTES);
        commit_lines(&to, live, committed, (block - 1) * BLOCK_LINES, bits);
        bits = next;
    }
    commit_lines(&to, live, committed, (BLOCKS - 1) * BLOCK_LINES, bits);
    if (to.lines) *crc ^= reduce_lanes(to.sum);
    uint32_t bytes = (uint32_t)(to.end - delta);
    return (instar_delta_size){to.lines, (bytes - INSTAR_ELEMENTS_HEADER_BYTES * to.lines) / INSTAR_WORD_BYTES, bytes};
}

/* The remainders of a chunk's folded lines, as if they were its last, modulo P. */
AVX512 static inline uint64_t reduce_folded(const __m512i lanes[LANES]) {
    const uint64_t *powers = instar_crc64.powers + INSTAR_CHUNK_CRC_WORDS - LANES_BYTES / 8;
    __m512i sum = _mm512_setzero_si512();
    for (int lane = 0; lane < LANES; lane++) sum = multiply_add(sum, lanes[lane], load(powers + lane * INSTAR_LINE_BYTES / 8));
    return reduce_lanes(sum);
}

AVX512 static inline __m512i powers_of_all(size_t words) { return _mm512_broadcast_i32x4(powers_of(words)); }

AVX512 static instar_delta_size commit_dense(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    const __m512i by_lanes = powers_of_all(LANES_BYTES / 8);
    __m512i lanes[LANES] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    uint64_t lines = 0, words = 0;
    for (size_t at = 0; at < INSTAR_CHUNK_BYTES; at += LANES_BYTES)
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t line = at + lane * INSTAR_LINE_BYTES;
            __m512i now = load(live + line), difference = _mm512_xor_si512(now, load(committed + line));
            _mm512_stream_si512((__m512i *)(delta + line), difference);
            store(committed + line, now);
            uint32_t mask = _mm512_test_epi32_mask(difference, difference);
            lines += mask != 0;
            words += (uint32_t)_mm_popcnt_u32(mask);
            lanes[lane] = multiply_add(difference, lanes[lane], by_lanes);
        }
    if (!lines) return (instar_delta_size){0, 0, 0};
    *crc ^= reduce_folded(lanes);
    return (instar_delta_size){(uint32_t)lines, (uint32_t)words, INSTAR_CHUNK_BYTES};
}

static void fence(void) { _mm_sfence(); }

/* Reads the header and the words of one line; `delta` moves on to the next. Words that did not change are zeros. */
AVX512 static inline __m512i unpack_line(const uint8_t **delta, size_t *line) {
    uint32_t header = (uint32_t)_mm_cvtsi128_si32(_mm_loadu_si32(*delta)), mask = header >> 8 & 0xffff;
    uint32_t words = (uint32_t)_mm_popcnt_u32(mask);
    const uint8_t *first = *delta + INSTAR_ELEMENTS_HEADER_BYTES;
    __m512i packed = _mm512_maskz_loadu_epi32((__mmask16)_bzhi_u32(0xffff, words), first);
    *line = header & 0xff;
    *delta = first + INSTAR_WORD_BYTES * words;
    return _mm512_maskz_expand_epi32((__mmask16)mask, packed);
}

AVX512 static void apply_elements(uint8_t *live, uint8_t *committed, const uint8_t *delta, uint32_t bytes) {
    for (const uint8_t *end = delta + bytes; delta != end;) {
        size_t line;
        __m512i difference = unpack_line(&delta, &line);
        uint8_t *target = committed + line * INSTAR_LINE_BYTES;
        __m512i value = _mm512_xor_si512(load(target), difference);
        store(target, value);
        store(live + line * INSTAR_LINE_BYTES, value);
    }
}

/* A block at a time, so that no more than three streams are under way at once. */
AVX512 static void apply_dense(uint8_t *live, uint8_t *committed, const uint8_t *delta) {
    for (size_t block = 0; block < INSTAR_CHUNK_BYTES; block += BLOCK_BYTES) {
        for (size_t at = block; at < block + BLOCK_BYTES; at += INSTAR_LINE_BYTES)
            store(committed + at, _mm512_xor_si512(load(committed + at), load(delta + at)));
        for (size_t at = block; at < block + BLOCK_BYTES; at += INSTAR_LINE_BYTES) store(live + at, load(committed + at));
    }
}

AVX512 static uint64_t elements_crc(const uint8_t *delta, uint32_t bytes) {
    __m512i sum = _mm512_setzero_si512();
    for (const uint8_t *end = delta + bytes; delta != end;) {
        size_t line;
        __m512i difference = unpack_line(&delta, &line);
        sum = multiply_add(sum, difference, load(instar_crc64.powers + line * INSTAR_LINE_BYTES / 8));
    }
    return reduce_lanes(sum);
}

AVX512 static uint32_t restore_chunk(uint8_t *live, const uint8_t *committed) {
    uint32_t restored = 0;
    for (size_t block = 0; block < INSTAR_CHUNK_BYTES; block += BLOCK_BYTES)
        for (uint64_t bits = compare_block(live + block, committed + block); bits; bits = _blsr_u64(bits), restored++) {
            size_t at = block + (size_t)_tzcnt_u64(bits) * INSTAR_LINE_BYTES;
            store(live + at, load(committed + at));
        }
    return restored;
}

AVX512 static uint32_t check_chunk(const uint8_t *live, const uint8_t *committed, uint64_t *crc) {
    const __m512i by_lanes = powers_of_all(LANES_BYTES / 8);
    __m512i lanes[LANES] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    uint64_t different = 0;
    for (size_t at = 0; at < INSTAR_CHUNK_BYTES; at += LANES_BYTES)
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t line = at + lane * INSTAR_LINE_BYTES;
            __m512i value = load(committed + line);
            different += _mm512_cmpneq_epi64_mask(value, load(live + line)) != 0;
            lanes[lane] = multiply_add(value, lanes[lane], by_lanes);
        }
    *crc = reduce_folded(lanes) ^ instar_crc64.zero_chunk;
    return (uint32_t)different;
}

/* Folds whole lines, at least one of them, into one remainder of a line; `data` moves on behind them. */
AVX512 static inline __m512i fold_lines(const uint8_t **data, size_t lines, uint64_t linear) {
    const __m512i by_lanes = powers_of_all(LANES_BYTES / 8), by_line = powers_of_all(INSTAR_LINE_BYTES / 8);
    const uint8_t *at = *data;
    *data += lines * INSTAR_LINE_BYTES;
    __m512i first = _mm512_xor_si512(_mm512_loadu_si512(at), _mm512_zextsi128_si512(_mm_cvtsi64_si128((long long)linear)));
    at += INSTAR_LINE_BYTES;
    if (lines >= LANES) {
        __m512i lanes[LANES] = {first};
        for (int lane = 1; lane < LANES; lane++, at += INSTAR_LINE_BYTES) lanes[lane] = _mm512_loadu_si512(at);
        for (; (size_t)(*data - at) >= LANES_BYTES; at += LANES_BYTES)
            for (int lane = 0; lane < LANES; lane++)
                lanes[lane] = multiply_add(_mm512_loadu_si512(at + lane * INSTAR_LINE_BYTES), lanes[lane], by_lanes);
        first = lanes[0];
        for (int lane = 1; lane < LANES; lane++) first = multiply_add(lanes[lane], first, by_line);
    }
    for (; at != *data; at += INSTAR_LINE_BYTES) first = multiply_add(_mm512_loadu_si512(at), first, by_line);
    return first;
}

AVX512 static uint64_t crc64(const uint8_t *data, size_t bytes, uint64_t crc) {
    if (bytes < INSTAR_LINE_BYTES) return instar_generic.crc64(data, bytes, crc);
    __m512i folded = fold_lines(&data, bytes / INSTAR_LINE_BYTES, ~crc);
    const uint64_t *powers = instar_crc64.powers + INSTAR_CHUNK_CRC_WORDS - INSTAR_LINE_BYTES / 8;
    uint64_t linear = reduce_lanes(multiply_add(_mm512_setzero_si512(), folded, load(powers)));
    return ~instar_crc64_linear(data, bytes % INSTAR_LINE_BYTES, linear);
}

const instar_kernels instar_avx512 = {
    .isa = "avx512",
    .commit_elements = commit_elements,
    .commit_dense = commit_dense,
    .fence = fence,
    .apply_elements = apply_elements,
    .apply_dense = apply_dense,
    .elements_crc = elements_crc,
    .restore_chunk = restore_chunk,
    .check_chunk = check_chunk,
    .crc64 = crc64,
};

#else
typedef int instar_not_x86;
#endif
