/* CRC-64/NVME: reflected polynomial 0x9a6c9329ac4bc9b5, all bits set before and inverted after.
 *
 * A CRC is linear but for that inversion: crc(data) = linear(data) ^ crc(zeros of that length), and
 * linear(a ^ b) = linear(a) ^ linear(b). Chunks keep the linear part, so an untouched chunk of zeros keeps 0, and a
 * delta's linear part is what a commit adds.
 *
 * Polynomials modulo P are held reflected: bit 63 - i of a word is the coefficient of x^i. The carry-less product of two
 * such words, read as a reflected 128-bit word, is the polynomials' product times x. Source of the method: Gopal et al.,
 * "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009.
 */
#ifndef INSTAR_CRC64_H
#define INSTAR_CRC64_H

#include "kernels.h"

#define INSTAR_CRC64_POLYNOMIAL UINT64_C(0x9a6c9329ac4bc9b5)

enum { INSTAR_CHUNK_CRC_WORDS = INSTAR_CHUNK_BYTES / 8 };

typedef struct instar_crc64_tables {
    /* slices[k][b]: linear CRC of byte b followed by k zero bytes. */
    uint64_t slices[8][256];
    /* lines[k][b]: linear CRC of byte b followed by k + 56 zero bytes. */
    uint64_t lines[8][256];
    /* powers[w] = x^(64 * (INSTAR_CHUNK_CRC_WORDS - w) - 1) mod P: what the eight bytes w of a chunk are multiplied by for their
     * share of the chunk's linear CRC. Counted from the end, entry -n moves eight bytes 8 n on. */
    _Alignas(64) uint64_t powers[INSTAR_CHUNK_CRC_WORDS];
    /* Barrett's constants, each without its highest term, reflected: floor(x^128 / P), and P. */
    uint64_t barrett[2];
    /* CRC of a chunk of zeros: chunk crc = linear ^ zero_chunk. */
    uint64_t zero_chunk;
} instar_crc64_tables;

extern instar_crc64_tables instar_crc64;

/* Computes the tables; to be called once, before any kernel. */
void instar_crc64_prepare(void);

/* Linear CRC of bytes, continued from `linear`, by slicing tables. */
uint64_t instar_crc64_linear(const uint8_t *data, size_t bytes, uint64_t linear);

/* The linear CRC after as many lines of zeros more. */
uint64_t instar_crc64_skip_lines(uint64_t linear, int lines);

#endif
