/*
 * glibc's malloc (2.36) and the pages of the libraries.
 *
 * The daemon's answers come in bursts: all processes in one XML document are three megabytes. glibc
 * raises its thresholds when such a block is freed, and then keeps blocks of that size for ever. So
 * both thresholds are fixed: a large block is a mapping of its own and goes back with free().
 *
 * Start-up runs much code once: the dynamic loader's relocations, the constructors of GnuTLS and
 * ICU, the loading of eBPF. Its pages stay in our resident set, 6 MB of 10, though nobody uses them
 * again: the kernel takes them back only when memory is short. sv_memory_settle() says that they
 * are not needed. They are clean pages of files, so what is used after all comes back by a minor
 * fault. Only mappings that may not be written and in which nobody ever wrote (Anonymous: 0) are
 * treated so: a private copy of a page, of a relocation or a debugger's breakpoint, would be lost.
 */
#include "io/memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

enum {
    LARGE_BYTES = 64 << 10, /* from here on a block is a mapping of its own */
    KEPT_BYTES = 64 << 10,  /* at the end of the heap, for the next allocation */
};

/* One row of /proc/self/smaps. */
struct mapping {
    uintptr_t start, end;
    bool is_clean_file; /* private, read-only, of a file */
};

void sv_memory_begin(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

/* False: this line is not the first one of a mapping. */
static bool read_head(const char *line, struct mapping *ret_mapping)
{
    unsigned long start, end, inode;
    char rights[5];
    if (sscanf(line, "%lx-%lx %4s %*x %*s %lu", &start, &end, rights, &inode) != 4)
        return false;
    *ret_mapping = (struct mapping){
        .start = start,
        .end = end,
        .is_clean_file = inode != 0 && rights[0] == 'r' && rights[1] == '-' && rights[3] == 'p',
    };
    return true;
}

static void forget_clean_pages(FILE *smaps)
{
    char line[512];
    struct mapping mapping = {0};
    unsigned long written;
    while (fgets(line, sizeof(line), smaps)) {
        if (read_head(line, &mapping) || !mapping.is_clean_file)
            continue;
        if (sscanf(line, "Anonymous: %lu", &written) == 1 && written == 0)
            (void)madvise((void *)mapping.start, mapping.end - mapping.start, MADV_DONTNEED);
    }
}

void sv_memory_settle(void)
{
    malloc_trim(0);
    FILE *smaps = fopen("/proc/self/smaps", "re");
    if (!smaps)
        return; /* no /proc: we look larger than we are */
    forget_clean_pages(smaps);
    fclose(smaps);
}
