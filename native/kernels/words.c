#include "words.h"

#include <string.h>

_Alignas(64) instar_word_tables instar_words;

static void prepare_eight(unsigned set) {
    uint8_t count = 0;
    memset(instar_words.pack8[set], 0, 8);
    memset(instar_words.unpack8[set], 7, 8);
    for (uint8_t word = 0; word < 8; word++) {
        if (!(set >> word & 1)) continue;
        instar_words.unpack8[set][word] = count;
        instar_words.pack8[set][count++] = word;
    }
}

static void prepare_four(unsigned set) {
    memset(instar_words.pack4[set], 255, 16);
    memset(instar_words.unpack4[set], 255, 16);
    for (int word = 0, count = 0; word < 4; word++) {
        if (!(set >> word & 1)) continue;
        for (int byte = 0; byte < 4; byte++) {
            instar_words.pack4[set][4 * count + byte] = (uint8_t)(4 * word + byte);
            instar_words.unpack4[set][4 * word + byte] = (uint8_t)(4 * count + byte);
        }
        count++;
    }
}

void instar_words_prepare(void) {
    for (unsigned set = 0; set < 256; set++) prepare_eight(set);
    for (unsigned set = 0; set < 16; set++) prepare_four(set);
}
