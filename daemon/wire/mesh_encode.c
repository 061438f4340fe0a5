/*
 * A packet into bytes: the structures of protobuf-c are filled in an arena that lives for the call,
 * borrowing the texts, and packed. mesh_decode.c is the other direction.
 */
#include <errno.h>
#include <gen/mesh.pb-c.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/mesh.h"
#include "wire/protobuf.h"

/* What is filled, and the memory for it. An allocation that failed is remembered, as in sv_str. */
struct filling {
    struct sv_arena arena;
    bool has_failed;
};

static void *take(struct filling *filling, size_t count, size_t size)
{
    void *memory = sv_arena_alloc(&filling->arena, count > 0 ? count : 1, size);
    filling->has_failed |= !memory;
    return memory;
}

#define TAKE(filling, type, count) ((type *)take((filling), (count), sizeof(type)))

static char *text_of(struct filling *filling, const char *text)
{
    char *clean = sv_protobuf_text(text, &filling->arena);
    filling->has_failed |= !clean;
    return clean;
}

static void fill_network(struct filling *filling, const struct sv_mesh_network *from,
                         Svisor__Mesh__Hello *to)
{
    Svisor__Mesh__Address *addresses = TAKE(filling, Svisor__Mesh__Address, from->address_count);
    Svisor__Mesh__Address **list = TAKE(filling, Svisor__Mesh__Address *, from->address_count);
    if (!addresses || !list)
        return;
    to->host_name = text_of(filling, from->host_name);
    to->n_addresses = from->address_count;
    to->addresses = list;
    for (size_t i = 0; i < from->address_count; i++) {
        list[i] = &addresses[i];
        svisor__mesh__address__init(list[i]);
        list[i]->interface = text_of(filling, from->addresses[i].interface);
        list[i]->address = text_of(filling, from->addresses[i].address);
        list[i]->netmask = text_of(filling, from->addresses[i].netmask);
    }
}

static void fill_hello(struct filling *filling, const struct sv_mesh_hello *from,
                       Svisor__Mesh__Hello *to)
{
    Svisor__Mesh__Strategies *strategies = TAKE(filling, Svisor__Mesh__Strategies, 1);
    char **stereotypes = TAKE(filling, char *, from->stereotype_count);
    if (!strategies || !stereotypes)
        return;
    to->protocol = from->protocol;
    to->version = text_of(filling, from->version);
    to->identifier = text_of(filling, from->identifier);
    to->nick = text_of(filling, from->nick);
    to->machine_id = text_of(filling, from->machine_id);
    to->host = text_of(filling, from->host);
    to->http_port = from->http_port;
    to->n_stereotypes = from->stereotype_count;
    to->stereotypes = stereotypes;
    for (size_t i = 0; i < from->stereotype_count; i++)
        stereotypes[i] = text_of(filling, from->stereotypes[i]);
    fill_network(filling, &from->network, to);
    to->strategies = strategies;
    to->known_incarnation = from->known_incarnation;
    svisor__mesh__strategies__init(strategies);
    strategies->auto_fence = from->strategies.auto_fence;
    strategies->starting = (uint32_t)from->strategies.starting;
    strategies->conciliation = (uint32_t)from->strategies.conciliation;
    strategies->supvisors_failure = (uint32_t)from->strategies.supvisors_failure;
    strategies->quorum = from->strategies.quorum;
    strategies->daemon_grace_ns = from->strategies.daemon_grace_ns;
    strategies->quorum_stop_after_ns = from->strategies.quorum_stop_after_ns;
}

static void fill_sight(struct filling *filling, const struct sv_mesh_sight *from,
                       Svisor__Mesh__Sight *to)
{
    uint32_t *runs = TAKE(filling, uint32_t, from->run_count);
    if (!runs)
        return;
    svisor__mesh__sight__init(to);
    to->running_sum = from->running_sum;
    to->running_count = from->running_count;
    to->known_sum = from->known_sum;
    to->runs = runs;
    to->n_runs = from->run_count;
    for (size_t i = 0; i < from->run_count; i++)
        runs[i] = from->runs[i].count << SV_MESH_RUN_BITS | (uint32_t)from->runs[i].state << 1 |
                  from->runs[i].is_settled;
}

