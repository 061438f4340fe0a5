/* One message of each kind there and back, its bytes for all time, and what must not come through.
 * Calls and news, which core/cluster does not read, are in mesh_beside_test.c. */
#include "wire/mesh_fixture_test.h"

#include <errno.h>
#include <svisor/limits.h>

/* One field more in port/mesh.h belongs into mesh.proto, mesh_encode.c, mesh_decode.c and here. */
#if __SIZEOF_POINTER__ == 8
_Static_assert(sizeof(struct sv_mesh_hello) == 144, "a field more?");
_Static_assert(sizeof(struct sv_mesh_modes) == 32, "a field more?");
_Static_assert(sizeof(struct sv_mesh_sight) == 40, "a field more?");
_Static_assert(sizeof(struct sv_mesh_process) == 128, "a field more?");
_Static_assert(sizeof(struct sv_mesh_forced) == 56, "a field more?");
_Static_assert(sizeof(struct sv_mesh_rows) == 64, "a field more?");
_Static_assert(sizeof(struct sv_mesh_command) == 56, "a field more?");
_Static_assert(sizeof(struct sv_mesh_message) == 160, "a field more?");
#endif

static const char *const stereotypes[] = {"db", "fast"};
static const struct sv_mesh_address addresses[] = {{"eth0", "10.0.0.1", "255.0.0.0"}};
static const struct sv_mesh_run runs[] = {{1000, SV_INSTANCE_STATE_RUNNING, false},
                                          {1, SV_INSTANCE_STATE_ISOLATED, true}};
static const struct sv_mesh_sight sight = {
    .running_sum = 1, .running_count = 1000, .known_sum = 2, .runs = runs, .run_count = 2};
static const struct sv_mesh_modes modes = {.state = SV_SUPVISORS_STATE_OPERATION,
                                           .degraded_mode = true,
                                           .starting_jobs = true,
                                           .master_identifier = "a:60000",
                                           .term = 11,
                                           .sight = &sight};
static const struct sv_mesh_process processes[] = {
    {.application = "web",
     .name = "nginx_01",
     .state = SV_PROCESS_RUNNING,
     .pid = 4711,
     .is_expected = true,
     .is_fenced = true,
     .has_stdout = true,
     .spawnerr = "",
     .description = "pid 4711, uptime 0:00:01",
     .extra_arguments = "-x \"é\"",
     .program_name = "nginx",
     .process_index = 1,
     .startsecs = 1,
     .stopwaitsecs = 10,
     .start_wall_ns = 1700000000000000000,
     .start_ns = 5000000000,
     .event_ns = 6000000000},
    {.application = "web", .name = "gone", .is_removed = true},
};
static const struct sv_mesh_forced forced = {.application = "web",
                                             .name = "worker",
                                             .identifier = "b:60000",
                                             .state = SV_PROCESS_FATAL,
                                             .reason = "no resource available",
                                             .event_ns = 7};

static const struct sv_mesh_forced lifted = {.application = "web",
                                             .name = "worker",
                                             .identifier = "",
                                             .is_lifted = true,
                                             .reason = "",
                                             .serial = 9};

/* Every kind, with every field of it at least once. The bytes are those of version 0.1: they may
 * never change, for an old instance must read what a new one writes. */
