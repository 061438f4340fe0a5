/* What one run uses: the files of its cgroup, and /proc of those that live in it. See
 * process_reader.c. */
#ifndef SV_IO_PROCESS_READER_H
#define SV_IO_PROCESS_READER_H

#include <stdbool.h>

#include "io/cgroup.h"
#include "io/cgroup_times.h"
#include "port/statistics.h"

/* Whose files are read. */
struct sv_process_place {
    const struct sv_cgroup_leaf *leaf; /* NULL: of the process and the children it has waited for */
    pid_t pid;
    bool is_alone; /* nobody else is known to live in the leaf: nobody is looked for */
    const struct sv_cgroup_times *times; /* NULL: cpu.stat is read */
};

/* Fills all but `details`, and memory_percent of `memory_total_bytes`. False: nothing is there any
 * more. */
bool sv_process_reader_read(const struct sv_process_place *place, uint64_t memory_total_bytes,
                            struct sv_process_sample *ret_sample);
void sv_process_reader_details(const struct sv_process_place *place,
                               struct sv_process_details *ret_details);
/* This process itself, with its details. */
void sv_process_reader_self(uint64_t memory_total_bytes, struct sv_process_sample *ret_sample);
/* The time of a processor that this thread has used. */
uint64_t sv_thread_cpu_ns(void);

#endif
