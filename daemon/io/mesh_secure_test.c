/* The mesh with keys: who is let in, who may speak for whom, and what people are told. */
#include "io/mesh_fixture_test.h"

#include <errno.h>
#include <zmq.h>

#include "io/mesh_keys.h"
#include "wire/mesh.h"

/* A key of its own in the scratch file `name`. */
static struct sv_mesh_key_pair make_key(struct story *story, const char *name)
{
    struct sv_mesh_key_pair pair;
    struct sv_str text = {0};
    assert_int_equal(zmq_curve_keypair(pair.public_key.text, pair.secret_key.text), 0);
    sv_mesh_key_pair_format(&pair, true, &text);
    scratch_write(story->scratch, name, sv_str_text(&text));
    assert_int_equal(chmod(scratch_path(story->scratch, name), 0600), 0);
    sv_str_done(&text);
    return pair;
}

static void trust_key(struct story *story, const char *file, const struct sv_mesh_key_pair *pair,
                      const char *names)
{
    char line[256];
    snprintf(line, sizeof(line), "%s %s\n", pair->public_key.text, names);
    scratch_write(story->scratch, file, line);
}

/* The paths of scratch_path() are reused after six calls; these live as long as the story. */
static const char *path_of(struct story *story, const char *name)
{
    static char paths[16][128];
    static size_t next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof(paths[0]), "%s/%s", story->scratch->directory, name);
    return path;
}

static void open_with_keys(struct story *story, uint32_t place, const char *key, const char *trust)
{
    int r = open_node(story, place, path_of(story, key), trust ? path_of(story, trust) : NULL);
    if (r < 0)
        fail_msg("%s", sv_str_text(&story->problem));
}

static bool are_connected(const struct story *story)
{
    return story->nodes[0].heard[1].is_connected && story->nodes[1].heard[0].is_connected;
}

static const struct sv_mesh_counters *counters(const struct story *story, uint32_t place)
{
    return sv_mesh_counters(story->nodes[place].mesh, SV_MESH_ALL);
}

static void one_key_for_all_is_enough(void **state)
{
    struct story *story = *state;
    struct sv_mesh_key_pair pair = make_key(story, "key");
    open_with_keys(story, 0, "key", NULL);
    open_with_keys(story, 1, "key", NULL);
    connect_node(story, 0, 1);
    connect_node(story, 1, 0);
    WAIT_FOR(story, are_connected(story));
    assert_int_equal(send_heartbeat(story, 0, 1, 5), 0);
    WAIT_FOR(story, story->nodes[1].heard[0].number == 5);
    assert_non_null(strstr(sv_mesh_security(story->nodes[0].mesh), pair.public_key.text));
}

static void a_key_for_each_that_the_others_trust_by_name(void **state)
{
    struct story *story = *state;
    struct sv_mesh_key_pair one = make_key(story, "one.key"), two = make_key(story, "two.key");
    trust_key(story, "one.trust", &two, "two");
    trust_key(story, "two.trust", &one, "127.0.0.1");
    open_with_keys(story, 0, "one.key", "one.trust");
    open_with_keys(story, 1, "two.key", "two.trust");
    connect_node(story, 0, 1);
    connect_node(story, 1, 0);
    WAIT_FOR(story, are_connected(story));
    assert_int_equal(send_heartbeat(story, 0, 1, 5), 0);
    assert_int_equal(send_heartbeat(story, 1, 0, 6), 0);
    WAIT_FOR(story, story->nodes[1].heard[0].number == 5 && story->nodes[0].heard[1].number == 6);
}

/* Without names the way tries one key after another. */
static void trusted_keys_without_names_are_tried_in_turn(void **state)
{
    struct story *story = *state;
    struct sv_mesh_key_pair one = make_key(story, "one.key"), two = make_key(story, "two.key");
    struct sv_mesh_key_pair other = make_key(story, "other.key");
    trust_key(story, "trust", &other, "");
    trust_key(story, "trust", &one, "");
    trust_key(story, "trust", &two, "");
    open_with_keys(story, 0, "one.key", "trust");
    open_with_keys(story, 1, "two.key", "trust");
    connect_node(story, 0, 1);
    connect_node(story, 1, 0);
    WAIT_FOR(story, are_connected(story));
}

