/*
 * Lives under other options than the usual: synchro_options, auto_fence, every
 * conciliation_strategy and supvisors_failure_strategy; daemons that leave in order, with and
 * without their programs; and requests to restart or shut down the cluster, or to end its
 * synchronization.
 *
 * One seed in five is about that. It draws from a random state of its own.
 */
#include <stdlib.h>

#include "cluster_internal.h"

enum { VARIED_ONE_IN = 5, VARIED_REMAINDER = 3, CORE_COUNT = 2 };

/* What is fenced stays so until its daemon is started again; CORE and TIMEOUT wait for 15 s. */
enum { FENCED_SECONDS = 30, CONCILIATED_SECONDS = 15 };

static uint64_t vary(struct world *world, uint64_t bound)
{
    uint64_t random = world->random;
    world->random = world->variety;
    uint64_t value = world_draw(world, bound);
    world->variety = world->random;
    world->random = random;
    return value;
}

static void draw_synchro(struct world *world)
{
    static const uint32_t options[] = {
        1u << SV_SYNCHRO_OPTION_STRICT,
        1u << SV_SYNCHRO_OPTION_LIST,
        1u << SV_SYNCHRO_OPTION_TIMEOUT,
        1u << SV_SYNCHRO_OPTION_CORE,
        1u << SV_SYNCHRO_OPTION_USER | 1u << SV_SYNCHRO_OPTION_TIMEOUT,
        1u << SV_SYNCHRO_OPTION_CORE | 1u << SV_SYNCHRO_OPTION_LIST,
    };
    struct sv_supvisors_config *config = &world->config;
    config->synchro_options = options[vary(world, sizeof(options) / sizeof(*options))];
    const char **core = sv_arena_array(&world->arena, const char *, CORE_COUNT);
    if (!core)
        abort();
    for (uint32_t i = 0; i < CORE_COUNT; i++)
        core[i] = world->instances[i].nick;
    config->core_identifiers = (struct sv_name_list){.items = core, .count = CORE_COUNT};
}

void variety_begin(struct world *world)
{
    uint64_t seed = world->options.seed;
    world->is_varied = !world->options.is_calm && seed % VARIED_ONE_IN == VARIED_REMAINDER;
    if (!world->is_varied)
        return;
    world->variety = ~seed;
    struct sv_supvisors_config *config = &world->config;
    draw_synchro(world);
    config->auto_fence = vary(world, 100) < 30;
    config->conciliation_strategy = (enum sv_conciliation_strategy)vary(world, 6);
    config->supvisors_failure_strategy = vary(world, 100) < 50
                                             ? SV_SUPVISORS_FAILURE_STRATEGY_CONTINUE
                                             : (enum sv_supvisors_failure_strategy)vary(world, 3);
    world_say(world, "options: synchro %x, auto_fence %d, conciliation %d, failure %d",
              config->synchro_options, config->auto_fence, (int)config->conciliation_strategy,
              (int)config->supvisors_failure_strategy);
}

static void ask_for(struct world *world, enum sv_cluster_request_kind kind)
{
    uint32_t index = (uint32_t)vary(world, world->node_count);
    if (world->nodes[index].paused_until_ns <= world->now_ns)
        node_request(world, index, (struct sv_cluster_request){.kind = kind, .name = ""});
}

void variety_trouble(struct world *world)
{
    uint64_t kind = vary(world, 100);
    if (kind < 8)
        node_leave(world, (uint32_t)vary(world, world->node_count), false);
    else if (kind < 14)
        node_leave(world, (uint32_t)vary(world, world->node_count), true);
    else if (kind < 18)
        ask_for(world, SV_REQUEST_END_SYNC);
    else if (kind < 20)
        ask_for(world, SV_REQUEST_RESTART);
    else if (kind < 22)
        ask_for(world, SV_REQUEST_SHUTDOWN);
}

/* All daemons are started again where some may be ISOLATED for good. */
void variety_heal(struct world *world)
{
    if (!world->config.auto_fence)
        return;
    for (uint32_t i = 0; i < world->node_count; i++)
        node_crash(world, i, false);
    live_until(world, world->now_ns + FENCED_SECONDS * SECOND_NS, false);
}

void variety_conciliate(struct world *world)
{
    live_until(world, world->now_ns + CONCILIATED_SECONDS * SECOND_NS, false);
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sv_cluster *cluster = world->nodes[i].cluster;
        if (!cluster || !sv_machine_is_master(cluster) ||
            sv_machine_state(cluster) != SV_SUPVISORS_STATE_CONCILIATION)
            continue;
        node_request(
            world, i,
            (struct sv_cluster_request){.kind = SV_REQUEST_CONCILIATE,
                                        .name = "",
                                        .conciliation = SV_CONCILIATION_STRATEGY_SENICIDE});
        live_until(world, world->now_ns + CONCILIATED_SECONDS * SECOND_NS, false);
        return;
    }
}
