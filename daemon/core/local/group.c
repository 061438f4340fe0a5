/*
 * The registry of groups and processes.
 *
 * All memory of a group is allocated here, when it is added, so that a step of the core allocates
 * nothing. Processes that are added together are a block: one piece of memory, and a range of ids
 * of one rising sequence. A process is found by searching the ranges, and no table grows with every
 * reload. The configuration of a group is one block; each process that is added to a living group
 * (Supvisors' update_numprocs) is one of its own.
 */
#include "core/local/group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sv_block {
    struct sv_group *group;
    struct sv_block *next; /* of those that are to be freed */
    sv_process_id first_id;
    size_t count;
    size_t live_count;            /* not removed yet */
    struct sv_process *processes; /* first_id, first_id + 1 …; one that was removed has the id 0 */
    char *texts;                  /* the spawnerr of each */
    struct sv_health *healths;    /* one for each that has probes or a watchdog */
};

/* Crash-only: without the memory for its configuration the daemon cannot do what it promised. */
static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void blocks_free(struct sv_block *block)
{
    while (block) {
        struct sv_block *next = block->next;
        free(block->processes);
        free(block->texts);
        free(block->healths);
        free(block);
        block = next;
    }
}

static struct sv_block *block_new(struct sv_group *group, sv_process_id first_id,
                                  const struct sv_program_config *const *programs, size_t count)
{
    struct sv_block *block = must(calloc(1, sizeof(*block)));
    block->group = group;
    block->first_id = first_id;
    block->count = block->live_count = count;
    block->processes = must(calloc(count + 1, sizeof(*block->processes)));
    size_t text_bytes = 1, health_count = 0;
    for (size_t i = 0; i < count; i++) {
        text_bytes += sv_process_spawnerr_bytes(programs[i]);
        health_count += programs[i]->health != NULL;
    }
    char *text = block->texts = must(calloc(text_bytes, 1));
    struct sv_health *health = block->healths = must(calloc(health_count + 1, sizeof(*health)));
    for (size_t i = 0; i < count; i++) {
        struct sv_process *process = &block->processes[i];
        if (programs[i]->health)
            process->health = health++;
        sv_process_init(process, first_id + (sv_process_id)i, programs[i]);
        process->spawnerr = text;
        process->spawnerr_bytes = (uint32_t)sv_process_spawnerr_bytes(programs[i]);
        text += process->spawnerr_bytes;
    }
    return block;
}

static void group_free(struct sv_group *group)
{
    if (!group)
        return;
    sv_pool_free(group->pool);
    blocks_free(group->blocks);
    free(group->name);
    free(group->processes);
    free(group->programs);
    free(group->ids);
    free(group);
}

static void group_reserve(struct sv_group *group, size_t count)
{
    if (count <= group->capacity)
        return;
    group->processes = must(realloc(group->processes, count * sizeof(struct sv_process *)));
    group->programs =
        must(realloc(group->programs, count * sizeof(const struct sv_program_config *)));
    group->ids = must(realloc(group->ids, count * sizeof(*group->ids)));
    group->capacity = count;
}

static void group_show(struct sv_group *group)
{
    group->view = (struct sv_group_view){
        .config = group->config,
        .processes = group->ids,
        .programs = group->programs,
        .process_count = group->process_count,
    };
}

static void group_set(struct sv_group *group, size_t place, struct sv_process *process)
{
    group->processes[place] = process;
    group->programs[place] = process->config;
    group->ids[place] = process->id;
}

static struct sv_group *group_new(const struct sv_group_config *config, struct sv_block **ret_block,
                                  sv_process_id first_id, size_t *remembered_bytes)
{
    struct sv_group *group = must(calloc(1, sizeof(*group)));
    group->config = config;
    group->name = must(strdup(config->name));
    group->first_id = first_id;
    struct sv_block *block = block_new(group, first_id, config->programs, config->program_count);
    group_reserve(group, config->program_count + 1);
    group->process_count = config->program_count;
    for (size_t i = 0; i < group->process_count; i++) {
        block->processes[i].slot = (uint32_t)i;
        group_set(group, i, &block->processes[i]);
    }
    group_show(group);
    if (config->kind == SV_GROUP_LISTENER)
        group->pool = must(sv_pool_new(config, group->name, remembered_bytes));
    *ret_block = block;
    return group;
}

