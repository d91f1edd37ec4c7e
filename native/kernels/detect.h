#ifndef INSTAR_DETECT_H
#define INSTAR_DETECT_H

#include "kernels.h"

enum { INSTAR_MAX_PATHS = 4 };

/* Prepares the tables and lists the paths that this processor can run, best first, ended by NULL. */
void instar_detect(const instar_kernels *paths[INSTAR_MAX_PATHS]);

#endif
