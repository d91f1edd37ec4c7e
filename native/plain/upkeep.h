/* Care for the held frames: damaged records are mended by the one flipped bit that makes them whole again, or dropped. */
#ifndef INSTAR_UPKEEP_H
#define INSTAR_UPKEEP_H

#include "travel.h"

/* Mends the records of the frame at `place`. Returns how many were mended, or INSTAR_DAMAGED where one cannot be. */
int instar_frame_mend(instar_deltas *deltas, uint64_t place);

/* Holds only `behind` frames up to the current one, and `ahead` frames after it. */
void instar_deltas_narrow(instar_deltas *deltas, uint64_t behind, uint64_t ahead);

#endif
