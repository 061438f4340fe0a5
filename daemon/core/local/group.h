/* The groups of one node: who is there, in which order, and how to find one. See group.c. */
#ifndef SV_CORE_LOCAL_GROUP_H
#define SV_CORE_LOCAL_GROUP_H

#include "base/map.h"
#include "core/local/pool.h"
#include "core/local/process.h"

struct sv_block; /* processes that were added together: group.c */

struct sv_group {
    const struct sv_group_config *config;
    struct sv_group_view view;
    char *name; /* a copy: outlives the configuration */
    struct sv_group *next_removed;
    /* Those that there are, by priority, then by name; parallel arrays. */
    struct sv_process **processes;
    const struct sv_program_config **programs;
    sv_process_id *ids;
    size_t process_count;
    size_t capacity;
    struct sv_block *blocks; /* the memory of those that were removed together with it */
    struct sv_pool *pool;    /* NULL: not a listener group */
    sv_process_id first_id;  /* of the process that was the first: stands for the group */
    size_t unsettled_count;
    bool is_stop_sent; /* by the shutdown */
};

/* The zero value has no groups. */
struct sv_groups {
    struct sv_group **by_priority; /* equal ones in the order of their adding */
    struct sv_group_view *views;   /* as by_priority */
    size_t count;
    size_t capacity;
    struct sv_block **blocks; /* ids ascend */
    size_t block_count;
    size_t block_capacity;
    struct sv_map by_name;
    /* Freed by sv_groups_forget(): actions may still name them. */
    struct sv_group *removed;
    struct sv_block *removed_blocks;
    sv_process_id last_id;
    size_t process_count;
    size_t unsettled_count;
    struct sv_group **pools; /* those that have one, as by_priority */
    size_t pool_count;
    size_t remembered_bytes; /* of the events of all pools */
    sv_notice_set wanted;
};

void sv_groups_done(struct sv_groups *groups);
/* NULL when there is one of that name already. Aborts without memory, as sv_actions_add() does. */
struct sv_group *sv_groups_add(struct sv_groups *groups, const struct sv_group_config *config);
void sv_groups_remove(struct sv_groups *groups, struct sv_group *group);
/* One more process for the group, in its place. */
struct sv_process *sv_groups_add_process(struct sv_groups *groups, struct sv_group *group,
                                         const struct sv_program_config *config);
/* Its id is not given again. */
void sv_groups_remove_process(struct sv_groups *groups, struct sv_group *group,
                              struct sv_process *process);
/* Frees what was removed. */
void sv_groups_forget(struct sv_groups *groups);
struct sv_group *sv_groups_find(const struct sv_groups *groups, const char *name);
/* NULL when there is no such process. */
struct sv_process *sv_groups_process(const struct sv_groups *groups, sv_process_id id,
                                     struct sv_group **ret_group);
/* After every event of a process: keeps the counts of what is not settled yet. */
void sv_groups_count(struct sv_groups *groups, struct sv_group *group, struct sv_process *process);

#endif
