/* The cgroup tree of this daemon. See cgroup.c for the essay. */
#ifndef SV_IO_CGROUP_H
#define SV_IO_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

/* The daemon's own subtree: DESIGN section 3 says where it is rooted. */
struct sv_cgroup_tree;
/* One run of one process: <root>/<group>/<process>.<run>. */
struct sv_cgroup_leaf;

/*
 * Finds the cgroup2 mount, makes and opens the root for `identifier`. 0, or a negative errno when
 * no cgroup can be had; `ret_reason` then says in words what is missing and how to enable it.
 */
/* `former`: the path that an earlier daemon had, tried first; "" or NULL: none. */
int sv_cgroup_tree_open(const char *identifier, const char *former,
                        struct sv_cgroup_tree **ret_tree, struct sv_str *ret_reason);
/* After the runs of an earlier daemon were adopted: removes what else it left, where that is empty.
 */
void sv_cgroup_tree_clean(struct sv_cgroup_tree *tree);
/* cgroup.procs of the cgroup beside the tree in which whoever holds it for us lives, for writing.
 * -ENOENT: nobody does, the tree is not one that systemd has given. */
int sv_cgroup_tree_holder_fd(const struct sv_cgroup_tree *tree);
/* The next daemon takes over: from now on every directory stays, also an empty one, for it tells
 * whose run has ended there. */
void sv_cgroup_tree_keep(struct sv_cgroup_tree *tree);
/* Removes the directories that are empty; leaves the others. */
void sv_cgroup_tree_free(struct sv_cgroup_tree *tree);
const char *sv_cgroup_tree_path(const struct sv_cgroup_tree *tree); /* absolute */
uint64_t sv_cgroup_tree_id(const struct sv_cgroup_tree *tree);      /* kernel id = inode number */
uint32_t sv_cgroup_tree_level(const struct sv_cgroup_tree *tree);   /* depth below the v2 root */

/* Names are escaped where a user's name cannot be a directory name. */
int sv_cgroup_leaf_create(struct sv_cgroup_tree *tree, const char *group, const char *process,
                          uint32_t run, struct sv_cgroup_leaf **ret_leaf);
/*
 * The leaf of a run that an earlier daemon started: `path` as sv_cgroup_leaf_path() gave it.
 * -ENOENT when it is gone, which means empty.
 */
int sv_cgroup_leaf_adopt(struct sv_cgroup_tree *tree, const char *path,
                         struct sv_cgroup_leaf **ret_leaf);
/* The first process that was started in it, one that leads a process group before others: a child
 * that has not executed its file yet does not. 0: nobody is there. */
pid_t sv_cgroup_leaf_leader(const struct sv_cgroup_leaf *leaf);
bool sv_cgroup_leaf_has(const struct sv_cgroup_leaf *leaf, pid_t pid);
int sv_cgroup_leaf_fd(
    const struct sv_cgroup_leaf *leaf); /* O_PATH|O_DIRECTORY; for CLONE_INTO_CGROUP */
uint64_t sv_cgroup_leaf_id(const struct sv_cgroup_leaf *leaf);
/* Of the directory that the runs of the group share; 0: it cannot be had. */
uint64_t sv_cgroup_leaf_group_id(const struct sv_cgroup_leaf *leaf);
const char *sv_cgroup_leaf_path(const struct sv_cgroup_leaf *leaf); /* absolute */
/* 1: a process is in it, 0: empty, negative errno. Reads cgroup.events. */
int sv_cgroup_leaf_populated(const struct sv_cgroup_leaf *leaf);
/* A descriptor of cgroup.events that polls EPOLLPRI when `populated` changes; the leaf owns it. */
int sv_cgroup_leaf_watch_fd(struct sv_cgroup_leaf *leaf);
/* SIGKILL to everything in it, at once, also to what it forks meanwhile. */
int sv_cgroup_leaf_kill(const struct sv_cgroup_leaf *leaf);
/* What does that when "1" is written to it; the caller closes it. -ENOENT: Linux before 5.14. */
int sv_cgroup_leaf_kill_fd(const struct sv_cgroup_leaf *leaf);
/* Signals every process in it through pidfds, `except` left out (0: none). Returns how many. */
int sv_cgroup_leaf_signal(const struct sv_cgroup_leaf *leaf, int number, pid_t except);
/* The id of the leaf, ours or not, in which (or below which) that process is now. -ENOENT: it is in
 * none below the tree; -ESRCH: there is no such process. */
int sv_cgroup_leaf_id_of(const struct sv_cgroup_tree *tree, pid_t pid, uint64_t *ret_id);
/* Calls `function` once for every process in it, `except` left out (0: none): also for those that
 * are forked meanwhile. Returns for how many it said true, or a negative errno. */
int sv_cgroup_leaf_visit(const struct sv_cgroup_leaf *leaf, pid_t except,
                         bool (*function)(void *user, pid_t pid), void *user);
/*
 * Removes the directory and frees the leaf. A directory that is still busy is left for the next
 * sv_cgroup_tree_sweep(). NULL is allowed.
 */
void sv_cgroup_leaf_free(struct sv_cgroup_leaf *leaf);
/* Removes what earlier removals had to leave. Returns how many are still there. */
int sv_cgroup_tree_sweep(struct sv_cgroup_tree *tree);

#endif
