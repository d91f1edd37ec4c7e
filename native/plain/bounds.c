#include "bounds.h"

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
