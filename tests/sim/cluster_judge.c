/*
 * What must hold.
 *
 * After every step, over the whole history: with quorum, never two living copies of a managed
 * program, whatever the network, the clocks and the daemons do; the same without quorum where
 * nothing but daemons and machines fails, because the keeper's promise is enough then. Never two
 * Masters of one term; never two that work while they see each other. No start before its turn
 * (cluster_turns.c). No start or stop without words. No request without an answer for long.
 *
 * When all is healed: one Master, everybody in OPERATION, everybody's knowledge true, no conflict,
 * and what is wanted runs, and nothing twice.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_internal.h"
#include "core/cluster/members.h"

enum { TWO_MASTERS_SECONDS_MAX = 10, ANSWER_SECONDS_MAX = 90 };

void judge_demand(const struct world *world, bool is_kept, const char *promise, uint32_t node)
{
    if (is_kept)
        return;
    fprintf(stderr,
            "seed %" PRIu64 ", step %" PRIu64 ", %.6f s, node %u: broken: %s\n"
            "replay with: make sim-cluster SEED=%" PRIu64 " TRACE=1\n",
            world->options.seed, world->step_count, (double)world->now_ns / (double)SECOND_NS, node,
            promise, world->options.seed);
    abort();
}

static uint32_t living_copies(const struct world *world, uint32_t program)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->node_count; i++)
        count += world->nodes[i].actors[program].is_alive;
    return count;
}

void judge_spawn(const struct world *world, uint32_t node, uint32_t program)
{
    if (!world->programs[program].is_managed)
        return;
    bool is_certain =
        world->has_quorum || (!world->has_partitions && !world->is_rough && !world->has_requests);
    if (is_certain)
        judge_demand(world, living_copies(world, program) <= 1,
                     "a managed program never has two living copies", node);
}

/* Restarted or shut down: the Master stops the applications first, and waits for them; but not for
 * what a former Master had started just then. */
static void judge_end(const struct world *world, uint32_t node)
{
    bool is_certain =
        !world->has_partitions && !world->is_rough && node_master(world, node) == node;
    for (uint32_t i = 0; is_certain && i < world->node_count; i++)
        for (uint32_t p = 0; p < PROGRAMS; p++)
            judge_demand(world,
                         !world->programs[p].is_managed || !world->nodes[i].actors[p].is_alive ||
                             world->now_ns - world->turns[p].starting_ns < SECOND_NS ||
                             !node_sees(world, node, i),
                         "a cluster ends after its applications", node);
}

void judge_action(struct world *world, uint32_t node, const struct sv_cluster_action *action)
{
    world->digest = world->digest * UINT64_C(1099511628211) + (uint64_t)action->kind * 31 +
                    action->instance + 7 * node;
    switch (action->kind) {
    case SV_CLUSTER_START:
    case SV_CLUSTER_STOP:
        judge_demand(world, action->process.text && *action->process.text,
                     "every start and stop says why", node);
        return;
    case SV_CLUSTER_NOTICE:
        if (action->notice.what == SV_CLUSTER_NOTICE_LOG)
            judge_demand(world, action->notice.text && *action->notice.text,
                         "every decision has words", node);
        return;
    case SV_CLUSTER_ANSWER: {
        struct asked *asked = &world->asked[action->answer.id % REQUESTS_MAX];
        judge_demand(world, asked->is_open && asked->id == action->answer.id && asked->node == node,
                     "a request is answered once, where it was asked", node);
        asked->is_open = false;
        return;
    }
    case SV_CLUSTER_END_DAEMON:
        judge_end(world, node);
        return;
    case SV_CLUSTER_SEND:
        judge_demand(world,
                     action->message.kind != SV_MESH_COMMAND ||
                         sv_instance_state(world->nodes[node].cluster, action->instance) !=
                             SV_INSTANCE_STATE_ISOLATED,
                     "an isolated instance is given no command", node);
        return;
    case SV_CLUSTER_CONNECT:
    case SV_CLUSTER_PROMISE:
    case SV_CLUSTER_KILL_MANAGED:
    case SV_CLUSTER_ACTION_COUNT:
        return;
    }
}

static bool works_as_master(const struct node *node)
{
    enum sv_supvisors_state state = sv_machine_state(node->cluster);
    return sv_machine_is_master(node->cluster) && state >= SV_SUPVISORS_STATE_DISTRIBUTION &&
           state <= SV_SUPVISORS_STATE_CONCILIATION;
}

static void judge_masters(struct world *world, uint32_t index)
{
    struct node *node = &world->nodes[index];
    if (!works_as_master(node)) {
        node->working_since_ns = 0;
        return;
    }
    if (!node->working_since_ns)
        node->working_since_ns = world->now_ns;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct node *other = &world->nodes[i];
        if (i == index || !other->cluster || !works_as_master(other))
            continue;
        bool is_one_term =
            sv_local(other->cluster)->view.term == sv_local(node->cluster)->view.term;
        judge_demand(world, !is_one_term && world->options.lie != LIE_TERM, "a term has one Master",
                     index);
        uint64_t since_ns = node->working_since_ns > other->working_since_ns
                                ? node->working_since_ns
                                : other->working_since_ns;
        judge_demand(world,
                     !node_sees(world, index, i) || !node_sees(world, i, index) ||
                         world->now_ns - since_ns < TWO_MASTERS_SECONDS_MAX * SECOND_NS,
                     "two that see each other have one Master", index);
    }
}

