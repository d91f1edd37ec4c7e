#if defined(__aarch64__)
#include "asm.h"
#include "fold.h"

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
    fold v4, v16, v24, v20, v21
    fold v5, v17, v24, v22, v23
    fold v6, v18, v24, v20, v21
    fold v7, v19, v24, v22, v23
2:
    add x0, x0, #64
    subs x1, x1, #1
    b.ne 1b
    reduce_folded x3, x4
    ret
endfunction instar_pmull_crc64

#endif
#if defined(__ELF__)
.section .note.GNU-stack, "", %progbits
#endif
