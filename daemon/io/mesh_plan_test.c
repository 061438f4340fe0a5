/* When the mesh is plain, when it needs a key, and what is said when there is none. */
#include "io/mesh_fixture_test.h"

#include <errno.h>

static struct sv_instance_config nodes[] = {
    {.identifier = "127.0.0.1:60000", .nick = "one", .host = "127.0.0.1", .http_port = 60000},
    {.identifier = "10.0.0.2:60000", .nick = "two", .host = "10.0.0.2", .http_port = 60000},
};

/* -1: there is a problem, which is in story->problem. */
static int plan(struct story *story, const struct sv_supvisors_config *supvisors,
                const struct sv_cluster_config *cluster, struct sv_mesh_settings *ret_settings)
{
    sv_str_clear(&story->problem);
    return sv_mesh_plan(supvisors, cluster, &supvisors->instances[0], ret_settings,
                        &story->problem);
}

static void without_a_key_only_this_machine_is_spoken_to(void **state)
{
    struct story *story = *state;
    struct sv_mesh_settings settings;
    struct sv_cluster_config cluster = {.mesh_key = "/nowhere/mesh.key", .suspect_after = 1};
    struct sv_supvisors_config local = {.instances = instances, .instance_count = 3};
    struct sv_supvisors_config remote = {.instances = nodes, .instance_count = 2};
    assert_int_equal(plan(story, &local, &cluster, &settings), 0);
    assert_true(settings.is_local);
    assert_null(settings.key_file);
    assert_int_equal(settings.give_up_ns, 3000 * MS);
    assert_int_equal(plan(story, &remote, &cluster, &settings), -EPERM);
    assert_non_null(strstr(sv_str_text(&story->problem),
                           "10.0.0.2:60000 is not on this machine and there is no key: say `svctl "
                           "mesh keygen /nowhere/mesh.key`"));
    cluster.mesh_plain = true;
    cluster.suspect_after = 10;
    assert_int_equal(plan(story, &remote, &cluster, &settings), 0);
    assert_false(settings.is_local);
    assert_null(settings.key_file);
    assert_int_equal(settings.give_up_ns, 20000 * MS);
}

static void a_key_that_is_there_is_used_everywhere(void **state)
{
    struct story *story = *state;
    struct sv_mesh_settings settings;
    scratch_write(story->scratch, "mesh.key", "");
    struct sv_cluster_config cluster = {.mesh_key = scratch_path(story->scratch, "mesh.key")};
    struct sv_supvisors_config local = {.instances = instances, .instance_count = 3};
    struct sv_supvisors_config remote = {.instances = nodes, .instance_count = 2};
    assert_int_equal(plan(story, &remote, &cluster, &settings), 0);
    assert_string_equal(settings.key_file, cluster.mesh_key);
    assert_false(settings.is_local);
    assert_int_equal(plan(story, &local, &cluster, &settings), 0);
    assert_string_equal(settings.key_file, cluster.mesh_key);
    assert_true(settings.is_local);
}

static void discovery_in_a_network_needs_a_key_as_well(void **state)
{
    struct story *story = *state;
    struct sv_mesh_settings settings;
    struct sv_cluster_config cluster = {.mesh_key = "/nowhere/mesh.key"};
    struct sv_supvisors_config open = {.instances = instances, .instance_count = 1};
    assert_int_equal(plan(story, &open, &cluster, &settings), SV_MESH_E_ALONE);
    open.multicast_address = "239.0.0.1";
    assert_int_equal(plan(story, &open, &cluster, &settings), -EPERM);
    open.multicast_interface = "127.0.0.1";
    assert_int_equal(plan(story, &open, &cluster, &settings), 0);
    assert_true(settings.is_local);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, story_begin, story_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_key_only_this_machine_is_spoken_to),
        TEST(a_key_that_is_there_is_used_everywhere),
        TEST(discovery_in_a_network_needs_a_key_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
