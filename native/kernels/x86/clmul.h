/* Polynomials modulo P in 128-bit registers; both x86 paths end with these. */
#ifndef INSTAR_X86_CLMUL_H
#define INSTAR_X86_CLMUL_H

#include <immintrin.h>

#include "../crc64.h"

#define CLMUL __attribute__((target("pclmul,sse4.1"))) static inline

/* The two words of a remainder times two powers of x, added up. */
CLMUL __m128i multiply_16(__m128i words, __m128i powers) {
    return _mm_xor_si128(_mm_clmulepi64_si128(words, powers, 0x00), _mm_clmulepi64_si128(words, powers, 0x11));
}

/* What the two words of a remainder are multiplied by to move it `words` on. */
CLMUL __m128i powers_of(size_t words) {
    return _mm_loadu_si128((const __m128i *)(instar_crc64.powers + INSTAR_CHUNK_CRC_WORDS - words - 1));
}

/* The polynomial of 128 bits modulo P, by Barrett's method. */
CLMUL uint64_t reduce(__m128i product) {
    __m128i constants = _mm_loadu_si128((const __m128i *)instar_crc64.barrett);
    __m128i estimate = _mm_slli_epi64(_mm_clmulepi64_si128(product, constants, 0x00), 1);
    __m128i quotient = _mm_xor_si128(product, estimate);
    __m128i multiple = _mm_clmulepi64_si128(quotient, constants, 0x10);
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(multiple), high = (uint64_t)_mm_extract_epi64(multiple, 1);
    return (uint64_t)_mm_extract_epi64(product, 1) ^ (high << 1 | low >> 63);
}

#endif
