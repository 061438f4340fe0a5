/*
 * Calls about processes: one, all of a group, or all.
 *
 * What is done to a process (start, stop, signal, clear its logs) is a verb; how many it is done to
 * is settled here, so that the verbs do not know. The members are collected first, because a verb
 * changes what the host shows; then the verb is applied to one after the other; then the call waits
 * for those that wait. This is Supervisor's make_allfunc(): faults and successes that are known at
 * once come first in the result, then the others. Supervisor polls the others about once a second,
 * so that those of one poll stand in the order of their priority; here they always do.
 *
 * A member that waits hangs in a list by its process, so that a change of one process costs nothing
 * to those who wait for another.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "api/call.h"
#include "api/target.h"
#include "api/text.h"
#include "base/names.h"

static struct sv_link *bucket_of(struct sv_api *api, sv_process_id process)
{
    return &api->buckets[process % SV_API_BUCKET_COUNT];
}

/* NULL when the process is gone. */
typedef enum sv_fault (*sv_look)(const struct sv_member *member,
                                 const struct sv_process_view *view);

#define STILL_WAITING SV_FAULT_NONE

/* The words in rpcinterface.py, startProcess(): a reason in spawnerr comes before the state. */
static enum sv_fault look_spawned(const struct sv_member *member,
                                  const struct sv_process_view *view)
{
    (void)member;
    if (!view)
        return SV_FAULT_ABNORMAL_TERMINATION;
    if (view->is_spawning && view->state == SV_PROCESS_STARTING)
        return STILL_WAITING;
    return *view->spawnerr ? SV_FAULT_SPAWN_ERROR : SV_FAULT_SUCCESS;
}

static enum sv_fault look_running(const struct sv_member *member,
                                  const struct sv_process_view *view)
{
    enum sv_fault fault = look_spawned(member, view);
    if (fault != SV_FAULT_SUCCESS)
        return fault;
    if (view->state == SV_PROCESS_RUNNING)
        return SV_FAULT_SUCCESS;
    return view->state == SV_PROCESS_STARTING ? STILL_WAITING : SV_FAULT_ABNORMAL_TERMINATION;
}

/* Also when another client has already started it again: the run that was to stop has stopped. */
static enum sv_fault look_stopped(const struct sv_member *member,
                                  const struct sv_process_view *view)
{
    bool has_stopped =
        !view || view->run != member->run || sv_process_state_is_stopped(view->state);
    return has_stopped ? SV_FAULT_SUCCESS : STILL_WAITING;
}

/* When it is no longer retired it has become wanted again, and does not go. */
static enum sv_fault look_gone(const struct sv_member *member, const struct sv_process_view *view)
{
    (void)member;
    if (view && !view->is_retired)
        return SV_FAULT_FAILED;
    return view ? STILL_WAITING : SV_FAULT_SUCCESS;
}

static const sv_look looks[] = {
    [SV_WAIT_SPAWNED] = look_spawned,
    [SV_WAIT_RUNNING] = look_running,
    [SV_WAIT_STOPPED] = look_stopped,
    [SV_WAIT_GONE] = look_gone,
};

static void member_look(struct sv_member *member)
{
    const struct sv_api_host *host = sv_call_host(member->call);
    struct sv_process_view view;
    bool exists = host->process(host->user, member->process, &view);
    enum sv_fault fault = looks[member->wait](member, exists ? &view : NULL);
    if (fault != STILL_WAITING)
        sv_member_settle(member, fault, member->name);
}

void sv_members_look(struct sv_api *api, sv_process_id process)
{
    size_t first = process ? process % SV_API_BUCKET_COUNT : 0;
    size_t end = process ? first + 1 : SV_API_BUCKET_COUNT;
    for (size_t i = first; i < end; i++) {
        struct sv_link *bucket = &api->buckets[i];
        /* Settling removes only the member that settles, and frees nothing. */
        for (struct sv_link *link = bucket->next, *next; link != bucket; link = next) {
            next = link->next;
            struct sv_member *member = SV_CONTAINER_OF(link, struct sv_member, link);
            if (process == 0 || member->process == process)
                member_look(member);
        }
    }
}

void sv_member_wait(struct sv_member *member, enum sv_wait wait)
{
    member->wait = wait;
    sv_link_append(bucket_of(member->call->api, member->process), &member->link);
    member_look(member);
}

static bool entry_finish(json_t *entry, enum sv_fault fault, const char *extra)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (fault == SV_FAULT_SUCCESS)
        sv_str_add(&text, "OK");
    else
        sv_fault_text(fault, extra, &text);
    return sv_str_ok(&text) &&
           json_object_set_new(entry, "status", json_integer((json_int_t)fault)) == 0 &&
           json_object_set_new(entry, "description", sv_text_json(sv_str_text(&text))) == 0;
}

static void add_late_entries(struct sv_api_call *call)
{
    for (size_t i = 0; i < call->member_count; i++)
        if (call->members[i].is_late &&
            json_array_append_new(call->entries, sv_steal(&call->members[i].entry)) < 0)
            call->has_failed = true;
}

/* One member or the builder has finished. */
static void call_close_one(struct sv_api_call *call)
{
    if (--call->open_count > 0 || !call->entries)
        return;
    add_late_entries(call);
    if (call->finish && !call->has_failed)
        call->finish(call);
    else
        sv_call_return(call, call->has_failed ? NULL : sv_steal(&call->entries));
}

