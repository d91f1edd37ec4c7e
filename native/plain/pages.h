/* Pages of reserved memory. */
#ifndef INSTAR_PAGES_H
#define INSTAR_PAGES_H

#include <stdint.h>

uint64_t instar_page_bytes(void);

/* Gives the whole pages of so many bytes back to the system: they read as zeros until they are written again. Returns 0, or -1 if the
 * system refuses. */
int instar_pages_give_back(uint8_t *data, uint64_t bytes);

/* Has the system find memory for bytes that will be written; what they hold stays. */
void instar_pages_touch(uint8_t *data, uint64_t bytes);

#endif
