/*
 * One life of a cluster from one seed: it comes up, gets into trouble, is healed, and must then do
 * what it is for. Each turn takes the next item of what is to happen; every daemon that is
 * concerned takes one step of the real core/cluster; the judge looks at each.
 *
 * A seed draws what its life is about: quorum or not, a rough network or one like TCP, partitions
 * and pauses or only crashes, requests or none, programs that fail or not. So what must hold is as
 * strict as the life allows.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_internal.h"
#include "config/memory_host_test.h"

enum { HEALED_SECONDS = 25, WANTED_SECONDS = 20, FAULT_PERIOD_MS = 700 };

static const char rules_text[] =
    "<root>"
    "<application name=\"alpha\"><start_sequence>1</start_sequence><programs>"
    "<program name=\"a1\"><identifiers>*</identifiers><start_sequence>1</start_sequence>"
    "<required>true</required><expected_loading>10</expected_loading>"
    "<running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>"
    "<program name=\"a2\"><identifiers>*</identifiers><start_sequence>2</start_sequence>"
    "<expected_loading>20</expected_loading>"
    "<running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>"
    "<program name=\"a3\"><identifiers>*</identifiers><start_sequence>2</start_sequence>"
    "<running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>"
    "</programs></application>"
    "<application name=\"beta\"><start_sequence>2</start_sequence>"
    "<starting_strategy>LESS_LOADED</starting_strategy><programs>"
    "<program name=\"b1\"><identifiers>*</identifiers><start_sequence>1</start_sequence>"
    "<required>true</required>"
    "<running_failure_strategy>RESTART_APPLICATION</running_failure_strategy></program>"
    "<program name=\"b2\"><identifiers>*</identifiers><start_sequence>3</start_sequence>"
    "<running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>"
    "</programs></application>"
    "<application name=\"gamma\"><programs>"
    "<program name=\"c1\"><identifiers>*</identifiers><start_sequence>1</start_sequence>"
    "<running_failure_strategy>STOP_APPLICATION</running_failure_strategy></program>"
    "</programs></application>"
    "</root>";

static const struct program programs[PROGRAMS] = {
    {"alpha", "a1", true, true, 1, 1, 1},   {"alpha", "a2", true, true, 1, 2, 0},
    {"alpha", "a3", true, true, 1, 2, 2},   {"beta", "b1", true, true, 2, 1, 1},
    {"beta", "b2", true, true, 2, 3, 0},    {"gamma", "c1", true, false, 0, 1, 1},
    {"loose", "l1", false, false, 0, 0, 1},
};

/* splitmix64 (public domain, Sebastiano Vigna). */
uint64_t world_draw(struct world *world, uint64_t bound)
{
    uint64_t value = world->random += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    value ^= value >> 31;
    return bound ? value % bound : 0;
}

bool world_chance(struct world *world, unsigned percent)
{
    return world_draw(world, 100) < percent;
}

