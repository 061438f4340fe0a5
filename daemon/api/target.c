/*
 * From names to processes: options.py, split_namespec(). "web" is short for "web:web", so that a
 * program alone in its group is called by one word, and a process of a larger group only by two.
 */
#include "api/target.h"

#include <string.h>

const struct sv_group_view *sv_target_group(const struct sv_api_host *host, const char *name)
{
    size_t count;
    const struct sv_group_view *groups = host->groups(host->user, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(groups[i].config->name, name) == 0)
            return &groups[i];
    return NULL;
}

bool sv_target_find(const struct sv_api_host *host, const char *name,
                    const struct sv_group_view **ret_group, struct sv_process_view *ret_view)
{
    /* The group's name ends at the first colon; a process name may hold further ones. */
    const char *colon = strchr(name, ':');
    size_t group_length = colon ? (size_t)(colon - name) : strlen(name);
    const char *process = colon ? colon + 1 : name;
    size_t count;
    const struct sv_group_view *groups = host->groups(host->user, &count);
    const struct sv_group_view *group = NULL;
    for (size_t i = 0; i < count && !group; i++) {
        const char *candidate = groups[i].config->name;
        if (strlen(candidate) == group_length && memcmp(candidate, name, group_length) == 0)
            group = &groups[i];
    }
    if (!group)
        return false;
    *ret_group = group;
    *ret_view = (struct sv_process_view){0};
    if (colon && (*process == '\0' || strcmp(process, "*") == 0))
        return true;
    for (size_t i = 0; i < group->process_count; i++)
        if (host->process(host->user, group->processes[i], ret_view) &&
            strcmp(ret_view->config->name, process) == 0)
            return true;
    return false;
}

bool sv_target_process(struct sv_api_call *call, const char *name, struct sv_process_view *ret_view)
{
    const struct sv_group_view *group;
    if (sv_target_find(sv_call_host(call), name, &group, ret_view) && ret_view->id != 0)
        return true;
    sv_call_fault(call, SV_FAULT_BAD_NAME, name);
    return false;
}

void sv_target_name(const struct sv_process_view *view, struct sv_str *ret_name)
{
    if (strcmp(view->group->name, view->config->name) != 0)
        sv_str_addf(ret_name, "%s:", view->group->name);
    sv_str_add(ret_name, view->config->name);
}
