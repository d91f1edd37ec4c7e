/* Tables that bring the changed words of a line together, and apart again, by a shuffle per set of words. */
#ifndef INSTAR_WORDS_H
#define INSTAR_WORDS_H

#include <stdint.h>

typedef struct instar_word_tables {
    /* pack8[m][i]: the word that is the i-th in the set m of eight words (from its size on: 0).
     * unpack8[m][w]: where word w is among those of m; 7 if it is none of them, for the last place is empty then. */
    uint8_t pack8[256][8], unpack8[256][8];
    /* The same for four words, byte by byte, 255 for none. */
    uint8_t pack4[16][16], unpack4[16][16];
} instar_word_tables;

extern _Alignas(64) instar_word_tables instar_words;

/* Computes the tables; to be called once, before any kernel. */
void instar_words_prepare(void);

#endif