void sv_groups_done(struct sv_groups *groups)
{
    for (size_t i = 0; i < groups->block_count; i++)
        blocks_free(groups->blocks[i]);
    for (size_t i = 0; i < groups->count; i++)
        group_free(groups->by_priority[i]);
    sv_groups_forget(groups);
    free(groups->by_priority);
    free(groups->blocks);
    free(groups->views);
    free(groups->pools);
    sv_map_done(&groups->by_name);
    *groups = (struct sv_groups){0};
}

/* Its ids are greater than all before. */
static void add_block(struct sv_groups *groups, struct sv_block *block)
{
    if (groups->block_count == groups->block_capacity) {
        size_t capacity = groups->block_capacity ? groups->block_capacity * 2 : 16;
        groups->blocks = must(realloc(groups->blocks, capacity * sizeof(struct sv_block *)));
        groups->block_capacity = capacity;
    }
    groups->blocks[groups->block_count++] = block;
    groups->last_id += (sv_process_id)block->count;
    groups->process_count += block->count;
}

static void grow(struct sv_groups *groups)
{
    if (groups->count < groups->capacity)
        return;
    size_t capacity = groups->capacity ? groups->capacity * 2 : 16;
    groups->by_priority = must(realloc(groups->by_priority, capacity * sizeof(struct sv_group *)));
    groups->views = must(realloc(groups->views, capacity * sizeof(*groups->views)));
    groups->pools = must(realloc(groups->pools, capacity * sizeof(struct sv_group *)));
    groups->capacity = capacity;
}

static void refresh_pools(struct sv_groups *groups)
{
    groups->wanted = 0;
    groups->pool_count = 0;
    for (size_t i = 0; i < groups->count; i++) {
        struct sv_group *group = groups->by_priority[i];
        if (!group->pool)
            continue;
        groups->wanted |= group->config->events;
        groups->pools[groups->pool_count++] = group;
    }
}

struct sv_group *sv_groups_add(struct sv_groups *groups, const struct sv_group_config *config)
{
    if (sv_map_has(&groups->by_name, config->name))
        return NULL;
    assert(config->program_count < UINT32_MAX - groups->last_id);
    struct sv_block *block;
    struct sv_group *group =
        group_new(config, &block, groups->last_id + 1, &groups->remembered_bytes);
    grow(groups);
    if (sv_map_put(&groups->by_name, config->name, group) < 0)
        abort();
    size_t place = groups->count;
    while (place > 0 && groups->by_priority[place - 1]->config->priority > config->priority) {
        groups->by_priority[place] = groups->by_priority[place - 1];
        groups->views[place] = groups->views[place - 1];
        place--;
    }
    groups->by_priority[place] = group;
    groups->views[place] = group->view;
    groups->count++;
    add_block(groups, block);
    if (group->pool)
        refresh_pools(groups);
    return group;
}

static void take_out(struct sv_group **list, size_t count, const struct sv_group *group)
{
    size_t place = 0;
    while (list[place] != group)
        place++;
    memmove(&list[place], &list[place + 1], (count - place - 1) * sizeof(*list));
}

static void show_all(struct sv_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        groups->views[i] = groups->by_priority[i]->view;
}

/* Takes the blocks of the group out that are `all` of it, or have nobody left, into `list`. */
static void take_blocks(struct sv_groups *groups, const struct sv_group *group, bool all,
                        struct sv_block **list)
{
    size_t kept = 0;
    for (size_t i = 0; i < groups->block_count; i++) {
        struct sv_block *block = groups->blocks[i];
        if (block->group != group || (!all && block->live_count > 0)) {
            groups->blocks[kept++] = block;
            continue;
        }
        block->next = *list;
        *list = block;
    }
    groups->block_count = kept;
}

