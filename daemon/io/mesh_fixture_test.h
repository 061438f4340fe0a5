/* For tests of the mesh: instances on 127.0.0.x with real sockets, in one loop. */
#ifndef SV_IO_MESH_FIXTURE_TEST_H
#define SV_IO_MESH_FIXTURE_TEST_H

#include "io/scratch_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/log.h"
#include "io/mesh.h"

#define MS UINT64_C(1000000)

enum { INSTANCES = 3, PATIENCE_MS = 20000 };

/* What one instance has heard, of the one at each place. */
struct heard {
    size_t connected_count, lost_count, message_count, stranger_count;
    uint64_t connected_ns, lost_ns, message_ns;
    enum sv_mesh_kind kind;
    bool was_out_of_order; /* a message while not connected */
    bool is_connected;
    uint64_t number; /* of the last heartbeat */
    uint64_t incarnation;
};

struct node {
    struct sv_mesh *mesh;
    struct heard heard[INSTANCES];
};

struct story {
    struct scratch *scratch;
    struct sv_loop *loop;
    uint16_t port;
    struct node nodes[INSTANCES];
    struct sv_str log;
    struct sv_str problem;
};

/* By place: the same for every test. */
static const struct sv_instance_config instances[INSTANCES] = {
    {.identifier = "127.0.0.1:60000", .nick = "one", .host = "127.0.0.1", .http_port = 60000},
    {.identifier = "127.0.0.2:60000", .nick = "two", .host = "127.0.0.2", .http_port = 60000},
    {.identifier = "127.0.0.3:60000", .nick = "three", .host = "127.0.0.3", .http_port = 60000},
};

static inline void on_connected(void *user, uint32_t place)
{
    struct heard *heard = &((struct node *)user)->heard[place];
    heard->connected_count++;
    heard->is_connected = true;
    heard->connected_ns = sv_now_ns();
}

static inline void on_lost(void *user, uint32_t place)
{
    struct heard *heard = &((struct node *)user)->heard[place];
    heard->lost_count++;
    heard->is_connected = false;
    heard->lost_ns = sv_now_ns();
}

static inline void on_message(void *user, uint32_t place, const struct sv_mesh_message *message)
{
    struct heard *heard = &((struct node *)user)->heard[place];
    heard->message_count++;
    heard->message_ns = sv_now_ns();
    heard->kind = message->kind;
    heard->incarnation = message->incarnation;
    heard->was_out_of_order |= !heard->is_connected;
    if (message->kind == SV_MESH_HEARTBEAT)
        heard->number = message->heartbeat.sequence;
}

static inline void on_stranger(void *user, const struct sv_mesh_hello *hello)
{
    (void)hello;
    ((struct node *)user)->heard[0].stranger_count++;
}

static inline void keep_line(void *user, enum sv_log_level level, const char *text, size_t length)
{
    (void)level;
    struct sv_str *log = user;
    sv_str_append(log, text, length);
    sv_str_add_char(log, '\n');
}

/* A port that is free now on all of our addresses. */
static inline uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static inline int story_begin(void **state)
{
    struct story *story = calloc(1, sizeof(*story));
    void *scratch = NULL;
    if (!story || scratch_setup(&scratch) != 0)
        return -1;
    story->scratch = scratch;
    story->port = free_port();
    *state = story;
    sv_log_set_sink(keep_line, &story->log);
    return sv_loop_new(&story->loop);
}

static inline int story_end(void **state)
{
    struct story *story = *state;
    for (size_t i = 0; i < INSTANCES; i++)
        sv_mesh_close(story->nodes[i].mesh, 0);
    sv_loop_free(story->loop);
    sv_log_set_sink(NULL, NULL);
    sv_str_done(&story->log);
    sv_str_done(&story->problem);
    void *scratch = story->scratch;
    scratch_teardown(&scratch);
    free(story);
    return 0;
}

/* Opens instance `place`, with the key in the scratch file, or without one. */
static inline int open_node(struct story *story, uint32_t place, const char *key, const char *trust)
{
    struct sv_mesh_settings settings = {.self = &instances[place],
                                        .port = story->port,
                                        .is_local = true,
                                        .key_file = key,
                                        .trust_file = trust,
                                        .give_up_ns = 15000 * MS};
    struct sv_mesh_handlers handlers = {.connected = on_connected,
                                        .lost = on_lost,
                                        .message = on_message,
                                        .stranger = on_stranger,
                                        .user = &story->nodes[place]};
    return sv_mesh_open(story->loop, &settings, &handlers, &story->problem,
                        &story->nodes[place].mesh);
}

static inline void connect_node(struct story *story, uint32_t from, uint32_t to)
{
    assert_int_equal(sv_mesh_connect(story->nodes[from].mesh, to, &instances[to]), 0);
}

static inline int send_heartbeat(struct story *story, uint32_t from, uint32_t to, uint64_t number)
{
    struct sv_mesh_message message = {
        .kind = SV_MESH_HEARTBEAT, .incarnation = 1, .heartbeat = {.sequence = number}};
    return sv_mesh_send(story->nodes[from].mesh, to, &message);
}

/* Turns the loop until the condition holds. */
#define WAIT_FOR(story, condition)                                                                 \
    do {                                                                                           \
        uint64_t end_ns = sv_now_ns() + PATIENCE_MS * MS;                                          \
        while (!(condition)) {                                                                     \
            assert_true(sv_loop_turn((story)->loop, 50 * MS) >= 0);                                \
            if (sv_now_ns() > end_ns)                                                              \
                fail_msg("never came true: %s\n%s", #condition, sv_str_text(&(story)->log));       \
        }                                                                                          \
    } while (0)

static inline uint64_t dropped(struct story *story, uint32_t place, enum sv_mesh_drop kind)
{
    return sv_mesh_counters(story->nodes[place].mesh, SV_MESH_ALL)->dropped[kind];
}

static inline size_t count_of(const struct sv_str *text, const char *part)
{
    size_t count = 0;
    for (const char *at = sv_str_text(text); (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

#endif
