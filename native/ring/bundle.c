#include "bundle.h"

#include <string.h>

typedef struct streams {
    uint64_t *frame, *frame_before, *frame_lines, *frame_records;
    uint64_t *before, *after;
    uint32_t *tag, *key, *chunk, *payload;
    uint16_t *mask;
    uint8_t *line;
} streams;

static uint64_t whole_words(uint64_t bytes) { return (bytes + 7) & ~UINT64_C(7); }

static streams lay_out(const instar_counts *counts, uint8_t *headers) {
    streams at;
    uint64_t *numbers = (uint64_t *)(void *)(headers + sizeof *counts);
    at.frame = numbers;
    at.frame_before = at.frame + counts->frames;
    at.frame_lines = at.frame_before + counts->frames;
    at.frame_records = at.frame_lines + counts->frames;
    at.before = at.frame_records + counts->frames;
    at.after = at.before + counts->extents;
    at.tag = (uint32_t *)(void *)(at.after + counts->extents);
    at.key = at.tag + counts->records;
    at.chunk = at.key + counts->records;
    at.payload = at.chunk + counts->records;
    at.mask = (uint16_t *)(void *)(at.payload + counts->records);
    at.line = (uint8_t *)at.mask + whole_words(counts->lines * sizeof *at.mask);
    return at;
}

uint64_t instar_bundle_headers(const instar_counts *counts) {
    uint64_t numbers = 4 * counts->frames + 2 * counts->extents + 2 * counts->records;
    return sizeof *counts + numbers * sizeof(uint64_t) + whole_words(counts->lines * sizeof(uint16_t)) + whole_words(counts->lines);
}

static uint32_t mask_of(const uint8_t *line) { return (uint32_t)line[1] | (uint32_t)line[2] << 8; }

int instar_bundle_count(const instar_kernels *kernels, const instar_ring *ring, uint64_t place, instar_counts *counts) {
    if (instar_frame_damage(kernels, ring, place) != INSTAR_NONE) return INSTAR_DAMAGED;
    counts->frames++;
    for (int64_t at = instar_frame_next(ring, place, place); at >= 0; at = instar_frame_next(ring, place, (uint64_t)at)) {
        const instar_chunk *record = instar_ring_at(ring, (uint64_t)at);
        const uint8_t *delta = (const uint8_t *)(record + 1);
        uint32_t tag = instar_tag_of(&record->record), lines = 0;
        counts->records++;
        if (tag == INSTAR_EXTENT) counts->extents++;
        if (tag == INSTAR_DENSE) counts->words += INSTAR_CHUNK_BYTES / INSTAR_WORD_BYTES;
        if (tag != INSTAR_ELEMENTS) continue;
        for (uint32_t used = 0; used < record->payload; lines++)
            used += INSTAR_ELEMENTS_HEADER_BYTES + INSTAR_WORD_BYTES * (uint32_t)__builtin_popcount(mask_of(delta + used));
        counts->lines += lines;
        counts->words += (record->payload - INSTAR_ELEMENTS_HEADER_BYTES * lines) / INSTAR_WORD_BYTES;
    }
    return 0;
}

static uint8_t *take_elements(const instar_chunk *record, streams *at, uint8_t *words) {
    const uint8_t *delta = (const uint8_t *)(record + 1), *end = delta + record->payload;
    for (uint8_t before = 0; delta < end;) {
        uint32_t mask = mask_of(delta), bytes = INSTAR_WORD_BYTES * (uint32_t)__builtin_popcount(mask);
        *at->line++ = (uint8_t)(delta[0] - before);
        *at->mask++ = (uint16_t)mask;
        before = delta[0];
        memcpy(words, delta + INSTAR_ELEMENTS_HEADER_BYTES, bytes);
        words += bytes;
        delta += INSTAR_ELEMENTS_HEADER_BYTES + bytes;
    }
    return words;
}

static uint8_t *take_record(const instar_record *record, uint32_t *chunk_before, streams *at, uint8_t *words) {
    const instar_extent *extent = (const instar_extent *)record;
    const instar_chunk *chunk = (const instar_chunk *)record;
    uint32_t tag = instar_tag_of(record);
    *at->tag++ = tag;
    *at->key++ = record->key;
    *at->chunk++ = tag == INSTAR_EXTENT ? 0 : chunk->chunk - *chunk_before;
    *at->payload++ = tag == INSTAR_EXTENT ? 0 : chunk->payload;
    if (tag == INSTAR_EXTENT) {
        *at->before++ = extent->before;
        *at->after++ = extent->after;
        return words;
    }
    *chunk_before = chunk->chunk;
    if (tag == INSTAR_ELEMENTS) return take_elements(chunk, at, words);
    memcpy(words, chunk + 1, chunk->payload);
    return words + chunk->payload;
}

