/*
 * What a start would do (Supvisors 0.19: commander.py, StarterModel).
 *
 * The starter itself works on a copy of the application; where it would command something, the copy
 * is told what a normal start tells: STARTING, RUNNING and with wait_exit EXITED. The loads of
 * everything else, and of what is on its way in reality, count as they are.
 *
 * What is predicted to run counts as load from then on, so that the sequences behind it see it.
 * Supvisors forgets it once it is RUNNING, and predicts wrongly for all but the first sequence; and
 * it resolves `@` and `#` for good by asking.
 *
 * What a restart would do is what a start would, once the copy was told that what runs is STOPPED.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cluster/commander.h"

struct sv_prediction_run {
    /* Orders that were begun, as what their processes will tell; in the order of their time. */
    struct told {
        struct sv_member *member;
        sv_instance_place instance;
        enum sv_process_state state;
    } * told;
    size_t told_count, told_capacity;
    size_t heard_count;
    struct sv_member **planned; /* all that the prediction is about */
    size_t planned_count, planned_capacity;
};

static void tell(struct sv_prediction_run *run, const struct sv_order *order,
                 enum sv_process_state state)
{
    run->told = sv_grow(run->told, &run->told_capacity, run->told_count + 1, sizeof(*run->told));
    run->told[run->told_count++] = (struct told){order->member, order->target, state};
}

void sv_prediction_start(struct sv_commander *commander, struct sv_order *order)
{
    tell(commander->run, order, SV_PROCESS_STARTING);
    tell(commander->run, order, SV_PROCESS_RUNNING);
    if (order->member->rules.wait_exit)
        tell(commander->run, order, SV_PROCESS_EXITED);
}

/* ---- The copy ---- */

static void copy_member(struct sv_model *model, const struct sv_member *member)
{
    struct sv_member *copy = NULL;
    for (size_t i = 0; i < member->copy_count; i++)
        sv_model_tell(model, member->copies[i].instance, &member->copies[i].row,
                      member->copies[i].received_ns, &copy);
    if (!copy)
        return;
    copy->assigned = member->assigned;
    free(copy->extra_arguments);
    copy->extra_arguments = sv_text_copy(member->extra_arguments);
}

/* A model with this application only, and the loads of all. */
static void copy_model(struct sv_model *model, const struct sv_model *original,
                       const struct sv_application *application)
{
    sv_model_init(model, original->rules, original->default_strategy);
    model->local = original->local;
    model->load_count = original->load_count;
    model->loads = sv_allocate(original->load_count, sizeof(*model->loads));
    model->conflict_count = original->conflict_count;
    for (size_t i = 0; i < original->load_count; i++)
        model->loads[i] = original->loads[i];
    for (size_t i = 0; i < application->member_count; i++)
        sv_member_weigh_load(model, application->members[i], -1);
    for (size_t i = 0; i < application->member_count; i++)
        copy_member(model, application->members[i]);
}

/* ---- The run ---- */

static void note_planned(struct sv_order *order, void *user)
{
    struct sv_prediction_run *run = user;
    run->planned = sv_grow(run->planned, &run->planned_capacity, run->planned_count + 1,
                           sizeof(struct sv_member *));
    run->planned[run->planned_count++] = order->member;
}

static void hear(struct sv_commander *commander, const struct told *told)
{
    struct sv_member *member = told->member;
    struct sv_mesh_process row = sv_member_copy(member, told->instance)->row;
    row.state = told->state;
    row.event_ns++;
    row.is_expected = true;
    sv_model_tell(commander->model, told->instance, &row, commander->cluster->now_ns, &member);
    sv_commander_drop_scene(commander);
    sv_starter_news(commander, member, told->instance);
    sv_sequencer_next(commander, &commander->starts);
}

