/* ARM64: the loops are in assembly beside this file; here they become the two paths, with and without PMULL. */
#include "../kernels.h"

#if defined(__aarch64__)

#include "../crc64.h"

uint32_t instar_neon_commit_lines(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t bitmap[INSTAR_BITMAP_WORDS]);
void instar_neon_xor_chunk(uint8_t *live, uint8_t *committed, const uint8_t *delta, const uint64_t bitmap[INSTAR_BITMAP_WORDS]);
uint32_t instar_neon_restore_chunk(uint8_t *live, const uint8_t *committed);
uint64_t instar_pmull_crc_lines(const uint8_t *delta, const uint64_t bitmap[INSTAR_BITMAP_WORDS], const uint64_t *powers,
                                const uint64_t barrett[2]);
uint64_t instar_pmull_crc64(const uint8_t *data, size_t lines, uint64_t linear, const uint64_t *powers_end,
                            const uint64_t barrett[2]);

static uint32_t commit_chunk(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t bitmap[INSTAR_BITMAP_WORDS],
                             uint64_t *crc) {
    uint32_t changed = instar_neon_commit_lines(live, committed, delta, bitmap);
    if (changed) *crc ^= instar_pmull_crc_lines(delta, bitmap, instar_crc64.powers, instar_crc64.barrett);
    return changed;
}

static uint32_t commit_chunk_nopmull(const uint8_t *live, uint8_t *committed, uint8_t *delta,
                                     uint64_t bitmap[INSTAR_BITMAP_WORDS], uint64_t *crc) {
    uint32_t changed = instar_neon_commit_lines(live, committed, delta, bitmap);
    if (changed) *crc = instar_crc64_linear(committed, INSTAR_CHUNK_BYTES, 0);
    return changed;
}

static uint64_t crc64(const uint8_t *data, size_t bytes, uint64_t crc) {
    size_t lines = bytes / INSTAR_LINE_BYTES;
    uint64_t linear = ~crc;
    if (lines)
        linear = instar_pmull_crc64(data, lines, linear, instar_crc64.powers + INSTAR_CHUNK_WORDS, instar_crc64.barrett);
    return ~instar_crc64_linear(data + lines * INSTAR_LINE_BYTES, bytes % INSTAR_LINE_BYTES, linear);
}

static uint64_t crc64_nopmull(const uint8_t *data, size_t bytes, uint64_t crc) { return instar_generic.crc64(data, bytes, crc); }

const instar_kernels instar_neon = {"neon", commit_chunk, instar_neon_xor_chunk, instar_neon_restore_chunk, crc64};

const instar_kernels instar_neon_nopmull = {
    "neon-nopmull", commit_chunk_nopmull, instar_neon_xor_chunk, instar_neon_restore_chunk, crc64_nopmull,
};

#else
typedef int instar_not_arm64;
#endif