uint64_t instar_bundle_take(const instar_ring *ring, uint64_t place, const instar_counts *counts, uint8_t *headers, uint8_t *words) {
    streams at = lay_out(counts, headers);
    memset(headers, 0, instar_bundle_headers(counts));
    memcpy(headers, counts, sizeof *counts);
    for (uint64_t frame = 0;; frame++) {
        const instar_frame *record = instar_frame_at(ring, place);
        uint32_t chunk_before = 0;
        at.frame[frame] = (uint64_t)record->frame;
        at.frame_before[frame] = (uint64_t)record->frame_before;
        at.frame_lines[frame] = record->lines;
        for (int64_t one = instar_frame_next(ring, place, place); one >= 0; one = instar_frame_next(ring, place, (uint64_t)one)) {
            words = take_record(instar_ring_at(ring, (uint64_t)one), &chunk_before, &at, words);
            at.frame_records[frame]++;
        }
        if (frame + 1 == counts->frames) return record->end;
        place = (uint64_t)instar_frame_after(ring, place);
    }
}

uint64_t instar_bundle_room(const uint8_t *headers, uint64_t headers_bytes, uint64_t words_bytes) {
    instar_counts counts;
    if (headers_bytes < sizeof counts) return 0;
    memcpy(&counts, headers, sizeof counts);
    uint64_t most = headers_bytes;
    if (counts.frames > most || counts.records > most || counts.extents > most || counts.lines > most) return 0;
    if (instar_bundle_headers(&counts) != headers_bytes || words_bytes % INSTAR_WORD_BYTES || counts.words != words_bytes / INSTAR_WORD_BYTES)
        return 0;
    uint64_t record = sizeof(instar_extent) + INSTAR_LINE_BYTES + 8;
    return counts.frames * sizeof(instar_frame) + counts.records * record + counts.lines * INSTAR_ELEMENTS_HEADER_BYTES + words_bytes;
}

static const uint8_t *join_elements(uint8_t *delta, uint32_t payload, streams *at, const uint8_t *words) {
    const uint8_t *end = delta + payload;
    for (uint8_t line = 0; delta < end;) {
        uint32_t mask = *at->mask++, bytes = INSTAR_WORD_BYTES * (uint32_t)__builtin_popcount(mask);
        line = (uint8_t)(line + *at->line++);
        delta[0] = line;
        delta[1] = (uint8_t)mask;
        delta[2] = (uint8_t)(mask >> 8);
        memcpy(delta + INSTAR_ELEMENTS_HEADER_BYTES, words, bytes);
        words += bytes;
        delta += INSTAR_ELEMENTS_HEADER_BYTES + bytes;
    }
    return words;
}

static const uint8_t *join_chunk(const instar_kernels *kernels, instar_ring *ring, uint32_t chunk, streams *at, const uint8_t *words) {
    uint32_t tag = *at->tag, payload = *at->payload;
    uint64_t pad = tag == INSTAR_DENSE ? (INSTAR_LINE_BYTES - (ring->head + sizeof(instar_chunk)) % INSTAR_LINE_BYTES) % INSTAR_LINE_BYTES : 0;
    if (pad) instar_skip_close(instar_ring_at(ring, ring->head), INSTAR_PAD, (uint32_t)pad);
    instar_chunk *record = instar_ring_at(ring, ring->head + pad);
    uint8_t *delta = (uint8_t *)(record + 1);
    uint64_t change;
    if (tag == INSTAR_ELEMENTS) {
        words = join_elements(delta, payload, at, words);
        change = kernels->elements_crc(delta, payload);
    } else {
        memcpy(delta, words, payload);
        words += payload;
        change = ~kernels->crc64(delta, payload, ~UINT64_C(0)); /* without the inversions: linear */
    }
    ring->head += pad + instar_chunk_close(record, tag, *at->key, chunk, payload, change);
    return words;
}

uint64_t instar_bundle_join(const instar_kernels *kernels, const uint8_t *headers, const uint8_t *words, instar_ring *ring) {
    instar_counts counts;
    memcpy(&counts, headers, sizeof counts);
    streams at = lay_out(&counts, (uint8_t *)(uintptr_t)headers);
    uint64_t previous = 0;
    for (uint64_t i = 0; i < counts.frames; i++) {
        uint64_t place = ring->head;
        uint32_t chunk = 0;
        ring->head += sizeof(instar_frame);
        for (uint64_t n = 0; n < at.frame_records[i]; n++, at.tag++, at.key++, at.chunk++, at.payload++) {
            if (*at.tag == INSTAR_EXTENT) {
                ring->head += instar_extent_close(instar_ring_at(ring, ring->head), *at.key, *at.before++, *at.after++);
                continue;
            }
            chunk += *at.chunk;
            words = join_chunk(kernels, ring, chunk, &at, words);
        }
        instar_frame *record = instar_frame_at(ring, place);
        *record = (instar_frame){.record = {sizeof *record | INSTAR_FRAME, 0}, .frame = (int64_t)at.frame[i],
                                 .frame_before = (int64_t)at.frame_before[i], .previous = previous, .end = ring->head,
                                 .lines = at.frame_lines[i]};
        instar_frame_close(record);
        previous = place;
    }
    return counts.frames;
}
