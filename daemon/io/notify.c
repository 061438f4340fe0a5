/*
 * sd_notify(3) of libsystemd 252.
 *
 * Traps: sd_notify() reads NOTIFY_SOCKET from the environment at each call, so the variable stays
 * there and is kept from the programs instead (a program that says READY=1 or WATCHDOG=1 on our
 * socket would be taken for us where NotifyAccess allows it). WATCHDOG_PID names who was meant: a
 * daemon that went to the background is not watched.
 *
 * The watchdog is fed by a timer of the loop, and by nothing else: what it proves is that the loop
 * turns. A loop that hangs in one callback, or that is stopped, is killed and started again.
 */
#include "io/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "io/cgroup_systemd.h"
#include "io/loop.h"

enum { NS_PER_US = 1000 };

struct sv_notify {
    uint64_t watchdog_ns;
    bool has_failed; /* told once */
};

int sv_notify_new(struct sv_notify **ret_notify)
{
    *ret_notify = NULL;
    if (!getenv("NOTIFY_SOCKET"))
        return 0;
    struct sv_notify *notify = calloc(1, sizeof(*notify));
    if (!notify)
        return -ENOMEM;
    uint64_t watchdog_us = 0;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        notify->watchdog_ns = watchdog_us * NS_PER_US;
    *ret_notify = notify;
    return 0;
}

void sv_notify_free(struct sv_notify *notify)
{
    free(notify);
}

static void tell(struct sv_notify *notify, const char *state)
{
    if (!notify)
        return;
    int r = sd_notify(0, state);
    if (r < 0 && !notify->has_failed)
        sv_log_warn("the service manager cannot be told how svisord does: %s (%s)",
                    sv_errno_text(r), sv_errno_name(r));
    notify->has_failed = r < 0;
}

void sv_notify_ready(struct sv_notify *notify)
{
    tell(notify, "READY=1");
}

void sv_notify_reloading(struct sv_notify *notify)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Restarting",
                (unsigned long long)(sv_now_ns() / NS_PER_US));
    if (sv_str_ok(&text))
        tell(notify, text.data);
}

void sv_notify_stopping(struct sv_notify *notify)
{
    tell(notify, "STOPPING=1");
}

void sv_notify_status(struct sv_notify *notify, const char *status)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "STATUS=%s", status);
    if (sv_str_ok(&text))
        tell(notify, text.data);
}

uint64_t sv_notify_watchdog_ns(const struct sv_notify *notify)
{
    return notify ? notify->watchdog_ns : 0;
}

void sv_notify_watchdog(struct sv_notify *notify)
{
    tell(notify, "WATCHDOG=1");
}

bool sv_notify_is_private(const char *variable)
{
    static const char *const names[] = {
        "NOTIFY_SOCKET=",
        "WATCHDOG_USEC=",
        "WATCHDOG_PID=",
        SV_PROGRAMS_UNIT_VARIABLE "=",
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(names); i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}