void world_say(const struct world *world, const char *format, ...)
{
    if (!world->options.is_traced)
        return;
    va_list arguments;
    printf("%.6f ", (double)world->now_ns / (double)SECOND_NS);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

/* --- what goes wrong --- */

static uint32_t any_node(struct world *world)
{
    return (uint32_t)world_draw(world, world->node_count);
}

static void fault_crash(struct world *world)
{
    node_crash(world, any_node(world), world_chance(world, 30));
}

static void fault_kill(struct world *world)
{
    if (world->has_failures)
        node_kill(world, any_node(world), (uint32_t)world_draw(world, PROGRAMS), "it crashes");
}

static void fault_pause(struct world *world)
{
    struct node *node = &world->nodes[any_node(world)];
    if (world->has_partitions)
        node->paused_until_ns = world->now_ns + world_draw(world, 6 * SECOND_NS);
}

static void fault_cut(struct world *world)
{
    uint32_t from = any_node(world);
    uint32_t to = any_node(world);
    if (!world->has_partitions || from == to)
        return;
    world_say(world, "cut %u -> %u", from, to);
    world->is_cut[link_of(world, from, to)] = true;
    if (world_chance(world, 60))
        world->is_cut[link_of(world, to, from)] = true;
}

static void fault_partition(struct world *world)
{
    if (!world->has_partitions)
        return;
    uint64_t sides =
        world_draw(world, UINT64_C(1) << (world->node_count < 60 ? world->node_count : 60));
    world_say(world, "partition %" PRIx64, sides);
    for (uint32_t i = 0; i < world->node_count; i++)
        for (uint32_t k = 0; k < world->node_count; k++)
            world->is_cut[link_of(world, i, k)] =
                (sides >> (i % 60) & 1) != (sides >> (k % 60) & 1);
}

static void mend(struct world *world)
{
    if (world->has_partitions)
        world_say(world, "the network is whole");
    memset(world->is_cut, 0, (size_t)world->node_count * world->node_count);
}

static void ask(struct world *world)
{
    static const char *const names[] = {"alpha",    "beta",    "gamma",    "alpha:a1",
                                        "alpha:a3", "beta:b1", "gamma:c1", "loose:l1"};
    static const enum sv_cluster_request_kind kinds[] = {
        SV_REQUEST_START_APPLICATION,      SV_REQUEST_STOP_APPLICATION,
        SV_REQUEST_RESTART_APPLICATION,    SV_REQUEST_START_PROCESS,
        SV_REQUEST_STOP_PROCESS,           SV_REQUEST_RESTART_PROCESS,
        SV_REQUEST_TEST_START_APPLICATION, SV_REQUEST_TEST_START_PROCESS,
        SV_REQUEST_PREDICT_APPLICATION,    SV_REQUEST_PREDICT_PROCESS,
        SV_REQUEST_RESTART_SEQUENCE,       SV_REQUEST_CONCILIATE,
        SV_REQUEST_START_ANY_PROCESS};
    if (!world->has_requests)
        return;
    uint32_t index = any_node(world);
    if (world->nodes[index].paused_until_ns > world->now_ns)
        return;
    node_request(world, index,
                 (struct sv_cluster_request){
                     .kind = kinds[world_draw(world, sizeof(kinds) / sizeof(*kinds))],
                     .name = names[world_draw(world, sizeof(names) / sizeof(*names))],
                     .starting = (enum sv_starting_strategy)world_draw(world, 6),
                     .conciliation = (enum sv_conciliation_strategy)world_draw(world, 6),
                     .does_wait = world_chance(world, 50),
                 });
}

static void make_trouble(struct world *world)
{
    static void (*const faults[])(struct world * world) = {
        fault_crash, fault_kill, fault_pause, fault_cut, fault_partition, mend, mend,
        ask,         ask,        fault_kill,  ask,       fault_cut};
    if (world->is_healed || world->options.is_calm)
        return;
    if (world->is_varied)
        variety_trouble(world);
    faults[world_draw(world, sizeof(faults) / sizeof(*faults))](world);
    world_push(world, &(struct item){.due_ns = world->now_ns +
                                               world_draw(world, 2 * FAULT_PERIOD_MS * MS_NS),
                                     .kind = ITEM_FAULT});
}

/* --- one item after another --- */

static bool is_for_daemon(enum item_kind kind)
{
    return kind == ITEM_PACKET || kind == ITEM_TIMER || kind == ITEM_TOLD || kind == ITEM_CONNECT ||
           kind == ITEM_LOST || kind == ITEM_BEACON;
}

static void deliver(struct world *world, const struct item *item)
{
    struct node *node = &world->nodes[item->node];
    bool is_void = !node->cluster || node->incarnation != item->version ||
                   world->is_cut[link_of(world, item->other, item->node)];
    sv_instance_place from = is_void ? SV_INSTANCE_NONE : place_of(world, item->node, item->other);
    if (from != SV_INSTANCE_NONE)
        node_feed(world, item->node,
                  (struct sv_cluster_event){.kind = SV_CLUSTER_MESSAGE,
                                            .instance = from,
                                            .message = &item->packet->message});
    else if (!is_void && item->packet->message.kind == SV_MESH_HELLO)
        discovery_found(world, item->node, item->other);
    packet_unref(item->packet);
}

static void handle(struct world *world, const struct item *item)
{
    struct node *node = &world->nodes[item->node];
    if (is_for_daemon(item->kind) && node->paused_until_ns > world->now_ns) {
        struct item later = *item;
        later.due_ns = node->paused_until_ns;
        world_push(world, &later);
        return;
    }
    bool is_same_daemon = node->cluster && node->incarnation == item->version;
    switch (item->kind) {
    case ITEM_PACKET:
        deliver(world, item);
        return;
    case ITEM_TIMER:
        node_timer(world, item->node, item->version);
        return;
    case ITEM_ACTOR:
        node_actor(world, item->node, item->program, item->version);
        return;
    case ITEM_TOLD:
        if (node->actors[item->program].run == item->version)
            node_told(world, item->node, item->program);
        return;
    case ITEM_CONNECT:
        if (is_same_daemon)
            network_try(world, item->node, item->other);
        return;
    case ITEM_LOST:
        if (is_same_daemon && !world->is_connected[link_of(world, item->node, item->other)])
            node_feed(
                world, item->node,
                (struct sv_cluster_event){.kind = SV_CLUSTER_LOST,
                                          .instance = place_of(world, item->node, item->other)});
        return;
    case ITEM_KEEPER:
        node_keeper(world, item->node, item->version);
        return;
    case ITEM_BIRTH:
        node_birth(world, item->node);
        return;
    case ITEM_BEACON:
        discovery_hear(world, item);
        return;
    case ITEM_FAULT:
        make_trouble(world);
        return;
    }
}

/* Looking at everybody takes longer than a step: for figures, every millisecond will do. */
static bool is_time_to_look(struct world *world)
{
    if (!world->options.is_calm)
        return true;
    if (world->now_ns - world->looked_ns < MS_NS)
        return false;
    world->looked_ns = world->now_ns;
    return true;
}

void live_until(struct world *world, uint64_t until_ns, bool stops_when_settled)
{
    struct item item;
    while (world_pop(world, &item)) {
        if (item.due_ns > until_ns) {
            world_push(world, &item);
            break;
        }
        if (item.due_ns > world->now_ns)
            world->now_ns = item.due_ns;
        handle(world, &item);
        if (stops_when_settled && is_time_to_look(world) && judge_is_settled(world))
            return;
    }
    if (world->now_ns < until_ns)
        world->now_ns = until_ns;
}

static void heal(struct world *world)
{
    world_say(world, "healed");
    world->is_healed = true;
    world->heal_ns = world->now_ns;
    mend(world);
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].paused_until_ns > world->now_ns)
            world->nodes[i].paused_until_ns = world->now_ns;
        node_birth(world, i);
    }
    if (world->is_varied)
        variety_heal(world);
}

