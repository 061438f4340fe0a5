/*
 * Bytes into a packet. Three steps, each trusting the one before: sv_protobuf_unpack() sees to
 * bounds and texts, the functions here check every value once and fill the structures of
 * port/mesh.h, and nobody looks again.
 *
 * The texts of the result are those that protobuf-c unpacked; everything lives in the caller's
 * arena.
 */
#include <errno.h>
#include <gen/mesh.pb-c.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/choice.h"
#include "wire/mesh.h"
#include "wire/protobuf.h"
#include "wire/utf8.h"

/* Where the result goes, and what was wrong. */
struct reading {
    struct sv_arena *arena;
    const char *why;
    bool is_out_of_memory;
};

static bool fail(struct reading *reading, const char *why)
{
    reading->why = why;
    return false;
}

static void *take(struct reading *reading, size_t count, size_t size)
{
    void *memory = sv_arena_alloc(reading->arena, count > 0 ? count : 1, size);
    reading->is_out_of_memory |= !memory;
    return memory;
}

static bool is_choice(enum sv_choice_kind kind, uint32_t number)
{
    return number < sv_choice_count(kind);
}

static bool is_process_state(uint32_t number)
{
    switch (number) {
#define PROCESS_STATE(name, code) case code:
#include <svisor/process_states.def>
#undef PROCESS_STATE
        return true;
    default:
        return false;
    }
}

static bool is_empty(const char *text)
{
    return text[0] == '\0';
}

static bool read_strategies(struct reading *reading, const Svisor__Mesh__Strategies *from,
                            struct sv_mesh_strategies *to)
{
    if (!from)
        return fail(reading, "hello has no strategies");
    if (!is_choice(SV_CHOICE_STARTING_STRATEGY, from->starting))
        return fail(reading, "hello has an unknown starting_strategy");
    if (!is_choice(SV_CHOICE_CONCILIATION_STRATEGY, from->conciliation))
        return fail(reading, "hello has an unknown conciliation_strategy");
    if (!is_choice(SV_CHOICE_SUPVISORS_FAILURE_STRATEGY, from->supvisors_failure))
        return fail(reading, "hello has an unknown supvisors_failure_strategy");
    *to = (struct sv_mesh_strategies){
        .auto_fence = from->auto_fence,
        .starting = (enum sv_starting_strategy)from->starting,
        .conciliation = (enum sv_conciliation_strategy)from->conciliation,
        .supvisors_failure = (enum sv_supvisors_failure_strategy)from->supvisors_failure,
        .quorum = from->quorum,
        .daemon_grace_ns = from->daemon_grace_ns,
        .quorum_stop_after_ns = from->quorum_stop_after_ns,
    };
    return true;
}

static bool read_network(struct reading *reading, const Svisor__Mesh__Hello *from,
                         struct sv_mesh_network *to)
{
    if (from->n_addresses > SV_MESH_ADDRESSES_MAX)
        return fail(reading, "hello has too many addresses");
    struct sv_mesh_address *addresses = take(reading, from->n_addresses, sizeof(*addresses));
    if (!addresses)
        return false;
    for (size_t i = 0; i < from->n_addresses; i++)
        addresses[i] =
            (struct sv_mesh_address){from->addresses[i]->interface, from->addresses[i]->address,
                                     from->addresses[i]->netmask};
    *to = (struct sv_mesh_network){from->host_name, addresses, from->n_addresses};
    return true;
}