void sv_member_settle(struct sv_member *member, enum sv_fault fault, const char *extra)
{
    struct sv_api_call *call = member->call;
    sv_link_remove(&member->link);
    if (!member->entry) {
        if (fault == SV_FAULT_SUCCESS)
            sv_call_return(call, json_true());
        else
            sv_call_fault(call, fault, extra);
        return;
    }
    if (!entry_finish(member->entry, fault, extra))
        call->has_failed = true;
    if (!member->is_late && json_array_append_new(call->entries, sv_steal(&member->entry)) < 0)
        call->has_failed = true;
    call_close_one(call);
}

void sv_members_free(struct sv_api_call *call)
{
    for (size_t i = 0; i < call->member_count; i++) {
        sv_link_remove(&call->members[i].link);
        free(call->members[i].name);
        json_decref(call->members[i].entry);
    }
    call->api->member_count -= call->member_count;
    free(call->members);
    call->members = NULL;
    call->member_count = 0;
}

/* Room for the members, within the bound over all calls. False: the call has its fault. */
static bool members_reserve(struct sv_api_call *call, size_t count)
{
    if (count > SV_CALL_MEMBERS_MAX - call->api->member_count) {
        sv_call_fault(call, SV_FAULT_FAILED, "too many calls wait already, try again later");
        return false;
    }
    call->members = calloc(count ? count : 1, sizeof *call->members);
    if (!call->members) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
        return false;
    }
    return true;
}

static bool member_add(struct sv_api_call *call, const struct sv_process_view *view,
                       const char *given_name)
{
    struct sv_member *member = &call->members[call->member_count++];
    call->api->member_count++;
    sv_link_reset(&member->link);
    member->call = call;
    member->process = view->id;
    member->run = view->run;
    struct sv_str name = {0};
    if (given_name)
        sv_str_add(&name, given_name);
    else
        sv_target_name(view, &name);
    member->name = sv_str_take(&name);
    if (!given_name) {
        member->entry = json_object();
        if (json_object_set_new(member->entry, "name", sv_text_json(view->config->name)) < 0 ||
            json_object_set_new(member->entry, "group", sv_text_json(view->group->name)) < 0)
            return false;
    }
    return member->name;
}

static bool members_collect(struct sv_api_call *call, const struct sv_group_view *groups,
                            size_t group_count)
{
    const struct sv_api_host *host = sv_call_host(call);
    size_t count = 0;
    for (size_t i = 0; i < group_count; i++)
        count += groups[i].process_count;
    if (!members_reserve(call, count))
        return false;
    call->entries = json_array();
    bool ok = call->entries;
    for (size_t i = 0; i < group_count && ok; i++) {
        for (size_t k = 0; k < groups[i].process_count && ok; k++) {
            struct sv_process_view view;
            if (host->process(host->user, groups[i].processes[k], &view))
                ok = member_add(call, &view, NULL);
        }
    }
    if (!ok)
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
    return ok;
}

static bool members_take(struct sv_api_call *call, const sv_process_id *processes, size_t count)
{
    const struct sv_api_host *host = sv_call_host(call);
    if (!members_reserve(call, count))
        return false;
    call->entries = json_array();
    bool ok = call->entries;
    for (size_t i = 0; i < count && ok; i++) {
        struct sv_process_view view;
        if (host->process(host->user, processes[i], &view))
            ok = member_add(call, &view, NULL);
    }
    if (!ok)
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
    return ok;
}

static void call_act(struct sv_api_call *call, const struct sv_verb *verb,
                     const struct sv_argument *rest)
{
    const struct sv_api_host *host = sv_call_host(call);
    bool is_list = call->entries;
    call->open_count = call->member_count + 1;
    for (size_t i = 0; i < call->member_count; i++) {
        struct sv_member *member = &call->members[i];
        struct sv_process_view view;
        bool exists = host->process(host->user, member->process, &view);
        if (is_list && (!exists || !verb->applies(&view))) {
            call->open_count--;
            continue;
        }
        verb->act(member, &view, rest);
        member->is_late = member->entry;
    }
    call_close_one(call);
}

static void call_on_groups(struct sv_api_call *call, const struct sv_group_view *groups,
                           size_t group_count, const struct sv_verb *verb,
                           const struct sv_argument *rest)
{
    if (members_collect(call, groups, group_count))
        call_act(call, verb, rest);
}

void sv_call_on_name(struct sv_api_call *call, const char *name, const struct sv_verb *verb,
                     const struct sv_argument *rest)
{
    const struct sv_group_view *group;
    struct sv_process_view view;
    if (!sv_target_find(sv_call_host(call), name, &group, &view)) {
        sv_call_fault(call, SV_FAULT_BAD_NAME, name);
        return;
    }
    if (view.id == 0) {
        call_on_groups(call, group, 1, verb, rest);
        return;
    }
    if (!members_reserve(call, 1))
        return;
    if (member_add(call, &view, name))
        call_act(call, verb, rest);
    else
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
}

void sv_call_on_group(struct sv_api_call *call, const char *name, const struct sv_verb *verb,
                      const struct sv_argument *rest)
{
    const struct sv_group_view *group = sv_target_group(sv_call_host(call), name);
    if (group)
        call_on_groups(call, group, 1, verb, rest);
    else
        sv_call_fault(call, SV_FAULT_BAD_NAME, name);
}

void sv_call_on_all(struct sv_api_call *call, const struct sv_verb *verb,
                    const struct sv_argument *rest)
{
    const struct sv_api_host *host = sv_call_host(call);
    size_t count;
    const struct sv_group_view *groups = host->groups(host->user, &count);
    call_on_groups(call, groups, count, verb, rest);
}

void sv_call_on_these(struct sv_api_call *call, const sv_process_id *processes, size_t count,
                      const struct sv_verb *verb, const struct sv_argument *rest)
{
    if (members_take(call, processes, count))
        call_act(call, verb, rest);
}