void judge_step(struct world *world, uint32_t index)
{
    struct node *node = &world->nodes[index];
    if (node->cluster)
        judge_masters(world, index);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        judge_demand(world,
                     !world->asked[i].is_open ||
                         world->now_ns - world->asked[i].since_ns < ANSWER_SECONDS_MAX * SECOND_NS,
                     "a request is answered or given up within its bound", world->asked[i].node);
}

static bool is_in_operation(const struct world *world, uint32_t index, uint32_t master)
{
    const struct sv_cluster *cluster = world->nodes[index].cluster;
    if (!cluster || sv_machine_state(cluster) != SV_SUPVISORS_STATE_OPERATION ||
        node_master(world, index) != master)
        return false;
    for (uint32_t i = 0; i < world->node_count; i++)
        if (!node_sees(world, index, i))
            return false;
    return true;
}

bool judge_is_settled(const struct world *world)
{
    if (!world->nodes[0].cluster)
        return false;
    uint32_t master = node_master(world, 0);
    for (uint32_t i = 0; i < world->node_count; i++)
        if (master == SV_INSTANCE_NONE || !is_in_operation(world, i, master))
            return false;
    return true;
}

static void judge_knowledge(const struct world *world, uint32_t index)
{
    const struct sv_cluster *cluster = world->nodes[index].cluster;
    for (uint32_t p = 0; p < PROGRAMS; p++) {
        const struct program *program = &world->programs[p];
        struct sv_application *application =
            sv_model_application(&cluster->model, program->application);
        struct sv_member *member =
            application ? sv_application_member(application, program->name) : NULL;
        for (uint32_t i = 0; i < world->node_count; i++) {
            const struct actor *actor = &world->nodes[i].actors[p];
            const struct sv_copy *copy =
                member ? sv_member_copy(member, place_of(world, index, i)) : NULL;
            judge_demand(world, actor->is_configured == (copy != NULL),
                         "healed: everybody knows who has which process", index);
            judge_demand(world, !copy || copy->row.state == actor->state,
                         "healed: everybody knows the state of each process", index);
        }
    }
}

static const struct sv_member *member_at(const struct world *world, uint32_t index,
                                         const struct program *program)
{
    const struct sv_application *application =
        sv_model_application(&world->nodes[index].cluster->model, program->application);
    return application ? sv_application_member(application, program->name) : NULL;
}

/* Forced states too, whoever has said so, and however late the instance came. */
static void judge_forced(const struct world *world, uint32_t index)
{
    for (uint32_t p = 0; p < PROGRAMS; p++) {
        const struct sv_member *here = member_at(world, index, &world->programs[p]);
        const struct sv_member *there = member_at(world, 0, &world->programs[p]);
        if (!here || !there)
            continue;
        if (here->is_forced != there->is_forced)
            world_say(world, "  %s is forced by %d at %u, by %d at 0", here->name,
                      here->is_forced ? (int)here->forced_by : -2, index,
                      there->is_forced ? (int)there->forced_by : -2);
        judge_demand(world,
                     here->is_forced == there->is_forced &&
                         (!here->is_forced || here->forced_state == there->forced_state),
                     "healed: everybody shows the same forced states", index);
    }
}

void judge_healed(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sv_cluster *cluster = world->nodes[i].cluster;
        if (cluster)
            world_say(world, "  %u: in state %d, Master %d, jobs %d, conflict %d", i,
                      (int)sv_machine_state(cluster), (int)sv_machine_master(cluster),
                      (int)sv_modes_have_jobs(cluster), (int)sv_model_has_conflict(cluster));
    }
    judge_demand(world, judge_is_settled(world),
                 "healed: all are in OPERATION with one Master within the bound", 0);
    for (uint32_t i = 0; i < world->node_count; i++) {
        judge_knowledge(world, i);
        judge_forced(world, i);
    }
    for (uint32_t p = 0; p < PROGRAMS; p++)
        if (world->programs[p].is_managed)
            judge_demand(world, living_copies(world, p) <= 1, "healed: nothing runs twice", p);
}

/* A restart of an application stops it first, on purpose; if its Master dies in between, nobody is
 * left who knows that it was to be started again. */
void judge_restarted(const struct world *world, const char *when)
{
    for (uint32_t p = 0; p < PROGRAMS; p++)
        if (strcmp(world->programs[p].application, "alpha") == 0)
            judge_demand(world, living_copies(world, p) == 1, when, p);
}

void judge_wanted(const struct world *world, const char *when)
{
    for (uint32_t p = 0; p < PROGRAMS; p++)
        if (world->programs[p].is_managed && world->programs[p].is_automatic)
            judge_demand(world, living_copies(world, p) == 1, when, p);
}
