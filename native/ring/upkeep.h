/* Care for the held frames: damaged records are mended by the one flipped bit that makes them whole again, or dropped; the oldest leave
 * the ring, and may come back. */
#ifndef INSTAR_UPKEEP_H
#define INSTAR_UPKEEP_H

#include "travel.h"

/* Mends the records of the frame at `place`. Returns how many were mended, or INSTAR_DAMAGED where one cannot be. */
int instar_frame_mend(instar_deltas *deltas, uint64_t place);

/* Holds only `behind` frames up to the current one, and `ahead` frames after it, or as many as are found before a damaged frame record. */
void instar_deltas_narrow(instar_deltas *deltas, uint64_t behind, uint64_t ahead);

/* Drops the oldest frames, at most those at or before the current one, and gives their memory back. */
void instar_deltas_drop(instar_deltas *deltas, uint64_t frames);

/* Makes the current frame, whose record is at `place` of another ring, the only one that is held, so that it can be added to. Where it
 * does not fit, none is. */
void instar_deltas_bring_back(instar_deltas *deltas, const instar_ring *ring, uint64_t place);

#endif
