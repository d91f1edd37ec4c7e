// Blocks of 64 lines: compared into a word of bits, whose set bits are then walked.

BLOCK_BYTES = 4096

// Puts into \out whether the line at offset \at of x5 and x6 differs: some lane is not zero then.
.macro compare_line out, at
    ldp q16, q17, [x5, #\at]
    ldp q18, q19, [x5, #\at + 32]
    ldp q20, q21, [x6, #\at]
    ldp q22, q23, [x6, #\at + 32]
    eor v16.16b, v16.16b, v20.16b
    eor v17.16b, v17.16b, v21.16b
    eor v18.16b, v18.16b, v22.16b
    eor v19.16b, v19.16b, v23.16b
    orr v16.16b, v16.16b, v17.16b
    orr v18.16b, v18.16b, v19.16b
    orr \out\().16b, v16.16b, v18.16b
.endm

// Puts into each 32-bit lane of \out all ones if one of four lines differs; steps on.
.macro compare_four_lines out
    compare_line v24, 0
    compare_line v25, 64
    compare_line v26, 128
    compare_line v27, 192
    add x5, x5, #256
    add x6, x6, #256
    umaxp v24.4s, v24.4s, v25.4s
    umaxp v26.4s, v26.4s, v27.4s
    umaxp \out\().4s, v24.4s, v26.4s
    cmtst \out\().4s, \out\().4s, \out\().4s
.endm

// Makes v31 the weights of bits in a byte, as compare_block wants them.
.macro load_weights
    movz x9, #0x0201
    movk x9, #0x0804, lsl #16
    movk x9, #0x2010, lsl #32
    movk x9, #0x8040, lsl #48
    dup v31.2d, x9
.endm

// Sets bit l of x7 where line l of the blocks at x5 and x6 differs; steps both on by a block. Takes sixteen lines a turn.
// Uses x9, x10, v0 to v3, v16 to v27.
.macro compare_block
    mov w10, #4
1:
    compare_four_lines v0
    compare_four_lines v1
    compare_four_lines v2
    compare_four_lines v3
    uzp1 v0.8h, v0.8h, v1.8h
    uzp1 v2.8h, v2.8h, v3.8h
    uzp1 v0.16b, v0.16b, v2.16b
    and v0.16b, v0.16b, v31.16b
    addp v0.16b, v0.16b, v0.16b
    addp v0.16b, v0.16b, v0.16b
    addp v0.16b, v0.16b, v0.16b
    umov w9, v0.h[0]
    lsr x7, x7, #16
    bfi x7, x9, #48, #16
    subs w10, w10, #1
    b.ne 1b
.endm

// Takes the lowest set bit off \bits and puts its number into \line.
.macro next_line line, bits
    rbit \line, \bits
    clz \line, \line
    sub x17, \bits, #1
    and \bits, \bits, x17
.endm