static bool read_hello(struct reading *reading, const Svisor__Mesh__Hello *from,
                       struct sv_mesh_hello *to)
{
    if (is_empty(from->identifier) || is_empty(from->nick) || is_empty(from->host))
        return fail(reading, "hello does not say who it is");
    if (from->http_port < 1 || from->http_port > UINT16_MAX)
        return fail(reading, "hello has an impossible http_port");
    if (from->n_stereotypes > SV_MESH_STEREOTYPES_MAX)
        return fail(reading, "hello has too many stereotypes");
    *to = (struct sv_mesh_hello){
        .protocol = from->protocol,
        .version = from->version,
        .identifier = from->identifier,
        .nick = from->nick,
        .machine_id = from->machine_id,
        .host = from->host,
        .http_port = (uint16_t)from->http_port,
        .stereotypes = (const char *const *)from->stereotypes,
        .stereotype_count = from->n_stereotypes,
        .known_incarnation = from->known_incarnation,
    };
    return read_network(reading, from, &to->network) &&
           read_strategies(reading, from->strategies, &to->strategies);
}

static bool read_sight(struct reading *reading, const Svisor__Mesh__Sight *from,
                       struct sv_mesh_sight *to)
{
    if (from->n_runs > SV_INSTANCES_MAX)
        return fail(reading, "a sight has too many runs");
    struct sv_mesh_run *runs = take(reading, from->n_runs, sizeof(*runs));
    if (!runs)
        return false;
    for (size_t i = 0; i < from->n_runs; i++) {
        uint32_t count = from->runs[i] >> SV_MESH_RUN_BITS;
        uint32_t state = from->runs[i] >> 1 & ((1u << (SV_MESH_RUN_BITS - 1)) - 1);
        if (count == 0 || count > SV_INSTANCES_MAX || !is_choice(SV_CHOICE_INSTANCE_STATE, state))
            return fail(reading, "a sight has an empty run or an unknown state");
        runs[i] = (struct sv_mesh_run){.count = count,
                                       .state = (enum sv_instance_state)state,
                                       .is_settled = from->runs[i] & 1};
    }
    *to = (struct sv_mesh_sight){
        .running_sum = from->running_sum,
        .running_count = from->running_count,
        .known_sum = from->known_sum,
        .runs = runs,
        .run_count = from->n_runs,
    };
    return true;
}

static bool read_modes(struct reading *reading, const Svisor__Mesh__Modes *from,
                       struct sv_mesh_modes *to)
{
    if (!is_choice(SV_CHOICE_SUPVISORS_STATE, from->state))
        return fail(reading, "modes have an unknown state");
    struct sv_mesh_sight *sight = take(reading, 1, sizeof(*sight));
    if (!sight || (from->sight && !read_sight(reading, from->sight, sight)))
        return false;
    *to = (struct sv_mesh_modes){
        .state = (enum sv_supvisors_state)from->state,
        .degraded_mode = from->degraded_mode,
        .discovery_mode = from->discovery_mode,
        .starting_jobs = from->starting_jobs,
        .stopping_jobs = from->stopping_jobs,
        .master_identifier = from->master_identifier,
        .term = from->term,
        .sight = from->sight ? sight : NULL,
    };
    return true;
}

static bool read_process(struct reading *reading, const Svisor__Mesh__Process *from,
                         struct sv_mesh_process *to)
{
    if (is_empty(from->application) || is_empty(from->name))
        return fail(reading, "a process has no name");
    if (!is_process_state(from->state))
        return fail(reading, "a process has an unknown state");
    if (from->pid < 0)
        return fail(reading, "a process has an impossible pid");
    *to = (struct sv_mesh_process){
        .application = from->application,
        .name = from->name,
        .is_removed = from->is_removed,
        .state = (enum sv_process_state)from->state,
        .pid = from->pid,
        .is_expected = from->is_expected,
        .is_fenced = from->is_fenced,
        .is_disabled = from->is_disabled,
        .has_stdout = from->has_stdout,
        .has_stderr = from->has_stderr,
        .spawnerr = from->spawnerr,
        .description = from->description,
        .extra_arguments = from->extra_arguments,
        .program_name = from->program_name,
        .process_index = from->process_index,
        .startsecs = from->startsecs,
        .stopwaitsecs = from->stopwaitsecs,
        .start_wall_ns = from->start_wall_ns,
        .stop_wall_ns = from->stop_wall_ns,
        .start_ns = from->start_ns,
        .stop_ns = from->stop_ns,
        .event_ns = from->event_ns,
    };
    return true;
}

