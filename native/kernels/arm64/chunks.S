#if defined(__aarch64__)
#include "asm.h"
#include "fold.h"
#include "lines.h"

// Commits the line at x0 (live) and x1 (committed), which step on with the delta at x2. Ors its words into v\any, counts those that
// changed in v28, and if \pmull folds them into v4 to v7 by v30.
.macro commit_line_dense any, pmull
    ldp q16, q17, [x0]
    ldp q18, q19, [x0, #32]
    ldp q20, q21, [x1]
    ldp q22, q23, [x1, #32]
    eor v20.16b, v20.16b, v16.16b
    eor v21.16b, v21.16b, v17.16b
    eor v22.16b, v22.16b, v18.16b
    eor v23.16b, v23.16b, v19.16b
    stp q16, q17, [x1]
    stp q18, q19, [x1, #32]
    stnp q20, q21, [x2]
    stnp q22, q23, [x2, #32]
    add x0, x0, #64
    add x1, x1, #64
    add x2, x2, #64
    orr v24.16b, v20.16b, v21.16b
    orr v25.16b, v22.16b, v23.16b
    cmtst v16.4s, v20.4s, v20.4s
    cmtst v17.4s, v21.4s, v21.4s
    cmtst v18.4s, v22.4s, v22.4s
    cmtst v19.4s, v23.4s, v23.4s
    orr v\any\().16b, v24.16b, v25.16b
    add v16.4s, v16.4s, v17.4s
    add v18.4s, v18.4s, v19.4s
    add v16.4s, v16.4s, v18.4s
    sub v28.4s, v28.4s, v16.4s
    .if \pmull
    fold v4, v20, v30, v24, v25
    fold v5, v21, v30, v26, v27
    fold v6, v22, v30, v24, v25
    fold v7, v23, v30, v26, v27
    .endif
.endm

// Counts in v29 how many of v0 to v3 are not zero.
.macro count_lines
    umaxp v0.4s, v0.4s, v1.4s
    umaxp v2.4s, v2.4s, v3.4s
    umaxp v0.4s, v0.4s, v2.4s
    cmtst v0.4s, v0.4s, v0.4s
    sub v29.4s, v29.4s, v0.4s
.endm

.macro commit_dense pmull
    mov w8, #64
    movi v28.2d, #0
    movi v29.2d, #0
1:
    commit_line_dense 0, \pmull
    commit_line_dense 1, \pmull
    commit_line_dense 2, \pmull
    commit_line_dense 3, \pmull
    count_lines
    subs w8, w8, #1
    b.ne 1b
    addv s29, v29.4s
    addv s28, v28.4s
    umov w12, v29.s[0]
    umov w13, v28.s[0]
.endm

// Returns an instar_delta_size in x0 and x1: x12 lines, x13 words, and the bytes of a chunk if there are any.
.macro return_dense_size
    orr x0, x12, x13, lsl #32
    mov w1, #16384
    cmp x12, #0
    csel x1, x1, xzr, ne
    ret
.endm

// Sets all four remainders to zero and v30 to what moves them on by a line; \powers_end is where the powers of a chunk end.
.macro begin_fold powers_end
    ldur q30, [\powers_end, #-72]
    movi v4.2d, #0
    movi v5.2d, #0
    movi v6.2d, #0
    movi v7.2d, #0
.endm

// instar_delta_size instar_pmull_commit_dense(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc,
//     const uint64_t *powers_end, const uint64_t barrett[2])
function instar_pmull_commit_dense
    begin_fold x4
    commit_dense 1
    reduce_folded x4, x5
    ldr x9, [x3]
    eor x9, x9, x0
    str x9, [x3]
    return_dense_size
endfunction instar_pmull_commit_dense

// The same but for the CRC, which is left alone, as are the arguments that it takes.
function instar_neon_commit_dense
    commit_dense 0
    return_dense_size
endfunction instar_neon_commit_dense

// Stores of pairs past the caches may be seen after later ones.
function instar_neon_fence
    dmb ishst
    ret
endfunction instar_neon_fence

// void instar_neon_apply_dense(uint8_t *live, uint8_t *committed, const uint8_t *delta)
function instar_neon_apply_dense
    mov w8, #256
1:
    ldp q0, q1, [x1]
    ldp q2, q3, [x1, #32]
    ldp q4, q5, [x2]
    ldp q6, q7, [x2, #32]
    eor v0.16b, v0.16b, v4.16b
    eor v1.16b, v1.16b, v5.16b
    eor v2.16b, v2.16b, v6.16b
    eor v3.16b, v3.16b, v7.16b
    stp q0, q1, [x1]
    stp q2, q3, [x1, #32]
    stp q0, q1, [x0]
    stp q2, q3, [x0, #32]
    add x0, x0, #64
    add x1, x1, #64
    add x2, x2, #64
    subs w8, w8, #1
    b.ne 1b
    ret
endfunction instar_neon_apply_dense

// uint32_t instar_neon_restore_chunk(uint8_t *live, const uint8_t *committed)
function instar_neon_restore_chunk
    load_weights
    mov x5, x0
    mov x6, x1
    mov w8, #4
    mov w4, #0
4:
    compare_block
    cbz x7, 3f
2:
    next_line x14, x7
    add x15, x0, x14, lsl #6
    add x16, x1, x14, lsl #6
    ldp q4, q5, [x16]
    ldp q6, q7, [x16, #32]
    stp q4, q5, [x15]
    stp q6, q7, [x15, #32]
    add w4, w4, #1
    cbnz x7, 2b
3:
    add x0, x0, #BLOCK_BYTES
    add x1, x1, #BLOCK_BYTES
    subs w8, w8, #1
    b.ne 4b
    mov w0, w4
    ret
endfunction instar_neon_restore_chunk

// Ors into v\any where the line at x0 differs from the one at x1, both of which step on; if \pmull folds the latter as above.
.macro check_line any, pmull
    ldp q16, q17, [x0]
    ldp q18, q19, [x0, #32]
    ldp q20, q21, [x1]
    ldp q22, q23, [x1, #32]
    eor v16.16b, v16.16b, v20.16b
    eor v17.16b, v17.16b, v21.16b
    eor v18.16b, v18.16b, v22.16b
    eor v19.16b, v19.16b, v23.16b
    orr v16.16b, v16.16b, v17.16b
    orr v18.16b, v18.16b, v19.16b
    orr v\any\().16b, v16.16b, v18.16b
    add x0, x0, #64
    add x1, x1, #64
    .if \pmull
    fold v4, v20, v30, v24, v25
    fold v5, v21, v30, v26, v27
    fold v6, v22, v30, v24, v25
    fold v7, v23, v30, v26, v27
    .endif
.endm

.macro check_chunk pmull
    mov w8, #64
    movi v29.2d, #0
1:
    check_line 0, \pmull
    check_line 1, \pmull
    check_line 2, \pmull
    check_line 3, \pmull
    count_lines
    subs w8, w8, #1
    b.ne 1b
    addv s29, v29.4s
    umov w12, v29.s[0]
.endm

// uint32_t instar_pmull_check_chunk(const uint8_t *live, const uint8_t *committed, uint64_t *linear, const uint64_t *powers_end,
//     const uint64_t barrett[2])
function instar_pmull_check_chunk
    begin_fold x3
    check_chunk 1
    reduce_folded x3, x4
    str x0, [x2]
    mov w0, w12
    ret
endfunction instar_pmull_check_chunk

// The same but for the CRC: uint32_t instar_neon_count_different(const uint8_t *live, const uint8_t *committed)
function instar_neon_count_different
    check_chunk 0
    mov w0, w12
    ret
endfunction instar_neon_count_different

#endif
#if defined(__ELF__)
.section .note.GNU-stack, "", %progbits
#endif
