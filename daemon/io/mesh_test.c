/* Two and three instances with real sockets: connected, messages, lost, and what is not believed.
 */
#include "io/mesh_fixture_test.h"

#include <errno.h>
#include <signal.h>
#include <svisor/limits.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <zmq.h>

#include "wire/mesh.h"

static void join(struct story *story)
{
    assert_int_equal(open_node(story, 0, NULL, NULL), 0);
    assert_int_equal(open_node(story, 1, NULL, NULL), 0);
    connect_node(story, 0, 1);
    connect_node(story, 1, 0);
    WAIT_FOR(story, story->nodes[0].heard[1].is_connected && story->nodes[1].heard[0].is_connected);
}

static void a_port_is_far_from_its_neighbours_and_nobody_elses(void **state)
{
    (void)state;
    static bool is_taken[65536];
    for (uint32_t port = 1024; port < 65536; port++) {
        uint16_t mesh = sv_mesh_port_of((uint16_t)port);
        assert_true(mesh >= 1024);
        assert_false(is_taken[mesh]);
        is_taken[mesh] = true;
    }
    assert_int_equal(sv_mesh_port_of(9001), 29001);
    assert_int_equal(sv_mesh_port_of(60000), 15488);
    assert_int_equal(sv_mesh_port_of(80), 20080);
}

static void messages_go_both_ways_and_in_order(void **state)
{
    struct story *story = *state;
    struct heard *heard = story->nodes[1].heard;
    join(story);
    for (uint64_t i = 1; i <= 200; i++)
        assert_int_equal(send_heartbeat(story, 0, 1, i), 0);
    assert_int_equal(send_heartbeat(story, 1, 0, 7), 0);
    WAIT_FOR(story, heard[0].number == 200 && story->nodes[0].heard[1].number == 7);
    assert_int_equal(heard[0].message_count, 200);
    assert_int_equal(sv_mesh_counters(story->nodes[1].mesh, 0)->received, 200);
    assert_string_equal(sv_mesh_security(story->nodes[0].mesh), "plain text, on this machine only");
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static void a_message_arrives_at_once(void **state)
{
    struct story *story = *state;
    uint64_t took_ns[100];
    join(story);
    for (uint64_t i = 0; i < SV_ARRAY_LENGTH(took_ns); i++) {
        uint64_t sent_ns = sv_now_ns();
        assert_int_equal(send_heartbeat(story, 0, 1, i + 1), 0);
        WAIT_FOR(story, story->nodes[1].heard[0].number == i + 1);
        took_ns[i] = story->nodes[1].heard[0].message_ns - sent_ns;
    }
    qsort(took_ns, SV_ARRAY_LENGTH(took_ns), sizeof(*took_ns), by_size);
    print_message("# a message takes %.0f us (median), %.0f us (worst of 100)\n",
                  (double)took_ns[50] / 1e3, (double)took_ns[99] / 1e3);
    assert_true(took_ns[50] < 20 * MS);
}

/* One is there first and is refused; when two comes, its first message brings one back at once. */
static void who_comes_later_is_connected_from_both_sides_at_once(void **state)
{
    struct story *story = *state;
    assert_int_equal(open_node(story, 0, NULL, NULL), 0);
    connect_node(story, 0, 1);
    for (uint64_t end_ns = sv_now_ns() + 1500 * MS; sv_now_ns() < end_ns;)
        sv_loop_turn(story->loop, 50 * MS);
    assert_int_equal(story->nodes[0].heard[1].connected_count, 0);
    assert_int_equal(send_heartbeat(story, 0, 1, 1), SV_MESH_E_AWAY);
    assert_int_equal(open_node(story, 1, NULL, NULL), 0);
    uint64_t begin_ns = sv_now_ns();
    connect_node(story, 1, 0);
    WAIT_FOR(story, story->nodes[1].heard[0].is_connected);
    assert_int_equal(send_heartbeat(story, 1, 0, 9), 0);
    WAIT_FOR(story, story->nodes[0].heard[1].message_count == 1);
    assert_false(story->nodes[0].heard[1].was_out_of_order);
    assert_int_equal(story->nodes[0].heard[1].number, 9);
    uint64_t took_ns = story->nodes[0].heard[1].message_ns - begin_ns;
    print_message("# both ways open, and a message: %.1f ms\n", (double)took_ns / 1e6);
    assert_true(took_ns < 500 * MS);
}

/* Another process, as instance 1, that does nothing but be there. */
static pid_t begin_other(struct story *story)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(60);
    if (sv_loop_new(&story->loop) < 0 || open_node(story, 1, NULL, NULL) < 0)
        _exit(1);
    (void)sv_mesh_connect(story->nodes[1].mesh, 0, &instances[0]);
    for (uint64_t i = 1;; i++) {
        sv_loop_turn(story->loop, 10 * MS);
        (void)send_heartbeat(story, 1, 0, i);
    }
}

