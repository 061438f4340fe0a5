/*
 * Commands: have a process started or stopped in an instance. Here is who gives them; who carries
 * them out, duties.c.
 *
 * A command is sent again with every heartbeat until it is answered or given up. It also carries
 * the receiver's own clock as the sender last heard it, so that a command that was long under way
 * is refused instead of starting what nobody wants any more.
 *
 * The answer says only whether it was accepted; what came of it are rows, of a revision that the
 * answer tells. Until those are here, the start is `pending`, and quorum.c lets nobody start the
 * process elsewhere. A start that was never answered stays pending until no receiver would carry it
 * out any more.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "core/cluster/members.h"

enum command_phase {
    COMMAND_SENT,
    COMMAND_ACCEPTED, /* the rows of `revision` are not here yet */
    COMMAND_DOUBTFUL, /* whoever asked has been told that it failed; perhaps it did not */
};

struct command {
    uint64_t id;
    enum command_phase phase;
    enum sv_mesh_command_kind kind;
    sv_instance_place to;
    char *application, *name; /* NULL: RESTART, SHUTDOWN */
    char *extra_arguments;
    uint64_t request;    /* RESTART, SHUTDOWN */
    uint64_t created_ns; /* given up later */
    uint64_t sent_ns;    /* the last time */
    uint64_t revision;
};

struct sv_commands {
    struct command *items;
    size_t count, capacity;
    uint64_t last_id;
    struct sv_timer again;
};

/* --- the sender's side --- */

static uint64_t patience_ns(const struct sv_cluster *cluster)
{
    return cluster->times->suspect_ns * 2;
}

/* The receiver's clock may be slow: `fresh_ns` of it is a quarter more of ours. */
static uint64_t stale_ns(const struct sv_cluster *cluster, const struct command *command)
{
    uint64_t fresh_ns = cluster->times->deaf_ns;
    return command->sent_ns + fresh_ns + fresh_ns / 4;
}

static void transmit(struct sv_cluster *cluster, struct command *command)
{
    const struct sv_instance *to = cluster->instances[command->to];
    struct sv_mesh_message *message = sv_send(cluster, command->to, SV_MESH_COMMAND);
    message->command = (struct sv_mesh_command){
        .id = command->id,
        .kind = command->kind,
        .application = command->application ? command->application : "",
        .name = command->name ? command->name : "",
        .extra_arguments = command->extra_arguments,
        .term = sv_local(cluster)->view.term,
        .heard_ns = to->clock_ns,
    };
    command->sent_ns = cluster->now_ns;
}

static void drop(struct sv_commands *commands, size_t index)
{
    free(commands->items[index].application);
    free(commands->items[index].name);
    free(commands->items[index].extra_arguments);
    commands->items[index] = commands->items[--commands->count];
}

static void schedule(struct sv_cluster *cluster)
{
    struct sv_commands *commands = cluster->commands;
    if (commands->count && !commands->again.node.place)
        sv_timer_set(cluster, &commands->again, cluster->now_ns + cluster->times->heartbeat_ns);
}

/* Whoever asked is told; a start may still happen, so it is kept in mind. */
static void fail(struct sv_cluster *cluster, size_t index, int fault, const char *text)
{
    struct sv_commands *commands = cluster->commands;
    struct command command = commands->items[index];
    if (command.kind == SV_MESH_COMMAND_START && fault == SV_CLUSTER_FAULT_FAILED)
        commands->items[index].phase = COMMAND_DOUBTFUL;
    else
        drop(commands, index);
    if (command.name)
        sv_commander_answered(cluster, command.id, fault, text);
    else
        sv_answer(cluster, command.request, fault, text, false);
}

static void again(struct sv_cluster *cluster, struct sv_timer *timer)
{
    (void)timer;
    struct sv_commands *commands = cluster->commands;
    for (size_t i = commands->count; i-- > 0;) {
        struct command *command = &commands->items[i];
        if (command->phase == COMMAND_SENT &&
            cluster->now_ns - command->created_ns < patience_ns(cluster))
            transmit(cluster, command);
        else if (command->phase == COMMAND_SENT)
            fail(cluster, i, SV_CLUSTER_FAULT_FAILED,
                 sv_text(cluster, "%s did not answer in time",
                         cluster->instances[command->to]->nick));
        else if (cluster->now_ns >= stale_ns(cluster, command)) {
            drop(commands, i);
            sv_machine_wake(cluster);
        }
    }
    schedule(cluster);
}

void sv_commands_new(struct sv_cluster *cluster)
{
    cluster->commands = sv_allocate(1, sizeof(*cluster->commands));
    sv_timer_init(cluster, &cluster->commands->again, again);
}

void sv_commands_free(struct sv_cluster *cluster)
{
    struct sv_commands *commands = cluster->commands;
    if (!commands)
        return;
    while (commands->count)
        drop(commands, commands->count - 1);
    free(commands->items);
    free(commands);
}

static struct command *add(struct sv_cluster *cluster, enum sv_mesh_command_kind kind,
                           sv_instance_place to)
{
    struct sv_commands *commands = cluster->commands;
    commands->items = sv_grow(commands->items, &commands->capacity, commands->count + 1,
                              sizeof(*commands->items));
    struct command *command = &commands->items[commands->count++];
    *command = (struct command){
        .id = ++commands->last_id, .kind = kind, .to = to, .created_ns = cluster->now_ns};
    schedule(cluster);
    return command;
}

