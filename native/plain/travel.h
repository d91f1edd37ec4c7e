/* Ways from one held frame to another, for the world itself or for a copy of some of its bytes. */
#ifndef INSTAR_TRAVEL_H
#define INSTAR_TRAVEL_H

#include "deltas.h"

/* What is returned where there is no such frame or record, and where one of its records is damaged; nothing has changed then. */
enum { INSTAR_NONE = -1, INSTAR_DAMAGED = -2 };

/* One frame back or forward; columns by key. */
int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns);
int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns);

/* Makes the committed bytes and extent of a column live again. */
void instar_column_restore(const instar_kernels *kernels, instar_column *column);

/* Where the record of the frame after the current one is, and of the frame after the one at `place`. */
int64_t instar_deltas_ahead(const instar_deltas *deltas);
int64_t instar_deltas_next(const instar_deltas *deltas, uint64_t place);

/* The place of the record after the one at `place`, of the frame whose own record is at `frame`: the first follows `frame` itself. */
int64_t instar_frame_next(const instar_deltas *deltas, uint64_t frame, uint64_t place);

/* Whether the record at `place` is a frame's, and whole. */
int instar_frame_known(const instar_deltas *deltas, uint64_t place);

/* Where the first damaged record of the frame at `place` is, its own among them; INSTAR_NONE if it is whole. */
int64_t instar_frame_damage(const instar_deltas *deltas, uint64_t place);

/* XORs into `target` what the frame at `place` changed in so many bytes, whole chunks, of a column. Returns 0 or INSTAR_DAMAGED. */
int instar_frame_carry(const instar_deltas *deltas, uint64_t place, uint32_t key, uint64_t from, uint64_t bytes, uint8_t *target);

#endif