static bool read_forced(struct reading *reading, const Svisor__Mesh__Forced *from,
                        struct sv_mesh_forced *to)
{
    if (is_empty(from->application) || is_empty(from->name))
        return fail(reading, "a forced process has no name");
    if (!is_process_state(from->state))
        return fail(reading, "a forced process has an unknown state");
    *to = (struct sv_mesh_forced){
        .application = from->application,
        .name = from->name,
        .identifier = from->identifier,
        .state = (enum sv_process_state)from->state,
        .is_lifted = from->is_lifted,
        .serial = from->serial,
        .reason = from->reason,
        .event_ns = from->event_ns,
    };
    return true;
}

static bool read_rows(struct reading *reading, const Svisor__Mesh__Rows *from,
                      struct sv_mesh_rows *to)
{
    if (from->n_processes > SV_PROCESSES_MAX || from->n_forced > SV_PROCESSES_MAX)
        return fail(reading, "there are too many rows");
    struct sv_mesh_process *processes = take(reading, from->n_processes, sizeof(*processes));
    struct sv_mesh_forced *forced = take(reading, from->n_forced, sizeof(*forced));
    struct sv_mesh_modes *modes = take(reading, 1, sizeof(*modes));
    if (!processes || !forced || !modes)
        return false;
    if (from->modes && !read_modes(reading, from->modes, modes))
        return false;
    for (size_t i = 0; i < from->n_processes; i++)
        if (!read_process(reading, from->processes[i], &processes[i]))
            return false;
    for (size_t i = 0; i < from->n_forced; i++)
        if (!read_forced(reading, from->forced[i], &forced[i]))
            return false;
    *to = (struct sv_mesh_rows){
        .revision = from->revision,
        .modes = from->modes ? modes : NULL,
        .processes = processes,
        .process_count = from->n_processes,
        .forced = forced,
        .forced_count = from->n_forced,
        .now_ns = from->now_ns,
        .now_wall_ns = from->now_wall_ns,
    };
    return true;
}

static bool read_command(struct reading *reading, const Svisor__Mesh__Command *from,
                         struct sv_mesh_command *to)
{
    bool is_about_process =
        from->kind == SV_MESH_COMMAND_START || from->kind == SV_MESH_COMMAND_STOP;
    if (from->kind > SV_MESH_COMMAND_SHUTDOWN)
        return fail(reading, "a command is of an unknown kind");
    if (is_about_process && (is_empty(from->application) || is_empty(from->name)))
        return fail(reading, "a command does not say which process it means");
    bool has_arguments = from->arguments_case == SVISOR__MESH__COMMAND__ARGUMENTS_EXTRA_ARGUMENTS;
    *to = (struct sv_mesh_command){
        .id = from->id,
        .kind = (enum sv_mesh_command_kind)from->kind,
        .application = from->application,
        .name = from->name,
        .extra_arguments = has_arguments ? from->extra_arguments : NULL,
        .term = from->term,
        .heard_ns = from->heard_ns,
    };
    return true;
}

static bool read_welcome(struct reading *reading, const Svisor__Mesh__Welcome *from,
                         struct sv_mesh_message *to)
{
    if (from->authorization > SV_MESH_UNKNOWN_HERE)
        return fail(reading, "a welcome has an unknown authorization");
    to->welcome.authorization = (enum sv_mesh_authorization)from->authorization;
    to->welcome.greeted_incarnation = from->greeted_incarnation;
    to->welcome.text = from->text;
    return true;
}

static struct sv_mesh_json json_of(const ProtobufCBinaryData *from)
{
    return (struct sv_mesh_json){.bytes = (const char *)from->data, .length = from->len};
}

