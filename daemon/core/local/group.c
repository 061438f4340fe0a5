/*
 * The registry of groups and processes.
 *
 * All memory of a group is allocated here, when it is added, so that a step of the core allocates
 * nothing. Ids are given in one rising sequence, a contiguous range for each group: a process is
 * found by searching the ranges, and no table grows with every reload.
 */
#include "core/local/group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Crash-only: without the memory for its configuration the daemon cannot do what it promised. */
static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static void group_free(struct sv_group *group)
{
    if (!group)
        return;
    sv_pool_free(group->pool);
    free(group->name);
    free(group->processes);
    free(group->ids);
    free(group->texts);
    free(group->healths);
    free(group);
}

static struct sv_group *group_new(const struct sv_group_config *config, sv_process_id first_id)
{
    struct sv_group *group = must(calloc(1, sizeof(*group)));
    group->config = config;
    group->name = must(strdup(config->name));
    group->first_id = first_id;
    group->process_count = config->program_count;
    group->processes = must(calloc(config->program_count + 1, sizeof(*group->processes)));
    group->ids = must(calloc(config->program_count + 1, sizeof(*group->ids)));
    size_t text_bytes = 1;
    for (size_t i = 0; i < config->program_count; i++)
        text_bytes += sv_process_spawnerr_bytes(config->programs[i]);
    group->texts = must(calloc(text_bytes, 1));
    char *text = group->texts;
    size_t health_count = 0;
    for (size_t i = 0; i < config->program_count; i++)
        health_count += config->programs[i]->health != NULL;
    group->healths = must(calloc(health_count + 1, sizeof(*group->healths)));
    struct sv_health *health = group->healths;
    for (size_t i = 0; i < config->program_count; i++) {
        struct sv_process *process = &group->processes[i];
        group->ids[i] = first_id + (sv_process_id)i;
        if (config->programs[i]->health)
            process->health = health++;
        sv_process_init(process, group->ids[i], config->programs[i]);
        process->spawnerr = text;
        process->spawnerr_bytes = (uint32_t)sv_process_spawnerr_bytes(config->programs[i]);
        text += process->spawnerr_bytes;
    }
    group->view = (struct sv_group_view){
        .config = config,
        .processes = group->ids,
        .process_count = group->process_count,
    };
    if (config->kind == SV_GROUP_LISTENER)
        group->pool = must(sv_pool_new(config, group->name));
    return group;
}

void sv_groups_done(struct sv_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        group_free(groups->by_id[i]);
    sv_groups_forget(groups);
    free(groups->by_priority);
    free(groups->by_id);
    free(groups->views);
    free(groups->pools);
    sv_map_done(&groups->by_name);
    *groups = (struct sv_groups){0};
}

static void grow(struct sv_groups *groups)
{
    if (groups->count < groups->capacity)
        return;
    size_t capacity = groups->capacity ? groups->capacity * 2 : 16;
    groups->by_priority = must(realloc(groups->by_priority, capacity * sizeof(struct sv_group *)));
    groups->by_id = must(realloc(groups->by_id, capacity * sizeof(struct sv_group *)));
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
    struct sv_group *group = group_new(config, groups->last_id + 1);
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
    groups->by_id[groups->count++] = group;
    groups->last_id += (sv_process_id)config->program_count;
    groups->process_count += config->program_count;
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

void sv_groups_remove(struct sv_groups *groups, struct sv_group *group)
{
    sv_map_remove(&groups->by_name, group->name);
    take_out(groups->by_priority, groups->count, group);
    take_out(groups->by_id, groups->count, group);
    groups->count--;
    for (size_t i = 0; i < groups->count; i++)
        groups->views[i] = groups->by_priority[i]->view;
    groups->process_count -= group->process_count;
    groups->unsettled_count -= group->unsettled_count;
    sv_groups_forget(groups);
    groups->removed = group;
    refresh_pools(groups);
}

void sv_groups_forget(struct sv_groups *groups)
{
    group_free(groups->removed);
    groups->removed = NULL;
}

struct sv_group *sv_groups_find(const struct sv_groups *groups, const char *name)
{
    return sv_map_get(&groups->by_name, name);
}

struct sv_process *sv_groups_process(const struct sv_groups *groups, sv_process_id id,
                                     struct sv_group **ret_group)
{
    size_t low = 0;
    size_t high = groups->count;
    while (low < high) { /* the last group whose first id is not above `id` */
        size_t middle = low + (high - low) / 2;
        if (groups->by_id[middle]->first_id <= id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    struct sv_group *group = groups->by_id[low - 1];
    if (id - group->first_id >= group->process_count)
        return NULL;
    *ret_group = group;
    return &group->processes[id - group->first_id];
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
