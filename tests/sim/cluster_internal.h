/* Shared by the parts of the simulated cluster. */
#ifndef SV_TESTS_SIM_CLUSTER_INTERNAL_H
#define SV_TESTS_SIM_CLUSTER_INTERNAL_H

#include "cluster_world.h"

/* cluster_world.c */
uint64_t world_draw(struct world *world, uint64_t bound); /* [0, bound) */
bool world_chance(struct world *world, unsigned percent);
void world_say(const struct world *world, const char *format, ...) SV_PRINTF(2, 3);

void live_until(struct world *world, uint64_t until_ns, bool stops_when_settled);

/* cluster_network.c */
void world_push(struct world *world, const struct item *item);
bool world_pop(struct world *world, struct item *ret);
void world_send(struct world *world, uint32_t from, const struct sv_cluster_action *action,
                struct packet **shared);
void packet_unref(struct packet *packet);
void network_connect(struct world *world, uint32_t from, uint32_t to, uint64_t delay_ns);
void network_try(struct world *world, uint32_t from, uint32_t to);
void network_break(struct world *world, uint32_t node);
static inline size_t link_of(const struct world *world, uint32_t from, uint32_t to)
{
    return (size_t)from * world->node_count + to;
}

/* cluster_node.c */
uint64_t node_clock(const struct world *world, uint32_t index);
uint64_t node_world_ns(const struct world *world, uint32_t index, uint64_t clock_ns);
void node_timer(struct world *world, uint32_t index, uint64_t version);
void node_feed(struct world *world, uint32_t index, struct sv_cluster_event event);
void node_birth(struct world *world, uint32_t index);
void node_crash(struct world *world, uint32_t index, bool with_programs);
void node_actor(struct world *world, uint32_t index, uint32_t program, uint64_t version);
void node_told(struct world *world, uint32_t index, uint32_t program);
void node_keeper(struct world *world, uint32_t index, uint64_t version);
void node_kill(struct world *world, uint32_t index, uint32_t program, const char *why);
uint32_t find_program(const struct world *world, const char *application, const char *name);
void node_leave(struct world *world, uint32_t index, bool keeps_programs);
void node_request(struct world *world, uint32_t index, struct sv_cluster_request request);

/* cluster_variety.c */
void variety_begin(struct world *world);
void variety_trouble(struct world *world);
void variety_heal(struct world *world);
/* As a user does it where the rules leave it to him. */
void variety_conciliate(struct world *world);

/* cluster_discovery.c */
void discovery_draw(struct world *world);
void discovery_configure(struct world *world, uint32_t index);
void discovery_beacon(struct world *world, uint32_t index, bool is_question);
void discovery_hear(struct world *world, const struct item *item);
void discovery_found(struct world *world, uint32_t index, uint32_t other);
/* The daemon of node `index` knows that node at this place; SV_INSTANCE_NONE: not at all. */
sv_instance_place place_of(const struct world *world, uint32_t index, uint32_t node);
uint32_t node_of(const struct world *world, uint32_t index, sv_instance_place place);
bool node_sees(const struct world *world, uint32_t index, uint32_t node); /* RUNNING */
uint32_t node_master(const struct world *world, uint32_t index); /* SV_INSTANCE_NONE: none */

/* cluster_turns.c */
void turn_command(struct world *world, uint32_t node, const struct sv_cluster_action *action);
void turn_request(struct world *world, const struct sv_cluster_request *request);
void turn_stop(struct world *world, uint32_t program);
/* A start is carried out: was it its turn? */
void turn_start(struct world *world, uint32_t node, uint32_t program);

/* cluster_judge.c */
void judge_demand(const struct world *world, bool is_kept, const char *promise, uint32_t node);
void judge_spawn(const struct world *world, uint32_t node, uint32_t program);
void judge_action(struct world *world, uint32_t node, const struct sv_cluster_action *action);
void judge_step(struct world *world, uint32_t node);
bool judge_is_settled(const struct world *world);
void judge_healed(struct world *world);
void judge_restarted(const struct world *world, const char *when);
void judge_wanted(const struct world *world, const char *when);

#endif
