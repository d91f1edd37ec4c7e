/* AVX2 and PCLMULQDQ: a line is two registers, and four for the CRC. The ways are those of avx512.c. */
#include "../kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "../crc64.h"
#include "../words.h"
#include "clmul.h"

#define AVX2 __attribute__((target("avx2,pclmul,bmi,popcnt")))

enum { BLOCK_LINES = 64, BLOCK_BYTES = BLOCK_LINES * INSTAR_LINE_BYTES, BLOCKS = INSTAR_CHUNK_BYTES / BLOCK_BYTES };

/* Where this many lines of a block changed, the next block is taken whole, without asking which. */
enum { MANY_LINES = 40 };
static const uint64_t ALL_LINES = ~UINT64_C(0);

/* How far ahead the log of deltas is brought into the caches: it was written a round of the ring ago. */
enum { PREFETCH_BYTES = 1024 };

typedef struct line {
    __m256i low, high;
} line;

/* Four remainders of 16 bytes, or four sums of products. */
typedef struct sums {
    __m128i part[4];
} sums;

AVX2 static inline line load(const uint8_t *at) {
    return (line){_mm256_load_si256((const __m256i *)at), _mm256_load_si256((const __m256i *)(at + 32))};
}

AVX2 static inline void store(uint8_t *at, line value) {
    _mm256_store_si256((__m256i *)at, value.low);
    _mm256_store_si256((__m256i *)(at + 32), value.high);
}

AVX2 static inline line xor_lines(line a, line b) {
    return (line){_mm256_xor_si256(a.low, b.low), _mm256_xor_si256(a.high, b.high)};
}

AVX2 static inline uint64_t line_is_set(line value) {
    __m256i any = _mm256_or_si256(value.low, value.high);
    return !_mm256_testz_si256(any, any);
}

/* Bit w is set where word w of half a line is not zero. */
AVX2 static inline uint32_t words_set(__m256i half) {
    return 0xff ^ (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(half, _mm256_setzero_si256())));
}

/* Bit l is set where line l of two blocks differs. */
AVX2 static inline uint64_t compare_block(const uint8_t *a, const uint8_t *b) {
    uint64_t bits = 0;
#pragma GCC unroll 16
    for (int at = 0; at < BLOCK_LINES; at++) bits |= line_is_set(xor_lines(load(a + at * 64), load(b + at * 64))) << at;
    return bits;
}

AVX2 static inline sums quarters(line value) {
    return (sums){{_mm256_castsi256_si128(value.low), _mm256_extracti128_si256(value.low, 1), _mm256_castsi256_si128(value.high),
                   _mm256_extracti128_si256(value.high, 1)}};
}

/* Adds the products of a line's words with the powers of x that belong to its place. */
AVX2 static inline void multiply_add(sums *to, line value, const uint64_t *powers) {
    sums words = quarters(value);
    for (int i = 0; i < 4; i++)
        to->part[i] = _mm_xor_si128(to->part[i], multiply_16(words.part[i], _mm_load_si128((const __m128i *)powers + i)));
}

/* Moves remainders on by a line and adds it. */
AVX2 static inline void fold(sums *to, sums next, __m128i by_line) {
    for (int i = 0; i < 4; i++) to->part[i] = _mm_xor_si128(multiply_16(to->part[i], by_line), next.part[i]);
}

AVX2 static inline uint64_t reduce_sums(const sums *of) {
    return reduce(_mm_xor_si128(_mm_xor_si128(of->part[0], of->part[1]), _mm_xor_si128(of->part[2], of->part[3])));
}

/* The remainders of folded lines modulo P. */
AVX2 static inline uint64_t reduce_folded(const sums *of) {
    sums products;
    for (size_t i = 0; i < 4; i++) products.part[i] = multiply_16(of->part[i], powers_of(7 - 2 * i));
    return reduce_sums(&products);
}

/* What is written while a chunk is committed, and the sum of its products. */
typedef struct commit {
    uint8_t *end;
    uint32_t lines;
    sums sum;
} commit;