static void a_killed_daemon_is_lost_at_once_and_found_again(void **state)
{
    struct story *story = *state;
    struct heard *heard = &story->nodes[0].heard[1];
    pid_t pid = begin_other(story); /* before libzmq has threads here */
    assert_int_equal(open_node(story, 0, NULL, NULL), 0);
    connect_node(story, 0, 1);
    WAIT_FOR(story, heard->message_count > 0);
    uint64_t killed_ns = sv_now_ns();
    assert_int_equal(kill(pid, SIGKILL), 0);
    WAIT_FOR(story, heard->lost_count == 1);
    print_message("# from SIGKILL to lost: %.1f ms\n", (double)(heard->lost_ns - killed_ns) / 1e6);
    assert_true(heard->lost_ns - killed_ns < 100 * MS);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(heard->was_out_of_order);
    assert_int_equal(send_heartbeat(story, 0, 1, 1), SV_MESH_E_AWAY);
    assert_int_equal(open_node(story, 1, NULL, NULL), 0);
    WAIT_FOR(story, heard->connected_count == 2);
}

static void who_reads_too_slowly_is_lost_and_no_memory_is_filled(void **state)
{
    struct story *story = *state;
    struct heard *heard = &story->nodes[0].heard[1];
    pid_t pid = begin_other(story);
    assert_int_equal(open_node(story, 0, NULL, NULL), 0);
    connect_node(story, 0, 1);
    WAIT_FOR(story, heard->is_connected);
    kill(pid, SIGSTOP);
    char *text = calloc(1, 60000);
    memset(text, 'x', 59999);
    struct sv_mesh_message message = {.kind = SV_MESH_ANSWER, .answer.text = text};
    int r = 0;
    size_t count = 0;
    for (; r == 0 && count < 100000; count++)
        r = sv_mesh_send(story->nodes[0].mesh, 1, &message);
    free(text);
    assert_int_equal(r, SV_MESH_E_AWAY);
    assert_int_equal(sv_mesh_counters(story->nodes[0].mesh, 1)->not_sent, 1);
    WAIT_FOR(story, heard->lost_count == 1);
    assert_non_null(strstr(sv_str_text(&story->log), "two does not read what it is sent"));
    kill(pid, SIGCONT);
    WAIT_FOR(story, heard->connected_count == 2);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* A DEALER without manners, that says it is instance 1. */
struct rogue {
    void *context;
    void *socket;
};

static struct rogue begin_rogue(struct story *story)
{
    struct rogue rogue = {.context = zmq_ctx_new()};
    char endpoint[64];
    int zero = 0;
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", story->port);
    rogue.socket = zmq_socket(rogue.context, ZMQ_DEALER);
    zmq_setsockopt(rogue.socket, ZMQ_LINGER, &zero, sizeof(zero));
    assert_int_equal(zmq_connect(rogue.socket, endpoint), 0);
    return rogue;
}

static void end_rogue(struct rogue *rogue)
{
    zmq_close(rogue->socket);
    zmq_ctx_term(rogue->context);
}

static void rogue_says(struct rogue *rogue, const struct sv_mesh_packet *packet)
{
    struct sv_str bytes = {0};
    assert_int_equal(sv_mesh_encode(packet, &bytes), 0);
    assert_true(zmq_send(rogue->socket, bytes.data, bytes.length, 0) > 0);
    sv_str_done(&bytes);
}

static void what_is_not_believed_is_counted_and_said_once(void **state)
{
    struct story *story = *state;
    join(story);
    struct rogue rogue = begin_rogue(story);
    struct sv_mesh_packet packet = {.from = "127.0.0.2:60000",
                                    .to = "127.0.0.1:60000",
                                    .number = 5,
                                    .message = {.kind = SV_MESH_RESYNC, .incarnation = 3}};
    rogue_says(&rogue, &packet);
    WAIT_FOR(story, story->nodes[0].heard[1].message_count == 1);
    rogue_says(&rogue, &packet);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_REPLAYED) == 1);
    packet.number = 6;
    packet.to = "127.0.0.9:1";
    rogue_says(&rogue, &packet);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_MISPLACED) == 1);
    packet.from = "127.0.0.8:1";
    packet.to = "127.0.0.1:60000";
    rogue_says(&rogue, &packet);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_STRANGER) == 1);
    for (size_t i = 0; i < 50; i++)
        zmq_send(rogue.socket,
                 "\x0a\x0f"
                 "127.0.0.2:60000\x0f",
                 18, 0);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_MALFORMED) == 50);
    assert_int_equal(sv_mesh_counters(story->nodes[0].mesh, 1)->dropped[SV_MESH_DROP_MALFORMED],
                     50);
    assert_int_equal(count_of(&story->log, "two sent a message that cannot be read"), 1);
    zmq_send(rogue.socket, "many", 4, ZMQ_SNDMORE);
    zmq_send(rogue.socket, "parts", 5, 0);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_MALFORMED) == 51);
    end_rogue(&rogue);
    assert_int_equal(story->nodes[0].heard[1].lost_count, 0);
    assert_int_equal(send_heartbeat(story, 1, 0, 1), 0);
    WAIT_FOR(story, story->nodes[0].heard[1].kind == SV_MESH_HEARTBEAT);
}