/* The refused one is told on its side what to say on the other, and once that is said, it works. */
static void a_key_that_is_not_trusted_is_refused_and_said_until_it_is(void **state)
{
    struct story *story = *state;
    struct sv_mesh_key_pair one = make_key(story, "one.key"), two = make_key(story, "two.key");
    trust_key(story, "two.trust", &one, "one");
    open_with_keys(story, 0, "one.key", "one.trust");
    open_with_keys(story, 1, "two.key", "two.trust");
    connect_node(story, 1, 0);
    WAIT_FOR(story, counters(story, 0)->refused > 0);
    WAIT_FOR(story, count_of(&story->log, "one refuses the key of this instance") == 1);
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "say `svctl mesh trust '%s' NAME`", two.public_key.text);
    assert_int_equal(count_of(&story->log, wanted), 1);
    assert_int_equal(story->nodes[1].heard[0].connected_count, 0);
    assert_int_equal(send_heartbeat(story, 1, 0, 1), SV_MESH_E_AWAY);
    trust_key(story, "one.trust", &two, "two");
    WAIT_FOR(story, story->nodes[1].heard[0].is_connected);
    connect_node(story, 0, 1);
    WAIT_FOR(story, are_connected(story));
}

static void a_key_that_is_not_trusted_any_more_ends_the_conversation(void **state)
{
    struct story *story = *state;
    struct sv_mesh_key_pair one = make_key(story, "one.key"), two = make_key(story, "two.key");
    trust_key(story, "one.trust", &two, "two");
    trust_key(story, "two.trust", &one, "one");
    open_with_keys(story, 0, "one.key", "one.trust");
    open_with_keys(story, 1, "two.key", "two.trust");
    connect_node(story, 0, 1);
    connect_node(story, 1, 0);
    WAIT_FOR(story, are_connected(story));
    assert_int_equal(unlink(path_of(story, "one.trust")), 0);
    for (uint64_t i = 1; dropped(story, 0, SV_MESH_DROP_FORGED) == 0; i++) {
        assert_true(send_heartbeat(story, 1, 0, i) >= 0);
        sv_loop_turn(story->loop, 50 * MS);
        assert_true(i < 1000000);
    }
    WAIT_FOR(story, story->nodes[0].heard[1].lost_count == 1);
    assert_int_equal(count_of(&story->log, "the key of two is not trusted any more"), 1);
}

