#include "integrity.h"

#include "../kernels/crc64.h"

#include <limits.h> /* says whether the C library is glibc */

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* The compiler's own twins for wider registers, chosen when the library is loaded: too early for the thread sanitizer. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_WIDTH __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define FOR_EACH_WIDTH
#endif

/* Bits that say "outside" are gathered without a branch, so that compilers make vectors of the loop. */
#define COUNT_OUTSIDE(name, type, member)                                                                    \
    FOR_EACH_WIDTH static uint64_t outside_##name(const void *values, uint64_t bytes, const instar_bounds *bounds) {        \
        const type *value = values, low = (type)bounds->low.member, high = (type)bounds->high.member;        \
        uint64_t left = bytes / sizeof(type), count = 0;                                                     \
        while (left > 0) {                                                                                   \
            uint32_t block = (uint32_t)least(left, 1024), outside = 0;                                       \
            for (uint32_t i = 0; i < block; i++) outside += !((value[i] >= low) & (value[i] <= high));       \
            count += outside;                                                                                \
            value += block;                                                                                  \
            left -= block;                                                                                   \
        }                                                                                                    \
        return count;                                                                                        \
    }

COUNT_OUTSIDE(f32, float, real)
COUNT_OUTSIDE(f64, double, real)
COUNT_OUTSIDE(i8, int8_t, integer)
COUNT_OUTSIDE(i16, int16_t, integer)
COUNT_OUTSIDE(i32, int32_t, integer)
COUNT_OUTSIDE(i64, int64_t, integer)
COUNT_OUTSIDE(u8, uint8_t, natural)
COUNT_OUTSIDE(u16, uint16_t, natural)
COUNT_OUTSIDE(u32, uint32_t, natural)
COUNT_OUTSIDE(u64, uint64_t, natural)

uint64_t instar_count_outside(const void *values, uint64_t bytes, const instar_bounds *bounds) {
    switch (bounds->element) {
    case INSTAR_ANY: return 0;
    case INSTAR_F32: return outside_f32(values, bytes, bounds);
    case INSTAR_F64: return outside_f64(values, bytes, bounds);
    case INSTAR_I8: return outside_i8(values, bytes, bounds);
    case INSTAR_I16: return outside_i16(values, bytes, bounds);
    case INSTAR_I32: return outside_i32(values, bytes, bounds);
    case INSTAR_I64: return outside_i64(values, bytes, bounds);
    case INSTAR_U8: return outside_u8(values, bytes, bounds);
    case INSTAR_U16: return outside_u16(values, bytes, bounds);
    case INSTAR_U32: return outside_u32(values, bytes, bounds);
    case INSTAR_U64: return outside_u64(values, bytes, bounds);
    }
    return 0;
}

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