/* What is asked of a Master that is at work must be done. */
static void ask_for_everything(struct world *world)
{
    static const char *const names[] = {"alpha", "beta"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        uint32_t master = node_master(world, 0);
        node_request(world, master,
                     (struct sv_cluster_request){.kind = SV_REQUEST_RESTART_APPLICATION,
                                                 .name = names[i],
                                                 .starting = SV_STARTING_STRATEGY_LESS_LOADED});
    }
    live_until(world, world->now_ns + WANTED_SECONDS * SECOND_NS, false);
    judge_healed(world);
    judge_wanted(world, "what is asked for runs, once");
}

/* --- the beginning --- */

static void draw_configuration(struct world *world)
{
    uint32_t count = world->node_count;
    world->instances = sv_arena_array(&world->arena, struct sv_instance_config, count);
    if (!world->instances)
        abort();
    for (uint32_t i = 0; i < count; i++)
        world->instances[i] = (struct sv_instance_config){
            .identifier = sv_arena_printf(&world->arena, "host-%02u:60000", i),
            .nick = sv_arena_printf(&world->arena, "supv-%02u", count - i),
            .host = sv_arena_printf(&world->arena, "host-%02u", i),
            .http_port = 60000,
            .event_port = 60001};
    world->config = (struct sv_supvisors_config){
        .name = "supvisors",
        .instances = world->instances,
        .instance_count = count,
        .has_list = true,
        .synchro_options = 1u << SV_SYNCHRO_OPTION_STRICT | 1u << SV_SYNCHRO_OPTION_TIMEOUT,
        .synchro_timeout = 15,
        .starting_strategy = (enum sv_starting_strategy)world_draw(world, 3),
        .conciliation_strategy = (enum sv_conciliation_strategy)world_draw(world, 2),
    };
    world->timing = (struct sv_cluster_config){.heartbeat_period = 0.2,
                                               .suspect_after = 1,
                                               .daemon_grace = 1,
                                               .quorum = world->has_quorum,
                                               .quorum_stop_after = 3};
}

static void load_rules(struct world *world)
{
    static struct memory_machine machine = {{{"/rules.xml", rules_text, 0}}};
    const struct sv_config_host host = {.user = &machine,
                                        .read_file = memory_read_file,
                                        .glob = memory_glob,
                                        .is_directory = memory_is_directory};
    static const char *const files[] = {"/rules.xml"};
    struct sv_name_list list = {.items = files, .count = 1};
    struct sv_diag diag = {0};
    if (sv_rules_load(&list, &host, &diag, &world->rules) != 0)
        abort();
    sv_diag_done(&diag);
}

static void draw_world(struct world *world)
{
    bool is_calm = world->options.is_calm;
    world->has_quorum = !is_calm && world_chance(world, 50);
    world->is_rough = !is_calm && world_chance(world, 40);
    world->has_partitions = !is_calm && world_chance(world, 60);
    world->has_requests = !is_calm && world_chance(world, 60);
    world->has_failures = !is_calm && world_chance(world, 50);
    discovery_draw(world);
    uint32_t drawn = 2 + (uint32_t)world_draw(world, NODES_USUAL_MAX - 2);
    if (world_chance(world, 3))
        drawn = 30;
    world->node_count = world->options.node_count ? world->options.node_count : drawn;
    world->latency_ns = MS_NS / 10 + world_draw(world, 20 * MS_NS);
    size_t links = (size_t)world->node_count * world->node_count;
    world->nodes = calloc(world->node_count, sizeof(*world->nodes));
    world->is_cut = calloc(links, sizeof(*world->is_cut));
    world->is_connected = calloc(links, sizeof(*world->is_connected));
    world->last_due_ns = calloc(links, sizeof(*world->last_due_ns));
    if (!world->nodes || !world->is_cut || !world->is_connected || !world->last_due_ns)
        abort();
    memcpy(world->programs, programs, sizeof(programs));
    for (uint32_t i = 0; is_calm && i < PROGRAMS; i++)
        world->programs[i].startsecs = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct node *node = &world->nodes[i];
        node->clock_base_ns = world_draw(world, 1000000 * SECOND_NS);
        node->clock_permille = is_calm ? 1000 : 900 + world_draw(world, 201);
        for (uint32_t p = 0; p < PROGRAMS; p++)
            node->actors[p].is_configured = world_chance(world, 90) || i < 2;
    }
}

