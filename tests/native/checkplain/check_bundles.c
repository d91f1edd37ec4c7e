#include "check.h"
void check_bundles(const instar_kernels *path, int rounds) { (void)path; (void)rounds; }