static const struct example examples[] = {
    {{.kind = SV_MESH_HELLO,
      .hello = {.protocol = SV_MESH_PROTOCOL,
                .version = "0.1.0",
                .identifier = "a:60000",
                .nick = "supv-01",
                .machine_id = "0123",
                .host = "a",
                .http_port = 60000,
                .stereotypes = stereotypes,
                .stereotype_count = 2,
                .network = {"alpha", addresses, 1},
                .strategies = {.auto_fence = true,
                               .starting = SV_STARTING_STRATEGY_LOCAL,
                               .conciliation = SV_CONCILIATION_STRATEGY_USER,
                               .supvisors_failure = SV_SUPVISORS_FAILURE_STRATEGY_RESYNC,
                               .quorum = true,
                               .daemon_grace_ns = 1000000000,
                               .quorum_stop_after_ns = 3000000000},
                .known_incarnation = 16}},
     "0a07613a36303030301207623a36303030301908070605040302012005527708011205302e312e301a07613a"
     "36303030302207737570762d30312a043031323332016138e0d403420264624204666173744a160801100318"
     "0220012801308094ebdc033880bcc1960b5110000000000000005a05616c706861621b0a0465746830120831"
     "302e302e302e311a093235352e302e302e30"},
    {{.kind = SV_MESH_WELCOME,
      .welcome = {.authorization = SV_MESH_INCONSISTENT,
                  .greeted_incarnation = 15,
                  .text = "auto_fence differs"}},
     "0a07613a36303030301207623a363030303019080706050403020120055a1f080212126175746f5f66656e63"
     "652064696666657273190f00000000000000"},
    {{.kind = SV_MESH_HEARTBEAT,
      .heartbeat = {.revision = 300,
                    .sequence = 7,
                    .acknowledged = 6,
                    .acknowledged_incarnation = 12,
                    .term = 11,
                    .now_ns = 8,
                    .now_wall_ns = -1}},
     "0a07613a36303030301207623a36303030301908070605040302012005622408ac0210071908000000000000"
     "0021ffffffffffffffff2806310c00000000000000380b"},
    {{.kind = SV_MESH_SNAPSHOT,
      .rows = {.revision = 41,
               .modes = &modes,
               .processes = processes,
               .process_count = 2,
               .forced = &forced,
               .forced_count = 1,
               .now_ns = 9,
               .now_wall_ns = 10}},
     "0a07613a36303030301207623a363030303019080706050403020120056af9010829122d0804100120013207"
     "613a3630303030400b4a1a09010000000000000010e8071902000000000000002203867d1b1a6a0a03776562"
     "12086e67696e785f3031201428e724300140015a1870696420343731312c20757074696d6520303a30303a30"
     "3162072d782022c3a9226a056e67696e787001780180010a890100002a36fe9c9717990100f2052a01000000"
     "a90100bca06501000000b001011a0d0a037765621204676f6e65180122390a037765621206776f726b65721a"
     "07623a363030303020c8012a156e6f207265736f7572636520617661696c61626c6531070000000000000029"
     "0900000000000000310a00000000000000"},
    {{.kind = SV_MESH_CHANGE, .rows = {.revision = 43, .forced = &lifted, .forced_count = 1}},
     "0a07613a36303030301207623a36303030301908070605040302012005"
     "7215082b22110a037765621206776f726b657238014009"},
    {{.kind = SV_MESH_CHANGE, .rows = {.revision = 42, .processes = processes, .process_count = 1}},
     "0a07613a36303030301207623a36303030301908070605040302012005726e082a1a6a0a0377656212086e67"
     "696e785f3031201428e724300140015a1870696420343731312c20757074696d6520303a30303a303162072d"
     "782022c3a9226a056e67696e787001780180010a890100002a36fe9c9717990100f2052a01000000a90100bc"
     "a06501000000b00101"},
    {{.kind = SV_MESH_RESYNC}, "0a07613a36303030301207623a363030303019080706050403020120057a00"},
    {{.kind = SV_MESH_COMMAND,
      .command = {.id = 3,
                  .kind = SV_MESH_COMMAND_STOP,
                  .application = "web",
                  .name = "nginx_01",
                  .extra_arguments = "",
                  .term = 11,
                  .heard_ns = 13}},
     "0a07613a36303030301207623a36303030301908070605040302012005820120080310011a0377656222086e"
     "67696e785f30312a00300b390d00000000000000"},
    {{.kind = SV_MESH_COMMAND, .command = {.kind = SV_MESH_COMMAND_SHUTDOWN}},
     "0a07613a36303030301207623a363030303019080706050403020120058201021003"},
    {{.kind = SV_MESH_ANSWER,
      .answer = {.id = 3, .revision = 14, .fault = 60, .text = "web:nginx_01"}},
     "0a07613a36303030301207623a363030303019080706050403020120058a01140803103c1a0c7765623a6e67"
     "696e785f3031200e"},
    {{.kind = SV_MESH_CONFIRM, .confirm = {.is_question = true, .revision = 44}},
     "0a07613a36303030301207623a363030303019080706050403020120059a01040801102c"},
    {{.kind = SV_MESH_BYE, .bye = {.keeps_programs = true}},
     "0a07613a36303030301207623a363030303019080706050403020120059201020801"},
};

