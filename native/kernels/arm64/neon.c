/* ARM64: the loops are in assembly beside this file; here they become the two paths, with and without PMULL. */
#include "../kernels.h"

#if defined(__aarch64__)

#include <string.h>

#include "../crc64.h"
#include "../words.h"

enum { MOST_LINE_BYTES = INSTAR_ELEMENTS_HEADER_BYTES + INSTAR_LINE_BYTES };

static const uint64_t *const powers_end = instar_crc64.powers + INSTAR_CHUNK_CRC_WORDS;

/* What a loop over a delta returns: a number, and where it ended. */
typedef struct instar_neon_end {
    uint64_t value;
    const uint8_t *end;
} instar_neon_end;

instar_neon_end instar_pmull_commit_elements(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc,
                                             const uint64_t *powers, const uint64_t barrett[2], const uint8_t *unused,
                                             const uint8_t pack4[16][16]);
instar_neon_end instar_neon_commit_elements(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc,
                                            const uint64_t *powers, const uint64_t barrett[2], const uint8_t *unused,
                                            const uint8_t pack4[16][16]);
instar_delta_size instar_pmull_commit_dense(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc,
                                            const uint64_t *powers_end, const uint64_t barrett[2]);
instar_delta_size instar_neon_commit_dense(const uint8_t *live, uint8_t *committed, uint8_t *delta);
void instar_neon_fence(void);
const uint8_t *instar_neon_apply_elements(uint8_t *live, uint8_t *committed, const uint8_t *delta, const uint8_t *end,
                                          const uint8_t unpack4[16][16]);
void instar_neon_apply_dense(uint8_t *live, uint8_t *committed, const uint8_t *delta);
instar_neon_end instar_pmull_elements_crc(const uint64_t *powers, const uint64_t barrett[2], const uint8_t *delta, const uint8_t *end,
                                          const uint8_t unpack4[16][16]);
uint32_t instar_neon_restore_chunk(uint8_t *live, const uint8_t *committed);
uint32_t instar_pmull_check_chunk(const uint8_t *live, const uint8_t *committed, uint64_t *linear, const uint64_t *powers_end,
                                  const uint64_t barrett[2]);
uint32_t instar_neon_count_different(const uint8_t *live, const uint8_t *committed);
uint64_t instar_pmull_crc64(const uint8_t *data, size_t lines, uint64_t linear, const uint64_t *powers_end,
                            const uint64_t barrett[2]);

static instar_delta_size elements_size(instar_neon_end done, const uint8_t *delta) {
    uint32_t lines = (uint32_t)done.value, bytes = (uint32_t)(done.end - delta);
    return (instar_delta_size){lines, (bytes - INSTAR_ELEMENTS_HEADER_BYTES * lines) / INSTAR_WORD_BYTES, bytes};
}

static instar_delta_size commit_elements(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    return elements_size(instar_pmull_commit_elements(live, committed, delta, crc, instar_crc64.powers, instar_crc64.barrett, NULL,
                                                      instar_words.pack4),
                         delta);
}

static instar_delta_size commit_elements_nopmull(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    instar_delta_size size =
        elements_size(instar_neon_commit_elements(live, committed, delta, NULL, NULL, NULL, NULL, instar_words.pack4), delta);
    if (size.lines) *crc ^= instar_generic.elements_crc(delta, size.bytes);
    return size;
}

static instar_delta_size commit_dense(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    return instar_pmull_commit_dense(live, committed, delta, crc, powers_end, instar_crc64.barrett);
}

static instar_delta_size commit_dense_nopmull(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    instar_delta_size size = instar_neon_commit_dense(live, committed, delta);
    if (size.lines) *crc ^= instar_crc64_linear(delta, INSTAR_CHUNK_BYTES, 0);
    return size;
}

/* The loops load whole vectors, so the last lines of a delta are read from a copy with room behind it. */
typedef struct delta_rest {
    uint8_t bytes[2 * MOST_LINE_BYTES];
    const uint8_t *end;
} delta_rest;

