/* For tests: may this process become any user? Root of a user namespace that maps one user may not.
 */
#ifndef SV_IO_ROOT_FOR_TEST_H
#define SV_IO_ROOT_FOR_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static inline bool sv_test_is_root(void)
{
    unsigned inside = 0, outside = 0, count = 0;
    FILE *file = fopen("/proc/self/uid_map", "re");
    bool is_mapped = file && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3;
    if (file)
        fclose(file);
    if (geteuid() == 0 && is_mapped && count > 65534)
        return true;
    printf("# skip: only root may become another user\n");
    return false;
}

#endif
