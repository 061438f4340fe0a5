/*
 * systemd's manager over D-Bus (sd-bus of libsystemd 252): where the cgroup of a unit is, and a
 * delegated scope for a daemon that was started by hand.
 *
 * Root talks to systemd's own socket, as systemctl does: it is there from the first moment of a
 * boot to the last of a shutdown, with or without a bus daemon. Others take the bus.
 *
 * Traps: over that socket nobody says Hello, so the connection is no bus client, and a match is a
 * filter of our own; over the bus, signals come only after Subscribe. So both are always done. A
 * method call that starts a unit answers when the job is queued; the cgroup is there when the job
 * is removed. The signal may come before we know the job's name: so it is compared by unit.
 *
 * A number of a process is sent as it is, and systemd reads it in its own PID namespace: from
 * inside another one it would be some stranger's. The kernel translates the peer's number for us
 * (SO_PEERCRED), and gives 0 for one that our namespace cannot see: then no number is sent.
 */
#include "io/systemd_bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/error.h"
#include "io/loop.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER     "org.freedesktop.systemd1.Manager"
#define OBJECT      "/org/freedesktop/systemd1"

enum { US_PER_SECOND = 1000000, NS_PER_US = 1000 };

struct sv_systemd {
    sd_bus *bus;
    const char *awaited; /* unit whose job is under way */
    bool is_done;
    bool is_good; /* the job's result */
};

bool sv_systemd_is_init(void)
{
    return sd_booted() > 0;
}