/* Writes the words of half a line that are in the set; returns where the next word goes. */
AVX2 static inline uint8_t *pack_half(uint8_t *to, __m256i half, uint32_t set) {
    __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)instar_words.pack8[set]));
    _mm256_storeu_si256((__m256i *)to, _mm256_permutevar8x32_epi32(half, order));
    return to + INSTAR_WORD_BYTES * (size_t)_mm_popcnt_u32(set);
}

/* Commits one line. `changed` says that it did; a line of which that is not known may have stayed the same, and adds nothing then. */
AVX2 static inline void commit_line(commit *to, const uint8_t *live, uint8_t *committed, size_t number, int changed) {
    size_t at = number * INSTAR_LINE_BYTES;
    line now = load(live + at), delta = xor_lines(now, load(committed + at));
    uint32_t low = words_set(delta.low), high = words_set(delta.high), some = changed || (low | high) != 0;
    store(committed + at, now);
    _mm_storeu_si32(to->end, _mm_cvtsi32_si128((int)((uint32_t)number | low << 8 | high << 16)));
    uint8_t *next = pack_half(pack_half(to->end + INSTAR_ELEMENTS_HEADER_BYTES, delta.low, low), delta.high, high);
    multiply_add(&to->sum, delta, instar_crc64.powers + at / 8);
    to->lines += some;
    to->end = next - (some ? 0 : INSTAR_ELEMENTS_HEADER_BYTES);
    __builtin_prefetch(to->end + PREFETCH_BYTES, 1);
}

/* Commits the lines of one block that `bits` names; the block is the chunk's lines from `first` on. */
AVX2 static inline void commit_lines(commit *to, const uint8_t *live, uint8_t *committed, size_t first, uint64_t bits) {
    if (bits == ALL_LINES)
        for (size_t number = 0; number < BLOCK_LINES; number++) commit_line(to, live, committed, first + number, 0);
    else
        for (; bits; bits = _blsr_u64(bits)) commit_line(to, live, committed, first + (size_t)_tzcnt_u64(bits), 1);
}

AVX2 static instar_delta_size commit_elements(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    commit to = {.end = delta};
    uint64_t bits = compare_block(live, committed);
    for (size_t block = 1; block < BLOCKS; block++) {
        uint64_t next = ALL_LINES;
        if (_mm_popcnt_u64(bits) < MANY_LINES) next = compare_block(live + block * BLOCK_BYTES, committed + block * BLOCK_BYTES);
        commit_lines(&to, live, committed, (block - 1) * BLOCK_LINES, bits);
        bits = next;
    }
    commit_lines(&to, live, committed, (BLOCKS - 1) * BLOCK_LINES, bits);
    if (to.lines) *crc ^= reduce_sums(&to.sum);
    uint32_t bytes = (uint32_t)(to.end - delta);
    return (instar_delta_size){to.lines, (bytes - INSTAR_ELEMENTS_HEADER_BYTES * to.lines) / INSTAR_WORD_BYTES, bytes};
}

AVX2 static instar_delta_size commit_dense(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    const __m128i by_line = powers_of(INSTAR_LINE_BYTES / 8);
    sums folded = {0};
    uint32_t lines = 0, words = 0;
    for (size_t at = 0; at < INSTAR_CHUNK_BYTES; at += INSTAR_LINE_BYTES) {
        line now = load(live + at), difference = xor_lines(now, load(committed + at));
        _mm256_stream_si256((__m256i *)(delta + at), difference.low);
        _mm256_stream_si256((__m256i *)(delta + at + 32), difference.high);
        store(committed + at, now);
        uint32_t set = words_set(difference.low) | words_set(difference.high) << 8;
        lines += set != 0;
        words += (uint32_t)_mm_popcnt_u32(set);
        fold(&folded, quarters(difference), by_line);
    }
    if (!lines) return (instar_delta_size){0, 0, 0};
    *crc ^= reduce_folded(&folded);
    return (instar_delta_size){lines, words, INSTAR_CHUNK_BYTES};
}

static void fence(void) { _mm_sfence(); }

/* Reads the words of half a line that are in the set, the others as zeros; `from` moves on behind them. */
AVX2 static inline __m256i unpack_half(const uint8_t **from, uint32_t set) {
    static const int32_t window[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    size_t count = (size_t)_mm_popcnt_u32(set);
    __m256i packed = _mm256_maskload_epi32((const int *)*from, _mm256_loadu_si256((const __m256i *)(window + 8 - count)));
    __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)instar_words.unpack8[set]));
    *from += INSTAR_WORD_BYTES * count;
    return _mm256_permutevar8x32_epi32(packed, order);
}

