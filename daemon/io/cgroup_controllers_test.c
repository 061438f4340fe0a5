/*
 * sv_cgroup_controllers_enable() on ordinary files in the place of a cgroup's: what it would write.
 * The real ones are met in the virtual machine (tests/vm/systemd.py). The last test is about where
 * a cgroup of systemd's stands in the file system.
 */
#include "io/scratch_test.h"

#include <errno.h>
#include <fcntl.h>

#include "io/cgroup_controllers.h"
#include "io/cgroup_place.h"

static void what_is_used_is_passed_on_in_one_write(void **state)
{
    scratch_write(*state, "cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
    scratch_write(*state, "cgroup.subtree_control", "");
    const char *path = scratch_path(*state, ".");
    assert_int_equal(sv_cgroup_controllers_enable(AT_FDCWD, path), 0);
    assert_file(*state, "cgroup.subtree_control", "+cpu +cpuset +io +memory +pids");
}

static void what_is_not_there_is_not_asked_for(void **state)
{
    scratch_write(*state, "cgroup.controllers", "cpuset hugetlb pids\n");
    scratch_write(*state, "cgroup.subtree_control", "");
    assert_int_equal(sv_cgroup_controllers_enable(AT_FDCWD, scratch_path(*state, ".")), 0);
    assert_file(*state, "cgroup.subtree_control", "+cpuset +pids");
}

static void where_somebody_lives_nothing_is_passed_on(void **state)
{
    scratch_write(*state, "cgroup.controllers", "cpu pids\n");
    scratch_write(*state, "cgroup.subtree_control", "");
    scratch_write(*state, "cgroup.type", "domain\n");
    scratch_write(*state, "cgroup.procs", "4711\n");
    assert_int_equal(sv_cgroup_controllers_enable(AT_FDCWD, scratch_path(*state, ".")), -EBUSY);
    assert_file(*state, "cgroup.subtree_control", "");
    assert_int_equal(truncate(scratch_path(*state, "cgroup.procs"), 0), 0);
    assert_int_equal(sv_cgroup_controllers_enable(AT_FDCWD, scratch_path(*state, ".")), 0);
    assert_file(*state, "cgroup.subtree_control", "+cpu +pids");
}

static void without_controllers_nothing_is_opened(void **state)
{
    scratch_write(*state, "cgroup.controllers", "\n");
    assert_int_equal(sv_cgroup_controllers_enable(AT_FDCWD, scratch_path(*state, ".")), 0);
    assert_false(scratch_exists(*state, "cgroup.subtree_control"));
}

static void a_directory_that_is_no_cgroup_is_an_errno(void **state)
{
    assert_int_equal(sv_cgroup_controllers_enable(AT_FDCWD, scratch_path(*state, ".")), -ENOENT);
}

static void a_preferred_place_comes_first_and_must_be_visible(void **state)
{
    (void)state;
    static struct sv_cgroup_place place = {
        .mount_point = "/sys/fs/cgroup/unified",
        .mount_root = "/box",
        .bases = {{.path = "/sys/fs/cgroup/unified", .why = "root"}},
        .base_count = 1,
    };
    assert_false(sv_cgroup_place_prefer(&place, "/system.slice/x.service", "outside"));
    assert_false(sv_cgroup_place_prefer(&place, "/box/../x.service", "above"));
    assert_false(sv_cgroup_place_prefer(&place, "/boxer/x.service", "beside"));
    assert_int_equal(place.base_count, 1);
    assert_true(sv_cgroup_place_prefer(&place, "/box/system.slice/x.service", "unit"));
    assert_int_equal(place.base_count, 2);
    assert_string_equal(place.bases[0].path, "/sys/fs/cgroup/unified/system.slice/x.service");
    assert_string_equal(place.bases[1].why, "root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(what_is_used_is_passed_on_in_one_write),
        test(what_is_not_there_is_not_asked_for),
        test(where_somebody_lives_nothing_is_passed_on),
        test(without_controllers_nothing_is_opened),
        test(a_directory_that_is_no_cgroup_is_an_errno),
        test(a_preferred_place_comes_first_and_must_be_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
