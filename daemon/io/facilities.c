/*
 * The kernel report: one row for each thing that svisor would like to have, whether it is there,
 * what it gives, and if it is missing, why and what to do.
 *
 * Nothing here is needed to supervise: without all of it there are still process groups, waitid()
 * and Supervisor's manners. So every row tells what is lost, not that something is wrong.
 *
 * libcgroup 2.0 is asked for its view of the controllers here, and only here. It parses
 * /proc/cgroups and /proc/mounts once in its life, so cgroup_init() is called for each report; a
 * report a day does not matter. Its structural calls are not used anywhere: they write into the
 * subtree_control of every directory above ours (systemd's too), and take nine to sixteen times as
 * long as the files.
 */
#include "io/facilities.h"

#include <errno.h>
#include <libcgroup.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"
#include "io/cgroup_place.h"
#include "io/cgroup_walk.h"
#include "io/kernel.h"
#include "io/spawn.h"

struct row {
    const char *name;
    bool is_active;
    const char *gives;
    const char *missing; /* with !is_active: why it is not there */
    const char *remedy;  /* with !is_active */
    const char *detail;
};

static void add_row(json_t *rows, const struct row *row)
{
    /* The detail may hold a user's path: not always UTF-8, and then it is left out. */
    json_t *detail = json_string(row->detail ? row->detail : "");
    json_t *missing = json_string(row->is_active || !row->missing ? "" : row->missing);
    json_t *object =
        json_pack("{s:s, s:b, s:s, s:o, s:s, s:o}", "name", row->name, "active", row->is_active,
                  "gives", row->gives, "missing", missing ? missing : json_string(""), "remedy",
                  row->is_active || !row->remedy ? "" : row->remedy, "detail",
                  detail ? detail : json_string(""));
    json_array_append_new(rows, object);
}

/* --- cgroups --- */

static void add_cgroup2(json_t *rows, const struct sv_facilities_input *input)
{
    add_row(rows,
            &(struct row){
                .name = "cgroup2",
                .is_active = input->tree != NULL,
                .gives = "every program in a cgroup of its own: strays are found and stopped",
                .missing = input->cgroup_reason,
                .remedy = "start svisord as root, or in a cgroup that is delegated to its user",
                .detail = input->tree ? sv_cgroup_tree_path(input->tree) : "",
            });
}

static void add_cgroup_kill(json_t *rows, const struct sv_facilities_input *input)
{
    struct sv_str path = {0};
    if (input->tree)
        sv_str_addf(&path, "%s/cgroup.kill", sv_cgroup_tree_path(input->tree));
    bool is_active = path.data && access(path.data, W_OK) == 0;
    add_row(rows,
            &(struct row){
                .name = "cgroup.kill",
                .is_active = is_active,
                .gives = "a whole program is killed at once, whatever it forks meanwhile",
                .missing = input->tree ? "the kernel is older than 5.14" : "there is no cgroup2",
                .remedy = input->tree ? "a newer kernel; until then each process is killed in turn"
                                      : "see cgroup2",
            });
    sv_str_done(&path);
}

/* Controllers of v2 that limits and accounting want, what each was called before, and what it is
 * for. */
static const struct {
    const char *name;
    const char *v1_name;
    const char *gives;
} controllers[] = {
    {"cpu", "cpu", "limits and shares of processor time"},
    {"cpuset", "cpuset", "programs bound to processors"},
    {"io", "blkio", "limits of disk bandwidth"},
    {"memory", "memory", "limits of memory, and whose limit an out-of-memory kill met"},
    {"pids", "pids", "limits of the number of processes"},
};

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        bool is_start = at == text || at[-1] == ' ';
        if (is_start && (at[length] == ' ' || at[length] == '\n' || !at[length]))
            return true;
    }
    return false;
}

/* Where a version 1 hierarchy holds the controller, v2 cannot have it. "" when none does. */
static const char *mount_by_libcgroup(const char *name, struct sv_str *text)
{
    sv_str_clear(text);
    char *mount = NULL;
    if (cgroup_get_subsys_mount_point(name, &mount) == 0 && mount)
        sv_str_add(text, mount);
    free(mount);
    return sv_str_text(text);
}

/* A controller has a long way to a program: the kernel, the root of cgroup2, and everybody who
 * stands between the root and our tree. */
struct controller_lists {
    char offered[512];   /* cgroup.controllers of the mount */
    char passed_on[512]; /* cgroup.subtree_control of our tree */
    const char *mount_point;
    bool has_tree;
    bool is_libcgroup_ready;
};

static void explain_missing(const struct controller_lists *lists, const char *name, const char *v1,
                            struct row *row)
{
    if (*v1) {
        row->missing = "a version 1 hierarchy holds it";
        row->remedy = "boot with systemd.unified_cgroup_hierarchy=1, or unmount it";
        row->detail = v1;
    } else if (!has_word(lists->offered, name)) {
        row->missing = "not in cgroup.controllers of the root";
        row->remedy = "a kernel with this controller; in a container: delegate it";
    } else if (!lists->has_tree) {
        row->missing = "there is no cgroup2 that svisord may use";
        row->remedy = "see cgroup2";
    } else {
        row->missing = "it is not passed on to the cgroups of programs";
        row->remedy =
            "start svisord as svisord.service, or as root outside of units with Delegate=yes; "
            "without systemd: + in cgroup.subtree_control of every directory above";
    }
}

