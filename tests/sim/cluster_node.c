/*
 * A node: its daemon (the real core/cluster, with a local core of a few lines), its keeper, and its
 * programs, which live and die by themselves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "cluster_internal.h"

uint64_t node_clock(const struct world *world, uint32_t index)
{
    const struct node *node = &world->nodes[index];
    return node->clock_base_ns + world->now_ns / 1000 * node->clock_permille;
}

uint64_t node_world_ns(const struct world *world, uint32_t index, uint64_t clock_ns)
{
    const struct node *node = &world->nodes[index];
    if (clock_ns <= node->clock_base_ns)
        return 0;
    return ((clock_ns - node->clock_base_ns) / node->clock_permille + 1) * 1000;
}

static struct sv_mesh_process row_of(const struct world *world, uint32_t index, uint32_t program)
{
    const struct program *kind = &world->programs[program];
    const struct actor *actor = &world->nodes[index].actors[program];
    return (struct sv_mesh_process){
        .application = kind->application,
        .name = kind->name,
        .state = actor->state,
        .pid = actor->is_alive ? (int32_t)(1000 + program) : 0,
        .is_expected = actor->is_expected,
        .is_fenced = actor->is_fenced,
        .spawnerr = "",
        .description = "",
        .extra_arguments = "",
        .program_name = kind->name,
        .startsecs = kind->startsecs,
        .stopwaitsecs = 2,
        .start_ns = actor->start_ns,
        .stop_ns = actor->stop_ns,
        .start_wall_ns = (int64_t)actor->start_ns,
        .stop_wall_ns = (int64_t)actor->stop_ns,
        .event_ns = actor->event_ns,
    };
}

static void tell(struct world *world, uint32_t index, uint32_t program, enum sv_process_state state)
{
    struct node *node = &world->nodes[index];
    struct actor *actor = &node->actors[program];
    actor->state = state;
    actor->event_ns = node_clock(world, index);
    world_say(world, "  %u: %s is %s", index, world->programs[program].name,
              sv_process_state_name(state));
    if (node->cluster)
        node_feed(world, index,
                  (struct sv_cluster_event){.kind = SV_CLUSTER_PROCESS,
                                            .process = row_of(world, index, program)});
}

static void plan(struct world *world, uint32_t index, uint32_t program, uint64_t delay_ns)
{
    world_push(world, &(struct item){.due_ns = world->now_ns + delay_ns,
                                     .kind = ITEM_ACTOR,
                                     .node = index,
                                     .program = program,
                                     .version = world->nodes[index].actors[program].run});
}

static void start(struct world *world, uint32_t index, uint32_t program)
{
    struct actor *actor = &world->nodes[index].actors[program];
    if (actor->is_alive || !actor->is_configured || world->nodes[index].is_ending)
        return;
    turn_start(world, index, program);
    actor->is_alive = true;
    actor->is_fenced = false;
    actor->run++;
    actor->start_ns = node_clock(world, index);
    judge_spawn(world, index, program);
    plan(world, index, program, world->programs[program].startsecs * SECOND_NS);
    tell(world, index, program, SV_PROCESS_STARTING);
    if (world->has_failures && !world->is_healed && world_chance(world, 15))
        node_kill(world, index, program, "it fails at once");
}

static void stop(struct world *world, uint32_t index, uint32_t program)
{
    struct actor *actor = &world->nodes[index].actors[program];
    if (!actor->is_alive || actor->state == SV_PROCESS_STOPPING)
        return;
    tell(world, index, program, SV_PROCESS_STOPPING);
    plan(world, index, program, world_draw(world, SECOND_NS / 4));
}

/* startsecs have passed, or a stop has come to its end. */
void node_actor(struct world *world, uint32_t index, uint32_t program, uint64_t version)
{
    struct actor *actor = &world->nodes[index].actors[program];
    if (actor->run != version || !actor->is_alive)
        return;
    if (actor->state == SV_PROCESS_STOPPING) {
        actor->is_alive = false;
        actor->stop_ns = node_clock(world, index);
        world_push(world, &(struct item){.due_ns = world->now_ns,
                                         .kind = ITEM_TOLD,
                                         .node = index,
                                         .program = program,
                                         .version = actor->run});
    } else if (actor->state == SV_PROCESS_STARTING && world->nodes[index].cluster)
        tell(world, index, program, SV_PROCESS_RUNNING);
}