static void
a_message_that_is_too_long_is_counted_and_a_far_too_long_one_ends_the_connection(void **state)
{
    struct story *story = *state;
    join(story);
    struct rogue rogue = begin_rogue(story);
    size_t size = 2 * SV_MESH_MESSAGE_BYTES_MAX + 1;
    char *bytes = calloc(1, size);
    memcpy(bytes,
           "\x0a\x0f"
           "127.0.0.2:60000",
           17);
    zmq_send(rogue.socket, bytes, SV_MESH_MESSAGE_BYTES_MAX + 1, 0);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_OVERSIZED) == 1);
    assert_int_equal(sv_mesh_counters(story->nodes[0].mesh, 1)->dropped[SV_MESH_DROP_OVERSIZED], 1);
    zmq_send(rogue.socket, bytes, size, 0);
    zmq_send(rogue.socket, bytes, 20, 0);
    free(bytes);
    assert_int_equal(send_heartbeat(story, 1, 0, 1), 0);
    WAIT_FOR(story, story->nodes[0].heard[1].number == 1);
    assert_int_equal(dropped(story, 0, SV_MESH_DROP_OVERSIZED), 1);
    end_rogue(&rogue);
}

static void bytes_that_are_no_zeromq_do_no_harm(void **state)
{
    struct story *story = *state;
    join(story);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(story->port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    static const char request[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    WAIT_FOR(story, sv_mesh_counters(story->nodes[0].mesh, SV_MESH_ALL)->failed_handshakes == 1);
    close(fd);
    assert_int_equal(count_of(&story->log, "did not speak as an instance"), 1);
    assert_int_equal(send_heartbeat(story, 1, 0, 1), 0);
    WAIT_FOR(story, story->nodes[0].heard[1].number == 1);
}

static void an_instance_that_is_disconnected_is_not_heard_any_more(void **state)
{
    struct story *story = *state;
    join(story);
    sv_mesh_disconnect(story->nodes[0].mesh, 1);
    assert_int_equal(send_heartbeat(story, 1, 0, 1), 0);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_STRANGER) == 1);
    assert_int_equal(story->nodes[0].heard[1].lost_count, 0);
    assert_int_equal(story->nodes[0].heard[1].message_count, 0);
    assert_int_equal(send_heartbeat(story, 0, 1, 1), SV_MESH_E_AWAY);
    connect_node(story, 0, 1);
    WAIT_FOR(story, story->nodes[0].heard[1].connected_count == 2);
}

