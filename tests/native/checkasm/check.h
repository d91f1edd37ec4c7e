/* One check per kernel: whether a path equals the reference. Each returns NULL, or what differed. */
#ifndef CHECK_H
#define CHECK_H

#include "kernels.h"

const char *check_commit_elements(const instar_kernels *path);
const char *check_commit_dense(const instar_kernels *path);
const char *check_apply_elements(const instar_kernels *path);
const char *check_apply_dense(const instar_kernels *path);
const char *check_elements_crc(const instar_kernels *path);
const char *check_restore_chunk(const instar_kernels *path);
const char *check_check_chunk(const instar_kernels *path);
const char *check_crc64(const instar_kernels *path);
const char *check_shuffle(const instar_kernels *path);

/* Prints times of a path's commits, check and CRC beside memcpy of the same bytes. */
void bench_path(const instar_kernels *path);

#endif
