#include "integrity.h"

#include "../kernels/crc64.h"

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint32_t count_set(const uint8_t *bytes, uint64_t count) {
    uint32_t set = 0;
    for (uint64_t i = 0; i < count; i++) set += bytes[i] != 0;
    return set;
}

static instar_suspect check_chunk(const instar_kernels *kernels, uint64_t zero_chunk_crc, const instar_column *column,
                                  uint64_t chunk, int with_live, const instar_bounds *bounds) {
    instar_suspect found = {.chunk = chunk};
    uint64_t at = chunk * INSTAR_CHUNK_BYTES, crc, used = least(column->committed_extent - at, INSTAR_CHUNK_BYTES);
    const uint8_t *committed = column->committed + at;
    if (with_live)
        found.lines = kernels->check_chunk(column->live + at, committed, &crc);
    else
        crc = kernels->crc64(committed, INSTAR_CHUNK_BYTES, 0);
    found.syndrome = crc ^ column->crcs[chunk] ^ zero_chunk_crc;
    found.outside = (uint32_t)instar_count_outside(committed, used, bounds);
    found.past_end = count_set(committed + used, INSTAR_CHUNK_BYTES - used);
    return found;
}

uint32_t instar_check_chunks(const instar_kernels *kernels, uint64_t zero_chunk_crc, const instar_column *column, uint64_t first,
                             uint64_t *stop, int with_live, const instar_bounds *bounds, instar_suspect *suspects,
                             uint32_t room) {
    uint64_t chunk = first, end = least(*stop, (column->committed_extent + INSTAR_CHUNK_BYTES - 1) / INSTAR_CHUNK_BYTES);
    uint32_t count = 0;
    for (; chunk < end && count < room; chunk++) {
        instar_suspect found = check_chunk(kernels, zero_chunk_crc, column, chunk, with_live, bounds);
        if (found.syndrome != 0 || found.lines != 0 || found.outside != 0 || found.past_end != 0) suspects[count++] = found;
    }
    *stop = chunk > end ? end : chunk;
    return count;
}

/* A flipped bit is x^k; one bit of message further from the end multiplies it by x. */
int64_t instar_find_flip(uint64_t syndrome, uint64_t bytes) {
    uint64_t power = INSTAR_CRC64_POLYNOMIAL;
    for (int64_t bit = (int64_t)bytes * 8 - 1; bit >= 0; bit--) {
        if (power == syndrome) return bit;
        power = (power >> 1) ^ (INSTAR_CRC64_POLYNOMIAL & (0 - (power & 1)));
    }
    return -1;
}

static int is_whole(const instar_kernels *kernels, const instar_ring *ring, uint64_t place) {
    return instar_record_whole(kernels, instar_ring_at(ring, place), instar_ring_room(ring, place));
}

int instar_frame_verify(const instar_kernels *kernels, const instar_ring *ring, uint64_t frame, uint64_t *at, uint64_t bytes,
                        uint64_t *seen) {
    uint64_t length = instar_ring_between(ring, frame, instar_frame_at(ring, frame)->end);
    while (*seen < bytes) {
        int64_t next = instar_frame_next(ring, frame, *at);
        if (next == INSTAR_NONE) return 1;
        if (next < 0 || instar_ring_between(ring, frame, (uint64_t)next) >= length || !is_whole(kernels, ring, (uint64_t)next))
            return INSTAR_DAMAGED;
        *seen += instar_ring_between(ring, *at, (uint64_t)next);
        *at = (uint64_t)next;
    }
    return 0;
}