sv_instance_place sv_command_pending_start(const struct sv_cluster *cluster,
                                           const struct sv_member *member)
{
    if (sv_duties_has_start(cluster, member->application->name, member->name))
        return cluster->local;
    const struct sv_commands *commands = cluster->commands;
    for (size_t i = 0; i < commands->count; i++)
        if (commands->items[i].kind == SV_MESH_COMMAND_START &&
            strcmp(commands->items[i].name, member->name) == 0 &&
            strcmp(commands->items[i].application, member->application->name) == 0)
            return commands->items[i].to;
    return SV_INSTANCE_NONE;
}

uint64_t sv_command_ask(struct sv_cluster *cluster, enum sv_mesh_command_kind kind,
                        uint64_t request)
{
    struct command *command = add(cluster, kind, sv_machine_master(cluster));
    command->request = request;
    uint64_t id = command->id;
    transmit(cluster, command);
    return id;
}

/* A Master that goes while it ends the cluster has heard of it: only its answer has not come. */
static bool has_obeyed(const struct sv_cluster *cluster, const struct command *command)
{
    bool is_about_all =
        command->kind == SV_MESH_COMMAND_RESTART || command->kind == SV_MESH_COMMAND_SHUTDOWN;
    return is_about_all && sv_machine_state(cluster) >= SV_SUPVISORS_STATE_RESTARTING;
}

void sv_command_forget(struct sv_cluster *cluster, struct sv_instance *instance)
{
    for (size_t i = cluster->commands->count; i-- > 0;) {
        const struct command *command = &cluster->commands->items[i];
        if (command->to != instance->place || command->phase != COMMAND_SENT)
            continue;
        uint64_t request = command->request;
        if (has_obeyed(cluster, command)) {
            drop(cluster->commands, i);
            sv_answer(cluster, request, 0, NULL, true);
        } else {
            fail(cluster, i, SV_CLUSTER_FAULT_FAILED,
                 sv_text(cluster, "%s was lost before it answered", instance->nick));
        }
    }
}

void sv_command_rows(struct sv_cluster *cluster, struct sv_instance *instance)
{
    struct sv_commands *commands = cluster->commands;
    for (size_t i = commands->count; i-- > 0;)
        if (commands->items[i].phase == COMMAND_ACCEPTED &&
            commands->items[i].to == instance->place &&
            instance->revision >= commands->items[i].revision)
            drop(commands, i);
}

void sv_command_answer(struct sv_cluster *cluster, struct sv_instance *from,
                       const struct sv_mesh_message *message)
{
    struct sv_commands *commands = cluster->commands;
    for (size_t i = 0; i < commands->count; i++) {
        struct command *command = &commands->items[i];
        if (command->id != message->answer.id || command->to != from->place)
            continue;
        if (command->phase == COMMAND_ACCEPTED)
            return;
        bool is_told = command->phase == COMMAND_DOUBTFUL;
        struct command known = *command;
        bool is_about_process = command->name != NULL;
        command->phase = COMMAND_ACCEPTED;
        command->revision = message->answer.revision;
        if (message->answer.fault || from->revision >= message->answer.revision)
            drop(commands, i);
        const char *text = message->answer.text ? message->answer.text : "";
        if (is_told)
            return;
        if (is_about_process)
            sv_commander_answered(cluster, known.id, message->answer.fault, text);
        else
            sv_answer(cluster, known.request, message->answer.fault, text,
                      message->answer.fault == 0);
        sv_machine_wake(cluster);
        return;
    }
}

/* --- for the commander --- */

static uint64_t command_local(struct sv_cluster *cluster, enum sv_mesh_command_kind kind,
                              const struct sv_member *member, const char *extra_arguments,
                              const char *text, const char **ret_why)
{
    uint64_t id = ++cluster->commands->last_id;
    const struct sv_mesh_command command = {.id = id,
                                            .kind = kind,
                                            .application = member->application->name,
                                            .name = member->name,
                                            .extra_arguments = extra_arguments};
    return sv_duties_take(cluster, &command, text, ret_why) ? id : 0;
}

static uint64_t command(struct sv_cluster *cluster, enum sv_mesh_command_kind kind,
                        sv_instance_place instance, const struct sv_member *member,
                        const char *extra_arguments, const char **ret_why)
{
    if (!sv_instance_is_active(cluster->instances[instance])) {
        *ret_why = sv_text(cluster, "%s is not RUNNING", cluster->instances[instance]->nick);
        return 0;
    }
    if (cluster->commands->count >= SV_COMMANDS_MAX) {
        *ret_why = "too many commands are under way";
        return 0;
    }
    struct command *sent = add(cluster, kind, instance);
    sent->application = sv_text_copy(member->application->name);
    sent->name = sv_text_copy(member->name);
    sent->extra_arguments = sv_text_copy(extra_arguments);
    uint64_t id = sent->id;
    transmit(cluster, sent);
    return id;
}

uint64_t sv_command_start(struct sv_cluster *cluster, sv_instance_place instance,
                          const struct sv_member *member, const char *extra_arguments,
                          const char *text, const char **ret_why)
{
    if (!sv_quorum_may_start(cluster, member, ret_why))
        return 0;
    if (instance == cluster->local)
        return command_local(cluster, SV_MESH_COMMAND_START, member, extra_arguments, text,
                             ret_why);
    return command(cluster, SV_MESH_COMMAND_START, instance, member, extra_arguments, ret_why);
}

uint64_t sv_command_stop(struct sv_cluster *cluster, sv_instance_place instance,
                         const struct sv_member *member, const char *text, const char **ret_why)
{
    if (instance == cluster->local)
        return command_local(cluster, SV_MESH_COMMAND_STOP, member, NULL, text, ret_why);
    return command(cluster, SV_MESH_COMMAND_STOP, instance, member, NULL, ret_why);
}
