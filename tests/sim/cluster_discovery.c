/*
 * Lives in which no supvisors_list names anybody: each daemon knows itself alone, and finds the
 * others by their beacons, or by the HELLO of one that has heard its own. A beacon comes late, is
 * lost, and does not go where the link is cut; so beacons go on.
 *
 * The places of instances are those in which they were found, and differ from node to node. The
 * rest of the world counts nodes, and asks here which is which.
 *
 * One seed in ten is about that, with TIMEOUT: LIST would have each begin alone, since it knows
 * nobody else, and quorum counts those of supvisors_list.
 */
#include <stdlib.h>

#include "cluster_internal.h"
#include "core/cluster/members.h"

enum { DISCOVERING_ONE_IN = 10, DISCOVERING_REMAINDER = 7, BEACON_PERIOD_SECONDS = 2 };
enum { IDENTIFIER_PREFIX_LENGTH = 5 }; /* of "host-07:60000" */

void discovery_draw(struct world *world)
{
    world->is_discovering = !world->options.is_calm &&
                            world->options.seed % DISCOVERING_ONE_IN == DISCOVERING_REMAINDER;
    if (world->is_discovering)
        world->has_quorum = false;
}

void discovery_configure(struct world *world, uint32_t index)
{
    struct node *node = &world->nodes[index];
    node->config = world->config;
    if (!world->is_discovering)
        return;
    node->config.instances = &world->instances[index];
    node->config.instance_count = 1;
    node->config.has_list = false;
    node->config.multicast_address = "239.0.0.1";
    node->config.synchro_options = 1u << SV_SYNCHRO_OPTION_TIMEOUT;
}

uint32_t node_of(const struct world *world, uint32_t index, sv_instance_place place)
{
    if (!world->is_discovering || place == SV_INSTANCE_NONE)
        return place;
    const char *identifier = sv_instance_identifier(world->nodes[index].cluster, place);
    return (uint32_t)strtoul(identifier + IDENTIFIER_PREFIX_LENGTH, NULL, 10);
}

sv_instance_place place_of(const struct world *world, uint32_t index, uint32_t node)
{
    if (!world->is_discovering)
        return node;
    return sv_instance_find(world->nodes[index].cluster, world->instances[node].identifier);
}

bool node_sees(const struct world *world, uint32_t index, uint32_t node)
{
    sv_instance_place place = place_of(world, index, node);
    return place != SV_INSTANCE_NONE && sv_instance_is_running(world->nodes[index].cluster, place);
}

uint32_t node_master(const struct world *world, uint32_t index)
{
    return node_of(world, index, sv_machine_master(world->nodes[index].cluster));
}

/* To all, and again after a while. Who has just come asks for answers. */
void discovery_beacon(struct world *world, uint32_t index, bool is_question)
{
    if (!world->is_discovering)
        return;
    for (uint32_t i = 0; i < world->node_count; i++) {
        uint64_t delay_ns = i == index ? BEACON_PERIOD_SECONDS * SECOND_NS
                                       : world_draw(world, 2 * world->latency_ns);
        world_push(world, &(struct item){.due_ns = world->now_ns + delay_ns,
                                         .kind = ITEM_BEACON,
                                         .node = i,
                                         .other = index,
                                         .program = is_question && i != index,
                                         .version = world->nodes[index].incarnation});
    }
}

void discovery_found(struct world *world, uint32_t index, uint32_t other)
{
    node_feed(world, index,
              (struct sv_cluster_event){.kind = SV_CLUSTER_DISCOVERED,
                                        .found.config = world->instances[other]});
}

void discovery_hear(struct world *world, const struct item *item)
{
    const struct node *from = &world->nodes[item->other];
    bool is_there = from->cluster && from->incarnation == item->version &&
                    from->paused_until_ns <= world->now_ns;
    if (item->node == item->other) {
        if (from->cluster && from->incarnation == item->version)
            discovery_beacon(world, item->node, !is_there);
        return;
    }
    bool is_lost = world->is_cut[link_of(world, item->other, item->node)] ||
                   (world->is_rough && !world->is_healed && world_chance(world, 20));
    if (is_lost || !world->nodes[item->node].cluster)
        return;
    discovery_found(world, item->node, item->other);
    if (item->program)
        world_push(world, &(struct item){.due_ns = world->now_ns + world->latency_ns,
                                         .kind = ITEM_BEACON,
                                         .node = item->other,
                                         .other = item->node,
                                         .version = world->nodes[item->node].incarnation});
}
