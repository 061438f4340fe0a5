/* The controllers of cgroup2, switched on for our own directories. See controllers.c. */
#ifndef SV_IO_CONTROLLERS_H
#define SV_IO_CONTROLLERS_H

#include "io/cgroup_tree.h"

enum sv_controller {
    SV_CONTROLLER_MEMORY,
    SV_CONTROLLER_CPU,
    SV_CONTROLLER_CPUSET,
    SV_CONTROLLER_IO,
    SV_CONTROLLER_PIDS,
    SV_CONTROLLER_COUNT
};

struct sv_controllers {
    struct sv_cgroup_tree *tree; /* NULL: there is none; borrowed */
    uint32_t ready;              /* bit n: the directories of groups have the files of n */
    struct sv_controller_lack {
        char *why; /* NULL: it was not tried, or is ready */
        const char *remedy;
    } lacks[SV_CONTROLLER_COUNT];
};

const char *sv_controller_name(enum sv_controller controller);
void sv_controllers_done(struct sv_controllers *all);
/*
 * Makes sure that the directories of groups have the files of a controller, and if `group` is not
 * NULL, that those of its leaves have them, too. NULL: they have. Else why not, valid until the
 * next call, in `all` or static.
 */
const struct sv_controller_lack *sv_controllers_need(struct sv_controllers *all,
                                                     enum sv_controller controller,
                                                     struct sv_cgroup_group *group);

#endif