static void fill_modes(struct filling *filling, const struct sv_mesh_modes *from,
                       Svisor__Mesh__Modes *to)
{
    svisor__mesh__modes__init(to);
    to->state = (uint32_t)from->state;
    to->degraded_mode = from->degraded_mode;
    to->discovery_mode = from->discovery_mode;
    to->starting_jobs = from->starting_jobs;
    to->stopping_jobs = from->stopping_jobs;
    to->master_identifier = text_of(filling, from->master_identifier);
    to->term = from->term;
    to->sight = from->sight ? TAKE(filling, Svisor__Mesh__Sight, 1) : NULL;
    if (to->sight)
        fill_sight(filling, from->sight, to->sight);
}

static void fill_process(struct filling *filling, const struct sv_mesh_process *from,
                         Svisor__Mesh__Process *to)
{
    svisor__mesh__process__init(to);
    to->application = text_of(filling, from->application);
    to->name = text_of(filling, from->name);
    to->is_removed = from->is_removed;
    if (from->is_removed)
        return; /* nothing else is meaningful */
    to->state = (uint32_t)from->state;
    to->pid = from->pid;
    to->is_expected = from->is_expected;
    to->is_fenced = from->is_fenced;
    to->is_disabled = from->is_disabled;
    to->has_stdout = from->has_stdout;
    to->has_stderr = from->has_stderr;
    to->spawnerr = text_of(filling, from->spawnerr);
    to->description = text_of(filling, from->description);
    to->extra_arguments = text_of(filling, from->extra_arguments);
    to->program_name = text_of(filling, from->program_name);
    to->process_index = from->process_index;
    to->startsecs = from->startsecs;
    to->stopwaitsecs = from->stopwaitsecs;
    to->start_wall_ns = from->start_wall_ns;
    to->stop_wall_ns = from->stop_wall_ns;
    to->start_ns = from->start_ns;
    to->stop_ns = from->stop_ns;
    to->event_ns = from->event_ns;
}

static void fill_forced(struct filling *filling, const struct sv_mesh_forced *from,
                        Svisor__Mesh__Forced *to)
{
    svisor__mesh__forced__init(to);
    to->application = text_of(filling, from->application);
    to->name = text_of(filling, from->name);
    to->identifier = text_of(filling, from->identifier);
    to->state = (uint32_t)from->state;
    to->is_lifted = from->is_lifted;
    to->serial = from->serial;
    to->reason = text_of(filling, from->reason);
    to->event_ns = from->event_ns;
}

static void fill_rows(struct filling *filling, const struct sv_mesh_rows *from,
                      Svisor__Mesh__Rows *to)
{
    Svisor__Mesh__Process *processes = TAKE(filling, Svisor__Mesh__Process, from->process_count);
    Svisor__Mesh__Forced *forced = TAKE(filling, Svisor__Mesh__Forced, from->forced_count);
    to->processes = TAKE(filling, Svisor__Mesh__Process *, from->process_count);
    to->forced = TAKE(filling, Svisor__Mesh__Forced *, from->forced_count);
    if (filling->has_failed)
        return;
    to->revision = from->revision;
    to->now_ns = from->now_ns;
    to->now_wall_ns = from->now_wall_ns;
    if (from->modes) {
        to->modes = TAKE(filling, Svisor__Mesh__Modes, 1);
        if (to->modes)
            fill_modes(filling, from->modes, to->modes);
    }
    to->n_processes = from->process_count;
    for (size_t i = 0; i < from->process_count; i++) {
        to->processes[i] = &processes[i];
        fill_process(filling, &from->processes[i], &processes[i]);
    }
    to->n_forced = from->forced_count;
    for (size_t i = 0; i < from->forced_count; i++) {
        to->forced[i] = &forced[i];
        fill_forced(filling, &from->forced[i], &forced[i]);
    }
}

