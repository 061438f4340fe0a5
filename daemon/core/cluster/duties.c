/*
 * Duties: what this instance was told to do, by others (command.c) and by itself.
 *
 * A command is carried out once, however often it comes: what was answered is kept. The answer
 * leaves after the rows that the command changed, and tells their revision; and whoever asks before
 * that whether a start is under way here hears that it is. For between the step that decides on a
 * start and the row that tells of it others may come: the driver works off one event after the
 * other, and each is a step of its own.
 *
 *     START ──action──> the local core ──> a row that is not as it was before ──> told
 *
 * A start that changes nothing (the program was removed meanwhile) has no row to tell. It is given
 * up after a while: no local core takes so long.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "core/cluster/members.h"

/* A start whose row is not told yet, and that row as it was. */
struct start {
    size_t duty_count; /* that wait for it */
    bool is_told;      /* now it is; it is in no map any more */
    enum sv_process_state former_state;
    uint64_t former_start_ns;
    char key[];
};

struct duty {
    sv_instance_place from; /* who is answered */
    uint64_t id;            /* of his command */
    uint64_t step;          /* in which it was taken */
    uint64_t since_ns;
    struct start *start; /* NULL: nothing is waited for */
};

struct sv_duties {
    struct duty *items; /* the oldest first */
    size_t count, capacity;
    size_t ready_count;   /* those that wait for no row */
    struct sv_map starts; /* struct start, by "application:name" */
};

/* What an instance had us do: the newest ones, by a ring. */
struct sv_command_log {
    struct done {
        uint64_t id;
        bool is_answered;
        int fault;
        char *text;
        uint64_t revision;
    } done[SV_COMMAND_LOG_LENGTH];
    size_t next;
    uint64_t forgotten; /* the greatest id that fell out */
};

void sv_command_log_free(struct sv_command_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < SV_COMMAND_LOG_LENGTH; i++)
        free(log->done[i].text);
    free(log);
}

void sv_duties_new(struct sv_cluster *cluster)
{
    cluster->duties = sv_allocate(1, sizeof(*cluster->duties));
}

/* Group names have no colon, so that the key is unique. */
static void add_key(const char *application, const char *name, struct sv_str *key)
{
    sv_str_addf(key, "%s:%s", application, name);
    if (!sv_str_ok(key))
        abort();
}

/* One more duty waits for this start. */
static struct start *await_start(struct sv_duties *duties, const struct sv_mesh_process *row)
{
    struct sv_str key = {0};
    add_key(row->application, row->name, &key);
    struct start *start = sv_map_get(&duties->starts, sv_str_text(&key));
    if (!start) {
        start = sv_allocate(1, sizeof(*start) + key.length + 1);
        start->former_state = row->state;
        start->former_start_ns = row->start_ns;
        memcpy(start->key, sv_str_text(&key), key.length);
        if (sv_map_put(&duties->starts, start->key, start) < 0)
            abort();
    }
    sv_str_done(&key);
    start->duty_count++;
    return start;
}

static bool is_ready(const struct duty *duty)
{
    return !duty->start || duty->start->is_told;
}

/* The duty is done, or given up. */
static void leave(struct sv_duties *duties, const struct duty *duty)
{
    struct start *start = duty->start;
    duties->ready_count -= is_ready(duty);
    if (!start || --start->duty_count > 0)
        return;
    if (!start->is_told)
        sv_map_remove(&duties->starts, start->key);
    free(start);
}

void sv_duties_free(struct sv_cluster *cluster)
{
    struct sv_duties *duties = cluster->duties;
    if (!duties)
        return;
    for (size_t i = 0; i < duties->count; i++)
        leave(duties, &duties->items[i]);
    sv_map_done(&duties->starts);
    free(duties->items);
    free(duties);
}

static void owe(struct sv_cluster *cluster, sv_instance_place from, uint64_t id,
                const struct sv_mesh_process *started)
{
    struct sv_duties *duties = cluster->duties;
    duties->items =
        sv_grow(duties->items, &duties->capacity, duties->count + 1, sizeof(*duties->items));
    duties->items[duties->count++] =
        (struct duty){.from = from,
                      .id = id,
                      .step = cluster->step,
                      .since_ns = cluster->now_ns,
                      .start = started ? await_start(duties, started) : NULL};
    duties->ready_count += !started;
}

bool sv_duties_has_start(const struct sv_cluster *cluster, const char *application,
                         const char *name)
{
    const struct sv_map *starts = &cluster->duties->starts;
    struct sv_str key = {0};
    if (starts->count == 0)
        return false;
    add_key(application, name, &key);
    bool has_it = sv_map_has(starts, sv_str_text(&key));
    sv_str_done(&key);
    return has_it;
}