/* It dies, by whatever; its daemon hears of it if there is one. */
void node_kill(struct world *world, uint32_t index, uint32_t program, const char *why)
{
    struct actor *actor = &world->nodes[index].actors[program];
    if (!actor->is_alive)
        return;
    world_say(world, "  %u: %s dies: %s", index, world->programs[program].name, why);
    actor->is_alive = false;
    actor->stop_ns = node_clock(world, index);
    world_push(world, &(struct item){.due_ns = world->now_ns,
                                     .kind = ITEM_TOLD,
                                     .node = index,
                                     .program = program,
                                     .version = actor->run});
}

static bool has_living(const struct node *node)
{
    for (uint32_t i = 0; i < PROGRAMS; i++)
        if (node->actors[i].is_alive)
            return true;
    return false;
}

void node_told(struct world *world, uint32_t index, uint32_t program)
{
    struct actor *actor = &world->nodes[index].actors[program];
    if (actor->is_alive || !world->nodes[index].cluster)
        return;
    actor->is_expected = false;
    if (actor->state == SV_PROCESS_STOPPING) {
        tell(world, index, program, SV_PROCESS_STOPPED);
        struct node *node = &world->nodes[index];
        if (node->is_ending && node->cluster && !has_living(node))
            node_crash(world, index, false);
    } else if (actor->state == SV_PROCESS_RUNNING)
        tell(world, index, program, SV_PROCESS_EXITED);
    else if (actor->state == SV_PROCESS_STARTING) {
        tell(world, index, program, SV_PROCESS_BACKOFF);
        if (world->nodes[index].actors[program].state == SV_PROCESS_BACKOFF)
            tell(world, index, program, SV_PROCESS_FATAL);
    }
}

static void kill_managed(struct world *world, uint32_t index, const char *why)
{
    for (uint32_t i = 0; i < PROGRAMS; i++)
        if (world->programs[i].is_managed && world->nodes[index].actors[i].is_alive) {
            node_kill(world, index, i, why);
            world->nodes[index].actors[i].is_fenced = true;
        }
}

static void keep_promise(struct world *world, uint32_t index, uint64_t clock_ns)
{
    world_push(world, &(struct item){.due_ns = node_world_ns(world, index, clock_ns),
                                     .kind = ITEM_KEEPER,
                                     .node = index,
                                     .version = world->nodes[index].keeper_version});
}

/* Two deadlines: of the daemon's death, and of the right to run. */
void node_keeper(struct world *world, uint32_t index, uint64_t version)
{
    struct node *node = &world->nodes[index];
    bool has_ended = node->promise_ns && node_clock(world, index) >= node->promise_ns;
    if (has_ended && world->options.lie != LIE_KEEPER)
        kill_managed(world, index, "the right to run has ended");
    if (version == node->keeper_version && !node->cluster)
        kill_managed(world, index, "no daemon came back");
}

struct deed {
    bool is_start;
    uint32_t program;
};

uint32_t find_program(const struct world *world, const char *application, const char *name)
{
    for (uint32_t i = 0; i < PROGRAMS; i++)
        if (strcmp(world->programs[i].application, application) == 0 &&
            strcmp(world->programs[i].name, name) == 0)
            return i;
    return PROGRAMS;
}