static bool read_call(struct reading *reading, const Svisor__Mesh__Call *from,
                      struct sv_mesh_call *to)
{
    if (is_empty(from->method))
        return fail(reading, "a call does not say what is called");
    if (from->params.len > SV_RELAY_PARAMS_BYTES_MAX)
        return fail(reading, "a call has too many arguments");
    *to = (struct sv_mesh_call){
        .id = from->id, .method = from->method, .params = json_of(&from->params)};
    return true;
}

static bool read_result(struct reading *reading, const Svisor__Mesh__Result *from,
                        struct sv_mesh_result *to)
{
    if (from->progress > SV_MESH_RESULT_ENDS)
        return fail(reading, "a result has an unknown progress");
    if (from->part.len > SV_RELAY_PART_BYTES)
        return fail(reading, "a part of a result is too long");
    *to = (struct sv_mesh_result){
        .id = from->id,
        .progress = (enum sv_mesh_progress)from->progress,
        .fault = from->fault,
        .text = from->text,
        .part = json_of(&from->part),
    };
    return true;
}

/* Kinds and levels may be those of a later version: the words count. */
static bool read_news(struct reading *reading, const Svisor__Mesh__News *from,
                      struct sv_mesh_news *to)
{
    if (from->n_items > SV_NEWS_ITEMS_MAX)
        return fail(reading, "there is too much news");
    struct sv_mesh_news_item *items = take(reading, from->n_items, sizeof(*items));
    if (!items)
        return false;
    for (size_t i = 0; i < from->n_items; i++) {
        const Svisor__Mesh__NewsItem *item = from->items[i];
        items[i] = (struct sv_mesh_news_item){
            .kind = item->kind < SV_TIMELINE_KIND_COUNT ? (enum sv_timeline_kind)item->kind
                                                        : SV_TIMELINE_CLUSTER,
            .level = item->level < SV_TIMELINE_LEVEL_COUNT ? (enum sv_timeline_level)item->level
                                                           : SV_TIMELINE_INFO,
            .application = item->application,
            .process = item->process,
            .text = item->text,
        };
    }
    *to = (struct sv_mesh_news){items, from->n_items};
    return true;
}

/* False without a reason: there is none of the kinds that this version knows. */
static bool read_body(struct reading *reading, const Svisor__Mesh__Packet *from,
                      struct sv_mesh_message *to)
{
    switch (from->kind_case) {
    case SVISOR__MESH__PACKET__KIND_HELLO:
        to->kind = SV_MESH_HELLO;
        return read_hello(reading, from->hello, &to->hello);
    case SVISOR__MESH__PACKET__KIND_WELCOME:
        to->kind = SV_MESH_WELCOME;
        return read_welcome(reading, from->welcome, to);
    case SVISOR__MESH__PACKET__KIND_HEARTBEAT:
        to->kind = SV_MESH_HEARTBEAT;
        to->heartbeat.revision = from->heartbeat->revision;
        to->heartbeat.sequence = from->heartbeat->sequence;
        to->heartbeat.now_ns = from->heartbeat->now_ns;
        to->heartbeat.now_wall_ns = from->heartbeat->now_wall_ns;
        to->heartbeat.acknowledged = from->heartbeat->acknowledged;
        to->heartbeat.acknowledged_incarnation = from->heartbeat->acknowledged_incarnation;
        to->heartbeat.term = from->heartbeat->term;
        return true;
    case SVISOR__MESH__PACKET__KIND_SNAPSHOT:
        to->kind = SV_MESH_SNAPSHOT;
        return read_rows(reading, from->snapshot, &to->rows);
    case SVISOR__MESH__PACKET__KIND_CHANGE:
        to->kind = SV_MESH_CHANGE;
        return read_rows(reading, from->change, &to->rows);
    case SVISOR__MESH__PACKET__KIND_RESYNC:
        to->kind = SV_MESH_RESYNC;
        return true;
    case SVISOR__MESH__PACKET__KIND_COMMAND:
        to->kind = SV_MESH_COMMAND;
        return read_command(reading, from->command, &to->command);
    case SVISOR__MESH__PACKET__KIND_ANSWER:
        to->kind = SV_MESH_ANSWER;
        to->answer.id = from->answer->id;
        to->answer.revision = from->answer->revision;
        to->answer.fault = from->answer->fault;
        to->answer.text = from->answer->text;
        return true;
    case SVISOR__MESH__PACKET__KIND_CONFIRM:
        to->kind = SV_MESH_CONFIRM;
        to->confirm.is_question = from->confirm->is_question;
        to->confirm.revision = from->confirm->revision;
        return true;
    case SVISOR__MESH__PACKET__KIND_BYE:
        to->kind = SV_MESH_BYE;
        to->bye.keeps_programs = from->bye->keeps_programs;
        return true;
    case SVISOR__MESH__PACKET__KIND_CALL:
        to->kind = SV_MESH_CALL;
        return read_call(reading, from->call, &to->call);
    case SVISOR__MESH__PACKET__KIND_RESULT:
        to->kind = SV_MESH_RESULT;
        return read_result(reading, from->result, &to->result);
    case SVISOR__MESH__PACKET__KIND_WANT:
        to->kind = SV_MESH_WANT;
        to->want.id = from->want->id;
        to->want.is_wanted = from->want->is_wanted;
        return true;
    case SVISOR__MESH__PACKET__KIND_NEWS:
        to->kind = SV_MESH_NEWS;
        return read_news(reading, from->news, &to->news);
    case SVISOR__MESH__PACKET__KIND__NOT_SET:
    case _SVISOR__MESH__PACKET__KIND__CASE_IS_INT_SIZE:
        break;
    }
    return false;
}

