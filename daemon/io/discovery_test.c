/* Beacons over the loopback interface. */
#include "io/mesh_fixture_test.h"

#include <errno.h>

#include "io/discovery.h"

static const char *const stereotypes[] = {"db"};
static const struct sv_name_list list = {stereotypes, 1};
static const struct sv_name_list none = {NULL, 0};

struct finding {
    size_t count;
    char identifier[64];
    char stereotype[64];
    uint16_t event_port;
};

static void on_found(void *user, const struct sv_instance_config *instance,
                     const struct sv_name_list *names)
{
    struct finding *finding = user;
    finding->count++;
    finding->event_port = instance->event_port;
    snprintf(finding->identifier, sizeof(finding->identifier), "%s", instance->identifier);
    if (names->count > 0)
        snprintf(finding->stereotype, sizeof(finding->stereotype), "%s", names->items[0]);
}

static struct sv_discovery *open_one(struct story *story, const struct sv_instance_config *self,
                                     struct finding *finding)
{
    struct sv_discovery *discovery = NULL;
    const struct sv_discovery_settings settings = {.group = "239.255.77.1",
                                                   .port = story->port,
                                                   .interface_address = "127.0.0.1",
                                                   .ttl = 0,
                                                   .self = self,
                                                   .stereotypes = self->event_port ? &list : &none};
    int r =
        sv_discovery_open(story->loop, &settings, on_found, finding, &story->problem, &discovery);
    if (r < 0)
        fail_msg("%s", sv_str_text(&story->problem));
    return discovery;
}

static const struct sv_instance_config one = {.identifier = "127.0.0.1:60000",
                                              .nick = "one",
                                              .host = "127.0.0.1",
                                              .http_port = 60000,
                                              .event_port = 60001};
static const struct sv_instance_config two = {
    .identifier = "127.0.0.2:60000", .nick = "two", .host = "127.0.0.2", .http_port = 60000};

/* One has been there for a while, and its own pause is long: it answers the question of two. */
static void instances_find_each_other_at_once_and_not_themselves(void **state)
{
    struct story *story = *state;
    struct finding first = {0}, second = {0};
    struct sv_discovery *discovery = open_one(story, &one, &first);
    for (uint64_t end_ns = sv_now_ns() + 2000 * MS; sv_now_ns() < end_ns;)
        sv_loop_turn(story->loop, 50 * MS);
    assert_int_equal(first.count, 0);
    struct sv_discovery *other = open_one(story, &two, &second);
    uint64_t begin_ns = sv_now_ns();
    WAIT_FOR(story, first.count > 0 && second.count > 0);
    print_message("# found by both after %.1f ms\n", (double)(sv_now_ns() - begin_ns) / 1e6);
    assert_true(sv_now_ns() - begin_ns < 1000 * MS);
    assert_string_equal(first.identifier, two.identifier);
    assert_string_equal(second.identifier, one.identifier);
    assert_string_equal(second.stereotype, "db");
    assert_int_equal(second.event_port, 60001);
    sv_discovery_close(discovery);
    sv_discovery_close(other);
}

static void datagrams_that_are_no_beacons_are_dropped(void **state)
{
    struct story *story = *state;
    struct finding first = {0}, second = {0};
    struct sv_discovery *discovery = open_one(story, &one, &first);
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons(story->port)};
    struct in_addr loopback;
    inet_pton(AF_INET, "239.255.77.1", &group.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &loopback);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof(loopback)), 0);
    char noise[2000];
    memset(noise, 'x', sizeof(noise));
    for (size_t length = 0; length < sizeof(noise); length += 100)
        sendto(fd, noise, length, 0, (struct sockaddr *)&group, sizeof(group));
    close(fd);
    struct sv_discovery *other = open_one(story, &two, &second);
    WAIT_FOR(story, first.count > 0);
    assert_string_equal(first.identifier, two.identifier);
    sv_discovery_close(discovery);
    sv_discovery_close(other);
}

static void an_interface_that_is_not_there_is_said_once(void **state)
{
    struct story *story = *state;
    struct finding finding = {0};
    struct sv_discovery *discovery = NULL;
    const struct sv_discovery_settings settings = {.group = "239.255.77.1",
                                                   .port = story->port,
                                                   .interface_address = "192.0.2.1",
                                                   .self = &one,
                                                   .stereotypes = &none};
    assert_int_equal(
        sv_discovery_open(story->loop, &settings, on_found, &finding, &story->problem, &discovery),
        0);
    for (uint64_t end_ns = sv_now_ns() + 1000 * MS; sv_now_ns() < end_ns;)
        sv_loop_turn(story->loop, 50 * MS);
    assert_int_equal(count_of(&story->log, "no interface takes multicast to 239.255.77.1"), 1);
    sv_discovery_close(discovery);
}

static void a_group_that_is_none_is_refused(void **state)
{
    struct story *story = *state;
    struct finding finding = {0};
    struct sv_discovery *discovery = NULL;
    const struct sv_discovery_settings settings = {
        .group = "239.0.0", .port = 1, .self = &one, .stereotypes = &none};
    assert_int_equal(
        sv_discovery_open(story->loop, &settings, on_found, &finding, &story->problem, &discovery),
        -EINVAL);
    assert_non_null(strstr(sv_str_text(&story->problem), "cannot listen to the multicast group"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(instances_find_each_other_at_once_and_not_themselves),
        TEST(datagrams_that_are_no_beacons_are_dropped),
        TEST(an_interface_that_is_not_there_is_said_once),
        TEST(a_group_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
