/* One check per concept; each ends the program where it finds a fault. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"

#define EXPECT(condition)                                                               \
    do {                                                                                \
        if (condition) break;                                                           \
        fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);        \
        exit(1);                                                                        \
    } while (0)

void check_history(const instar_kernels *path, int rounds);
void check_damage(const instar_kernels *path, int rounds);
void check_bundles(const instar_kernels *path, int rounds);
void check_snapshots(const instar_kernels *path, int rounds);
void check_pool(const instar_kernels *path, int rounds);
void check_rows(const instar_kernels *path, int rounds);
void check_identities(const instar_kernels *path, int rounds);
void check_integrity(const instar_kernels *path, int rounds);

#endif
