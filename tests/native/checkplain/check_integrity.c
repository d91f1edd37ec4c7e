#include "check.h"
void check_integrity(const instar_kernels *path, int rounds) { (void)path; (void)rounds; }
