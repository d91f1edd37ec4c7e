#include "check.h"
void check_identities(const instar_kernels *path, int rounds) { (void)path; (void)rounds; }
