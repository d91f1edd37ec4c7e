/* Frames in a ring: a frame record and the records that follow it, up to its end. */
#ifndef INSTAR_FRAMES_H
#define INSTAR_FRAMES_H

#include "records.h"
#include "ring.h"

/* What is returned where there is no such frame or record, and where one is damaged; nothing has changed then. */
enum { INSTAR_NONE = -1, INSTAR_DAMAGED = -2 };

static inline instar_frame *instar_frame_at(const instar_ring *ring, uint64_t place) { return instar_ring_at(ring, place); }

/* Where the record of the frame after the one at `place` is. */
int64_t instar_frame_after(const instar_ring *ring, uint64_t place);

/* The place of the record after the one at `place`, of the frame whose own record is at `frame`: the first follows `frame` itself. */
int64_t instar_frame_next(const instar_ring *ring, uint64_t frame, uint64_t place);

/* Whether the record at `place` is a frame's, and whole. */
int instar_frame_known(const instar_kernels *kernels, const instar_ring *ring, uint64_t place);

/* Where the first damaged record of the frame at `place` is, its own among them; INSTAR_NONE if it is whole. */
int64_t instar_frame_damage(const instar_kernels *kernels, const instar_ring *ring, uint64_t place);

/* XORs into `target` what the frame at `place` changed in so many bytes, whole chunks, of a column. Returns 0 or INSTAR_DAMAGED. */
int instar_frame_carry(const instar_kernels *kernels, const instar_ring *ring, uint64_t place, uint32_t key, uint64_t from, uint64_t bytes,
                       uint8_t *target);

/* XORs into `extent` how the frame at `place` changed the extent of a column. Returns 0 or INSTAR_DAMAGED. */
int instar_frame_carry_extent(const instar_ring *ring, uint64_t place, uint32_t key, uint64_t *extent);

#endif
