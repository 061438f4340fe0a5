/*
 * The state of a process over all instances (Supvisors 0.19: process.py, update_status).
 *
 *     runs in several instances   the first of RUNNING, BACKOFF, STARTING, STOPPING among them
 *     runs in one                 its state there
 *     runs nowhere                STOPPING if it is that anywhere, else what was told last
 *
 * "Runs" is told by `running`: STARTING, BACKOFF and RUNNING bring an instance in, the stopped
 * states take it out, STOPPING leaves it as it was.
 *
 * What was told last: rows of an instance where the process was never started stand behind all
 * others. Supvisors lets them win when such an instance joins late, so that there an EXITED or
 * FATAL is forgotten, and differently in each instance.
 *
 * A forced state is what somebody who asked for a start or a stop in vain thinks of it. It is only
 * shown, and it colours the application; decisions use the real one.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/cluster/internal.h"
#include "core/cluster/model.h"

/* ---- What a member weighs in the sums of the model ---- */

static void load_add(struct sv_model *model, sv_instance_place instance, int64_t percent)
{
    if (instance >= model->load_count) {
        size_t count = instance + 1u;
        uint32_t *loads = sv_allocate(count, sizeof(*loads));
        for (size_t i = 0; i < model->load_count; i++)
            loads[i] = model->loads[i];
        free(model->loads);
        model->loads = loads;
        model->load_count = count;
    }
    assert(percent >= 0 || model->loads[instance] >= (uint64_t)-percent);
    model->loads[instance] = (uint32_t)(model->loads[instance] + percent);
}

void sv_member_weigh_load(struct sv_model *model, const struct sv_member *member, int sign)
{
    if (member->application->rules.is_managed && member->running_count > 1)
        model->conflict_count = sign > 0 ? model->conflict_count + 1 : model->conflict_count - 1;
    if (!sv_state_is_running(member->state))
        return;
    for (size_t i = 0; i < member->running_count; i++)
        load_add(model, member->running[i], (int64_t)sign * member->rules.expected_loading);
}

void sv_member_weigh(struct sv_model *model, struct sv_member *member, int sign)
{
    sv_member_weigh_load(model, member, sign);
    sv_application_count(member, sign);
}

/* ---- The synthetic state ---- */

static void running_remove(struct sv_member *member, sv_instance_place instance)
{
    size_t kept = 0;
    for (size_t i = 0; i < member->running_count; i++)
        if (member->running[i] != instance)
            member->running[kept++] = member->running[i];
    member->running_count = kept;
}

static void running_add(struct sv_member *member, sv_instance_place instance)
{
    running_remove(member, instance);
    member->running = sv_grow(member->running, &member->running_capacity, member->running_count + 1,
                              sizeof(*member->running));
    size_t at = member->running_count++;
    for (; at > 0 && member->running[at - 1] > instance; at--)
        member->running[at] = member->running[at - 1];
    member->running[at] = instance;
}

static enum sv_process_state state_of_several(const struct sv_member *member)
{
    static const enum sv_process_state order[] = {SV_PROCESS_RUNNING, SV_PROCESS_BACKOFF,
                                                  SV_PROCESS_STARTING, SV_PROCESS_STOPPING};
    for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++)
        for (size_t i = 0; i < member->running_count; i++)
            if (sv_member_copy(member, member->running[i])->row.state == order[o])
                return order[o];
    return SV_PROCESS_UNKNOWN;
}

static bool was_started(const struct sv_copy *copy)
{
    return copy->row.state != SV_PROCESS_STOPPED || copy->row.start_ns > 0 || copy->row.stop_ns > 0;
}

/* Of two told at once the first by order of instances. */
static const struct sv_copy *told_last(const struct sv_member *member)
{
    const struct sv_copy *last = NULL;
    for (size_t i = 0; i < member->copy_count; i++) {
        const struct sv_copy *copy = &member->copies[i];
        if (!last || was_started(copy) > was_started(last) ||
            (was_started(copy) == was_started(last) && copy->received_ns > last->received_ns))
            last = copy;
    }
    return last;
}

static void derive(struct sv_member *member)
{
    member->is_expected_exit = true;
    if (member->running_count > 1) {
        member->state = state_of_several(member);
        return;
    }
    if (member->running_count == 1) {
        member->state = sv_member_copy(member, member->running[0])->row.state;
        return;
    }
    for (size_t i = 0; i < member->copy_count; i++) {
        if (member->copies[i].row.state == SV_PROCESS_STOPPING) {
            member->state = SV_PROCESS_STOPPING;
            return;
        }
    }
    const struct sv_copy *last = told_last(member);
    member->state = last ? last->row.state : SV_PROCESS_UNKNOWN;
    member->is_expected_exit = !last || last->row.is_expected;
}