static void the_last_words_still_leave(void **state)
{
    struct story *story = *state;
    join(story);
    char *text = calloc(1, 60000);
    memset(text, 'x', 59999);
    struct sv_mesh_message much = {.kind = SV_MESH_ANSWER, .incarnation = 1, .answer.text = text};
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(sv_mesh_send(story->nodes[0].mesh, 1, &much), 0);
    free(text);
    struct sv_mesh_message bye = {.kind = SV_MESH_BYE, .incarnation = 1, .bye = {true}};
    assert_int_equal(sv_mesh_send(story->nodes[0].mesh, 1, &bye), 0);
    uint64_t begin_ns = sv_now_ns();
    sv_mesh_close(story->nodes[0].mesh, PATIENCE_MS * MS);
    assert_true(sv_now_ns() - begin_ns < PATIENCE_MS * MS / 2); /* not longer than it takes */
    story->nodes[0].mesh = NULL;
    WAIT_FOR(story, story->nodes[1].heard[0].lost_count == 1);
    assert_int_equal(story->nodes[1].heard[0].kind, SV_MESH_BYE);
}

static void a_port_that_is_taken_is_said(void **state)
{
    struct story *story = *state;
    assert_int_equal(open_node(story, 0, NULL, NULL), 0);
    struct sv_mesh *first = story->nodes[0].mesh;
    story->nodes[0].mesh = NULL;
    assert_int_equal(open_node(story, 0, NULL, NULL), -EADDRINUSE);
    assert_non_null(strstr(sv_str_text(&story->problem), "write another mesh_port"));
    story->nodes[0].mesh = first;
}

static void a_name_is_resolved_and_one_that_does_not_exist_is_said(void **state)
{
    struct story *story = *state;
    static const struct sv_instance_config named = {
        .identifier = "127.0.0.1:60000", .nick = "named", .host = "localhost", .http_port = 60000};
    static const struct sv_instance_config nowhere = {.identifier = "nowhere.invalid:1",
                                                      .nick = "nowhere",
                                                      .host = "nowhere.invalid",
                                                      .http_port = 1};
    assert_int_equal(open_node(story, 0, NULL, NULL), 0);
    assert_int_equal(open_node(story, 1, NULL, NULL), 0);
    assert_int_equal(sv_mesh_connect(story->nodes[1].mesh, 0, &named), 0);
    assert_int_equal(sv_mesh_connect(story->nodes[1].mesh, 2, &nowhere), 0);
    WAIT_FOR(story, story->nodes[1].heard[0].is_connected);
    WAIT_FOR(story, count_of(&story->log, "cannot find the address of nowhere") == 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* Those that fork come first: libzmq keeps a few threads that a fork would not have. */
        TEST(a_killed_daemon_is_lost_at_once_and_found_again),
        TEST(who_reads_too_slowly_is_lost_and_no_memory_is_filled),
        cmocka_unit_test(a_port_is_far_from_its_neighbours_and_nobody_elses),
        TEST(messages_go_both_ways_and_in_order),
        TEST(a_message_arrives_at_once),
        TEST(who_comes_later_is_connected_from_both_sides_at_once),
        TEST(what_is_not_believed_is_counted_and_said_once),
        TEST(a_message_that_is_too_long_is_counted_and_a_far_too_long_one_ends_the_connection),
        TEST(bytes_that_are_no_zeromq_do_no_harm),
        TEST(an_instance_that_is_disconnected_is_not_heard_any_more),
        TEST(the_last_words_still_leave),
        TEST(a_port_that_is_taken_is_said),
        TEST(a_name_is_resolved_and_one_that_does_not_exist_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
