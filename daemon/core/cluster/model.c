/*
 * The rows of all instances, by application and process.
 *
 *     model -> applications -> members (processes) -> copies (one per instance that has it)
 *
 * A row that comes again is compared with the one before: only when its state or the time of its
 * event differs has something happened. So a snapshot that repeats what is known changes nothing,
 * and a snapshot after a gap is as good as the changes that were missed.
 *
 * What an instance said stays after its loss, as Supvisors keeps it, with FATAL for what ran there;
 * the rows that it tells when it comes back replace that. Supvisors keeps, for ever, also the rows
 * of programs that it does not have any more then; here the snapshot removes them (replica.c).
 *
 * The extra arguments of a process are those of its last start, wherever that was. In Supvisors
 * they are lost when an instance joins that was never told of them.
 */
#include "core/cluster/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/pattern.h"
#include "core/cluster/internal.h"

/* ---- The whole ---- */

void sv_model_init(struct sv_model *model, struct sv_rules *rules,
                   enum sv_starting_strategy default_strategy)
{
    *model = (struct sv_model){
        .rules = rules ? sv_rules_ref(rules) : NULL,
        .default_strategy = default_strategy,
        .match = sv_pattern_match_new(),
    };
    if (!model->match)
        abort();
}

static void copy_done(struct sv_copy *copy)
{
    free(copy->texts);
}

static void member_free(struct sv_member *member)
{
    for (size_t i = 0; i < member->copy_count; i++)
        copy_done(&member->copies[i]);
    free(member->copies);
    free(member->running);
    free(member->forced_reason);
    free(member->extra_arguments);
    free(member->why);
    free(member->name);
    free(member);
}

static void application_free(struct sv_application *application)
{
    for (size_t i = 0; i < application->member_count; i++)
        member_free(application->members[i]);
    free(application->members);
    sv_map_done(&application->by_name);
    sv_arena_done(&application->formula_arena);
    free(application->name);
    free(application);
}

void sv_model_done(struct sv_model *model)
{
    for (size_t i = 0; i < model->application_count; i++)
        application_free(model->applications[i]);
    free(model->applications);
    free(model->loads);
    sv_map_done(&model->by_name);
    sv_pattern_match_free(model->match);
    sv_rules_unref(model->rules);
    *model = (struct sv_model){0};
}

static bool is_assigned_by_rule(const struct sv_process_rules *rules)
{
    return rules->places.at_identifiers.count > 0 || rules->places.hash_identifiers.count > 0;
}

void sv_model_use_rules(struct sv_model *model, struct sv_rules *rules)
{
    struct sv_rules *former = model->rules;
    model->rules = rules ? sv_rules_ref(rules) : NULL;
    for (size_t a = 0; a < model->application_count; a++) {
        struct sv_application *application = model->applications[a];
        struct sv_application_rules application_rules;
        sv_rules_application(rules, application->name, model->default_strategy, &application_rules);
        for (size_t i = 0; i < application->member_count; i++) {
            struct sv_member *member = application->members[i];
            sv_member_weigh(model, member, -1);
            sv_rules_process(rules, application->name, member->name, &member->rules);
            if (!is_assigned_by_rule(&member->rules))
                member->assigned = SV_INSTANCE_NONE;
        }
        application->rules = application_rules;
        for (size_t i = 0; i < application->member_count; i++)
            sv_member_weigh(model, application->members[i], 1);
        application->is_formula_stale = true;
        sv_application_set_stale(model, application);
    }
    sv_rules_unref(former);
}

struct sv_application *sv_model_application(const struct sv_model *model, const char *name)
{
    return sv_map_get(&model->by_name, name);
}

struct sv_member *sv_application_member(const struct sv_application *application, const char *name)
{
    return sv_map_get(&application->by_name, name);
}

