#if defined(__aarch64__)
#include "asm.h"

    .arch armv8-a+crypto

// Multiplies the two words of \words by those of \powers and adds both products to \sum; \other is used.
.macro multiply_add sum, words, powers, other
    pmull \other\().1q, \words\().1d, \powers\().1d
    eor \sum\().16b, \sum\().16b, \other\().16b
    pmull2 \other\().1q, \words\().2d, \powers\().2d
    eor \sum\().16b, \sum\().16b, \other\().16b
.endm

// x0 = the polynomial in v0 modulo P by Barrett's method; v1 holds floor(x^128 / P) and P. Uses v2, v3, x9 to x11.
.macro reduce
    pmull v2.1q, v0.1d, v1.1d
    shl d2, d2, #1
    eor v2.16b, v2.16b, v0.16b
    dup v3.2d, v1.d[1]
    pmull v3.1q, v2.1d, v3.1d
    umov x9, v3.d[0]
    umov x10, v3.d[1]
    umov x11, v0.d[1]
    extr x9, x10, x9, #63
    eor x0, x11, x9
.endm

// uint64_t instar_pmull_crc_lines(const uint8_t *delta, const uint64_t bitmap[4], const uint64_t *powers, const uint64_t barrett[2])
// The linear CRC of a chunk that is zero but for the lines which the bitmap names.
function instar_pmull_crc_lines
    ldr q1, [x3]
    movi v0.2d, #0
    movi v28.2d, #0
    movi v29.2d, #0
    movi v30.2d, #0
    mov w8, #4
1:
    ldr x13, [x1], #8
    cbz x13, 3f
2:
    rbit x14, x13
    clz x14, x14
    sub x15, x13, #1
    and x13, x13, x15
    add x14, x2, x14, lsl #6
    ldp q4, q5, [x0]
    ldp q6, q7, [x0, #32]
    ldp q16, q17, [x14]
    ldp q18, q19, [x14, #32]
    add x0, x0, #64
    multiply_add v0, v4, v16, v20
    multiply_add v28, v5, v17, v21
    multiply_add v29, v6, v18, v22
    multiply_add v30, v7, v19, v23
    cbnz x13, 2b
3:
    add x2, x2, #4096
    subs w8, w8, #1
    b.ne 1b
    eor v0.16b, v0.16b, v28.16b
    eor v29.16b, v29.16b, v30.16b
    eor v0.16b, v0.16b, v29.16b
    reduce
    ret
endfunction instar_pmull_crc_lines

// Moves the remainder \part on by the powers in v24 and adds \next; v20 and v21 are used.
.macro fold part, next
    pmull v20.1q, \part\().1d, v24.1d
    pmull2 v21.1q, \part\().2d, v24.2d
    eor v20.16b, v20.16b, \next\().16b
    eor \part\().16b, v20.16b, v21.16b
.endm

// uint64_t instar_pmull_crc64(const uint8_t *data, size_t lines, uint64_t linear, const uint64_t *powers_end, const uint64_t barrett[2])
// The linear CRC of at least one line at any address. Four remainders of 16 bytes each move on by a line a turn.
function instar_pmull_crc64
    ldp q4, q5, [x0]
    ldp q6, q7, [x0, #32]
    fmov d16, x2
    eor v4.16b, v4.16b, v16.16b
    ldur q24, [x3, #-72]
    b 2f
1:
    ldp q16, q17, [x0]
    ldp q18, q19, [x0, #32]
    fold v4, v16
    fold v5, v17
    fold v6, v18
    fold v7, v19
2:
    add x0, x0, #64
    subs x1, x1, #1
    b.ne 1b
    ldur q24, [x3, #-24]
    fold v4, v5
    fold v4, v6
    fold v4, v7
    ldur q24, [x3, #-16]
    movi v0.2d, #0
    multiply_add v0, v4, v24, v20
    ldr q1, [x4]
    reduce
    ret
endfunction instar_pmull_crc64

#endif
#if defined(__ELF__)
.section .note.GNU-stack, "", %progbits
#endif
