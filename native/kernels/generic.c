/* The reference: what every other path must equal, bit for bit. */
#include <string.h>

#include "crc64.h"

static int lines_differ(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, INSTAR_LINE_BYTES) != 0; }

static void xor_line(uint8_t *into, const uint8_t *a, const uint8_t *b) {
    for (int i = 0; i < INSTAR_LINE_BYTES; i++) into[i] = a[i] ^ b[i];
}

static uint32_t commit_chunk(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t bitmap[INSTAR_BITMAP_WORDS],
                             uint64_t *crc) {
    uint32_t changed = 0;
    memset(bitmap, 0, INSTAR_BITMAP_WORDS * sizeof *bitmap);
    for (int line = 0; line < INSTAR_CHUNK_LINES; line++) {
        const uint8_t *source = live + line * INSTAR_LINE_BYTES;
        uint8_t *target = committed + line * INSTAR_LINE_BYTES;
        if (!lines_differ(source, target)) continue;
        bitmap[line / 64] |= UINT64_C(1) << line % 64;
        xor_line(delta + changed++ * INSTAR_LINE_BYTES, source, target);
        memcpy(target, source, INSTAR_LINE_BYTES);
    }
    if (changed) *crc = instar_crc64_linear(committed, INSTAR_CHUNK_BYTES, 0);
    return changed;
}

static void xor_chunk(uint8_t *live, uint8_t *committed, const uint8_t *delta, const uint64_t bitmap[INSTAR_BITMAP_WORDS]) {
    for (int line = 0; line < INSTAR_CHUNK_LINES; line++) {
        if (!(bitmap[line / 64] >> line % 64 & 1)) continue;
        uint8_t *target = committed + line * INSTAR_LINE_BYTES;
        xor_line(target, target, delta);
        memmove(live + line * INSTAR_LINE_BYTES, target, INSTAR_LINE_BYTES);
        delta += INSTAR_LINE_BYTES;
    }
}

static uint32_t restore_chunk(uint8_t *live, const uint8_t *committed) {
    uint32_t restored = 0;
    for (int at = 0; at < INSTAR_CHUNK_BYTES; at += INSTAR_LINE_BYTES) {
        if (!lines_differ(live + at, committed + at)) continue;
        memcpy(live + at, committed + at, INSTAR_LINE_BYTES);
        restored++;
    }
    return restored;
}

static uint64_t crc64(const uint8_t *data, size_t bytes, uint64_t crc) { return ~instar_crc64_linear(data, bytes, ~crc); }

const instar_kernels instar_generic = {"generic", commit_chunk, xor_chunk, restore_chunk, crc64};
