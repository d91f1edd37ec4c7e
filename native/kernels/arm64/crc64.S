#if defined(__aarch64__)
#include "asm.h"
#include "fold.h"

// uint64_t instar_pmull_crc64(const uint8_t *data, size_t lines, uint64_t linear, const uint64_t *powers_end, const uint64_t barrett[2])
// The linear CRC of at least one line at any address. Eight remainders of 16 bytes each move on by two lines a turn, so that no turn
// waits for the one before; they become four, and those take a line that is left over.
function instar_pmull_crc64
    ldp q4, q5, [x0]
    ldp q6, q7, [x0, #32]
    fmov d16, x2
    eor v4.16b, v4.16b, v16.16b
    add x0, x0, #64
    ldur q30, [x3, #-72]
    subs x1, x1, #1
    b.eq 4f
    tbz x1, #0, 2f
    ldp q28, q29, [x0]
    ldp q0, q1, [x0, #32]
    add x0, x0, #64
    sub x1, x1, #1
    cbz x1, 3f
    ldur q31, [x3, #-136]
1:
    ldp q16, q17, [x0]
    ldp q18, q19, [x0, #32]
    ldp q2, q3, [x0, #64]
    ldp q24, q25, [x0, #96]
    add x0, x0, #128
    fold v4, v16, v31, v20, v21
    fold v5, v17, v31, v22, v23
    fold v6, v18, v31, v26, v27
    fold v7, v19, v31, v20, v21
    fold v28, v2, v31, v22, v23
    fold v29, v3, v31, v26, v27
    fold v0, v24, v31, v20, v21
    fold v1, v25, v31, v22, v23
    subs x1, x1, #2
    b.ne 1b
3:
    fold v4, v28, v30, v20, v21
    fold v5, v29, v30, v22, v23
    fold v6, v0, v30, v26, v27
    fold v7, v1, v30, v20, v21
    b 4f
2:
    ldp q28, q29, [x0]
    ldp q0, q1, [x0, #32]
    add x0, x0, #64
    fold v4, v28, v30, v20, v21
    fold v5, v29, v30, v22, v23
    fold v6, v0, v30, v26, v27
    fold v7, v1, v30, v20, v21
    ldp q28, q29, [x0]
    ldp q0, q1, [x0, #32]
    add x0, x0, #64
    subs x1, x1, #2
    b.eq 3b
    ldur q31, [x3, #-136]
    b 1b
4:
    reduce_folded x3, x4
    ret
endfunction instar_pmull_crc64

#endif
#if defined(__ELF__)
.section .note.GNU-stack, "", %progbits
#endif