static void perform(struct world *world, uint32_t index, const struct sv_cluster_action *action,
                    struct packet **shared)
{
    struct node *node = &world->nodes[index];
    if (action->kind == SV_CLUSTER_SEND)
        world_send(world, index, action, shared);
    else if (action->kind == SV_CLUSTER_CONNECT)
        network_connect(world, index, node_of(world, index, action->instance),
                        world_draw(world, world->latency_ns));
    else if (action->kind == SV_CLUSTER_PROMISE) {
        node->promise_ns = action->deadline_ns;
        keep_promise(world, index, action->deadline_ns);
    } else if (action->kind == SV_CLUSTER_KILL_MANAGED)
        kill_managed(world, index, "KILL_MANAGED");
    else if (action->kind == SV_CLUSTER_NOTICE && action->notice.what == SV_CLUSTER_NOTICE_LOG)
        world_say(world, "  %u: %s", index, action->notice.text);
}

/* A timer that is armed and comes earlier is left: it looks again. */
static void arm(struct world *world, uint32_t index)
{
    struct node *node = &world->nodes[index];
    uint64_t deadline_ns = sv_cluster_deadline_ns(node->cluster);
    if (deadline_ns == SV_NEVER)
        return;
    uint64_t due_ns = node_world_ns(world, index, deadline_ns);
    if (due_ns < world->now_ns)
        due_ns = world->now_ns;
    if (node->armed_ns && node->armed_ns <= due_ns)
        return;
    node->armed_ns = due_ns;
    world_push(world, &(struct item){.due_ns = due_ns,
                                     .kind = ITEM_TIMER,
                                     .node = index,
                                     .version = ++node->timer_version});
}

void node_timer(struct world *world, uint32_t index, uint64_t version)
{
    struct node *node = &world->nodes[index];
    if (!node->cluster || node->timer_version != version)
        return;
    node->armed_ns = 0;
    uint64_t deadline_ns = sv_cluster_deadline_ns(node->cluster);
    if (deadline_ns <= node_clock(world, index))
        node_feed(world, index, (struct sv_cluster_event){.kind = SV_CLUSTER_TIME});
    else
        arm(world, index);
}

void node_feed(struct world *world, uint32_t index, struct sv_cluster_event event)
{
    enum { DEEDS_MAX = 64 };
    struct node *node = &world->nodes[index];
    struct deed deeds[DEEDS_MAX];
    size_t count = 0;
    struct packet *shared = NULL;
    bool is_ended = false;
    event.now_ns = node_clock(world, index);
    event.wall_ns = (int64_t)event.now_ns;
    sv_cluster_step(node->cluster, &event, &world->actions);
    world->step_count++;
    for (size_t i = 0; i < world->actions.count; i++) {
        const struct sv_cluster_action *action = &world->actions.items[i];
        judge_action(world, index, action);
        turn_command(world, index, action);
        bool is_start = action->kind == SV_CLUSTER_START;
        is_ended |= action->kind == SV_CLUSTER_END_DAEMON;
        if ((is_start || action->kind == SV_CLUSTER_STOP) && count < DEEDS_MAX)
            deeds[count++] = (struct deed){
                is_start, find_program(world, action->process.application, action->process.name)};
        else
            perform(world, index, action, &shared);
    }
    packet_unref(shared);
    sv_cluster_actions_clear(&world->actions);
    arm(world, index);
    judge_step(world, index);
    for (size_t i = 0; i < count; i++) {
        if (!deeds[i].is_start && node->actors[deeds[i].program].is_alive)
            turn_stop(world, deeds[i].program);
        (deeds[i].is_start ? start : stop)(world, index, deeds[i].program);
        bool is_first = deeds[i].is_start && deeds[i].program == 0;
        if (is_first && world->options.lie == LIE_TURN)
            start(world, index, 1);
    }
    if (is_ended && node->cluster)
        node_crash(world, index, false);
}

