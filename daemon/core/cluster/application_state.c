/*
 * State and failures of an application (Supvisors 0.19: application.py, update).
 *
 * They follow from what is shown of all its processes: STOPPING before STARTING before RUNNING
 * before STOPPED. A failure is major when something required is not there, or when the formula of
 * operational_status says so; minor when anything else of the start sequence is in failure.
 *
 * A change of a process changes the counts of its application and marks it; who wants to know
 * refreshes, which looks at all processes only for a formula.
 */
#include <stdlib.h>

#include "core/cluster/internal.h"
#include "core/cluster/model.h"

void sv_application_set_stale(struct sv_model *model, struct sv_application *application)
{
    if (application->is_stale)
        return;
    application->is_stale = true;
    application->next_stale = model->stale;
    model->stale = application;
}

static bool is_in_failure(const struct sv_member *member)
{
    enum sv_process_state state = sv_member_shown_state(member);
    return state == SV_PROCESS_FATAL || state == SV_PROCESS_UNKNOWN ||
           (state == SV_PROCESS_EXITED && !member->is_expected_exit);
}

void sv_application_count(struct sv_member *member, int sign)
{
    struct sv_tally *tally = &member->application->tally;
    enum sv_process_state state = sv_member_shown_state(member);
    const bool facts[] = {
        state == SV_PROCESS_STARTING || state == SV_PROCESS_BACKOFF,
        state == SV_PROCESS_RUNNING,
        state == SV_PROCESS_STOPPING,
        is_in_failure(member),
        is_in_failure(member) && member->rules.required,
        state == SV_PROCESS_STOPPED && member->rules.required,
    };
    size_t *const counts[] = {&tally->starting, &tally->running,         &tally->stopping,
                              &tally->failed,   &tally->failed_required, &tally->stopped_required};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (facts[i])
            *counts[i] = sign > 0 ? *counts[i] + 1 : *counts[i] - 1;
}

static enum sv_application_state derive_state(const struct sv_tally *tally)
{
    if (tally->stopping > 0)
        return SV_APPLICATION_STATE_STOPPING;
    if (tally->starting > 0)
        return SV_APPLICATION_STATE_STARTING;
    return tally->running > 0 ? SV_APPLICATION_STATE_RUNNING : SV_APPLICATION_STATE_STOPPED;
}

/* As the formula sees it. */
static bool is_good(const struct sv_member *member)
{
    enum sv_process_state state = sv_member_shown_state(member);
    return sv_state_is_running(state) || (state == SV_PROCESS_EXITED && member->is_expected_exit);
}

bool sv_member_is_sequenced(const struct sv_member *member)
{
    return member->application->rules.is_managed;
}

static void bind_formula(struct sv_model *model, struct sv_application *application)
{
    if (!application->is_formula_stale)
        return;
    const char **names = sv_allocate(application->member_count, sizeof(*names));
    for (size_t i = 0; i < application->member_count; i++)
        names[i] = application->members[i]->name;
    sv_arena_done(&application->formula_arena);
    application->formula =
        sv_formula_bind(application->rules.operational_status, names, application->member_count,
                        model->match, &application->formula_arena);
    application->is_formula_stale = false;
    free(names);
    if (!application->formula)
        abort();
}

static bool formula_holds(struct sv_model *model, struct sv_application *application)
{
    bind_formula(model, application);
    bool *goods = sv_allocate(application->member_count, sizeof(*goods));
    for (size_t i = 0; i < application->member_count; i++)
        goods[i] = is_good(application->members[i]);
    enum sv_formula_result result = sv_formula_evaluate(application->formula, goods, NULL);
    free(goods);
    return result == SV_FORMULA_TRUE;
}

static void derive_failures(struct sv_model *model, struct sv_application *application)
{
    const struct sv_tally *tally = &application->tally;
    bool is_stopped = application->state == SV_APPLICATION_STATE_STOPPED;
    size_t failed = tally->failed;
    if (application->rules.operational_status) {
        application->has_major_failure = !formula_holds(model, application);
    } else {
        application->has_major_failure =
            tally->failed_required > 0 || (tally->stopped_required > 0 && !is_stopped);
        failed -= tally->failed_required;
    }
    application->has_minor_failure =
        failed > 0 && application->rules.is_managed && !application->has_major_failure;
}

bool sv_application_refresh(struct sv_model *model, struct sv_application *application)
{
    if (!application->is_stale)
        return false;
    enum sv_application_state state = application->state;
    bool was_major = application->has_major_failure;
    bool was_minor = application->has_minor_failure;
    for (struct sv_application **at = &model->stale; *at; at = &(*at)->next_stale) {
        if (*at != application)
            continue;
        *at = application->next_stale;
        break;
    }
    application->is_stale = false;
    application->state = derive_state(&application->tally);
    derive_failures(model, application);
    return application->state != state || application->has_major_failure != was_major ||
           application->has_minor_failure != was_minor;
}

bool sv_application_has_running(const struct sv_application *application)
{
    for (size_t i = 0; i < application->member_count; i++)
        if (sv_state_is_running(application->members[i]->state))
            return true;
    return false;
}

bool sv_application_is_untouched(const struct sv_application *application)
{
    for (size_t i = 0; i < application->member_count; i++) {
        const struct sv_member *member = application->members[i];
        for (size_t c = 0; c < member->copy_count; c++)
            if (member->copies[c].row.state != SV_PROCESS_STOPPED ||
                member->copies[c].row.stop_ns > 0)
                return false;
    }
    return true;
}

uint32_t sv_application_start_load(const struct sv_application *application)
{
    uint32_t percent = 0;
    for (size_t i = 0; i < application->member_count; i++)
        if (application->members[i]->rules.start_sequence > 0)
            percent += application->members[i]->rules.expected_loading;
    return percent;
}