static void add_controllers(json_t *rows, const struct controller_lists *lists)
{
    struct sv_str mount = {0}, name = {0};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(controllers); i++) {
        const char *v1 =
            lists->is_libcgroup_ready ? mount_by_libcgroup(controllers[i].v1_name, &mount) : "";
        if (strcmp(v1, lists->mount_point) == 0) /* libcgroup 2.0 names those of v2 as well */
            v1 = "";
        sv_str_clear(&name);
        sv_str_addf(&name, "controller %s", controllers[i].name);
        struct row row = {
            .name = sv_str_text(&name),
            .is_active = has_word(lists->passed_on, controllers[i].name),
            .gives = controllers[i].gives,
        };
        if (!row.is_active)
            explain_missing(lists, controllers[i].name, v1, &row);
        add_row(rows, &row);
    }
    sv_str_done(&mount);
    sv_str_done(&name);
}

/* What libcgroup sees: "cpu (/sys/fs/cgroup/cpu), …". It calls them controllers on v1 and v2 alike.
 */
static int list_by_libcgroup(struct sv_str *out)
{
    int r = cgroup_init();
    if (r != 0)
        return r;
    void *handle = NULL;
    struct cgroup_mount_point point;
    r = cgroup_get_controller_begin(&handle, &point);
    while (r == 0) {
        sv_str_addf(out, "%s%s (%s)", out->length ? ", " : "", point.name, point.path);
        r = cgroup_get_controller_next(&handle, &point);
    }
    cgroup_get_controller_end(&handle);
    return r == ECGEOF ? 0 : r;
}

static bool add_libcgroup(json_t *rows)
{
    struct sv_str list = {0};
    int r = list_by_libcgroup(&list);
    bool is_active = r == 0 && sv_str_ok(&list);
    add_row(rows,
            &(struct row){
                .name = "libcgroup",
                .is_active = is_active,
                .gives = "its view of all hierarchies and controllers, also of version 1",
                .missing = is_active ? "" : cgroup_strerror(r),
                .remedy = "mount a cgroup hierarchy; svisor itself does not need libcgroup's view",
                .detail = sv_str_text(&list),
            });
    sv_str_done(&list);
    return is_active;
}

static void read_list(const char *directory, const char *name, char *list, size_t size)
{
    struct sv_str path = {0};
    sv_str_addf(&path, "%s/%s", directory, name);
    if (sv_str_ok(&path))
        (void)sv_cgroup_read(-1, path.data, list, size);
    sv_str_done(&path);
}

static void add_cgroups(json_t *rows, const struct sv_facilities_input *input)
{
    struct controller_lists lists = {.has_tree = input->tree != NULL, .mount_point = ""};
    struct sv_cgroup_place place;
    struct sv_str reason = {0};
    if (sv_cgroup_place_find(&place, &reason) == 0) {
        lists.mount_point = place.mount_point;
        read_list(place.mount_point, "cgroup.controllers", lists.offered, sizeof(lists.offered));
    }
    if (input->tree)
        read_list(sv_cgroup_tree_path(input->tree), "cgroup.subtree_control", lists.passed_on,
                  sizeof(lists.passed_on));
    add_cgroup2(rows, input);
    add_cgroup_kill(rows, input);
    lists.is_libcgroup_ready = add_libcgroup(rows);
    add_controllers(rows, &lists);
    sv_str_done(&reason);
}

/* --- processes --- */

static void add_clone3(json_t *rows)
{
    const char *method = sv_spawn_method();
    add_row(rows,
            &(struct row){
                .name = "clone3",
                .is_active = strcmp(method, "fork") != 0,
                .gives = "programs start in a twentieth of the time, born inside their cgroup",
                .missing = "the kernel is older than 5.3, a seccomp profile forbids it, or this is "
                           "a build for another processor or with a sanitizer",
                .remedy = "allow clone3 in the container's seccomp profile; until then: fork",
                .detail = method,
            });
}

static void add_pidfd(json_t *rows)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int error = errno;
    if (fd >= 0)
        close(fd);
    add_row(rows,
            &(struct row){
                .name = "pidfd",
                .is_active = fd >= 0,
                .gives = "signals and exits of exactly this process, never of a recycled number",
                .missing = sv_errno_name(error),
                .remedy = "a kernel from 5.3 on",
            });
}

static void add_nofile(json_t *rows)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    char detail[64];
    snprintf(detail, sizeof(detail), "soft %llu, hard %llu", (unsigned long long)limit.rlim_cur,
             (unsigned long long)limit.rlim_max);
    add_row(rows,
            &(struct row){
                .name = "RLIMIT_NOFILE",
                .is_active = limit.rlim_cur >= limit.rlim_max,
                .gives = "up to five descriptors for each program",
                .missing = "the soft limit is below the hard one",
                .remedy = "LimitNOFILE= in the unit, or ulimit -n; svisord raises it at its start",
                .detail = detail,
            });
}