/* One that is as it was when the start was decided says nothing about it. */
void sv_duties_row(struct sv_cluster *cluster, const struct sv_mesh_process *row)
{
    struct sv_duties *duties = cluster->duties;
    struct sv_str key = {0};
    if (duties->starts.count == 0)
        return;
    add_key(row->application, row->name, &key);
    struct start *start = sv_map_get(&duties->starts, sv_str_text(&key));
    sv_str_done(&key);
    if (!start || (!row->is_removed && row->state == start->former_state &&
                   row->start_ns == start->former_start_ns))
        return;
    sv_map_remove(&duties->starts, start->key);
    start->is_told = true;
    duties->ready_count += start->duty_count;
}

/* --- doing --- */

static struct done *find_done(struct sv_instance *from, uint64_t id)
{
    for (size_t i = 0; from->log && i < SV_COMMAND_LOG_LENGTH; i++)
        if (from->log->done[i].id == id)
            return &from->log->done[i];
    return NULL;
}

static struct done *remember(struct sv_instance *from, uint64_t id)
{
    if (!from->log)
        from->log = sv_allocate(1, sizeof(*from->log));
    struct sv_command_log *log = from->log;
    struct done *done = &log->done[log->next];
    log->next = (log->next + 1) % SV_COMMAND_LOG_LENGTH;
    if (done->id > log->forgotten)
        log->forgotten = done->id;
    free(done->text);
    *done = (struct done){.id = id};
    return done;
}

static void reply(struct sv_cluster *cluster, const struct sv_instance *to, const struct done *done)
{
    struct sv_mesh_message *message = sv_send(cluster, to->place, SV_MESH_ANSWER);
    message->answer.id = done->id;
    message->answer.fault = done->fault;
    message->answer.text = sv_text(cluster, "%s", done->text ? done->text : "");
    message->answer.revision = done->revision;
}

struct refusal {
    int fault; /* 0: none */
    const char *text;
};

/* What both a command of another instance and one of our own must pass. */
static struct refusal check_row(struct sv_cluster *cluster, enum sv_mesh_command_kind kind,
                                const char *application, const char *name)
{
    const char *nick = sv_local(cluster)->nick;
    const struct sv_mesh_process *row = sv_replica_row(cluster, application, name);
    if (!row)
        return (struct refusal){
            SV_CLUSTER_FAULT_BAD_NAME,
            sv_text(cluster, "%s:%s is unknown in %s", application, name, nick)};
    if (kind == SV_MESH_COMMAND_STOP)
        return (struct refusal){0};
    if (row->is_disabled)
        return (struct refusal){
            SV_CLUSTER_FAULT_DISABLED,
            sv_text(cluster, "%s:%s is disabled in %s", application, name, nick)};
    if (cluster->machine->is_ending)
        return (struct refusal){SV_CLUSTER_FAULT_SHUTDOWN_STATE,
                                sv_text(cluster, "the daemon of %s is stopping", nick)};
    return (struct refusal){0};
}

/* Whether the sender still knows what it does. */
static struct refusal check_sender(struct sv_cluster *cluster, const struct sv_instance *from,
                                   const struct sv_mesh_command *command)
{
    uint64_t age_ns = command->heard_ns < cluster->now_ns ? cluster->now_ns - command->heard_ns : 0;
    if (command->heard_ns == 0 || age_ns > cluster->times->deaf_ns)
        return (struct refusal){
            SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE,
            sv_text(cluster, "the command was too long under way to %s", sv_local(cluster)->nick)};
    if (!cluster->times->has_quorum || command->kind != SV_MESH_COMMAND_START)
        return (struct refusal){0};
    if (sv_machine_master(cluster) != from->place || command->term != sv_local(cluster)->view.term)
        return (struct refusal){
            SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE,
            sv_text(cluster, "%s follows another Master (quorum)", sv_local(cluster)->nick)};
    return (struct refusal){0};
}

/* False: it is so already. */
static bool perform(struct sv_cluster *cluster, const struct sv_mesh_command *command,
                    const struct sv_mesh_process *row, const char *text)
{
    bool is_start = command->kind == SV_MESH_COMMAND_START;
    if (is_start == sv_state_is_running(row->state))
        return false;
    struct sv_cluster_action *action =
        sv_cluster_actions_add(cluster->actions, is_start ? SV_CLUSTER_START : SV_CLUSTER_STOP);
    action->instance = cluster->local;
    action->process.application = sv_text(cluster, "%s", row->application);
    action->process.name = sv_text(cluster, "%s", row->name);
    action->process.extra_arguments =
        command->extra_arguments ? sv_text(cluster, "%s", command->extra_arguments) : NULL;
    action->process.reason = is_start ? SV_REASON_REQUEST_START : SV_REASON_REQUEST_STOP;
    action->process.text = text;
    return true;
}