static void copy_rest(delta_rest *rest, const uint8_t *delta, const uint8_t *end) {
    memset(rest->bytes, 0, sizeof rest->bytes);
    memcpy(rest->bytes, delta, (size_t)(end - delta));
    rest->end = rest->bytes + (end - delta);
}

static void apply_elements(uint8_t *live, uint8_t *committed, const uint8_t *delta, uint32_t bytes) {
    const uint8_t *end = delta + bytes;
    delta_rest rest;
    if (bytes >= MOST_LINE_BYTES)
        delta = instar_neon_apply_elements(live, committed, delta, end - MOST_LINE_BYTES + 1, instar_words.unpack4);
    if (delta == end) return;
    copy_rest(&rest, delta, end);
    instar_neon_apply_elements(live, committed, rest.bytes, rest.end, instar_words.unpack4);
}

static uint64_t elements_crc(const uint8_t *delta, uint32_t bytes) {
    const uint8_t *end = delta + bytes;
    instar_neon_end done = {0, delta};
    delta_rest rest;
    if (bytes >= MOST_LINE_BYTES)
        done = instar_pmull_elements_crc(instar_crc64.powers, instar_crc64.barrett, delta, end - MOST_LINE_BYTES + 1,
                                         instar_words.unpack4);
    if (done.end == end) return done.value;
    copy_rest(&rest, done.end, end);
    return done.value ^
           instar_pmull_elements_crc(instar_crc64.powers, instar_crc64.barrett, rest.bytes, rest.end, instar_words.unpack4).value;
}

static uint64_t elements_crc_nopmull(const uint8_t *delta, uint32_t bytes) { return instar_generic.elements_crc(delta, bytes); }

static uint32_t check_chunk(const uint8_t *live, const uint8_t *committed, uint64_t *crc) {
    uint32_t lines = instar_pmull_check_chunk(live, committed, crc, powers_end, instar_crc64.barrett);
    *crc ^= instar_crc64.zero_chunk;
    return lines;
}

static uint32_t check_chunk_nopmull(const uint8_t *live, const uint8_t *committed, uint64_t *crc) {
    *crc = instar_crc64_linear(committed, INSTAR_CHUNK_BYTES, 0) ^ instar_crc64.zero_chunk;
    return instar_neon_count_different(live, committed);
}

static uint64_t crc64(const uint8_t *data, size_t bytes, uint64_t crc) {
    size_t lines = bytes / INSTAR_LINE_BYTES;
    uint64_t linear = ~crc;
    if (lines) linear = instar_pmull_crc64(data, lines, linear, powers_end, instar_crc64.barrett);
    return ~instar_crc64_linear(data + lines * INSTAR_LINE_BYTES, bytes % INSTAR_LINE_BYTES, linear);
}

static uint64_t crc64_nopmull(const uint8_t *data, size_t bytes, uint64_t crc) { return instar_generic.crc64(data, bytes, crc); }

const instar_kernels instar_neon = {
    .isa = "neon",
    .commit_elements = commit_elements,
    .commit_dense = commit_dense,
    .fence = instar_neon_fence,
    .apply_elements = apply_elements,
    .apply_dense = instar_neon_apply_dense,
    .elements_crc = elements_crc,
    .restore_chunk = instar_neon_restore_chunk,
    .check_chunk = check_chunk,
    .crc64 = crc64,
};

const instar_kernels instar_neon_nopmull = {
    .isa = "neon-nopmull",
    .commit_elements = commit_elements_nopmull,
    .commit_dense = commit_dense_nopmull,
    .fence = instar_neon_fence,
    .apply_elements = apply_elements,
    .apply_dense = instar_neon_apply_dense,
    .elements_crc = elements_crc_nopmull,
    .restore_chunk = instar_neon_restore_chunk,
    .check_chunk = check_chunk_nopmull,
    .crc64 = crc64_nopmull,
};

#else
typedef int instar_not_arm64;
#endif
