/* What the elements of a column must lie within: v does if low <= v <= high, so that NaN lies within no bounds. Finiteness is the
 * bounds of the finite numbers, and a bool is a byte from 0 to 1.
 */
#ifndef INSTAR_BOUNDS_H
#define INSTAR_BOUNDS_H

#include <stdint.h>

typedef enum instar_element {
    INSTAR_ANY, /* no bounds: nothing is looked at */
    INSTAR_F32, INSTAR_F64,
    INSTAR_I8, INSTAR_I16, INSTAR_I32, INSTAR_I64,
    INSTAR_U8, INSTAR_U16, INSTAR_U32, INSTAR_U64,
} instar_element;

typedef union instar_number {
    double real;
    int64_t integer;
    uint64_t natural;
} instar_number;

typedef struct instar_bounds {
    instar_element element;
    instar_number low, high;
} instar_bounds;

/* Number of elements outside the bounds. */
uint64_t instar_count_outside(const void *values, uint64_t bytes, const instar_bounds *bounds);

#endif
