/*
 * Whose turn it is: no program is started before those of a smaller start_sequence in its
 * application, and at the first start of all no application before those of a smaller one.
 *
 * Judged by what happens alone: which starts were commanded, which were carried out when, and what
 * came of them. Who was started once has no turn any more until a command has stopped it, since a
 * restart after a failure is for that program alone; nor has who was asked for by name.
 */
#include <string.h>

#include "cluster_internal.h"

static void want(struct world *world, const char *application, const char *name)
{
    uint32_t program = find_program(world, application, name);
    if (program < PROGRAMS)
        world->turns[program].is_wanted = world->turns[program].was_ever_wanted = true;
}

void turn_command(struct world *world, uint32_t node, const struct sv_cluster_action *action)
{
    (void)node;
    const struct sv_mesh_message *message = &action->message;
    if (action->kind == SV_CLUSTER_SEND && message->kind == SV_MESH_COMMAND &&
        message->command.kind == SV_MESH_COMMAND_START)
        want(world, message->command.application, message->command.name);
    else if (action->kind == SV_CLUSTER_START)
        want(world, action->process.application, action->process.name);
}

void turn_request(struct world *world, const struct sv_cluster_request *request)
{
    bool is_of_process = request->kind == SV_REQUEST_START_PROCESS ||
                         request->kind == SV_REQUEST_RESTART_PROCESS ||
                         request->kind == SV_REQUEST_START_ANY_PROCESS;
    bool is_of_application = request->kind == SV_REQUEST_START_APPLICATION ||
                             request->kind == SV_REQUEST_RESTART_APPLICATION;
    for (uint32_t p = 0; p < PROGRAMS; p++) {
        const struct program *program = &world->programs[p];
        size_t length = strlen(program->application);
        if (strncmp(request->name, program->application, length) != 0)
            continue;
        const char *rest = request->name + length;
        bool is_named = *rest == ':' && strcmp(rest + 1, program->name) == 0;
        world->turns[p].is_asked |= is_of_process && (*rest == '\0' || is_named);
        world->turns[p].is_group_asked |= is_of_process || is_of_application;
    }
}

void turn_stop(struct world *world, uint32_t program)
{
    world->turns[program].is_wanted = world->turns[program].is_begun = false;
}

/* The Master whom the node follows can have it started somewhere. */
static bool can_be_started(const struct world *world, uint32_t node, uint32_t program)
{
    uint32_t master = node_master(world, node);
    if (master == SV_INSTANCE_NONE || !world->nodes[master].cluster)
        return false;
    for (uint32_t i = 0; i < world->node_count; i++)
        if (world->nodes[i].actors[program].is_configured && world->nodes[i].cluster &&
            node_sees(world, master, i))
            return true;
    return false;
}

/* A run that began a short while ago, and nothing is known of it yet. */
static bool is_starting(const struct world *world, uint32_t program)
{
    uint64_t age_ns = world->now_ns - world->turns[program].starting_ns;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct actor *actor = &world->nodes[i].actors[program];
        if (actor->is_alive && actor->state == SV_PROCESS_STARTING && world->nodes[i].cluster &&
            age_ns < world->programs[program].startsecs * SECOND_NS)
            return true;
    }
    return false;
}

void turn_start(struct world *world, uint32_t node, uint32_t index)
{
    const struct program *program = &world->programs[index];
    struct turn *turn = &world->turns[index];
    bool is_certain = !world->has_partitions && !world->is_rough && program->is_automatic;
    for (uint32_t q = 0; q < PROGRAMS && is_certain; q++) {
        const struct program *other = &world->programs[q];
        bool is_same = strcmp(other->application, program->application) == 0;
        if (!other->is_automatic || !can_be_started(world, node, q))
            continue;
        if (is_same && other->sequence < program->sequence && !turn->is_asked) {
            judge_demand(world, turn->is_begun || world->turns[q].is_wanted,
                         "no program is started before its turn", node);
            judge_demand(world, turn->is_begun || !is_starting(world, q),
                         "no program is started while those before it are starting", node);
        }
        if (other->application_sequence < program->application_sequence && !turn->is_group_asked &&
            !turn->was_ever_begun) {
            bool is_first = other->sequence == 1; /* the others may be given up with it */
            judge_demand(world, !is_first || world->turns[q].was_ever_wanted,
                         "no application is started before its turn", node);
            judge_demand(world, !is_starting(world, q),
                         "no application is started while those before it are starting", node);
        }
    }
    turn->starting_ns = world->now_ns;
    turn->is_wanted = turn->was_ever_wanted = true;
    turn->is_begun = turn->was_ever_begun = true;
}