static int open_private(sd_bus **ret_bus)
{
    sd_bus *bus = NULL;
    int r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r < 0) {
        sd_bus_unref(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

int sv_systemd_open(struct sv_systemd **ret_systemd)
{
    struct sv_systemd *systemd = calloc(1, sizeof(*systemd));
    if (!systemd)
        return -ENOMEM;
    int r = geteuid() == 0 ? open_private(&systemd->bus) : -EACCES;
    if (r < 0)
        r = sd_bus_open_system(&systemd->bus);
    if (r >= 0)
        r = sd_bus_set_method_call_timeout(systemd->bus,
                                           (uint64_t)SV_SYSTEMD_WAIT_SECONDS * US_PER_SECOND);
    if (r < 0) {
        sv_systemd_close(systemd);
        return error_trace(r);
    }
    *ret_systemd = systemd;
    return 0;
}

void sv_systemd_close(struct sv_systemd *systemd)
{
    if (!systemd)
        return;
    sd_bus_flush_close_unref(systemd->bus);
    free(systemd);
}

static bool sees_our_numbers(const struct sv_systemd *systemd)
{
    struct ucred peer = {0};
    socklen_t length = sizeof(peer);
    int fd = sd_bus_get_fd(systemd->bus);
    return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid > 0;
}

static const char *interface_of(const char *unit)
{
    size_t length = strlen(unit);
    bool is_scope = length > 6 && strcmp(unit + length - 6, ".scope") == 0;
    return is_scope ? DESTINATION ".Scope" : DESTINATION ".Service";
}

int sv_systemd_unit_cgroup(struct sv_systemd *systemd, const char *unit, struct sv_str *ret_path)
{
    char *object = NULL, *path = NULL;
    int r = sd_bus_path_encode(OBJECT "/unit", unit, &object);
    if (r >= 0)
        r = sd_bus_get_property_string(systemd->bus, DESTINATION, object, interface_of(unit),
                                       "ControlGroup", NULL, &path);
    if (r >= 0 && !*path)
        r = -ENOENT; /* known, but not running */
    if (r >= 0)
        sv_str_add(ret_path, path);
    free(path);
    free(object);
    return r < 0 ? r : 0;
}

/* The object of the unit's job; -ENOENT: it has none. */
static int job_of(struct sv_systemd *systemd, const char *unit, char **ret_job)
{
    char *object = NULL;
    sd_bus_message *reply = NULL;
    uint32_t id = 0;
    const char *job = NULL;
    int r = sd_bus_path_encode(OBJECT "/unit", unit, &object);
    if (r >= 0)
        r = sd_bus_get_property(systemd->bus, DESTINATION, object, DESTINATION ".Unit", "Job", NULL,
                                &reply, "(uo)");
    if (r >= 0)
        r = sd_bus_message_read(reply, "(uo)", &id, &job);
    if (r >= 0 && id == 0)
        r = -ENOENT;
    if (r >= 0) {
        *ret_job = strdup(job);
        r = *ret_job ? 0 : -ENOMEM;
    }
    sd_bus_message_unref(reply);
    free(object);
    return r < 0 ? r : 0;
}

bool sv_systemd_unit_is_going(struct sv_systemd *systemd, const char *unit)
{
    char *job = NULL, *type = NULL;
    int r = job_of(systemd, unit, &job);
    if (r == 0)
        r = sd_bus_get_property_string(systemd->bus, DESTINATION, job, DESTINATION ".Job",
                                       "JobType", NULL, &type);
    bool is_going = r >= 0 && (strcmp(type, "stop") == 0 || strcmp(type, "restart") == 0);
    free(type);
    free(job);
    return is_going;
}

static int on_job_removed(sd_bus_message *message, void *user, sd_bus_error *error)
{
    (void)error;
    struct sv_systemd *systemd = user;
    uint32_t id;
    const char *job, *unit, *result;
    if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0)
        return 0;
    if (strcmp(unit, systemd->awaited) == 0) {
        systemd->is_done = true;
        systemd->is_good = strcmp(result, "done") == 0;
    }
    return 0;
}

static int wait_for_job(struct sv_systemd *systemd)
{
    uint64_t end_ns = sv_now_ns() + (uint64_t)SV_SYSTEMD_WAIT_SECONDS * 1000000000u;
    while (!systemd->is_done) {
        int r = sd_bus_process(systemd->bus, NULL);
        if (r < 0)
            return error_trace(r);
        uint64_t now_ns = sv_now_ns();
        if (r == 0 && now_ns >= end_ns)
            return -ETIMEDOUT;
        if (r == 0)
            r = sd_bus_wait(systemd->bus, (end_ns - now_ns) / NS_PER_US);
        if (r < 0 && r != -EINTR)
            return error_trace(r);
    }
    return systemd->is_good ? 0 : -ECANCELED;
}

static int append_scope(sd_bus_message *message, const char *unit, pid_t pid)
{
    int r = sd_bus_message_append(message, "ss", unit, "fail");
    if (r >= 0)
        r = sd_bus_message_append(message, "a(sv)", 5, "Description", "s",
                                  "Programs of a svisord that was started by hand", "Delegate", "b",
                                  1, "PIDs", "au", 1, (uint32_t)pid, "TasksMax", "t", UINT64_MAX,
                                  "CollectMode", "s", "inactive-or-failed");
    return r < 0 ? r : sd_bus_message_append(message, "a(sa(sv))", 0);
}

static int call_start_scope(struct sv_systemd *systemd, const char *unit, pid_t pid)
{
    sd_bus_message *message = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_message_new_method_call(systemd->bus, &message, DESTINATION, OBJECT, MANAGER,
                                           "StartTransientUnit");
    if (r >= 0)
        r = append_scope(message, unit, pid);
    if (r >= 0)
        r = sd_bus_call(systemd->bus, message, 0, &error, NULL);
    if (sd_bus_error_has_name(&error, DESTINATION ".UnitExists"))
        r = -EEXIST;
    sd_bus_error_free(&error);
    sd_bus_message_unref(message);
    return r < 0 ? r : 0;
}

int sv_systemd_start_scope(struct sv_systemd *systemd, const char *unit, pid_t pid)
{
    if (!sees_our_numbers(systemd))
        return -ESRCH;
    sd_bus_slot *slot = NULL;
    systemd->awaited = unit;
    systemd->is_done = false;
    int r = sd_bus_match_signal(systemd->bus, &slot, DESTINATION, OBJECT, MANAGER, "JobRemoved",
                                on_job_removed, systemd);
    if (r >= 0)
        r = sd_bus_call_method(systemd->bus, DESTINATION, OBJECT, MANAGER, "Subscribe", NULL, NULL,
                               NULL);
    if (r >= 0)
        r = call_start_scope(systemd, unit, pid);
    if (r == 0)
        r = wait_for_job(systemd);
    sd_bus_slot_unref(slot);
    systemd->awaited = NULL;
    return r;
}

int sv_systemd_attach(struct sv_systemd *systemd, const char *unit, const char *leaf, pid_t pid)
{
    if (!sees_our_numbers(systemd))
        return -ESRCH;
    int r = sd_bus_call_method(systemd->bus, DESTINATION, OBJECT, MANAGER, "AttachProcessesToUnit",
                               NULL, NULL, "ssau", unit, leaf, 1, (uint32_t)pid);
    return r < 0 ? r : 0;
}
