/* One check per kernel: whether a path equals the reference. Each returns NULL, or what differed. */
#ifndef CHECK_H
#define CHECK_H

#include "kernels.h"

const char *check_commit_chunk(const instar_kernels *path);
const char *check_xor_chunk(const instar_kernels *path);
const char *check_restore_chunk(const instar_kernels *path);
const char *check_crc64(const instar_kernels *path);

/* Prints times of a path's commit beside memcpy of the same bytes. */
void bench_commit(const instar_kernels *path);

#endif