static struct refusal carry_out(struct sv_cluster *cluster, sv_instance_place from,
                                const struct sv_mesh_command *command, const char *text)
{
    struct refusal refusal = check_row(cluster, command->kind, command->application, command->name);
    if (refusal.fault != 0)
        return refusal;
    const struct sv_mesh_process *row =
        sv_replica_row(cluster, command->application, command->name);
    bool is_under_way = perform(cluster, command, row, text);
    bool is_start = is_under_way && command->kind == SV_MESH_COMMAND_START;
    owe(cluster, from, command->id, is_start ? row : NULL);
    return refusal;
}

bool sv_duties_take(struct sv_cluster *cluster, const struct sv_mesh_command *command,
                    const char *text, const char **ret_why)
{
    const char *why = *text ? text : sv_text(cluster, "decided by %s", sv_local(cluster)->nick);
    struct refusal refusal =
        carry_out(cluster, cluster->local, command, sv_text(cluster, "%s", why));
    if (refusal.fault != 0)
        *ret_why = refusal.text;
    return refusal.fault == 0;
}

static struct refusal obey(struct sv_cluster *cluster, const struct sv_instance *from,
                           const struct sv_mesh_command *command)
{
    struct refusal refusal = check_sender(cluster, from, command);
    return refusal.fault ? refusal
                         : carry_out(cluster, from->place, command,
                                     sv_text(cluster, "%s asked for it", from->nick));
}

static struct refusal close_cluster(struct sv_cluster *cluster, const struct sv_instance *from,
                                    const struct sv_mesh_command *command)
{
    if (!sv_machine_is_master(cluster))
        return (struct refusal){SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE,
                                sv_text(cluster, "%s is not the Master", sv_local(cluster)->nick)};
    const char *why = sv_text(cluster, "%s was asked for it", from->nick);
    if (command->kind == SV_MESH_COMMAND_RESTART)
        sv_machine_restart(cluster, why);
    else
        sv_machine_shutdown(cluster, why);
    return (struct refusal){0};
}

static bool is_well_formed(const struct sv_mesh_command *command)
{
    if (command->kind == SV_MESH_COMMAND_RESTART || command->kind == SV_MESH_COMMAND_SHUTDOWN)
        return command->id != 0;
    return command->id != 0 && command->kind <= SV_MESH_COMMAND_STOP && command->application &&
           command->name;
}

void sv_duties_receive(struct sv_cluster *cluster, struct sv_instance *from,
                       const struct sv_mesh_message *message)
{
    const struct sv_mesh_command *command = &message->command;
    if (!is_well_formed(command)) {
        sv_instance_complain(cluster, from, SV_COMPLAINT_MALFORMED, "a command");
        return;
    }
    struct done *done = find_done(from, command->id);
    if (done) {
        if (done->is_answered)
            reply(cluster, from, done);
        return;
    }
    if (from->log && command->id <= from->log->forgotten) {
        sv_instance_complain(cluster, from, SV_COMPLAINT_REPLAYED, "a command");
        return;
    }
    /* It may come at any moment; the command comes again with each heartbeat. */
    if (command->kind == SV_MESH_COMMAND_START && !sv_quorum_has_right(cluster))
        return;
    done = remember(from, command->id);
    bool is_about_all =
        command->kind == SV_MESH_COMMAND_RESTART || command->kind == SV_MESH_COMMAND_SHUTDOWN;
    struct refusal refusal =
        is_about_all ? close_cluster(cluster, from, command) : obey(cluster, from, command);
    done->fault = refusal.fault;
    done->text = refusal.fault ? sv_text_copy(refusal.text) : NULL;
    if (is_about_all || refusal.fault)
        owe(cluster, from->place, command->id, NULL);
}

/* --- answering --- */

static bool is_late(const struct sv_cluster *cluster, const struct duty *duty)
{
    return cluster->now_ns - duty->since_ns >= cluster->times->suspect_ns * 2;
}

static void answer(struct sv_cluster *cluster, const struct duty *duty)
{
    if (duty->from == cluster->local) {
        sv_commander_answered(cluster, duty->id, 0, "");
        return;
    }
    struct sv_instance *from = cluster->instances[duty->from];
    struct done *done = find_done(from, duty->id);
    if (!done)
        return;
    done->is_answered = true;
    done->revision = sv_replica_revision(cluster);
    reply(cluster, from, done);
}

bool sv_duties_want_step(const struct sv_cluster *cluster)
{
    const struct sv_duties *duties = cluster->duties;
    return duties->ready_count > 0 || (duties->count > 0 && is_late(cluster, &duties->items[0]));
}

void sv_duties_flush(struct sv_cluster *cluster)
{
    struct sv_duties *duties = cluster->duties;
    size_t kept = 0;
    if (!sv_duties_want_step(cluster))
        return;
    for (size_t i = 0; i < duties->count; i++) { /* more may be taken meanwhile */
        struct duty duty = duties->items[i];
        if (duty.step == cluster->step || (!is_ready(&duty) && !is_late(cluster, &duty))) {
            duties->items[kept++] = duty;
            continue;
        }
        leave(duties, &duty);
        answer(cluster, &duty);
    }
    duties->count = kept;
}
