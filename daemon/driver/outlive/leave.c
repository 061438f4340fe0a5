/*
 * svisord goes, its programs do not: on_stop=keep, and reexec.c.
 *
 * There is next to nothing to do. What the next svisord needs is written down at every moment
 * (handover.c), and leaving is a death with the doors closed: the certificates are written, the
 * sockets and the pid file go, and of the programs nothing is touched, not even the empty directory
 * of one that has just ended. The next svisord finds what it would find after a SIGKILL.
 *
 * One thing is better than after a SIGKILL. A program whose EXIT record was read is dying, but not
 * dead yet, and the record is nowhere but in our memory: such a one is waited for.
 *
 * Leaving is refused where it would be no keeping: as PID 1 the programs die with us; without a
 * journal nobody would know them; and when systemd is about to end their unit as well, each of them
 * had better be ended as it is configured to be.
 */
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <poll.h>
#include <unistd.h>

#include "base/log.h"
#include "driver/cluster/cluster.h"
#include "io/cgroup_systemd.h"

/* From the EXIT record to the end takes the kernel 129 ms at most, as measured: docs/kernel.md. */
enum { DYING_MS = 300 };

bool sv_leave_is_possible(struct sv_driver *driver, struct sv_str *ret_reason)
{
    const char *identifier = driver->options.config->daemon.identifier;
    if (getpid() == 1)
        sv_str_add(ret_reason, "svisord is PID 1, and what it has started dies with it");
    else if (!driver->journal)
        sv_str_add(ret_reason, "the next svisord would not know the programs; the log says why, "
                               "where this one begins");
    else if (sv_cgroup_systemd_is_going(identifier))
        sv_str_add(ret_reason, "systemd ends the unit in which the programs live");
    return ret_reason->length == 0;
}

static void wait_for_the_dying(struct sv_driver *driver)
{
    sv_kernel_drain(driver->kernel);
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        const struct sv_unit *unit = driver->units.slots[i].value;
        struct sv_run *run = unit ? unit->run : NULL;
        if (!run || !run->facts.has_exit || run->pidfd < 0)
            continue;
        struct pollfd end = {.fd = run->pidfd, .events = POLLIN};
        if (poll(&end, 1, DYING_MS) > 0)
            sv_run_check_exit(run);
    }
}

void sv_leave(struct sv_driver *driver, enum sv_driver_end end)
{
    sv_driver_cluster_ending(driver, true);
    wait_for_the_dying(driver);
    driver->is_leaving = true;
    if (driver->tree)
        sv_cgroup_tree_keep(driver->tree);
    if (end == SV_DRIVER_REEXEC) {
        sv_notify_reloading(driver->options.notify);
        if (sv_http_hand_over(driver->http, driver->options.inherited) < 0)
            sv_log_error("out of memory: clients are refused for a moment");
    } else {
        sv_notify_stopping(driver->options.notify);
    }
    sv_loop_quit(driver->loop, (int)end);
}