static void assert_same_process(const struct sv_mesh_process *a, const struct sv_mesh_process *b)
{
    assert_string_equal(a->application, b->application);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->is_removed, b->is_removed);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->is_expected, b->is_expected);
    assert_int_equal(a->is_fenced, b->is_fenced);
    assert_int_equal(a->is_disabled, b->is_disabled);
    assert_int_equal(a->has_stdout, b->has_stdout);
    assert_int_equal(a->has_stderr, b->has_stderr);
    assert_same_text(a->spawnerr, b->spawnerr);
    assert_same_text(a->description, b->description);
    assert_same_text(a->extra_arguments, b->extra_arguments);
    assert_same_text(a->program_name, b->program_name);
    assert_int_equal(a->process_index, b->process_index);
    assert_int_equal(a->startsecs, b->startsecs);
    assert_int_equal(a->stopwaitsecs, b->stopwaitsecs);
    assert_int_equal(a->start_wall_ns, b->start_wall_ns);
    assert_int_equal(a->stop_wall_ns, b->stop_wall_ns);
    assert_int_equal(a->start_ns, b->start_ns);
    assert_int_equal(a->stop_ns, b->stop_ns);
    assert_int_equal(a->event_ns, b->event_ns);
}

static void assert_same_sight(const struct sv_mesh_sight *a, const struct sv_mesh_sight *b)
{
    assert_int_equal(a->running_sum, b->running_sum);
    assert_int_equal(a->running_count, b->running_count);
    assert_int_equal(a->known_sum, b->known_sum);
    assert_int_equal(a->run_count, b->run_count);
    for (size_t i = 0; i < a->run_count; i++) {
        assert_int_equal(a->runs[i].count, b->runs[i].count);
        assert_int_equal(a->runs[i].state, b->runs[i].state);
        assert_int_equal(a->runs[i].is_settled, b->runs[i].is_settled);
    }
}

static void assert_same_rows(const struct sv_mesh_rows *a, const struct sv_mesh_rows *b)
{
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->now_ns, b->now_ns);
    assert_int_equal(a->now_wall_ns, b->now_wall_ns);
    assert_int_equal(a->process_count, b->process_count);
    for (size_t i = 0; i < a->process_count; i++)
        assert_same_process(&a->processes[i], &b->processes[i]);
    assert_int_equal(a->forced_count, b->forced_count);
    for (size_t i = 0; i < a->forced_count; i++) {
        assert_string_equal(a->forced[i].name, b->forced[i].name);
        assert_string_equal(a->forced[i].application, b->forced[i].application);
        assert_string_equal(a->forced[i].identifier, b->forced[i].identifier);
        assert_string_equal(a->forced[i].reason, b->forced[i].reason);
        assert_int_equal(a->forced[i].state, b->forced[i].state);
        assert_int_equal(a->forced[i].event_ns, b->forced[i].event_ns);
        assert_int_equal(a->forced[i].is_lifted, b->forced[i].is_lifted);
        assert_int_equal(a->forced[i].serial, b->forced[i].serial);
    }
    assert_int_equal(!a->modes, !b->modes);
    if (!a->modes)
        return;
    assert_int_equal(a->modes->state, b->modes->state);
    assert_int_equal(a->modes->degraded_mode, b->modes->degraded_mode);
    assert_int_equal(a->modes->discovery_mode, b->modes->discovery_mode);
    assert_int_equal(a->modes->starting_jobs, b->modes->starting_jobs);
    assert_int_equal(a->modes->stopping_jobs, b->modes->stopping_jobs);
    assert_string_equal(a->modes->master_identifier, b->modes->master_identifier);
    assert_int_equal(a->modes->term, b->modes->term);
    assert_int_equal(!a->modes->sight, !b->modes->sight);
    if (a->modes->sight)
        assert_same_sight(a->modes->sight, b->modes->sight);
}

