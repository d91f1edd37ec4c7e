#include "crc64.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are taken for the bytes they are made of");

static const uint64_t polynomial = INSTAR_CRC64_POLYNOMIAL;

instar_crc64_tables instar_crc64;

static uint64_t byte_remainder(uint64_t byte) {
    for (int bit = 0; bit < 8; bit++) byte = (byte >> 1) ^ (byte & 1 ? polynomial : 0);
    return byte;
}

static void prepare_slices(void) {
    uint64_t(*slices)[256] = instar_crc64.slices;
    for (unsigned byte = 0; byte < 256; byte++) slices[0][byte] = byte_remainder(byte);
    for (int zeros = 1; zeros < 8; zeros++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint64_t before = slices[zeros - 1][byte];
            slices[zeros][byte] = (before >> 8) ^ slices[0][before & 255];
        }
}

/* The linear CRC of eight bytes, given as the little-endian word they make, by slices of what follows them. */
static uint64_t sum_slices(uint64_t slices[8][256], uint64_t word) {
    return slices[7][word & 255] ^ slices[6][word >> 8 & 255] ^ slices[5][word >> 16 & 255] ^ slices[4][word >> 24 & 255] ^
           slices[3][word >> 32 & 255] ^ slices[2][word >> 40 & 255] ^ slices[1][word >> 48 & 255] ^ slices[0][word >> 56];
}

/* word * x^64 mod P. */
static uint64_t word_remainder(uint64_t word) { return sum_slices(instar_crc64.slices, word); }

static void prepare_lines(void) {
    for (int zeros = 0; zeros < 8; zeros++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint64_t remainder = instar_crc64.slices[zeros][byte];
            for (int words = 0; words < INSTAR_LINE_BYTES / 8 - 1; words++) remainder = word_remainder(remainder);
            instar_crc64.lines[zeros][byte] = remainder;
        }
}

static void prepare_powers(void) {
    uint64_t power = 1; /* x^63 */
    for (size_t word = INSTAR_CHUNK_CRC_WORDS; word-- > 0;) {
        instar_crc64.powers[word] = power;
        power = word_remainder(power);
    }
}

/* Long division of x^128 by P, from x^64 on, where the quotient's highest term has left the remainder x^64 mod P. */
static uint64_t barrett_quotient(void) {
    uint64_t quotient = 0, remainder = polynomial;
    for (int degree = 63; degree >= 0; degree--) {
        int highest = remainder & 1;
        remainder = (remainder >> 1) ^ (highest ? polynomial : 0);
        if (highest) quotient |= UINT64_C(1) << (63 - degree);
    }
    return quotient;
}

void instar_crc64_prepare(void) {
    static const uint8_t zeros[INSTAR_CHUNK_BYTES];
    prepare_slices();
    prepare_lines();
    prepare_powers();
    instar_crc64.barrett[0] = barrett_quotient();
    instar_crc64.barrett[1] = polynomial;
    instar_crc64.zero_chunk = ~instar_crc64_linear(zeros, sizeof zeros, ~UINT64_C(0));
}

static uint64_t load_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

uint64_t instar_crc64_linear(const uint8_t *data, size_t bytes, uint64_t linear) {
    for (; bytes >= 8; data += 8, bytes -= 8) linear = word_remainder(linear ^ load_word(data));
    for (; bytes > 0; data++, bytes--) linear = (linear >> 8) ^ instar_crc64.slices[0][(linear ^ *data) & 255];
    return linear;
}

uint64_t instar_crc64_skip_lines(uint64_t linear, int lines) {
    if (linear == 0) return 0;
    while (lines-- > 0) linear = sum_slices(instar_crc64.lines, linear);
    return linear;
}