void sv_member_news(struct sv_model *model, struct sv_member *member, sv_instance_place instance,
                    enum sv_process_state state)
{
    sv_member_weigh(model, member, -1);
    if (sv_state_is_stopped(state)) {
        running_remove(member, instance);
    } else if (sv_state_is_running(state)) {
        running_add(member, instance);
    }
    derive(member);
    sv_member_weigh(model, member, 1);
}

/* ---- Questions ---- */

enum sv_process_state sv_member_shown_state(const struct sv_member *member)
{
    return member->is_forced ? member->forced_state : member->state;
}

bool sv_member_is_crashed(const struct sv_member *member)
{
    return member->state == SV_PROCESS_FATAL ||
           (member->state == SV_PROCESS_EXITED && !member->is_expected_exit);
}

bool sv_row_is_crashed(const struct sv_mesh_process *row)
{
    return row->state == SV_PROCESS_FATAL || (row->state == SV_PROCESS_EXITED && !row->is_expected);
}

bool sv_member_is_running_on(const struct sv_member *member, sv_instance_place instance)
{
    if (!sv_state_is_running(member->state))
        return false;
    for (size_t i = 0; i < member->running_count; i++)
        if (member->running[i] == instance)
            return true;
    return false;
}

bool sv_member_is_disabled(const struct sv_member *member)
{
    for (size_t i = 0; i < member->copy_count; i++)
        if (!member->copies[i].row.is_disabled)
            return false;
    return member->copy_count > 0;
}

uint64_t sv_copy_uptime_ns(const struct sv_copy *copy, uint64_t now_ns)
{
    enum sv_process_state state = copy->row.state;
    bool has_uptime = state == SV_PROCESS_RUNNING || state == SV_PROCESS_STOPPING;
    return has_uptime && now_ns > copy->row.start_ns ? now_ns - copy->row.start_ns : 0;
}

/* ---- Forced states ---- */

bool sv_member_knows_end(const struct sv_member *member, uint64_t serial)
{
    return member->is_forced ? serial < member->forced_serial : serial <= member->forced_serial;
}

bool sv_member_force(struct sv_model *model, struct sv_member *member,
                     const struct sv_forced *forced, uint64_t now_ns)
{
    const struct sv_copy *copy =
        forced->target == SV_INSTANCE_NONE ? NULL : sv_member_copy(member, forced->target);
    if (copy && copy->row.event_ns > forced->event_ns)
        return false;
    if (sv_member_knows_end(member, forced->serial))
        return false;
    if (member->is_forced && forced->serial == member->forced_serial) {
        if (member->forced_by == SV_INSTANCE_NONE)
            member->forced_by = forced->by;
        return false;
    }
    char *reason = sv_text_copy(forced->reason ? forced->reason : "");
    free(member->forced_reason);
    sv_application_count(member, -1);
    member->is_forced = true;
    member->is_outdated = false;
    member->forced_state = forced->state;
    member->forced_reason = reason;
    member->forced_target = forced->target;
    member->forced_event_ns = forced->event_ns;
    member->forced_serial = forced->serial;
    member->forced_by = forced->by;
    member->last_event_ns = now_ns;
    sv_application_count(member, 1);
    sv_application_set_stale(model, member->application);
    return true;
}

void sv_member_unforce(struct sv_model *model, struct sv_member *member)
{
    if (!member->is_forced)
        return;
    free(member->forced_reason);
    member->forced_reason = NULL;
    sv_application_count(member, -1);
    member->is_forced = false;
    sv_application_count(member, 1);
    sv_application_set_stale(model, member->application);
}

void sv_member_outdate(struct sv_model *model, struct sv_member *member)
{
    if (member->forced_by == model->local || member->forced_by == SV_INSTANCE_NONE)
        sv_member_unforce(model, member);
    else
        member->is_outdated = true;
}

void sv_member_orphan(struct sv_model *model, struct sv_member *member)
{
    member->forced_by = SV_INSTANCE_NONE;
    if (member->is_outdated)
        sv_member_unforce(model, member);
}

enum sv_process_news sv_row_news(enum sv_row_effect effect, bool is_snapshot,
                                 bool is_only_disability)
{
    if (effect == SV_ROW_NEW)
        return is_snapshot ? SV_PROCESS_NEWS_LEARNT : SV_PROCESS_NEWS_ADDED;
    if (is_only_disability)
        return SV_PROCESS_NEWS_DISABILITY;
    return effect == SV_ROW_EVENT ? SV_PROCESS_NEWS_STATE : SV_PROCESS_NEWS_DETAILS;
}
