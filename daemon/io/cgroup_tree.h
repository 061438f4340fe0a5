/* The insides of the tree, for cgroup.c (tree and removal) and cgroup_leaf.c (runs of processes).
 */
#ifndef SV_IO_CGROUP_TREE_H
#define SV_IO_CGROUP_TREE_H

#include <stdint.h>

#include "base/map.h"
#include "io/cgroup.h"
#include "io/cgroup_place.h"

struct sv_cgroup_group {
    struct sv_cgroup_tree *tree;
    char *name;            /* escaped */
    int fd;                /* O_PATH */
    unsigned user_count;   /* leaves, and directories waiting to be removed */
    uint32_t controllers;  /* bit n: enum sv_controller n is passed on to the leaves */
    bool is_limited;       /* the limits of the group are written: limits.c */
    struct sv_map adopted; /* names of leaves that an earlier daemon made and we have taken over */
};

struct sv_cgroup_leftover;

struct sv_cgroup_tree {
    struct sv_cgroup_place place;
    struct sv_cgroup_scope *scope; /* where systemd has made one for us */
    char *path;
    char *parent; /* <base>/svisor */
    int fd;       /* holds the lock */
    uint64_t id;
    struct sv_map groups; /* escaped name -> struct sv_cgroup_group */
    struct sv_cgroup_leftover *leftovers;
    bool is_kept; /* the next daemon wants all of it */
};

/* Finds or makes the directory of a group. `name` is escaped. */
int sv_cgroup_group_find(struct sv_cgroup_tree *tree, const char *name,
                         struct sv_cgroup_group **ret_group);
/* Its directory was removed by somebody else: makes it anew. Older leaves of it are gone. */
int sv_cgroup_group_remake(struct sv_cgroup_group *group);
struct sv_cgroup_group *sv_cgroup_leaf_group(const struct sv_cgroup_leaf *leaf);
/* Removes a directory of `group` now or by a later sweep; gives back the share of `user_count`. */
void sv_cgroup_group_remove(struct sv_cgroup_group *group, const char *name);
const struct sv_cgroup_place *sv_cgroup_leaf_place(const struct sv_cgroup_leaf *leaf);

#endif
