/* What this machine offers to a supervisor, as rows for people. See facilities.c. */
#ifndef SV_IO_FACILITIES_H
#define SV_IO_FACILITIES_H

#include <jansson.h>

#include "io/bpf.h"
#include "io/cgroup.h"

/* The reason that has a remedy of its own: the user's wish. */
#define SV_BPF_SWITCHED_OFF "switched off when svisord was started"

struct sv_facilities_input {
    const struct sv_cgroup_tree *tree; /* NULL: none */
    const char *cgroup_reason;         /* why there is none; "" when nobody said */
    const struct sv_bpf *bpf;          /* NULL: not tried */
    const char *bpf_reason;            /* why not */
};

/* An array of the rows that kernel.h describes. A new reference, NULL without memory. */
json_t *sv_facilities_report(const struct sv_facilities_input *input);

#endif
