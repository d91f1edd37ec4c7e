#if defined(__aarch64__)
#include "asm.h"
#include "lines.h"

// Commits the lines of the block at x0 (live) and x1 (committed) that x13 names; their deltas go to x2, which steps on.
.macro commit_lines
    cbz x13, 3f
2:
    next_line x14, x13
    add x15, x0, x14, lsl #6
    add x16, x1, x14, lsl #6
    ldp q4, q5, [x15]
    ldp q6, q7, [x15, #32]
    ldp q28, q29, [x16]
    ldp q30, q16, [x16, #32]
    stp q4, q5, [x16]
    stp q6, q7, [x16, #32]
    eor v28.16b, v28.16b, v4.16b
    eor v29.16b, v29.16b, v5.16b
    eor v30.16b, v30.16b, v6.16b
    eor v16.16b, v16.16b, v7.16b
    stp q28, q29, [x2]
    stp q30, q16, [x2, #32]
    add x2, x2, #64
    cbnz x13, 2b
3:
.endm

// uint32_t instar_neon_commit_lines(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t bitmap[4])
// A block's lines are committed after the next block was compared, so that neither waits for the other.
function instar_neon_commit_lines
    load_weights
    mov x4, x2
    mov x5, x0
    mov x6, x1
    sub x0, x0, #BLOCK_BYTES
    sub x1, x1, #BLOCK_BYTES
    mov x13, #0
    mov w8, #4
4:
    compare_block
    str x7, [x3], #8
    commit_lines
    mov x13, x7
    add x0, x0, #BLOCK_BYTES
    add x1, x1, #BLOCK_BYTES
    subs w8, w8, #1
    b.ne 4b
    commit_lines
    sub x0, x2, x4
    lsr x0, x0, #6
    ret
endfunction instar_neon_commit_lines

// void instar_neon_xor_chunk(uint8_t *live, uint8_t *committed, const uint8_t *delta, const uint64_t bitmap[4])
function instar_neon_xor_chunk
    mov w8, #4
1:
    ldr x13, [x3], #8
    cbz x13, 3f
2:
    next_line x14, x13
    add x15, x0, x14, lsl #6
    add x16, x1, x14, lsl #6
    ldp q4, q5, [x2]
    ldp q6, q7, [x2, #32]
    ldp q28, q29, [x16]
    ldp q30, q31, [x16, #32]
    eor v4.16b, v4.16b, v28.16b
    eor v5.16b, v5.16b, v29.16b
    eor v6.16b, v6.16b, v30.16b
    eor v7.16b, v7.16b, v31.16b
    stp q4, q5, [x16]
    stp q6, q7, [x16, #32]
    stp q4, q5, [x15]
    stp q6, q7, [x15, #32]
    add x2, x2, #64
    cbnz x13, 2b
3:
    add x0, x0, #BLOCK_BYTES
    add x1, x1, #BLOCK_BYTES
    subs w8, w8, #1
    b.ne 1b
    ret
endfunction instar_neon_xor_chunk

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

#endif
#if defined(__ELF__)
.section .note.GNU-stack, "", %progbits
#endif