/* They are in the order of their instances. */
struct sv_copy *sv_member_copy(const struct sv_member *member, sv_instance_place instance)
{
    size_t low = 0, high = member->copy_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (member->copies[middle].instance < instance)
            low = middle + 1;
        else
            high = middle;
    }
    return low < member->copy_count && member->copies[low].instance == instance
               ? &member->copies[low]
               : NULL;
}

char *sv_text_copy(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        abort();
    return copy;
}

void sv_member_set_why(struct sv_member *member, const char *why)
{
    char *copy = sv_text_copy(why);
    free(member->why);
    member->why = copy;
}

/* ---- Rows in ---- */

static void must_put(struct sv_map *map, const char *key, void *value)
{
    if (sv_map_put(map, key, value) < 0)
        abort();
}

static struct sv_application *application_for(struct sv_model *model, const char *name)
{
    struct sv_application *application = sv_model_application(model, name);
    if (application)
        return application;
    application = sv_allocate(1, sizeof(*application));
    application->name = sv_text_copy(name);
    application->place = model->application_count;
    sv_rules_application(model->rules, name, model->default_strategy, &application->rules);
    model->applications = sv_grow(model->applications, &model->application_capacity,
                                  model->application_count + 1, sizeof(application));
    model->applications[model->application_count++] = application;
    must_put(&model->by_name, name, application);
    return application;
}

static struct sv_member *member_for(struct sv_model *model, const struct sv_mesh_process *row)
{
    struct sv_application *application = application_for(model, row->application);
    struct sv_member *member = sv_application_member(application, row->name);
    if (member)
        return member;
    member = sv_allocate(1, sizeof(*member));
    member->name = sv_text_copy(row->name);
    member->application = application;
    member->place = application->member_count;
    member->assigned = SV_INSTANCE_NONE;
    member->state = SV_PROCESS_UNKNOWN;
    member->is_expected_exit = true;
    member->extra_arguments = sv_text_copy("");
    sv_rules_process(model->rules, application->name, row->name, &member->rules);
    application->members = sv_grow(application->members, &application->member_capacity,
                                   application->member_count + 1, sizeof(member));
    application->members[application->member_count++] = member;
    application->is_formula_stale = true;
    must_put(&application->by_name, row->name, member);
    sv_application_count(member, 1);
    return member;
}

static void copy_take(struct sv_copy *copy, const struct sv_mesh_process *row)
{
    char *former = copy->texts;
    sv_row_copy(row, &copy->row, &copy->texts);
    free(former); /* `row` may be made of it */
}

static struct sv_copy *copy_add(struct sv_member *member, sv_instance_place instance)
{
    member->copies = sv_grow(member->copies, &member->copy_capacity, member->copy_count + 1,
                             sizeof(*member->copies));
    size_t at = member->copy_count++;
    for (; at > 0 && member->copies[at - 1].instance > instance; at--)
        member->copies[at] = member->copies[at - 1];
    member->copies[at] = (struct sv_copy){.instance = instance};
    return &member->copies[at];
}

static void take_arguments(struct sv_member *member, const struct sv_copy *copy)
{
    if (!sv_state_is_running(copy->row.state) ||
        strcmp(member->extra_arguments, copy->row.extra_arguments) == 0)
        return;
    free(member->extra_arguments);
    member->extra_arguments = sv_text_copy(copy->row.extra_arguments);
}

enum sv_row_effect sv_model_tell(struct sv_model *model, sv_instance_place instance,
                                 const struct sv_mesh_process *row, uint64_t now_ns,
                                 struct sv_member **ret_member)
{
    struct sv_member *member = member_for(model, row);
    struct sv_copy *copy = sv_member_copy(member, instance);
    enum sv_row_effect effect = SV_ROW_NEW;
    if (copy)
        effect = copy->row.state == row->state && copy->row.event_ns == row->event_ns
                     ? SV_ROW_DETAILS
                     : SV_ROW_EVENT;
    else
        copy = copy_add(member, instance);
    *ret_member = member;
    copy_take(copy, row);
    sv_application_set_stale(model, member->application);
    if (effect == SV_ROW_DETAILS)
        return effect;
    copy->received_ns = now_ns;
    copy->has_crashed |= sv_row_is_crashed(row);
    member->last_event_ns = now_ns;
    take_arguments(member, copy);
    /* Supervisor says STOPPED of what it was never asked for. */
    if (effect == SV_ROW_EVENT || row->state != SV_PROCESS_STOPPED)
        sv_member_outdate(model, member);
    /* That one runs again says nothing of the rest of its application. */
    if (sv_state_is_running(row->state) &&
        member->rules.running_failure_strategy != SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION)
        sv_member_update(model, member);
    sv_member_news(model, member, instance, row->state);
    return effect;
}

