// Polynomials modulo P: products with powers of x, remainders moved on, one reduction at the end.

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

// Moves the remainder \part on by the powers in \powers and adds \next; \one and \other are used.
.macro fold part, next, powers, one, other
    pmull \one\().1q, \part\().1d, \powers\().1d
    pmull2 \other\().1q, \part\().2d, \powers\().2d
    eor \one\().16b, \one\().16b, \next\().16b
    eor \part\().16b, \one\().16b, \other\().16b
.endm

// x0 = the four remainders of a line in v4 to v7 modulo P; \powers_end is where the powers of a chunk end, and \barrett as above.
// Uses v0 to v3, v24 to v27, x9 to x11.
.macro reduce_folded powers_end, barrett
    ldp q24, q25, [\powers_end, #-64]
    ldp q26, q27, [\powers_end, #-32]
    movi v0.2d, #0
    multiply_add v0, v4, v24, v1
    multiply_add v0, v5, v25, v2
    multiply_add v0, v6, v26, v3
    multiply_add v0, v7, v27, v1
    ldr q1, [\barrett]
    reduce
.endm