void sv_groups_remove(struct sv_groups *groups, struct sv_group *group)
{
    sv_map_remove(&groups->by_name, group->name);
    take_out(groups->by_priority, groups->count, group);
    groups->count--;
    show_all(groups);
    groups->process_count -= group->process_count;
    groups->unsettled_count -= group->unsettled_count;
    take_blocks(groups, group, true, &group->blocks);
    group->next_removed = groups->removed;
    groups->removed = group;
    sv_pool_free(group->pool); /* its events are nobody's now */
    group->pool = NULL;
    refresh_pools(groups);
}

static bool comes_before(const struct sv_program_config *a, const struct sv_program_config *b)
{
    return a->priority != b->priority ? a->priority < b->priority : strcmp(a->name, b->name) < 0;
}

struct sv_process *sv_groups_add_process(struct sv_groups *groups, struct sv_group *group,
                                         const struct sv_program_config *config)
{
    assert(groups->last_id < UINT32_MAX);
    struct sv_block *block = block_new(group, groups->last_id + 1, &config, 1);
    struct sv_process *process = block->processes;
    add_block(groups, block);
    if (group->pool && !sv_pool_join(group->pool, &process->slot))
        abort();
    group_reserve(group, group->process_count + 1);
    size_t place = group->process_count++;
    for (; place > 0 && comes_before(config, group->programs[place - 1]); place--)
        group_set(group, place, group->processes[place - 1]);
    group_set(group, place, process);
    group_show(group);
    show_all(groups);
    return process;
}

static struct sv_block *block_of(const struct sv_groups *groups, sv_process_id id)
{
    size_t low = 0;
    size_t high = groups->block_count;
    while (low < high) { /* the last block whose first id is not above `id` */
        size_t middle = low + (high - low) / 2;
        if (groups->blocks[middle]->first_id <= id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || id - groups->blocks[low - 1]->first_id >= groups->blocks[low - 1]->count)
        return NULL;
    return groups->blocks[low - 1];
}

void sv_groups_remove_process(struct sv_groups *groups, struct sv_group *group,
                              struct sv_process *process)
{
    size_t place = 0;
    while (group->processes[place] != process)
        place++;
    for (group->process_count--; place < group->process_count; place++)
        group_set(group, place, group->processes[place + 1]);
    group_show(group);
    show_all(groups);
    groups->process_count--;
    group->unsettled_count -= process->is_counted;
    groups->unsettled_count -= process->is_counted;
    block_of(groups, process->id)->live_count--;
    process->id = 0;
    take_blocks(groups, group, false, &groups->removed_blocks);
}

void sv_groups_forget(struct sv_groups *groups)
{
    while (groups->removed) {
        struct sv_group *group = groups->removed;
        groups->removed = group->next_removed;
        group_free(group);
    }
    blocks_free(groups->removed_blocks);
    groups->removed_blocks = NULL;
}

struct sv_group *sv_groups_find(const struct sv_groups *groups, const char *name)
{
    return sv_map_get(&groups->by_name, name);
}

struct sv_process *sv_groups_process(const struct sv_groups *groups, sv_process_id id,
                                     struct sv_group **ret_group)
{
    struct sv_block *block = block_of(groups, id);
    if (!block || block->processes[id - block->first_id].id != id)
        return NULL;
    *ret_group = block->group;
    return &block->processes[id - block->first_id];
}

void sv_groups_count(struct sv_groups *groups, struct sv_group *group, struct sv_process *process)
{
    bool is_unsettled = !sv_process_is_settled(process);
    if (is_unsettled == process->is_counted)
        return;
    process->is_counted = is_unsettled;
    group->unsettled_count += is_unsettled ? 1 : (size_t)-1;
    groups->unsettled_count += is_unsettled ? 1 : (size_t)-1;
}
