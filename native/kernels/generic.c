/* The reference: what every other path must equal, bit for bit. */
#include <string.h>

#include "crc64.h"

static int lines_differ(const uint8_t *a, const uint8_t *b) { return memcmp(a, b, INSTAR_LINE_BYTES) != 0; }

static void xor_line(uint8_t *into, const uint8_t *a, const uint8_t *b) {
    for (int i = 0; i < INSTAR_LINE_BYTES; i++) into[i] = a[i] ^ b[i];
}

/* Bit w is set where word w of a line is not zero. */
static unsigned words_set(const uint8_t *line) {
    static const uint8_t zero[INSTAR_WORD_BYTES];
    unsigned mask = 0;
    for (int word = 0; word < INSTAR_LINE_WORDS; word++)
        if (memcmp(line + word * INSTAR_WORD_BYTES, zero, INSTAR_WORD_BYTES)) mask |= 1u << word;
    return mask;
}

static uint32_t count_bits(unsigned mask) {
    uint32_t count = 0;
    for (; mask; mask &= mask - 1) count++;
    return count;
}

/* Writes the header and the words of one line; returns where the next one goes. */
static uint8_t *pack_line(uint8_t *delta, int line, unsigned mask, const uint8_t *words) {
    *delta++ = (uint8_t)line;
    *delta++ = (uint8_t)mask;
    *delta++ = (uint8_t)(mask >> 8);
    for (int word = 0; word < INSTAR_LINE_WORDS; word++) {
        if (!(mask >> word & 1)) continue;
        memcpy(delta, words + word * INSTAR_WORD_BYTES, INSTAR_WORD_BYTES);
        delta += INSTAR_WORD_BYTES;
    }
    return delta;
}

/* Reads one line, whose number goes to `line`, the words that did not change as zeros; returns where the next one begins. */
static const uint8_t *unpack_line(const uint8_t *delta, int *line, uint8_t words[INSTAR_LINE_BYTES]) {
    unsigned mask = (unsigned)(delta[1] | delta[2] << 8);
    *line = delta[0];
    delta += INSTAR_ELEMENTS_HEADER_BYTES;
    memset(words, 0, INSTAR_LINE_BYTES);
    for (int word = 0; word < INSTAR_LINE_WORDS; word++) {
        if (!(mask >> word & 1)) continue;
        memcpy(words + word * INSTAR_WORD_BYTES, delta, INSTAR_WORD_BYTES);
        delta += INSTAR_WORD_BYTES;
    }
    return delta;
}

static uint64_t elements_crc(const uint8_t *delta, uint32_t bytes) {
    const uint8_t *end = delta + bytes;
    uint64_t linear = 0;
    int next = 0;
    while (delta != end) {
        uint8_t words[INSTAR_LINE_BYTES];
        int line;
        delta = unpack_line(delta, &line, words);
        linear = instar_crc64_skip_lines(linear, line - next);
        linear = instar_crc64_linear(words, INSTAR_LINE_BYTES, linear);
        next = line + 1;
    }
    return instar_crc64_skip_lines(linear, INSTAR_CHUNK_LINES - next);
}

static instar_delta_size commit_elements(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    instar_delta_size size = {0, 0, 0};
    uint8_t *end = delta;
    for (int line = 0; line < INSTAR_CHUNK_LINES; line++) {
        const uint8_t *source = live + line * INSTAR_LINE_BYTES;
        uint8_t *target = committed + line * INSTAR_LINE_BYTES, difference[INSTAR_LINE_BYTES];
        if (!lines_differ(source, target)) continue;
        xor_line(difference, source, target);
        unsigned mask = words_set(difference);
        end = pack_line(end, line, mask, difference);
        memcpy(target, source, INSTAR_LINE_BYTES);
        size.lines++;
        size.words += count_bits(mask);
    }
    size.bytes = (uint32_t)(end - delta);
    if (size.lines) *crc ^= elements_crc(delta, size.bytes);
    return size;
}

static instar_delta_size commit_dense(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc) {
    instar_delta_size size = {0, 0, 0};
    for (int at = 0; at < INSTAR_CHUNK_BYTES; at += INSTAR_LINE_BYTES) {
        xor_line(delta + at, live + at, committed + at);
        unsigned mask = words_set(delta + at);
        size.lines += mask != 0;
        size.words += count_bits(mask);
    }
    if (!size.lines) return size;
    memcpy(committed, live, INSTAR_CHUNK_BYTES);
    *crc ^= instar_crc64_linear(delta, INSTAR_CHUNK_BYTES, 0);
    size.bytes = INSTAR_CHUNK_BYTES;
    return size;
}

static void fence(void) {} /* ordinary stores need none */

static void apply_elements(uint8_t *live, uint8_t *committed, const uint8_t *delta, uint32_t bytes) {
    const uint8_t *end = delta + bytes;
    while (delta != end) {
        uint8_t words[INSTAR_LINE_BYTES];
        int line;
        delta = unpack_line(delta, &line, words);
        uint8_t *target = committed + line * INSTAR_LINE_BYTES;
        xor_line(target, target, words);
        memmove(live + line * INSTAR_LINE_BYTES, target, INSTAR_LINE_BYTES);
    }
}

static void apply_dense(uint8_t *live, uint8_t *committed, const uint8_t *delta) {
    for (int i = 0; i < INSTAR_CHUNK_BYTES; i++) committed[i] ^= delta[i];
    memmove(live, committed, INSTAR_CHUNK_BYTES);
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

static uint32_t check_chunk(const uint8_t *live, const uint8_t *committed, uint64_t *crc) {
    uint32_t different = 0;
    for (int at = 0; at < INSTAR_CHUNK_BYTES; at += INSTAR_LINE_BYTES) different += lines_differ(live + at, committed + at) != 0;
    *crc = crc64(committed, INSTAR_CHUNK_BYTES, 0);
    return different;
}

const instar_kernels instar_generic = {
    .isa = "generic",
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