int sv_mesh_decode(const void *bytes, size_t length, struct sv_arena *arena,
                   struct sv_mesh_packet *ret_packet, const char **ret_why)
{
    if (length > SV_MESH_MESSAGE_BYTES_MAX) {
        *ret_why = "it is too long";
        return SV_MESH_E_MALFORMED;
    }
    ProtobufCMessage *unpacked;
    int r = sv_protobuf_unpack(&svisor__mesh__packet__descriptor, bytes, length, arena, &unpacked,
                               ret_why);
    if (r != 0)
        return r < 0 ? r : SV_MESH_E_MALFORMED;
    const Svisor__Mesh__Packet *from = (const Svisor__Mesh__Packet *)unpacked;
    struct sv_mesh_packet packet = {.from = from->from, .to = from->to, .number = from->number};
    packet.message.incarnation = from->incarnation;
    if (is_empty(packet.from) || is_empty(packet.to) || packet.number == 0) {
        *ret_why = "it does not say from whom, to whom or which packet it is";
        return SV_MESH_E_MALFORMED;
    }
    struct reading reading = {.arena = arena};
    bool is_read = read_body(&reading, from, &packet.message);
    if (reading.is_out_of_memory)
        return -ENOMEM;
    if (reading.why) {
        *ret_why = reading.why;
        return SV_MESH_E_MALFORMED;
    }
    *ret_packet = packet;
    if (is_read)
        return 0;
    *ret_why = "it is of a kind that this version does not know";
    return SV_MESH_E_KIND;
}

bool sv_mesh_sender(const void *bytes, size_t length, char *ret_from, size_t size)
{
    /* Fields are written in the order of their numbers: the first is `from`, its length one byte.
     */
    const unsigned char *from = bytes;
    size_t from_length = length > 2 ? from[1] : 0;
    if (from_length == 0 || from[0] != 0x0a || from_length > 127 || from_length > length - 2 ||
        from_length >= size || memchr(from + 2, '\0', from_length) ||
        !sv_utf8_is_valid((const char *)from + 2, from_length))
        return false;
    memcpy(ret_from, from + 2, from_length);
    ret_from[from_length] = '\0';
    return true;
}