/* Reads one line; `delta` moves on to the next. */
AVX2 static inline line unpack_line(const uint8_t **delta, size_t *number) {
    const uint8_t *header = *delta;
    *number = header[0];
    *delta += INSTAR_ELEMENTS_HEADER_BYTES;
    __m256i low = unpack_half(delta, header[1]);
    return (line){low, unpack_half(delta, header[2])};
}

AVX2 static void apply_elements(uint8_t *live, uint8_t *committed, const uint8_t *delta, uint32_t bytes) {
    for (const uint8_t *end = delta + bytes; delta != end;) {
        size_t number;
        line difference = unpack_line(&delta, &number);
        line value = xor_lines(load(committed + number * INSTAR_LINE_BYTES), difference);
        store(committed + number * INSTAR_LINE_BYTES, value);
        store(live + number * INSTAR_LINE_BYTES, value);
    }
}

AVX2 static void apply_dense(uint8_t *live, uint8_t *committed, const uint8_t *delta) {
    for (size_t at = 0; at < INSTAR_CHUNK_BYTES; at += INSTAR_LINE_BYTES) {
        line value = xor_lines(load(committed + at), load(delta + at));
        store(committed + at, value);
        store(live + at, value);
    }
}

AVX2 static uint64_t elements_crc(const uint8_t *delta, uint32_t bytes) {
    sums sum = {0};
    for (const uint8_t *end = delta + bytes; delta != end;) {
        size_t number;
        line difference = unpack_line(&delta, &number);
        multiply_add(&sum, difference, instar_crc64.powers + number * INSTAR_LINE_BYTES / 8);
    }
    return reduce_sums(&sum);
}

AVX2 static uint32_t restore_chunk(uint8_t *live, const uint8_t *committed) {
    uint32_t restored = 0;
    for (size_t block = 0; block < INSTAR_CHUNK_BYTES; block += BLOCK_BYTES)
        for (uint64_t bits = compare_block(live + block, committed + block); bits; bits = _blsr_u64(bits), restored++) {
            size_t at = block + (size_t)_tzcnt_u64(bits) * INSTAR_LINE_BYTES;
            store(live + at, load(committed + at));
        }
    return restored;
}

AVX2 static uint32_t check_chunk(const uint8_t *live, const uint8_t *committed, uint64_t *crc) {
    const __m128i by_line = powers_of(INSTAR_LINE_BYTES / 8);
    sums folded = {0};
    uint64_t different = 0;
    for (size_t at = 0; at < INSTAR_CHUNK_BYTES; at += INSTAR_LINE_BYTES) {
        line value = load(committed + at);
        different += line_is_set(xor_lines(value, load(live + at)));
        fold(&folded, quarters(value), by_line);
    }
    *crc = reduce_folded(&folded) ^ instar_crc64.zero_chunk;
    return (uint32_t)different;
}

AVX2 static uint64_t crc64(const uint8_t *data, size_t bytes, uint64_t crc) {
    if (bytes < INSTAR_LINE_BYTES) return instar_generic.crc64(data, bytes, crc);
    const __m128i by_line = powers_of(INSTAR_LINE_BYTES / 8);
    sums folded = {{_mm_cvtsi64_si128((long long)~crc)}}, next;
    for (size_t lines = 0; bytes >= INSTAR_LINE_BYTES; lines++, data += INSTAR_LINE_BYTES, bytes -= INSTAR_LINE_BYTES) {
        for (int i = 0; i < 4; i++) next.part[i] = _mm_loadu_si128((const __m128i *)data + i);
        if (lines)
            fold(&folded, next, by_line);
        else
            for (int i = 0; i < 4; i++) folded.part[i] = _mm_xor_si128(folded.part[i], next.part[i]);
    }
    return ~instar_crc64_linear(data, bytes, reduce_folded(&folded));
}

const instar_kernels instar_avx2 = {
    .isa = "avx2",
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
