/* User's names <-> names of cgroup directories. See cgroup_names.c. */
#ifndef SV_IO_CGROUP_NAMES_H
#define SV_IO_CGROUP_NAMES_H

#include <stdbool.h>

#include "base/str.h"

enum sv_cgroup_name_kind {
    SV_CGROUP_NAME_GROUP, /* stands alone: a '.' is escaped, so it meets no file of the kernel */
    SV_CGROUP_NAME_LEAF,  /* ".<run>" follows */
};

void sv_cgroup_name_escape(const char *name, enum sv_cgroup_name_kind kind, struct sv_str *out);
/* False when `escaped` was not made by the function above, or from a name that had to be shortened.
 */
bool sv_cgroup_name_unescape(const char *escaped, struct sv_str *out);

#endif