/* --- eBPF --- */

static void add_btf(json_t *rows)
{
    bool is_active = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    add_row(rows, &(struct row){
                      .name = "BTF",
                      .is_active = is_active,
                      .gives = "eBPF programs that fit the running kernel without being rebuilt",
                      .missing = "/sys/kernel/btf/vmlinux cannot be read",
                      .remedy = "a kernel with CONFIG_DEBUG_INFO_BTF=y",
                  });
}

static const struct {
    const char *name;
    const char *gives;
} bpf_rows[] = {
    [SV_BPF_PROGRAM_EXIT] = {"eBPF exit",
                             "the moment and the reason of every death in our cgroups"},
    [SV_BPF_PROGRAM_FORK] = {"eBPF fork", "every process that a program starts"},
    [SV_BPF_PROGRAM_EXEC] = {"eBPF exec", "every file that a program executes"},
    [SV_BPF_PROGRAM_SIGNAL] = {"eBPF signal", "who sent a signal: pid, user, command"},
    [SV_BPF_PROGRAM_OOM] = {"eBPF oom", "whom the out-of-memory killer chose"},
};
_Static_assert(SV_ARRAY_LENGTH(bpf_rows) == SV_BPF_PROGRAM_COUNT, "every program has a row");

static const char *bpf_remedy(const struct sv_facilities_input *input, const char *reason)
{
    if (strcmp(reason, SV_BPF_SWITCHED_OFF) == 0)
        return "start svisord without SVISOR_NO_BPF in its environment";
    if (!input->tree)
        return "see cgroup2: events are told apart by cgroup";
    if (strncmp(reason, "EPERM", 5) == 0 || strncmp(reason, "EACCES", 6) == 0)
        return "root, or CAP_BPF and CAP_PERFMON (AmbientCapabilities= in the unit)";
    return "a kernel from 5.11 on with CONFIG_BPF_SYSCALL=y and CONFIG_DEBUG_INFO_BTF=y";
}

static void add_bpf(json_t *rows, const struct sv_facilities_input *input)
{
    static const char *const ways[] = {
        [SV_BPF_WAY_NONE] = "",
        [SV_BPF_WAY_TRACING] = "tp_btf",
        [SV_BPF_WAY_RAW] = "raw_tp",
    };
    for (unsigned i = 0; i < SV_BPF_PROGRAM_COUNT; i++) {
        enum sv_bpf_program program = (enum sv_bpf_program)i;
        enum sv_bpf_way way = input->bpf ? sv_bpf_way(input->bpf, program) : SV_BPF_WAY_NONE;
        const char *reason = input->bpf ? sv_bpf_reason(input->bpf, program) : input->bpf_reason;
        add_row(rows, &(struct row){
                          .name = bpf_rows[i].name,
                          .is_active = way != SV_BPF_WAY_NONE,
                          .gives = bpf_rows[i].gives,
                          .missing = reason,
                          .remedy = bpf_remedy(input, reason),
                          .detail = ways[way],
                      });
    }
}

static void add_ring(json_t *rows, const struct sv_facilities_input *input)
{
    uint64_t lost[SV_BPF_KIND_COUNT] = {0}, sum = 0;
    for (unsigned kind = 0; input->bpf && kind < SV_BPF_KIND_COUNT; kind++)
        sum += lost[kind] = sv_bpf_lost(input->bpf, (enum sv_bpf_kind)kind);
    struct sv_str words SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&words, "%u KiB, %llu records lost", sv_bpf_ring_bytes() / 1024,
                (unsigned long long)sum);
    const char *separator = " (";
    for (unsigned kind = 0; kind < SV_BPF_KIND_COUNT; kind++) {
        if (lost[kind] == 0)
            continue;
        sv_str_addf(&words, "%s%s %llu", separator, sv_kernel_kind_word(kind),
                    (unsigned long long)lost[kind]);
        separator = ", ";
    }
    sv_str_add(&words, sum > 0 ? ")" : "");
    const char *detail = sv_str_text(&words);
    bool is_active = input->bpf && sv_bpf_fd(input->bpf) >= 0;
    add_row(rows, &(struct row){
                      .name = "ring buffer",
                      .is_active = is_active,
                      .gives = "records from the kernel without a copy; what is lost is counted",
                      .missing = "no eBPF program is loaded",
                      .remedy = "see eBPF exit",
                      .detail = is_active ? detail : "",
                  });
}

json_t *sv_facilities_report(const struct sv_facilities_input *input)
{
    json_t *rows = json_array();
    if (!rows)
        return NULL;
    add_cgroups(rows, input);
    add_clone3(rows);
    add_pidfd(rows);
    add_nofile(rows);
    add_btf(rows);
    add_bpf(rows, input);
    add_ring(rows, input);
    return rows;
}