static void fill_command(struct filling *filling, const struct sv_mesh_command *from,
                         Svisor__Mesh__Command *to)
{
    to->id = from->id;
    to->kind = (uint32_t)from->kind;
    to->application = text_of(filling, from->application);
    to->name = text_of(filling, from->name);
    to->term = from->term;
    to->heard_ns = from->heard_ns;
    if (!from->extra_arguments)
        return;
    to->arguments_case = SVISOR__MESH__COMMAND__ARGUMENTS_EXTRA_ARGUMENTS;
    to->extra_arguments = text_of(filling, from->extra_arguments);
}

static ProtobufCBinaryData bytes_of(const struct sv_mesh_json *json)
{
    return (ProtobufCBinaryData){.len = json->length, .data = (uint8_t *)(uintptr_t)json->bytes};
}

static void fill_result(struct filling *filling, const struct sv_mesh_result *from,
                        Svisor__Mesh__Result *to)
{
    svisor__mesh__result__init(to);
    to->id = from->id;
    to->progress = (uint32_t)from->progress;
    to->fault = from->fault;
    to->text = text_of(filling, from->text);
    to->part = bytes_of(&from->part);
}

static void fill_heartbeat(const struct sv_mesh_message *from, Svisor__Mesh__Heartbeat *to)
{
    svisor__mesh__heartbeat__init(to);
    to->revision = from->heartbeat.revision;
    to->sequence = from->heartbeat.sequence;
    to->now_ns = from->heartbeat.now_ns;
    to->now_wall_ns = from->heartbeat.now_wall_ns;
    to->acknowledged = from->heartbeat.acknowledged;
    to->acknowledged_incarnation = from->heartbeat.acknowledged_incarnation;
    to->term = from->heartbeat.term;
}

static void fill_news(struct filling *filling, const struct sv_mesh_news *from,
                      Svisor__Mesh__News *to)
{
    svisor__mesh__news__init(to);
    Svisor__Mesh__NewsItem *items = TAKE(filling, Svisor__Mesh__NewsItem, from->count);
    to->items = TAKE(filling, Svisor__Mesh__NewsItem *, from->count);
    if (filling->has_failed)
        return;
    to->n_items = from->count;
    for (size_t i = 0; i < from->count; i++) {
        to->items[i] = &items[i];
        svisor__mesh__news_item__init(&items[i]);
        items[i].kind = (uint32_t)from->items[i].kind;
        items[i].level = (uint32_t)from->items[i].level;
        items[i].application = text_of(filling, from->items[i].application);
        items[i].process = text_of(filling, from->items[i].process);
        items[i].text = text_of(filling, from->items[i].text);
    }
}

/* The one kind that the message is of; each has its own structure. */
union body {
    Svisor__Mesh__Hello hello;
    Svisor__Mesh__Welcome welcome;
    Svisor__Mesh__Heartbeat heartbeat;
    Svisor__Mesh__Rows rows;
    Svisor__Mesh__Resync resync;
    Svisor__Mesh__Command command;
    Svisor__Mesh__Answer answer;
    Svisor__Mesh__Bye bye;
    Svisor__Mesh__Confirm confirm;
    Svisor__Mesh__Call call;
    Svisor__Mesh__Result result;
    Svisor__Mesh__Want want;
    Svisor__Mesh__News news;
};

