// A line's set of changed words, and what shuffles by quarters of it, four words at a time.

// Puts into \set the words of v16 to v19 that are not zero, bit w for word w; v31 holds the weights (lines.h). Uses v20 to v23.
.macro words_set set
    cmtst v20.4s, v16.4s, v16.4s
    cmtst v21.4s, v17.4s, v17.4s
    cmtst v22.4s, v18.4s, v18.4s
    cmtst v23.4s, v19.4s, v19.4s
    uzp1 v20.8h, v20.8h, v21.8h
    uzp1 v22.8h, v22.8h, v23.8h
    uzp1 v20.16b, v20.16b, v22.16b
    and v20.16b, v20.16b, v31.16b
    addp v20.16b, v20.16b, v20.16b
    addp v20.16b, v20.16b, v20.16b
    addp v20.16b, v20.16b, v20.16b
    umov \set, v20.h[0]
.endm

// Puts into the four-bit fields of \counts how many bits the same fields of \set have; \other is used.
.macro count_quarters counts, set, other
    lsr \counts, \set, #1
    and \counts, \counts, #0x55555555
    sub \counts, \set, \counts
    and \other, \counts, #0x33333333
    lsr \counts, \counts, #2
    and \counts, \counts, #0x33333333
    add \counts, \counts, \other
.endm

// Writes those words of v\words that bits \at to \at + 3 of the set w10 name to x2, which steps on. w11 holds the counts of the
// set's quarters, x1 is instar_words.pack4. Uses x12, x17, v24.
.macro pack_quarter words, at
    ubfx w12, w10, #\at, #4
    ubfx w17, w11, #\at, #4
    ldr q24, [x1, x12, lsl #4]
    tbl v24.16b, {v\words\().16b}, v24.16b
    str q24, [x2]
    add x2, x2, x17, lsl #2
.endm

// The other way round: reads words at x2, which steps on, into v\words, zeros where the set has none. x4 is instar_words.unpack4.
.macro unpack_quarter words, at
    ubfx w12, w10, #\at, #4
    ubfx w17, w11, #\at, #4
    ldr q\words, [x2]
    ldr q24, [x4, x12, lsl #4]
    tbl v\words\().16b, {v\words\().16b}, v24.16b
    add x2, x2, x17, lsl #2
.endm

// Reads one line of a delta in the elements form at x2, which steps on: its number into x9, its words into v16 to v19.
.macro unpack_line
    ldr w10, [x2], #3
    and w9, w10, #255
    ubfx w10, w10, #8, #16
    count_quarters w11, w10, w12
    unpack_quarter 16, 0
    unpack_quarter 17, 4
    unpack_quarter 18, 8
    unpack_quarter 19, 12
.endm