static void assert_same_hello(const struct sv_mesh_hello *a, const struct sv_mesh_hello *b)
{
    assert_int_equal(a->protocol, b->protocol);
    assert_string_equal(a->version, b->version);
    assert_string_equal(a->identifier, b->identifier);
    assert_string_equal(a->nick, b->nick);
    assert_string_equal(a->machine_id, b->machine_id);
    assert_string_equal(a->host, b->host);
    assert_int_equal(a->http_port, b->http_port);
    assert_int_equal(a->stereotype_count, b->stereotype_count);
    for (size_t i = 0; i < a->stereotype_count; i++)
        assert_string_equal(a->stereotypes[i], b->stereotypes[i]);
    assert_string_equal(a->network.host_name, b->network.host_name);
    assert_int_equal(a->network.address_count, b->network.address_count);
    for (size_t i = 0; i < a->network.address_count; i++) {
        assert_string_equal(a->network.addresses[i].interface, b->network.addresses[i].interface);
        assert_string_equal(a->network.addresses[i].address, b->network.addresses[i].address);
        assert_string_equal(a->network.addresses[i].netmask, b->network.addresses[i].netmask);
    }
    assert_int_equal(a->strategies.auto_fence, b->strategies.auto_fence);
    assert_int_equal(a->strategies.starting, b->strategies.starting);
    assert_int_equal(a->strategies.conciliation, b->strategies.conciliation);
    assert_int_equal(a->strategies.supvisors_failure, b->strategies.supvisors_failure);
    assert_int_equal(a->strategies.quorum, b->strategies.quorum);
    assert_int_equal(a->strategies.daemon_grace_ns, b->strategies.daemon_grace_ns);
    assert_int_equal(a->strategies.quorum_stop_after_ns, b->strategies.quorum_stop_after_ns);
    assert_int_equal(a->known_incarnation, b->known_incarnation);
}

static void assert_same_command(const struct sv_mesh_command *a, const struct sv_mesh_command *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->kind, b->kind);
    assert_same_text(a->application, b->application);
    assert_same_text(a->name, b->name);
    assert_int_equal(a->term, b->term);
    assert_int_equal(a->heard_ns, b->heard_ns);
    assert_int_equal(!a->extra_arguments, !b->extra_arguments);
    assert_same_text(a->extra_arguments, b->extra_arguments);
}

static void assert_same_message(const struct sv_mesh_message *a, const struct sv_mesh_message *b)
{
    switch (a->kind) {
    case SV_MESH_HELLO:
        assert_same_hello(&a->hello, &b->hello);
        break;
    case SV_MESH_WELCOME:
        assert_int_equal(a->welcome.authorization, b->welcome.authorization);
        assert_int_equal(a->welcome.greeted_incarnation, b->welcome.greeted_incarnation);
        assert_string_equal(a->welcome.text, b->welcome.text);
        break;
    case SV_MESH_HEARTBEAT:
        assert_memory_equal(&a->heartbeat, &b->heartbeat, sizeof(a->heartbeat));
        break;
    case SV_MESH_SNAPSHOT:
    case SV_MESH_CHANGE:
        assert_same_rows(&a->rows, &b->rows);
        break;
    case SV_MESH_COMMAND:
        assert_same_command(&a->command, &b->command);
        break;
    case SV_MESH_ANSWER:
        assert_int_equal(a->answer.id, b->answer.id);
        assert_int_equal(a->answer.revision, b->answer.revision);
        assert_int_equal(a->answer.fault, b->answer.fault);
        assert_string_equal(a->answer.text, b->answer.text);
        break;
    case SV_MESH_CONFIRM:
        assert_int_equal(a->confirm.is_question, b->confirm.is_question);
        assert_int_equal(a->confirm.revision, b->confirm.revision);
        break;
    case SV_MESH_BYE:
        assert_int_equal(a->bye.keeps_programs, b->bye.keeps_programs);
        break;
    case SV_MESH_RESYNC:
    case SV_MESH_CALL: /* mesh_beside_test.c */
    case SV_MESH_RESULT:
    case SV_MESH_WANT:
    case SV_MESH_NEWS:
    case SV_MESH_KIND_COUNT:
        break;
    }
}

