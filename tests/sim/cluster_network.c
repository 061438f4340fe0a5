/* What is to happen, in order, and the network: copies of messages on links that fail. */
#include <stdlib.h>
#include <string.h>

#include "cluster_internal.h"
#include "wire/mesh.h"

static bool is_before(const struct item *one, const struct item *other)
{
    return one->due_ns != other->due_ns ? one->due_ns < other->due_ns : one->order < other->order;
}

void world_push(struct world *world, const struct item *item)
{
    if (world->item_count == world->item_capacity) {
        world->item_capacity = world->item_capacity ? world->item_capacity * 2 : 1024;
        world->items = realloc(world->items, world->item_capacity * sizeof(*world->items));
        if (!world->items)
            abort();
    }
    size_t place = world->item_count++;
    struct item added = *item;
    added.order = ++world->order;
    while (place > 0 && is_before(&added, &world->items[(place - 1) / 2])) {
        world->items[place] = world->items[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    world->items[place] = added;
}

bool world_pop(struct world *world, struct item *ret)
{
    if (world->item_count == 0)
        return false;
    *ret = world->items[0];
    struct item last = world->items[--world->item_count];
    size_t place = 0;
    for (;;) {
        size_t child = place * 2 + 1;
        if (child >= world->item_count)
            break;
        if (child + 1 < world->item_count &&
            is_before(&world->items[child + 1], &world->items[child]))
            child++;
        if (is_before(&last, &world->items[child]))
            break;
        world->items[place] = world->items[child];
        place = child;
    }
    if (world->item_count)
        world->items[place] = last;
    return true;
}

static const char *keep(struct sv_arena *arena, const char *text)
{
    if (!text)
        return NULL;
    const char *copy = sv_arena_strdup(arena, text);
    if (!copy)
        abort();
    return copy;
}

static void *keep_array(struct sv_arena *arena, const void *items, size_t count, size_t size)
{
    void *copy = sv_arena_alloc(arena, count + 1, size);
    if (!copy)
        abort();
    if (count)
        memcpy(copy, items, count * size);
    return copy;
}

static const struct sv_mesh_sight *keep_sight(struct sv_arena *arena,
                                              const struct sv_mesh_sight *told)
{
    struct sv_mesh_sight *sight = keep_array(arena, told, 1, sizeof(*sight));
    sight->runs = keep_array(arena, told->runs, told->run_count, sizeof(*told->runs));
    return sight;
}

static void keep_modes(struct sv_arena *arena, struct sv_mesh_rows *rows)
{
    struct sv_mesh_modes *modes = keep_array(arena, rows->modes, 1, sizeof(*modes));
    if (modes->sight)
        modes->sight = keep_sight(arena, modes->sight);
    modes->master_identifier = keep(arena, modes->master_identifier);
    rows->modes = modes;
}

static void keep_rows(struct sv_arena *arena, struct sv_mesh_rows *rows)
{
    if (rows->modes)
        keep_modes(arena, rows);
    struct sv_mesh_process *processes =
        keep_array(arena, rows->processes, rows->process_count, sizeof(*processes));
    for (size_t i = 0; i < rows->process_count; i++) {
        processes[i].application = keep(arena, processes[i].application);
        processes[i].name = keep(arena, processes[i].name);
        processes[i].spawnerr = keep(arena, processes[i].spawnerr);
        processes[i].description = keep(arena, processes[i].description);
        processes[i].extra_arguments = keep(arena, processes[i].extra_arguments);
        processes[i].program_name = keep(arena, processes[i].program_name);
    }
    rows->processes = processes;
    struct sv_mesh_forced *forced =
        keep_array(arena, rows->forced, rows->forced_count, sizeof(*forced));
    for (size_t i = 0; i < rows->forced_count; i++) {
        forced[i].application = keep(arena, forced[i].application);
        forced[i].name = keep(arena, forced[i].name);
        forced[i].identifier = keep(arena, forced[i].identifier);
        forced[i].reason = keep(arena, forced[i].reason);
    }
    rows->forced = forced;
}

static void keep_hello(struct sv_arena *arena, struct sv_mesh_hello *hello)
{
    hello->version = keep(arena, hello->version);
    hello->identifier = keep(arena, hello->identifier);
    hello->nick = keep(arena, hello->nick);
    hello->machine_id = keep(arena, hello->machine_id);
    hello->host = keep(arena, hello->host);
    const char **names =
        keep_array(arena, hello->stereotypes, hello->stereotype_count, sizeof(*names));
    for (size_t i = 0; i < hello->stereotype_count; i++)
        names[i] = keep(arena, names[i]);
    hello->stereotypes = names;
    hello->network = (struct sv_mesh_network){.host_name = ""};
}

static struct packet *copy_message(const struct sv_mesh_message *message)
{
    struct packet *packet = calloc(1, sizeof(*packet));
    if (!packet)
        abort();
    packet->message = *message;
    struct sv_mesh_message *copy = &packet->message;
    switch (message->kind) {
    case SV_MESH_HELLO:
        keep_hello(&packet->arena, &copy->hello);
        break;
    case SV_MESH_WELCOME:
        copy->welcome.text = keep(&packet->arena, message->welcome.text);
        break;
    case SV_MESH_SNAPSHOT:
    case SV_MESH_CHANGE:
        keep_rows(&packet->arena, &copy->rows);
        break;
    case SV_MESH_COMMAND:
        copy->command.application = keep(&packet->arena, message->command.application);
        copy->command.name = keep(&packet->arena, message->command.name);
        copy->command.extra_arguments = keep(&packet->arena, message->command.extra_arguments);
        break;
    case SV_MESH_ANSWER:
        copy->answer.text = keep(&packet->arena, message->answer.text);
        break;
    case SV_MESH_HEARTBEAT:
    case SV_MESH_RESYNC:
    case SV_MESH_CONFIRM:
    case SV_MESH_BYE:
    case SV_MESH_CALL:
    case SV_MESH_RESULT:
    case SV_MESH_WANT:
    case SV_MESH_NEWS:
    case SV_MESH_KIND_COUNT:
        break;
    }
    return packet;
}

void packet_unref(struct packet *packet)
{
    if (!packet || --packet->reference_count > 0)
        return;
    sv_arena_done(&packet->arena);
    free(packet);
}

static void dispatch(struct world *world, uint32_t from, uint32_t to, struct packet *packet)
{
    size_t link = link_of(world, from, to);
    uint64_t due_ns = world->now_ns + world->latency_ns / 2 + world_draw(world, world->latency_ns);
    if (world->is_rough && !world->is_healed && world_chance(world, 3))
        due_ns += world_draw(world, SECOND_NS);
    else if (!world->is_rough || world->is_healed) {
        if (due_ns <= world->last_due_ns[link])
            due_ns = world->last_due_ns[link] + 1;
        world->last_due_ns[link] = due_ns;
    }
    packet->reference_count++;
    world_push(world, &(struct item){.due_ns = due_ns,
                                     .kind = ITEM_PACKET,
                                     .node = to,
                                     .other = from,
                                     .version = world->nodes[to].incarnation,
                                     .packet = packet});
}

/* On the wire. Rows of one revision and sight have one size, whoever gets them. */
static size_t size_of(struct world *world, uint32_t from, uint32_t to,
                      const struct sv_mesh_message *message)
{
    bool has_rows = message->kind == SV_MESH_SNAPSHOT || message->kind == SV_MESH_CHANGE;
    struct weighed *last = &world->nodes[from].weighed[message->kind == SV_MESH_SNAPSHOT];
    const struct sv_mesh_modes *modes = has_rows ? message->rows.modes : NULL;
    size_t run_count = modes && modes->sight ? modes->sight->run_count : 0;
    if (has_rows && last->bytes && last->revision == message->rows.revision &&
        last->run_count == run_count)
        return last->bytes;
    struct sv_mesh_packet packet = {.from = world->instances[from].identifier,
                                    .to = world->instances[to].identifier,
                                    .number = 1000,
                                    .message = *message};
    sv_str_clear(&world->bytes);
    if (sv_mesh_encode(&packet, &world->bytes) != 0)
        abort();
    if (has_rows)
        *last = (struct weighed){message->rows.revision, run_count, world->bytes.length};
    return world->bytes.length;
}

/* A CHANGE goes to many: they share one copy. */
void world_send(struct world *world, uint32_t from, const struct sv_cluster_action *action,
                struct packet **shared)
{
    uint32_t to = node_of(world, from, action->instance);
    size_t link = link_of(world, from, to);
    world->message_count++;
    if (world->options.is_calm)
        world->byte_count += size_of(world, from, to, &action->message);
    if (!world->is_connected[link] || world->is_cut[link])
        return;
    bool is_rough = world->is_rough && !world->is_healed;
    if (is_rough && world_chance(world, 2))
        return;
    const struct sv_mesh_message *message = &action->message;
    struct packet *packet;
    if (message->kind == SV_MESH_CHANGE && *shared &&
        (*shared)->message.rows.revision == message->rows.revision) {
        packet = *shared;
    } else {
        packet = copy_message(message);
        if (message->kind == SV_MESH_CHANGE) {
            packet_unref(*shared);
            packet->reference_count++;
            *shared = packet;
        }
    }
    dispatch(world, from, to, packet);
    if (is_rough && world_chance(world, 2))
        dispatch(world, from, to, packet);
}

void network_connect(struct world *world, uint32_t from, uint32_t to, uint64_t delay_ns)
{
    world_push(world, &(struct item){.due_ns = world->now_ns + delay_ns,
                                     .kind = ITEM_CONNECT,
                                     .node = from,
                                     .other = to,
                                     .version = world->nodes[from].incarnation});
}

void network_try(struct world *world, uint32_t from, uint32_t to)
{
    size_t there = link_of(world, from, to);
    size_t back = link_of(world, to, from);
    if (world->is_connected[there])
        return;
    if (!world->nodes[to].cluster || world->is_cut[there] || world->is_cut[back]) {
        network_connect(world, from, to, 100 * MS_NS);
        return;
    }
    world->is_connected[there] = true;
    node_feed(world, from,
              (struct sv_cluster_event){.kind = SV_CLUSTER_CONNECTED,
                                        .instance = place_of(world, from, to)});
}

/* A daemon is gone: who can still be reached hears that its connection broke. */
void network_break(struct world *world, uint32_t node)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (i == node)
            continue;
        world->is_connected[link_of(world, node, i)] = false;
        if (!world->is_connected[link_of(world, i, node)])
            continue;
        world->is_connected[link_of(world, i, node)] = false;
        uint64_t delay_ns = world_draw(world, world->latency_ns);
        bool is_noticed = !world->is_cut[link_of(world, node, i)];
        if (is_noticed)
            world_push(world, &(struct item){.due_ns = world->now_ns + delay_ns,
                                             .kind = ITEM_LOST,
                                             .node = i,
                                             .other = node,
                                             .version = world->nodes[i].incarnation});
        network_connect(world, i, node, delay_ns + 20 * MS_NS);
    }
}
