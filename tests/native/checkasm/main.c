/* Proves each path that this processor can run equal to the reference. Usage: checkasm [--bench] [seed]
 *
 * test_kernels.py builds and runs it. By hand:
 *   cc -O3 -Inative/kernels tests/native/checkasm/?*.[cS] $(find native/kernels -name '*.[cS]') -o build/checkasm
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "check.h"
#include "detect.h"
#include "random.h"

uint64_t random_state = 1, registers_damaged;

static const struct {
    const char *name;
    const char *(*run)(const instar_kernels *path);
} checks[] = {
    {"commit_elements", check_commit_elements},
    {"commit_dense", check_commit_dense},
    {"apply_elements", check_apply_elements},
    {"apply_dense", check_apply_dense},
    {"elements_crc", check_elements_crc},
    {"restore_chunk", check_restore_chunk},
    {"check_chunk", check_check_chunk},
    {"crc64", check_crc64},
    {"shuffle", check_shuffle},
};

/* Returns the number of kernels that failed. */
static int check_path(const instar_kernels *path) {
    int failed = 0;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        registers_damaged = 0;
        const char *fault = checks[i].run(path);
        if (!fault && registers_damaged) fault = "registers of the caller";
        printf("%-13s %-16s %s%s\n", path->isa, checks[i].name, fault ? "FAILED: differs in its " : "ok", fault ? fault : "");
        failed += fault != NULL;
    }
    return failed;
}

int main(int count, char **arguments) {
    const instar_kernels *paths[INSTAR_MAX_PATHS];
    int failed = 0, bench = 0;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--bench") == 0)
            bench = 1;
        else
            random_state = strtoull(arguments[i], NULL, 10) | 1;
    }
    instar_detect(paths);
    for (int i = 0; paths[i]; i++) failed += check_path(paths[i]);
    for (int i = 0; bench && paths[i]; i++) bench_path(paths[i]);
    return failed != 0;
}
