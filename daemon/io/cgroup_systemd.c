/*
 * On a machine that systemd manages, cgroups are asked for, not taken:
 *
 *   svisord.service      its environment names svisor-programs.service (SVISOR_PROGRAMS_UNIT),
 *                        whose cgroup is delegated and outlives every restart of svisord;
 *   started by hand,     a transient scope `svisor-<identifier>.scope`: delegated, with every
 *   as root              controller, and out of the session that started svisord;
 *   in a unit with       that unit's own cgroup, and nobody is asked: whoever wrote Delegate=yes
 *   Delegate=yes         has decided.
 *
 * A scope lives as long as a process of it. Programs come and go, and svisord itself stays where it
 * was started, so that whoever watches it there still finds it; therefore a holder lives in the
 * scope: svisor-holder, from the directory of svisord. It ends with svisord, so a svisord that was
 * killed leaves a scope with its programs and nothing else. The next svisord of that identifier
 * finds the scope there and puts a holder of its own into it.
 *
 * A scope whose last process has just ended still has its name for some milliseconds, but nothing
 * can be put into it: both are tried in turn until one works.
 */
#include "io/cgroup_systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/cgroup_controllers.h"
#include "io/cgroup_names.h"
#include "io/systemd_bus.h"

enum {
    SCOPE_ATTEMPTS_MAX = 20, /* one second */
    SCOPE_AGAIN_MS = 50,     /* systemd needs 10 to 30 ms to clear a scope away */
};

struct sv_cgroup_scope {
    pid_t holder; /* a child that is not waited for: the number stays ours. 0: none */
};

/* --- the holder --- */

static int holder_path(struct sv_str *path)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
    if (length < 0)
        return -errno;
    const char *slash = memrchr(self, '/', (size_t)length);
    sv_str_append(path, self, slash ? (size_t)(slash - self) : 0);
    sv_str_add(path, "/svisor-holder");
    return sv_str_ok(path) ? 0 : -ENOMEM;
}