void node_birth(struct world *world, uint32_t index)
{
    struct node *node = &world->nodes[index];
    if (node->cluster)
        return;
    node->incarnation += 1 + world_draw(world, 1000);
    node->keeper_version++;
    node->paused_until_ns = 0;
    node->is_ending = false;
    char machine_id[32];
    snprintf(machine_id, sizeof(machine_id), "machine-%u", index);
    discovery_configure(world, index);
    node->cluster = sv_cluster_new(&(struct sv_cluster_options){
        .supvisors = &node->config,
        .timing = &world->timing,
        .local = world->is_discovering ? 0 : index,
        .machine_id = sv_arena_strdup(&world->arena, machine_id),
        .version = "simulated",
        .incarnation = node->incarnation,
        .seed = world->options.seed + index,
        .rules = world->rules,
    });
    if (!node->cluster)
        abort();
    world_say(world, "  %u: a daemon begins, incarnation %llu", index,
              (unsigned long long)node->incarnation);
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        struct actor *actor = &node->actors[i];
        if (!actor->is_configured)
            continue;
        bool was_running = actor->state != SV_PROCESS_STOPPED && actor->state != SV_PROCESS_FATAL;
        tell(world, index, i,
             actor->is_alive ? SV_PROCESS_RUNNING
             : was_running   ? SV_PROCESS_EXITED
                             : actor->state);
    }
    node_feed(world, index, (struct sv_cluster_event){.kind = SV_CLUSTER_BEGIN});
    discovery_beacon(world, index, true);
}

void node_crash(struct world *world, uint32_t index, bool with_programs)
{
    struct node *node = &world->nodes[index];
    if (!node->cluster)
        return;
    world_say(world, "  %u: the daemon dies%s", index, with_programs ? " with its programs" : "");
    sv_cluster_free(node->cluster);
    node->cluster = NULL;
    node->timer_version++;
    node->armed_ns = 0;
    node->working_since_ns = 0;
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        if (world->asked[i].node == index)
            world->asked[i].is_open = false;
    if (with_programs)
        for (uint32_t i = 0; i < PROGRAMS; i++)
            node_kill(world, index, i, "its machine dies");
    node->keeper_version++;
    keep_promise(world, index,
                 node_clock(world, index) +
                     (uint64_t)(world->timing.daemon_grace * (double)SECOND_NS));
    network_break(world, index);
    uint64_t delay_ns =
        world_chance(world, 50) ? world_draw(world, SECOND_NS) : world_draw(world, 10 * SECOND_NS);
    world_push(world, &(struct item){
                          .due_ns = world->now_ns + delay_ns, .kind = ITEM_BIRTH, .node = index});
}

/* Orderly: with on_stop=keep its programs live on, else it stops them and goes after the last. */
void node_leave(struct world *world, uint32_t index, bool keeps_programs)
{
    struct node *node = &world->nodes[index];
    if (!node->cluster || node->is_ending || node->paused_until_ns > world->now_ns)
        return;
    world_say(world, "  %u: the daemon leaves%s", index,
              keeps_programs ? ", keeping programs" : "");
    node->is_ending = true;
    node_feed(world, index,
              (struct sv_cluster_event){.kind = SV_CLUSTER_LOCAL_ENDING,
                                        .keeps_programs = keeps_programs});
    for (uint32_t i = 0; i < PROGRAMS && !keeps_programs && node->cluster; i++)
        stop(world, index, i);
    if (node->cluster && (keeps_programs || !has_living(node)))
        node_crash(world, index, false);
}

void node_request(struct world *world, uint32_t index, struct sv_cluster_request request)
{
    request.id = ++world->last_request;
    struct asked *asked = &world->asked[request.id % REQUESTS_MAX];
    if (asked->is_open || !world->nodes[index].cluster)
        return;
    *asked = (struct asked){.is_open = true,
                            .id = request.id,
                            .node = index,
                            .since_ns = world->now_ns,
                            .kind = request.kind};
    world_say(world, "  %u: request %d of %s", index, (int)request.kind, request.name);
    turn_request(world, &request);
    node_feed(world, index,
              (struct sv_cluster_event){.kind = SV_CLUSTER_REQUEST, .request = request});
}
