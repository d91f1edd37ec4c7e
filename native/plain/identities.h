/* Checks of ids: `(generation << 32 | slot) + 1`, 0 for none. A slot's entry is `generation << 32 | row`, and row 0xffffffff says
 * that nobody has the slot. None of these writes but into `seen`.
 */
#ifndef INSTAR_IDENTITIES_H
#define INSTAR_IDENTITIES_H

#include <stdint.h>

/* Rows from `first` to `stop` whose id's slot does not lead back to them; `row` receives the first of them. */
uint64_t instar_count_stray_rows(const uint64_t *ids, uint64_t first, uint64_t stop, const uint64_t *slots, uint64_t slot_count,
                                 uint64_t *row);

/* Slots that nobody has; `retired` receives how many of them have used up their generations. */
uint64_t instar_count_dead_slots(const uint64_t *slots, uint64_t slot_count, uint64_t *retired);

/* Entries of the free list that are no dead slot or come twice. `seen` has a zeroed bit for each slot. */
uint64_t instar_count_bad_free(const uint32_t *free_list, uint64_t count, const uint64_t *slots, uint64_t slot_count,
                               uint8_t *seen);

/* References that are neither 0 nor the id of somebody alive; `place` receives the first of them. */
uint64_t instar_count_dangling(const uint64_t *references, uint64_t first, uint64_t stop, const uint64_t *slots,
                               uint64_t slot_count, uint64_t *place);

#endif