static void destroy(struct world *world)
{
    struct item item;
    while (world_pop(world, &item))
        packet_unref(item.packet);
    for (uint32_t i = 0; i < world->node_count; i++)
        sv_cluster_free(world->nodes[i].cluster);
    sv_rules_unref(world->rules);
    sv_cluster_actions_done(&world->actions);
    sv_arena_done(&world->arena);
    sv_str_done(&world->bytes);
    free(world->items);
    free(world->nodes);
    free(world->is_cut);
    free(world->is_connected);
    free(world->last_due_ns);
    free(world);
}

static struct world *create(const struct world_options *options)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        abort();
    world->options = *options;
    world->random = options->seed;
    world->now_ns = SECOND_NS;
    draw_world(world);
    draw_configuration(world);
    load_rules(world);
    variety_begin(world);
    for (uint32_t i = 0; i < world->node_count; i++)
        world_push(world, &(struct item){.due_ns = world->now_ns + world_draw(world, SECOND_NS),
                                         .kind = ITEM_BIRTH,
                                         .node = i});
    return world;
}

static struct traffic traffic_since(const struct world *world, const struct traffic *before)
{
    return (struct traffic){world->message_count - before->messages,
                            world->byte_count - before->bytes};
}

struct world_figures cluster_world_cost(uint64_t seed, uint32_t node_count)
{
    struct world *world =
        create(&(struct world_options){.seed = seed, .node_count = node_count, .is_calm = true});
    static const struct traffic none;
    uint64_t last_birth_ns = world->now_ns + SECOND_NS;
    live_until(world, last_birth_ns, false);
    live_until(world, last_birth_ns + 60 * SECOND_NS, true);
    struct world_figures figures = {.node_count = node_count,
                                    .operation_ns = world->now_ns - last_birth_ns,
                                    .bring_up = traffic_since(world, &none)};
    live_until(world, world->now_ns + 2 * SECOND_NS, false);
    struct traffic before = traffic_since(world, &none);
    live_until(world, world->now_ns + SECOND_NS, false);
    figures.idle = traffic_since(world, &before);
    before = traffic_since(world, &none);
    node_request(
        world, 0,
        (struct sv_cluster_request){.kind = SV_REQUEST_RESTART_PROCESS, .name = "beta:b2"});
    live_until(world, world->now_ns + SECOND_NS, false);
    figures.change = traffic_since(world, &before);
    figures.change.messages -= figures.idle.messages;
    figures.change.bytes -= figures.idle.bytes;
    destroy(world);
    return figures;
}

struct world_figures cluster_world_run(const struct world_options *options)
{
    struct world *world = create(options);
    uint64_t last_birth_ns = world->now_ns + SECOND_NS;
    live_until(world, last_birth_ns, false);
    live_until(world,
               last_birth_ns + (world->is_varied || world->is_discovering ? 40 : 20) * SECOND_NS,
               true);
    struct world_figures figures = {.operation_ns = world->now_ns - last_birth_ns,
                                    .node_count = world->node_count};
    judge_demand(world, world->is_rough || judge_is_settled(world),
                 "undisturbed, all come to OPERATION", 0);
    world_push(world, &(struct item){.due_ns = world->now_ns, .kind = ITEM_FAULT});
    live_until(world, world->now_ns + options->duration_ns, false);
    heal(world);
    live_until(world, world->now_ns + HEALED_SECONDS * SECOND_NS, false);
    if (world->is_varied)
        variety_conciliate(world);
    judge_healed(world);
    /* Without quorum a half of a broken network may stop, out of old knowledge, what the other has.
     */
    bool is_certain = world->has_quorum || (!world->has_partitions && !world->is_rough);
    if (is_certain && !world->has_requests && !world->has_failures && !world->is_varied)
        judge_restarted(world, "what is lost with a node runs elsewhere");
    ask_for_everything(world);
    figures.digest = world->digest;
    figures.step_count = world->step_count;
    figures.message_count = world->message_count;
    destroy(world);
    return figures;
}