static void run_to_the_end(struct sv_commander *commander)
{
    struct sv_prediction_run *run = commander->run;
    sv_sequencer_each(&commander->starts, note_planned, run);
    sv_sequencer_next(commander, &commander->starts);
    while (run->heard_count < run->told_count) {
        struct told told = run->told[run->heard_count++];
        hear(commander, &told);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct sv_member *const *left = a;
    const struct sv_member *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static sv_instance_place target_of(const struct sv_prediction_run *run,
                                   const struct sv_member *member)
{
    for (size_t i = run->told_count; i-- > 0;)
        if (run->told[i].member == member)
            return run->told[i].instance;
    return SV_INSTANCE_NONE;
}

static void answer(struct sv_commander *commander, uint64_t request)
{
    struct sv_cluster *cluster = commander->cluster;
    struct sv_prediction_run *run = commander->run;
    struct sv_prediction *predictions =
        sv_arena_array(&cluster->texts, struct sv_prediction, run->planned_count + 1);
    if (!predictions)
        abort();
    if (run->planned_count > 1)
        qsort(run->planned, run->planned_count, sizeof(struct sv_member *), by_name);
    for (size_t i = 0; i < run->planned_count; i++) {
        const struct sv_member *member = run->planned[i];
        predictions[i] = (struct sv_prediction){
            .application = sv_text(cluster, "%s", member->application->name),
            .name = sv_text(cluster, "%s", member->name),
            .state = sv_member_shown_state(member),
            .forced_reason = sv_text(cluster, "%s", member->is_forced ? member->forced_reason : ""),
            .instance = member->running_count > 0 ? member->running[0] : SV_INSTANCE_NONE,
            .target = target_of(run, member),
            .why = sv_text(cluster, "%s", member->why ? member->why : ""),
        };
    }
    sv_answer(cluster, request, 0, "", true);
    struct sv_cluster_action *action = &cluster->actions->items[cluster->actions->count - 1];
    action->answer.predictions = predictions;
    action->answer.prediction_count = run->planned_count;
}

/* As the rows of the instances would say after a stop. */
static void stop(struct sv_commander *commander, struct sv_member *member)
{
    for (size_t i = 0; i < member->copy_count; i++) {
        sv_instance_place place = member->copies[i].instance;
        struct sv_mesh_process row = member->copies[i].row;
        if (!sv_member_is_running_on(member, place))
            continue;
        row.state = SV_PROCESS_STOPPED;
        row.event_ns++;
        row.is_expected = true;
        sv_model_tell(commander->model, place, &row, commander->cluster->now_ns, &member);
    }
    sv_member_update(commander->model, member);
}

static bool is_after_stop(const struct sv_cluster_request *request)
{
    return request->kind == SV_REQUEST_PREDICT_APPLICATION ||
           request->kind == SV_REQUEST_PREDICT_PROCESS;
}

/* `copied` and its members are those of the copy. */
static void start_all(struct sv_commander *copy, const struct sv_cluster_request *request,
                      struct sv_application *copied)
{
    for (size_t i = 0; is_after_stop(request) && i < copied->member_count; i++)
        stop(copy, copied->members[i]);
    sv_application_refresh(copy->model, copied);
    sv_start_application(copy, copied, request->starting);
}

static void predict(struct sv_commander *commander, const struct sv_cluster_request *request,
                    const struct sv_application *application, struct sv_member *const *members,
                    size_t member_count)
{
    struct sv_model model;
    struct sv_prediction_run run = {0};
    struct sv_commander copy = {
        .cluster = commander->cluster,
        .model = &model,
        .run = &run,
        .starts = {.kind = &sv_starter_kind},
        .stops = {.kind = &sv_stopper_kind},
        .snapshot = SV_INSTANCE_NONE,
    };
    copy_model(&model, commander->model, application);
    struct sv_application *copied = sv_model_application(&model, application->name);
    if (member_count == 0)
        start_all(&copy, request, copied);
    for (size_t i = 0; i < member_count; i++) {
        struct sv_member *member = sv_application_member(copied, members[i]->name);
        if (is_after_stop(request))
            stop(&copy, member);
        sv_start_process(&copy, member, request->starting, NULL);
    }
    run_to_the_end(&copy);
    answer(&copy, request->id);
    sv_sequencer_done(&copy, &copy.starts);
    sv_sequencer_done(&copy, &copy.stops);
    sv_commander_drop_scene(&copy);
    sv_model_done(&model);
    free(run.told);
    free(run.planned);
}

void sv_predict_application(struct sv_commander *commander,
                            const struct sv_cluster_request *request,
                            struct sv_application *application)
{
    predict(commander, request, application, NULL, 0);
}

void sv_predict_processes(struct sv_commander *commander, const struct sv_cluster_request *request,
                          struct sv_member *const *members, size_t member_count)
{
    predict(commander, request, members[0]->application, members, member_count);
}
