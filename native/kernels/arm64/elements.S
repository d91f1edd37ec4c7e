#if defined(__aarch64__)
#include "asm.h"
#include "fold.h"
#include "lines.h"
#include "words.h"

// Commits the lines of the block two before x5 (live) and x6 (committed) that x13 names, numbered from x8 on, to the delta at x2,
// which steps on; x0 counts them. If \pmull, adds the products of their words with the powers at x4 to v4, v28, v29, v30.
.macro commit_lines pmull
    cbz x13, 3f
2:
    next_line x14, x13
    sub x15, x5, #2 * BLOCK_BYTES
    sub x16, x6, #2 * BLOCK_BYTES
    add x15, x15, x14, lsl #6
    add x16, x16, x14, lsl #6
    ldp q20, q21, [x15]
    ldp q22, q23, [x15, #32]
    ldp q16, q17, [x16]
    ldp q18, q19, [x16, #32]
    stp q20, q21, [x16]
    stp q22, q23, [x16, #32]
    eor v16.16b, v16.16b, v20.16b
    eor v17.16b, v17.16b, v21.16b
    eor v18.16b, v18.16b, v22.16b
    eor v19.16b, v19.16b, v23.16b
    words_set w10
    add x0, x0, #1
    add w9, w8, w14
    orr w9, w9, w10, lsl #8
    str w9, [x2], #3
    count_quarters w11, w10, w12
    pack_quarter 16, 0
    pack_quarter 17, 4
    pack_quarter 18, 8
    pack_quarter 19, 12
    prfm pstl1keep, [x2, #1024]
    .if \pmull
    add x14, x4, x14, lsl #6
    ldp q24, q25, [x14]
    ldp q26, q27, [x14, #32]
    multiply_add v4, v16, v24, v20
    multiply_add v28, v17, v25, v21
    multiply_add v29, v18, v26, v22
    multiply_add v30, v19, v27, v23
    .endif
    cbnz x13, 2b
3:
.endm

// A block's lines are committed after the next block was compared, so that neither waits for the other.
.macro commit_elements pmull
    load_weights
    .if \pmull
    movi v4.2d, #0
    movi v28.2d, #0
    movi v29.2d, #0
    movi v30.2d, #0
    .endif
    mov x5, x0
    mov x6, x1
    mov x1, x7
    mov x0, #0
    sub x4, x4, #BLOCK_BYTES
    mov x8, #-64
    mov x13, #0
4:
    compare_block
    commit_lines \pmull
    mov x13, x7
    add x4, x4, #BLOCK_BYTES
    add x8, x8, #64
    cmp x8, #192
    b.ne 4b
    add x5, x5, #BLOCK_BYTES
    add x6, x6, #BLOCK_BYTES
    commit_lines \pmull
.endm

// What both commits below return: how many lines changed in x0, the delta's end in x1.
//
// instar_neon_end instar_pmull_commit_elements(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc,
//     const uint64_t *powers, const uint64_t barrett[2], const uint8_t *unused, const uint8_t pack4[16][16])
function instar_pmull_commit_elements
    str x5, [sp, #-16]!
    commit_elements 1
    ldr x5, [sp], #16
    mov x8, x0
    eor v0.16b, v4.16b, v28.16b
    eor v29.16b, v29.16b, v30.16b
    eor v0.16b, v0.16b, v29.16b
    ldr q1, [x5]
    reduce
    ldr x9, [x3]
    eor x9, x9, x0
    str x9, [x3]
    mov x0, x8
    mov x1, x2
    ret
endfunction instar_pmull_commit_elements

// The same but for the CRC, which is left alone, as are the arguments that it takes.
function instar_neon_commit_elements
    commit_elements 0
    mov x1, x2
    ret
endfunction instar_neon_commit_elements

// const uint8_t *instar_neon_apply_elements(uint8_t *live, uint8_t *committed, const uint8_t *delta, const uint8_t *end,
//     const uint8_t unpack4[16][16])
// Applies the lines that begin before `end`, of which there is at least one, and reads up to 67 bytes on from each one's beginning.
// Returns where the next one begins.
function instar_neon_apply_elements
1:
    unpack_line
    add x15, x0, x9, lsl #6
    add x16, x1, x9, lsl #6
    ldp q20, q21, [x16]
    ldp q22, q23, [x16, #32]
    eor v20.16b, v20.16b, v16.16b
    eor v21.16b, v21.16b, v17.16b
    eor v22.16b, v22.16b, v18.16b
    eor v23.16b, v23.16b, v19.16b
    stp q20, q21, [x16]
    stp q22, q23, [x16, #32]
    stp q20, q21, [x15]
    stp q22, q23, [x15, #32]
    cmp x2, x3
    b.lo 1b
    mov x0, x2
    ret
endfunction instar_neon_apply_elements

// instar_neon_end instar_pmull_elements_crc(const uint64_t *powers, const uint64_t barrett[2], const uint8_t *delta,
//     const uint8_t *end, const uint8_t unpack4[16][16])
// Reads as instar_neon_apply_elements does. Returns the linear CRC of the lines in x0, where the next one begins in x1.
function instar_pmull_elements_crc
    movi v4.2d, #0
    movi v28.2d, #0
    movi v29.2d, #0
    movi v30.2d, #0
1:
    unpack_line
    add x15, x0, x9, lsl #6
    ldp q24, q25, [x15]
    ldp q26, q27, [x15, #32]
    multiply_add v4, v16, v24, v20
    multiply_add v28, v17, v25, v21
    multiply_add v29, v18, v26, v22
    multiply_add v30, v19, v27, v23
    cmp x2, x3
    b.lo 1b
    eor v0.16b, v4.16b, v28.16b
    eor v29.16b, v29.16b, v30.16b
    eor v0.16b, v0.16b, v29.16b
    ldr q1, [x1]
    reduce
    mov x1, x2
    ret
endfunction instar_pmull_elements_crc

#endif
#if defined(__ELF__)
.section .note.GNU-stack, "", %progbits
#endif
