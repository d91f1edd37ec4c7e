/* Does random operations on the history ring and the rows, beside a model of whole copies. Usage: checkplain [seed] [name ...]
 *
 * test_plain.py builds it under sanitizers and runs it. Names choose checks; without them all are done, on each path in turn.
 */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "detect.h"
#include "random.h"

uint64_t random_state;

/* Rather killed than waited for: a walk over damaged records must end. */
enum { MOST_SECONDS = 120 };

static const struct {
    const char *name;
    void (*run)(const instar_kernels *path, int rounds);
    int rounds;
} checks[] = {
    {"history", check_history, 6000}, {"damage", check_damage, 1500},         {"bundles", check_bundles, 60},
    {"snapshots", check_snapshots, 30}, {"pool", check_pool, 12},             {"rows", check_rows, 1500},
    {"identities", check_identities, 1500}, {"integrity", check_integrity, 400},
};

static int is_chosen(const char *name, int count, char **names) {
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return 1;
    return count <= 0;
}

int main(int count, char **arguments) {
    const instar_kernels *paths[INSTAR_MAX_PATHS];
    uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    int found = 0;
    instar_detect(paths);
    while (paths[found]) found++;
    alarm(MOST_SECONDS);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (!is_chosen(checks[i].name, count - 2, arguments + 2)) continue;
        for (int path = 0; path < found; path++) {
            random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)path + 1;
            checks[i].run(paths[path], checks[i].rounds / found);
        }
        printf("%s ok\n", checks[i].name);
        fflush(stdout);
    }
    return 0;
}
