/* Ways from one held frame to another. */
#ifndef INSTAR_TRAVEL_H
#define INSTAR_TRAVEL_H

#include "deltas.h"

/* What is returned where a column's committed bytes are packed (its key is in `cold` then); nothing has changed. */
enum { INSTAR_COLD = -3 };

/* One frame back or forward; columns by key. */
int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns);
int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns);

/* Leads the columns through the frame at `place` of this ring or another: back if it is the current one, forward if the current one comes
 * before it. */
int instar_deltas_step(instar_deltas *deltas, const instar_ring *ring, uint64_t place, instar_column *const *columns);

/* Makes the committed bytes and extent of a column live again. */
void instar_column_restore(const instar_kernels *kernels, instar_column *column);

/* Where the record of the frame after the current one is. */
int64_t instar_deltas_ahead(const instar_deltas *deltas);

#endif
