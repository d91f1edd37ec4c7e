#include "records.h"

#include <string.h>

/* Two words as one; any flipped bit of either changes it, and each in a way of its own: a product alone carries a high bit nowhere,
 * so that flips of different words would look alike and the wrong one could be mended. */
static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t second = b * UINT64_C(0xc2b2ae3d27d4eb4f);
    uint64_t mixed = a * UINT64_C(0x9e3779b97f4a7c15) ^ (second << 32 | second >> 32);
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return mixed ^ mixed >> 29;
}

static uint64_t words_check(const void *words, size_t bytes) {
    uint64_t check = UINT64_C(0x27d4eb2f165667c5), word;
    for (size_t at = 0; at < bytes; at += sizeof word) {
        memcpy(&word, (const uint8_t *)words + at, sizeof word);
        check = mix(check ^ word, at);
    }
    return check;
}

static uint64_t header_check(const instar_chunk *record) {
    return mix((uint64_t)record->record.key << 32 | record->record.length, (uint64_t)record->payload << 32 | record->chunk);
}

uint32_t instar_chunk_close(instar_chunk *record, instar_tag tag, uint32_t key, uint32_t chunk, uint32_t payload, uint64_t change) {
    uint32_t bytes = (uint32_t)sizeof *record + payload, length = (bytes + 7) & ~UINT32_C(7);
    memset((uint8_t *)record + bytes, 0, length - bytes);
    record->record = (instar_record){length | tag, key};
    record->chunk = chunk;
    record->payload = payload;
    record->check = change ^ header_check(record);
    return length;
}

uint32_t instar_extent_close(instar_extent *record, uint32_t key, uint64_t before, uint64_t after) {
    *record = (instar_extent){{sizeof *record | INSTAR_EXTENT, key}, before, after, 0};
    record->check = words_check(record, offsetof(instar_extent, check));
    return sizeof *record;
}

void instar_frame_close(instar_frame *record) { record->check = words_check(record, offsetof(instar_frame, check)); }

/* Lengths that differ in one bit have keys that differ in many, so that the one flipped bit of a skip can be told. */
static uint32_t skip_key(uint32_t length) {
    uint32_t key = length * UINT32_C(0x9e3779b1);
    key = (key ^ key >> 15) * UINT32_C(0x85ebca77);
    return key ^ key >> 13;
}

void instar_skip_close(instar_record *record, instar_tag tag, uint32_t length) {
    *record = (instar_record){length | tag, skip_key(length | tag)};
}

int instar_skip_whole(const instar_record *record) { return record->key == skip_key(record->length); }

uint64_t instar_chunk_change(const instar_chunk *record) { return record->check ^ header_check(record); }

static int elements_well_formed(const uint8_t *delta, uint32_t bytes) {
    int last = -1;
    while (bytes > 0) {
        if (bytes < 3 || delta[0] <= last) return 0;
        uint32_t mask = (uint32_t)delta[1] | (uint32_t)delta[2] << 8, size = 3 + 4 * (uint32_t)__builtin_popcount(mask);
        if (mask == 0 || size > bytes) return 0;
        last = delta[0];
        delta += size;
        bytes -= size;
    }
    return 1;
}

static int rest_is_zero(const uint8_t *from, const uint8_t *end) {
    for (; from < end; from++)
        if (*from) return 0;
    return 1;
}

static int chunk_whole(const instar_kernels *kernels, const instar_chunk *record) {
    uint32_t length = instar_length(&record->record), payload = record->payload;
    const uint8_t *delta = (const uint8_t *)(record + 1);
    if (length < sizeof *record || payload > length - sizeof *record || length - sizeof *record - payload > 7) return 0;
    if (!rest_is_zero(delta + payload, (const uint8_t *)record + length)) return 0;
    if (instar_tag_of(&record->record) == INSTAR_ELEMENTS)
        return elements_well_formed(delta, payload) && kernels->elements_crc(delta, payload) == instar_chunk_change(record);
    return payload == INSTAR_CHUNK_BYTES && (uintptr_t)delta % INSTAR_LINE_BYTES == 0 &&
           ~kernels->crc64(delta, payload, ~UINT64_C(0)) == instar_chunk_change(record); /* without the inversions: linear */
}

int instar_record_whole(const instar_kernels *kernels, const instar_record *record, uint64_t room) {
    uint32_t length = instar_length(record);
    if (room < sizeof *record || length < sizeof *record || length > room) return 0;
    switch (instar_tag_of(record)) {
        case INSTAR_PAD:
        case INSTAR_WRAP:
            return instar_skip_whole(record);
        case INSTAR_FRAME:
            return length == sizeof(instar_frame) &&
                   ((const instar_frame *)record)->check == words_check(record, offsetof(instar_frame, check));
        case INSTAR_EXTENT:
            return length == sizeof(instar_extent) &&
                   ((const instar_extent *)record)->check == words_check(record, offsetof(instar_extent, check));
        case INSTAR_ELEMENTS:
        case INSTAR_DENSE:
            return chunk_whole(kernels, (const instar_chunk *)record);
        default:
            return 0;
    }
}

static int flip_one_of(const instar_kernels *kernels, instar_record *record, uint64_t room, uint64_t from, uint64_t bytes) {
    uint8_t *data = (uint8_t *)record;
    for (uint64_t bit = 8 * from; bit < 8 * bytes; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (instar_record_whole(kernels, record, room)) return 1;
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    return 0;
}

int instar_record_mend(const instar_kernels *kernels, instar_record *record, uint64_t room) {
    uint64_t header = room < sizeof(instar_frame) ? room : sizeof(instar_frame);
    if (flip_one_of(kernels, record, room, 0, header)) return 1;
    uint64_t length = instar_length(record);
    return length > header && length <= room && length <= sizeof(instar_chunk) + INSTAR_PAYLOAD_ROOM + 8 &&
           flip_one_of(kernels, record, room, header, length);
}

void instar_chunk_xor(const instar_kernels *kernels, const instar_chunk *record, uint8_t *live, uint8_t *committed) {
    const uint8_t *delta = (const uint8_t *)(record + 1);
    if (instar_tag_of(&record->record) == INSTAR_ELEMENTS) kernels->apply_elements(live, committed, delta, record->payload);
    if (instar_tag_of(&record->record) == INSTAR_DENSE) kernels->apply_dense(live, committed, delta);
}

void instar_record_apply(const instar_kernels *kernels, const instar_record *record, instar_column *column) {
    if (instar_tag_of(record) == INSTAR_EXTENT) {
        const instar_extent *extent = (const instar_extent *)record;
        column->committed_extent ^= extent->before ^ extent->after;
        column->extent = column->committed_extent;
    } else {
        const instar_chunk *chunk = (const instar_chunk *)record;
        uint64_t at = (uint64_t)chunk->chunk * INSTAR_CHUNK_BYTES;
        instar_chunk_xor(kernels, chunk, column->live + at, column->committed + at);
        column->crcs[chunk->chunk] ^= instar_chunk_change(chunk);
    }
}