static void each_kind_comes_back_as_it_went(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(examples); i++)
        assert_comes_back(&examples[i], assert_same_message);
}

static void the_bytes_are_those_of_the_first_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(examples); i++)
        assert_bytes(&examples[i]);
}

static void torn_and_flipped_bytes_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(examples); i++)
        tear_and_flip(&examples[i]);
}

static void each_fault_is_said(void **state)
{
    (void)state;
    assert_string_equal(decoded("", 0), "it does not say from whom, to whom or which packet it is");
    assert_string_equal(decoded("\x0a\x02\0a", 4), "a text has a NUL");
    assert_string_equal(decoded("\x0a\x01\xff", 3), "a text is not UTF-8");
    assert_string_equal(decoded("\x0a\x05xx", 4), "a field is longer than what is left");
    assert_string_equal(decoded("\x08\x05", 2), "a field has the wrong type");
    assert_string_equal(decoded("\x4f", 1), "a field has an impossible type");
    assert_string_equal(decoded("\x00", 1), "a field has an impossible number");
    assert_string_equal(decoded("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),
                        "a number is longer than ten bytes");
    assert_string_equal(decoded("\x20\xff", 2), "it is cut off within a number");
    REFUSED("\x52\x00", "hello does not say who it is");
    REFUSED("\x5a\x02\x08\x09", "unknown authorization");
    REFUSED("\x6a\x03\x12\x01\x08", "within a number");
    REFUSED("\x6a\x04\x12\x02\x08\x09", "modes have an unknown state");
    REFUSED("\x6a\x07\x12\x05\x4a\x03\x22\x01\x06", "a sight has an empty run");
    REFUSED("\x6a\x07\x12\x05\x4a\x03\x22\x01\x1e", "an unknown state");
    REFUSED("\x6a\x07\x12\x05\x4a\x03\x22\x01\x80", "protobuf cannot read it");
    REFUSED("\x6a\x06\x12\x04\x4a\x02\x20\x10", "a field has the wrong type");
    REFUSED("\x72\x02\x1a\x00", "a process has no name");
    REFUSED("\x72\x0a\x1a\x08\x0a\x01g\x12\x01p\x20\x07", "a process has an unknown state");
    REFUSED("\x72\x02\x22\x00", "a forced process has no name");
    REFUSED("\x82\x01\x02\x10\x07", "a command is of an unknown kind");
    REFUSED("\x82\x01\x00", "which process it means");
    REFUSED("", "of a kind that this version does not know");
}

/* A newer version has more fields in a row, more kinds, and a field in the packet. */
static void what_a_newer_version_adds_is_skipped(void **state)
{
    (void)state;
    static const char row[] =
        FROM_TO "\x72\x0d\x1a\x0b\x0a\x01g\x12\x01p\xda\x05\x02hi\x98\x06\x01";
    static const char kind[] = FROM_TO "\xe2\x06\x02hi";
    struct sv_arena arena = {0};
    struct sv_mesh_packet packet = {0};
    const char *why = "";
    assert_int_equal(sv_mesh_decode(row, sizeof(row) - 1, &arena, &packet, &why), 0);
    assert_int_equal(packet.message.kind, SV_MESH_CHANGE);
    assert_int_equal(packet.message.rows.process_count, 1);
    assert_string_equal(packet.message.rows.processes[0].name, "p");
    assert_int_equal(sv_mesh_decode(kind, sizeof(kind) - 1, &arena, &packet, &why), SV_MESH_E_KIND);
    assert_string_equal(packet.from, "a");
    sv_arena_done(&arena);
}

static void a_bomb_of_empty_rows_is_refused_before_it_takes_memory(void **state)
{
    (void)state;
    struct sv_str rows = {0}, bytes = {0};
    for (size_t i = 0; i < 1 << 20; i++)
        sv_str_append(&rows, "\x1a\x00", 2);
    sv_str_append(&bytes, FROM_TO "\x72\x80\x80\x80\x01",
                  sizeof(FROM_TO "\x72\x80\x80\x80\x01") - 1);
    sv_str_append(&bytes, rows.data, rows.length);
    assert_string_equal(decoded(bytes.data, bytes.length), "it would need too much memory");
    sv_str_done(&rows);
    sv_str_done(&bytes);
}

static void texts_that_are_no_utf_8_are_sent_with_question_marks(void **state)
{
    (void)state;
    struct sv_str bytes = {0};
    char *text = calloc(1, SV_MESH_TEXT_BYTES_MAX + 2);
    memset(text, 'x', SV_MESH_TEXT_BYTES_MAX + 1);
    text[1] = '\xff';
    struct sv_mesh_message message = {.kind = SV_MESH_ANSWER, .answer.text = text};
    encode(&message, &bytes);
    struct sv_arena arena = {0};
    struct sv_mesh_packet packet = {0};
    const char *why = "";
    assert_int_equal(sv_mesh_decode(bytes.data, bytes.length, &arena, &packet, &why), 0);
    assert_memory_equal(packet.message.answer.text, "x?x", 3);
    assert_int_equal(strlen(packet.message.answer.text), SV_MESH_TEXT_BYTES_MAX);
    sv_arena_done(&arena);
    sv_str_done(&bytes);
    free(text);
}

/* The most that a node may have fits, and unpacking it stays within its budget. */
static void a_snapshot_of_all_processes_fits(void **state)
{
    (void)state;
    struct sv_mesh_process *rows = calloc(SV_PROCESSES_MAX, sizeof(*rows));
    for (size_t i = 0; i < SV_PROCESSES_MAX; i++)
        rows[i] = processes[0];
    struct sv_mesh_message message = {
        .kind = SV_MESH_SNAPSHOT, .rows = {.processes = rows, .process_count = SV_PROCESSES_MAX}};
    struct sv_str bytes = {0};
    encode(&message, &bytes);
    assert_string_equal(decoded(bytes.data, bytes.length), "");
    for (size_t i = 0; i < SV_PROCESSES_MAX; i++)
        rows[i] = (struct sv_mesh_process){
            .application = "a", .name = "b", .program_name = "b", .event_ns = 1 + i};
    encode(&message, &bytes);
    assert_string_equal(decoded(bytes.data, bytes.length), "");
    sv_str_done(&bytes);
    free(rows);
}

static void a_message_that_is_too_long_is_not_sent(void **state)
{
    (void)state;
    char *text = calloc(1, SV_MESH_TEXT_BYTES_MAX);
    memset(text, 'x', SV_MESH_TEXT_BYTES_MAX - 1);
    struct sv_mesh_process *rows = calloc(300, sizeof(*rows));
    for (size_t i = 0; i < 300; i++) {
        rows[i] = processes[0];
        rows[i].description = text;
    }
    struct sv_mesh_packet packet = {
        .from = "a",
        .to = "b",
        .number = 1,
        .message = {.kind = SV_MESH_CHANGE, .rows = {.processes = rows, .process_count = 300}}};
    struct sv_str bytes = {0};
    assert_int_equal(sv_mesh_encode(&packet, &bytes), -EMSGSIZE);
    assert_int_equal(bytes.length, 0);
    sv_str_done(&bytes);
    free(rows);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_comes_back_as_it_went),
        cmocka_unit_test(the_bytes_are_those_of_the_first_version),
        cmocka_unit_test(torn_and_flipped_bytes_do_no_harm),
        cmocka_unit_test(each_fault_is_said),
        cmocka_unit_test(what_a_newer_version_adds_is_skipped),
        cmocka_unit_test(a_bomb_of_empty_rows_is_refused_before_it_takes_memory),
        cmocka_unit_test(texts_that_are_no_utf_8_are_sent_with_question_marks),
        cmocka_unit_test(a_snapshot_of_all_processes_fits),
        cmocka_unit_test(a_message_that_is_too_long_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
