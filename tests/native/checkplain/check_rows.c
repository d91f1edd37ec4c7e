#include "check.h"
void check_rows(const instar_kernels *path, int rounds) { (void)path; (void)rounds; }