static void fill_body(struct filling *filling, const struct sv_mesh_message *from, union body *to)
{
    switch (from->kind) {
    case SV_MESH_HELLO:
        svisor__mesh__hello__init(&to->hello);
        fill_hello(filling, &from->hello, &to->hello);
        break;
    case SV_MESH_WELCOME:
        svisor__mesh__welcome__init(&to->welcome);
        to->welcome.authorization = (uint32_t)from->welcome.authorization;
        to->welcome.greeted_incarnation = from->welcome.greeted_incarnation;
        to->welcome.text = text_of(filling, from->welcome.text);
        break;
    case SV_MESH_HEARTBEAT:
        fill_heartbeat(from, &to->heartbeat);
        break;
    case SV_MESH_SNAPSHOT:
    case SV_MESH_CHANGE:
        svisor__mesh__rows__init(&to->rows);
        fill_rows(filling, &from->rows, &to->rows);
        break;
    case SV_MESH_RESYNC:
        svisor__mesh__resync__init(&to->resync);
        break;
    case SV_MESH_COMMAND:
        svisor__mesh__command__init(&to->command);
        fill_command(filling, &from->command, &to->command);
        break;
    case SV_MESH_ANSWER:
        svisor__mesh__answer__init(&to->answer);
        to->answer.id = from->answer.id;
        to->answer.revision = from->answer.revision;
        to->answer.fault = from->answer.fault;
        to->answer.text = text_of(filling, from->answer.text);
        break;
    case SV_MESH_CONFIRM:
        svisor__mesh__confirm__init(&to->confirm);
        to->confirm.is_question = from->confirm.is_question;
        to->confirm.revision = from->confirm.revision;
        break;
    case SV_MESH_BYE:
        svisor__mesh__bye__init(&to->bye);
        to->bye.keeps_programs = from->bye.keeps_programs;
        break;
    case SV_MESH_CALL:
        svisor__mesh__call__init(&to->call);
        to->call.id = from->call.id;
        to->call.method = text_of(filling, from->call.method);
        to->call.params = bytes_of(&from->call.params);
        break;
    case SV_MESH_RESULT:
        fill_result(filling, &from->result, &to->result);
        break;
    case SV_MESH_WANT:
        svisor__mesh__want__init(&to->want);
        to->want.id = from->want.id;
        to->want.is_wanted = from->want.is_wanted;
        break;
    case SV_MESH_NEWS:
        fill_news(filling, &from->news, &to->news);
        break;
    case SV_MESH_KIND_COUNT:
        break;
    }
}

int sv_mesh_encode(const struct sv_mesh_packet *packet, struct sv_str *ret_bytes)
{
    static const Svisor__Mesh__Packet__KindCase cases[SV_MESH_KIND_COUNT] = {
        [SV_MESH_HELLO] = SVISOR__MESH__PACKET__KIND_HELLO,
        [SV_MESH_WELCOME] = SVISOR__MESH__PACKET__KIND_WELCOME,
        [SV_MESH_HEARTBEAT] = SVISOR__MESH__PACKET__KIND_HEARTBEAT,
        [SV_MESH_SNAPSHOT] = SVISOR__MESH__PACKET__KIND_SNAPSHOT,
        [SV_MESH_CHANGE] = SVISOR__MESH__PACKET__KIND_CHANGE,
        [SV_MESH_RESYNC] = SVISOR__MESH__PACKET__KIND_RESYNC,
        [SV_MESH_COMMAND] = SVISOR__MESH__PACKET__KIND_COMMAND,
        [SV_MESH_ANSWER] = SVISOR__MESH__PACKET__KIND_ANSWER,
        [SV_MESH_CONFIRM] = SVISOR__MESH__PACKET__KIND_CONFIRM,
        [SV_MESH_BYE] = SVISOR__MESH__PACKET__KIND_BYE,
        [SV_MESH_CALL] = SVISOR__MESH__PACKET__KIND_CALL,
        [SV_MESH_RESULT] = SVISOR__MESH__PACKET__KIND_RESULT,
        [SV_MESH_WANT] = SVISOR__MESH__PACKET__KIND_WANT,
        [SV_MESH_NEWS] = SVISOR__MESH__PACKET__KIND_NEWS,
    };
    struct filling filling = {0};
    union body body;
    fill_body(&filling, &packet->message, &body);
    Svisor__Mesh__Packet to = SVISOR__MESH__PACKET__INIT;
    to.from = text_of(&filling, packet->from);
    to.to = text_of(&filling, packet->to);
    to.incarnation = packet->message.incarnation;
    to.number = packet->number;
    to.kind_case = cases[packet->message.kind];
    to.hello = &body.hello; /* of the union, as all of them */
    int r = filling.has_failed ? -ENOMEM
                               : sv_protobuf_append(&to.base, SV_MESH_MESSAGE_BYTES_MAX, ret_bytes);
    sv_arena_done(&filling.arena);
    return r;
}