/* ---- Rows out ---- */

bool sv_model_untell(struct sv_model *model, struct sv_member *member, sv_instance_place instance)
{
    struct sv_copy *copy = sv_member_copy(member, instance);
    if (!copy)
        return member->copy_count == 0;
    size_t at = (size_t)(copy - member->copies);
    copy_done(copy);
    memmove(copy, copy + 1, (--member->copy_count - at) * sizeof(*copy));
    sv_member_news(model, member, instance, SV_PROCESS_STOPPED);
    sv_application_set_stale(model, member->application);
    return member->copy_count == 0;
}

static void application_drop(struct sv_model *model, struct sv_application *application)
{
    for (struct sv_application **at = &model->stale; *at; at = &(*at)->next_stale) {
        if (*at != application)
            continue;
        *at = application->next_stale;
        break;
    }
    sv_map_remove(&model->by_name, application->name);
    for (size_t i = application->place; i + 1 < model->application_count; i++) {
        model->applications[i] = model->applications[i + 1];
        model->applications[i]->place = i;
    }
    model->application_count--;
    application_free(application);
}

bool sv_model_drop(struct sv_model *model, struct sv_member *member)
{
    struct sv_application *application = member->application;
    assert(member->copy_count == 0 && member->command_count == 0);
    sv_member_update(model, member);
    sv_member_weigh(model, member, -1);
    sv_map_remove(&application->by_name, member->name);
    for (size_t i = member->place; i + 1 < application->member_count; i++) {
        application->members[i] = application->members[i + 1];
        application->members[i]->place = i;
    }
    application->member_count--;
    application->is_formula_stale = true;
    sv_application_set_stale(model, application);
    member_free(member);
    if (application->member_count > 0)
        return false;
    application_drop(model, application);
    return true;
}

bool sv_member_lose(struct sv_model *model, struct sv_member *member, sv_instance_place instance,
                    const char *identifier, uint64_t now_ns)
{
    struct sv_copy *copy = sv_member_copy(member, instance);
    bool was_running = false;
    for (size_t i = 0; i < member->running_count; i++)
        was_running |= member->running[i] == instance;
    if (!copy || !was_running)
        return false;
    struct sv_str text = {0};
    struct sv_mesh_process row = copy->row;
    sv_str_addf(&text, "Supervisor %s lost", identifier);
    row.state = SV_PROCESS_FATAL;
    row.is_expected = false;
    row.pid = 0;
    row.spawnerr = sv_str_text(&text);
    copy_take(copy, &row);
    sv_str_done(&text);
    copy->received_ns = now_ns;
    member->last_event_ns = now_ns;
    sv_member_outdate(model, member);
    sv_member_news(model, member, instance, SV_PROCESS_FATAL);
    sv_application_set_stale(model, member->application);
    if (member->running_count == 0) {
        model->lost_count += !member->is_lost;
        member->is_lost = true;
        member->lost_with = instance;
    }
    return true;
}

void sv_member_remember_lost(struct sv_model *model, struct sv_member *member)
{
    if (member->is_lost)
        return;
    model->lost_count++;
    member->is_lost = true;
    member->lost_with = SV_INSTANCE_NONE;
}

void sv_member_update(struct sv_model *model, struct sv_member *member)
{
    model->lost_count -= member->is_lost;
    member->is_lost = false;
}