/* It must not keep our terminal, our working directory or our blocked signals. */
static int spawn_holder(pid_t *ret_pid)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    int r = holder_path(&path);
    if (r < 0)
        return r;
    char parent[16];
    snprintf(parent, sizeof(parent), "%d", (int)getpid());
    char *arguments[] = {path.data, parent, NULL};
    char *environment[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    if (posix_spawnattr_init(&attributes) != 0)
        return -ENOMEM;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        posix_spawnattr_destroy(&attributes);
        return -ENOMEM;
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    posix_spawnattr_setsigmask(&attributes, &none);
    for (int fd = 0; fd < 3 && r == 0; fd++)
        r = -posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    if (r == 0)
        r = -posix_spawn(ret_pid, path.data, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

void sv_cgroup_scope_free(struct sv_cgroup_scope *scope)
{
    if (!scope)
        return;
    if (scope->holder > 0) {
        (void)kill(scope->holder, SIGKILL);
        while (waitpid(scope->holder, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(scope);
}

/* --- the scope --- */

/* svisor-<identifier>.scope; what a unit's name cannot have is written as systemd-escape does. */
static int scope_name(const char *identifier, struct sv_str *name)
{
    sv_str_add(name, "svisor-");
    for (const char *at = identifier; *at; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || strchr("_.:-", *at);
        if (is_plain)
            sv_str_add_char(name, *at);
        else
            sv_str_addf(name, "\\x%02x", (unsigned char)*at);
    }
    sv_str_add(name, ".scope");
    if (!sv_str_ok(name))
        return -ENOMEM;
    return name->length < 256 ? 0 : -ENAMETOOLONG; /* systemd's UNIT_NAME_MAX */
}

static int join_scope(struct sv_systemd *systemd, const char *unit, pid_t pid)
{
    int r = -EEXIST;
    for (int attempt = 0; attempt < SCOPE_ATTEMPTS_MAX; attempt++) {
        r = sv_systemd_start_scope(systemd, unit, pid);
        if (r != -EEXIST)
            return r;
        r = sv_systemd_attach(systemd, unit, "/" SV_CGROUP_HOLDER_LEAF, pid);
        if (r == 0)
            return 0;
        (void)poll(NULL, 0, SCOPE_AGAIN_MS);
    }
    return r;
}

/* From the scope's own directory, where systemd has put it, to a leaf: then controllers can be
 * passed on. */
static int settle_holder(const struct sv_cgroup_place *place, pid_t pid)
{
    const char *base = place->bases[0].path;
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&path, "%s/" SV_CGROUP_HOLDER_LEAF, base);
    if (sv_str_ok(&path) && mkdir(path.data, 0755) < 0 && errno != EEXIST)
        return -errno;
    sv_str_add(&path, "/cgroup.procs");
    int fd = sv_str_ok(&path) ? open(path.data, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return sv_str_ok(&path) ? -errno : -ENOMEM;
    int r = dprintf(fd, "%d", (int)pid) < 0 ? -errno : 0;
    close(fd);
    return r < 0 ? r : sv_cgroup_controllers_enable(AT_FDCWD, base);
}

static int prefer_unit(struct sv_systemd *systemd, const char *unit, const char *why,
                       struct sv_cgroup_place *place)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    int r = sv_systemd_unit_cgroup(systemd, unit, &path);
    if (r < 0)
        return r;
    if (!sv_str_ok(&path))
        return -ENOMEM;
    return sv_cgroup_place_prefer(place, path.data, why) ? 0 : -ENOENT;
}

static int make_scope(struct sv_systemd *systemd, const char *identifier,
                      struct sv_cgroup_place *place, struct sv_cgroup_scope **ret_scope)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    int r = scope_name(identifier, &name);
    struct sv_cgroup_scope *scope = r == 0 ? calloc(1, sizeof(*scope)) : NULL;
    if (!scope)
        return r < 0 ? r : -ENOMEM;
    r = spawn_holder(&scope->holder);
    if (r == 0)
        r = join_scope(systemd, name.data, scope->holder);
    if (r == 0)
        r = prefer_unit(systemd, name.data, "a scope that systemd has delegated", place);
    if (r == 0 && settle_holder(place, scope->holder) < 0)
        sv_log_warn("%s cannot pass controllers on: programs have no limits", name.data);
    if (r < 0) {
        sv_cgroup_scope_free(scope);
        return r;
    }
    *ret_scope = scope;
    return 0;
}

/* --- asking --- */

/* A mount that shows only a part, or a namespace, belongs to a container: its systemd is not ours
 * to ask. */
static bool is_scope_wanted(const struct sv_cgroup_place *place)
{
    return geteuid() == 0 && !place->is_delegated && place->is_level_known &&
           strcmp(place->mount_root, "/") == 0;
}

void sv_cgroup_systemd_ask(const char *identifier, struct sv_cgroup_place *place,
                           struct sv_cgroup_scope **ret_scope)
{
    const char *unit = getenv(SV_PROGRAMS_UNIT_VARIABLE);
    *ret_scope = NULL;
    if (!sv_systemd_is_init() || (!unit && !is_scope_wanted(place)))
        return;
    struct sv_systemd *systemd = NULL;
    int r = sv_systemd_open(&systemd);
    if (r == 0 && unit)
        r = prefer_unit(systemd, unit, "the unit for programs", place);
    else if (r == 0)
        r = make_scope(systemd, identifier, place, ret_scope);
    sv_systemd_close(systemd);
    if (r < 0)
        sv_log_warn("systemd gives no cgroup for programs (%s: %s, %s); another place is taken",
                    unit ? unit : "a scope", sv_errno_text(r), sv_errno_name(r));
}

bool sv_cgroup_systemd_is_going(const char *identifier)
{
    struct sv_str scope SV_CLEANUP(sv_str_done) = {0};
    const char *unit = getenv(SV_PROGRAMS_UNIT_VARIABLE);
    if (!sv_systemd_is_init() || (!unit && (geteuid() != 0 || scope_name(identifier, &scope) < 0)))
        return false;
    struct sv_systemd *systemd = NULL;
    if (sv_systemd_open(&systemd) < 0)
        return false;
    bool is_going = sv_systemd_unit_is_going(systemd, unit ? unit : sv_str_text(&scope));
    sv_systemd_close(systemd);
    return is_going;
}