/* Three has a key that is trusted, for three. It says that it is two. */
static void a_key_may_not_speak_for_another_instance(void **state)
{
    struct story *story = *state;
    struct sv_mesh_key_pair one = make_key(story, "one.key"), two = make_key(story, "two.key");
    struct sv_mesh_key_pair three = make_key(story, "three.key");
    trust_key(story, "one.trust", &two, "two");
    trust_key(story, "one.trust", &three, "three");
    open_with_keys(story, 0, "one.key", "one.trust");
    connect_node(story, 0, 1);
    void *context = zmq_ctx_new();
    void *rogue = zmq_socket(context, ZMQ_DEALER);
    int zero = 0;
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", story->port);
    zmq_setsockopt(rogue, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_setsockopt(rogue, ZMQ_CURVE_SERVERKEY, one.public_key.text, 40);
    zmq_setsockopt(rogue, ZMQ_CURVE_PUBLICKEY, three.public_key.text, 40);
    zmq_setsockopt(rogue, ZMQ_CURVE_SECRETKEY, three.secret_key.text, 40);
    assert_int_equal(zmq_connect(rogue, endpoint), 0);
    struct sv_mesh_packet packet = {.from = instances[1].identifier,
                                    .to = instances[0].identifier,
                                    .number = 1,
                                    .message = {.kind = SV_MESH_BYE}};
    struct sv_str bytes = {0};
    assert_int_equal(sv_mesh_encode(&packet, &bytes), 0);
    zmq_send(rogue, bytes.data, bytes.length, 0);
    WAIT_FOR(story, dropped(story, 0, SV_MESH_DROP_FORGED) == 1);
    assert_int_equal(count_of(&story->log, "a key that may not speak for it"), 1);
    sv_str_done(&bytes);
    zmq_close(rogue);
    zmq_ctx_term(context);
}

static void plain_text_is_not_spoken_with_keys(void **state)
{
    struct story *story = *state;
    make_key(story, "key");
    open_with_keys(story, 0, "key", NULL);
    assert_int_equal(open_node(story, 1, NULL, NULL), 0);
    connect_node(story, 1, 0);
    connect_node(story, 0, 1);
    WAIT_FOR(story, count_of(&story->log, "has a key (mesh_key), this instance has none") == 1);
    WAIT_FOR(story, count_of(&story->log, "the handshake with two failed") == 1);
    assert_int_equal(story->nodes[0].heard[1].connected_count, 0);
    assert_int_equal(story->nodes[1].heard[0].connected_count, 0);
}

static void a_connection_that_ends_at_once_says_nothing_about_keys(void **state)
{
    struct story *story = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(story->port)};
    inet_pton(AF_INET, instances[1].host, &address.sin_addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(open_node(story, 0, NULL, NULL), 0);
    connect_node(story, 0, 1);
    int fd = -1;
    WAIT_FOR(story, (fd = accept(listener, NULL, NULL)) >= 0);
    close(fd);
    WAIT_FOR(story, count_of(&story->log, "a connection to two ended before") == 1);
    assert_int_equal(count_of(&story->log, "does not speak plain text"), 0);
    close(listener);
}

static void assert_refused(struct story *story, const char *name, int error, const char *part)
{
    struct sv_mesh_keys keys = {0};
    sv_str_clear(&story->problem);
    assert_int_equal(sv_mesh_keys_open(path_of(story, name), NULL, &story->problem, &keys), error);
    if (!strstr(sv_str_text(&story->problem), part))
        fail_msg("\"%s\" does not say \"%s\"", sv_str_text(&story->problem), part);
}

static void a_key_file_that_cannot_be_used_says_what_to_do(void **state)
{
    struct story *story = *state;
    make_key(story, "key");
    assert_refused(story, "none", -ENOENT, "`svctl mesh keygen ");
    chmod(path_of(story, "key"), 0644);
    assert_refused(story, "key", -EPERM, "write `chmod 600 ");
    scratch_write(story->scratch, "broken", "public-key = \"abc\"\n");
    chmod(path_of(story, "broken"), 0600);
    assert_refused(story, "broken", -EINVAL, "line 1: this is not a key");
    scratch_write(story->scratch, "public",
                  "public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n");
    chmod(path_of(story, "public"), 0600);
    assert_refused(story, "public", -EINVAL, "has only a public key");
}

static void a_broken_list_of_trusted_keys_changes_nothing_at_run_time(void **state)
{
    struct story *story = *state;
    struct sv_mesh_key_pair pair = make_key(story, "key"), other = make_key(story, "other.key");
    struct sv_mesh_keys keys = {0};
    const char *trust = path_of(story, "trust");
    trust_key(story, "trust", &other, "two");
    assert_int_equal(sv_mesh_keys_open(path_of(story, "key"), trust, &story->problem, &keys), 0);
    assert_true(sv_mesh_keys_trust(&keys, other.public_key.text));
    assert_true(sv_mesh_keys_trust(&keys, pair.public_key.text));
    assert_true(sv_mesh_keys_allow(&keys, other.public_key.text, &instances[1]));
    assert_false(sv_mesh_keys_allow(&keys, other.public_key.text, &instances[2]));
    assert_false(sv_mesh_keys_allow(&keys, pair.public_key.text, &instances[1]));
    assert_false(sv_mesh_keys_refresh(&keys));
    scratch_write(story->scratch, "trust", "nonsense\n");
    assert_false(sv_mesh_keys_refresh(&keys));
    assert_false(sv_mesh_keys_refresh(&keys));
    assert_int_equal(count_of(&story->log, "line 2: the line does not begin with a key"), 1);
    assert_true(sv_mesh_keys_trust(&keys, other.public_key.text));
    assert_int_equal(unlink(trust), 0);
    assert_true(sv_mesh_keys_refresh(&keys));
    assert_false(sv_mesh_keys_trust(&keys, other.public_key.text));
    sv_mesh_keys_close(&keys);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_key_for_all_is_enough),
        TEST(a_key_for_each_that_the_others_trust_by_name),
        TEST(trusted_keys_without_names_are_tried_in_turn),
        TEST(a_key_that_is_not_trusted_is_refused_and_said_until_it_is),
        TEST(a_key_that_is_not_trusted_any_more_ends_the_conversation),
        TEST(a_key_may_not_speak_for_another_instance),
        TEST(plain_text_is_not_spoken_with_keys),
        TEST(a_connection_that_ends_at_once_says_nothing_about_keys),
        TEST(a_key_file_that_cannot_be_used_says_what_to_do),
        TEST(a_broken_list_of_trusted_keys_changes_nothing_at_run_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
