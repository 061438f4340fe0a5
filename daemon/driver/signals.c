/* The signals that svisord obeys, with Supervisor's meanings (supervisord.py, handle_signal()). */
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/wait_status.h"
#include "driver/cluster/cluster.h"

static void shut_down(struct sv_driver *driver, int number, bool is_restart)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_signal_name(number, &name);
    enum sv_supervisor_state state = sv_core_state(driver->core);
    if (is_restart && state == SV_SUPERVISOR_SHUTDOWN) {
        sv_log_warn("ignored %s indicating restart request (shutdown in progress)",
                    sv_str_text(&name));
        return;
    }
    sv_log_warn("received %s indicating %s request", sv_str_text(&name),
                is_restart ? "restart" : "exit");
    sv_driver_cluster_ending(driver, false);
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_SHUTDOWN, .is_restart = is_restart});
}

static void on_exit_request(void *user, int number)
{
    shut_down(user, number, false);
}

/* The one signal that a service manager sends, and therefore the one that on_stop= is about. During
 * a shutdown it is too late: what has been stopped could not be kept. */
static void on_terminate(void *user, int number)
{
    struct sv_driver *driver = user;
    struct sv_str reason SV_CLEANUP(sv_str_done) = {0};
    bool is_keeping = driver->config->daemon.on_stop == SV_ON_STOP_KEEP &&
                      sv_core_state(driver->core) == SV_SUPERVISOR_RUNNING;
    if (is_keeping && sv_leave_is_possible(driver, &reason)) {
        sv_log_warn(
            "received SIGTERM indicating exit request; the programs live on (on_stop=keep)");
        sv_leave(driver, SV_DRIVER_STOPPED);
        return;
    }
    if (is_keeping)
        sv_log_warn("on_stop=keep does not hold now: %s", sv_str_text(&reason));
    shut_down(driver, number, false);
}

static void on_restart_request(void *user, int number)
{
    shut_down(user, number, true);
}

void sv_logs_reopen(struct sv_driver *driver)
{
    if (driver->options.log)
        sv_daemon_log_reopen(driver->options.log);
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        struct sv_unit *unit = driver->units.slots[i].value;
        for (int c = 0; unit && c < 2; c++)
            sv_sink_reopen(unit->sinks[c]);
    }
}

static void on_reopen_request(void *user, int number)
{
    (void)number;
    sv_log_info("received SIGUSR2 indicating log reopen request");
    sv_logs_reopen(user);
}

static void on_child(void *user, int number)
{
    (void)number;
    sv_runs_reap(user);
}

static const struct {
    int number;
    sv_signal_function function;
} handlers[] = {
    {SIGTERM, on_terminate},      {SIGINT, on_exit_request},    {SIGQUIT, on_exit_request},
    {SIGHUP, on_restart_request}, {SIGUSR2, on_reopen_request},
};

/* The slot behind those of `handlers`. */
static struct sv_source **child_source(struct sv_driver *driver)
{
    return &driver->signals[SV_ARRAY_LENGTH(handlers)];
}

/* A SIGCHLD that came before is not lost: it is blocked, and so it waits. */
int sv_signals_watch_children(struct sv_driver *driver)
{
    if (*child_source(driver))
        return 0;
    return sv_loop_add_signal(driver->loop, SIGCHLD, on_child, driver, child_source(driver));
}

/*
 * pidfds tell of our own children; a run without one asks for SIGCHLD itself. It is needed from the
 * start for the children of others: as PID 1, or as the subreaper that svisord becomes where it has
 * no cgroups, so that orphans of a program stay below it and can be seen.
 */
static int watch_orphans(struct sv_driver *driver)
{
    if (!driver->tree)
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    return driver->tree && getpid() != 1 ? 0 : sv_signals_watch_children(driver);
}

int sv_signals_begin(struct sv_driver *driver)
{
    _Static_assert(SV_ARRAY_LENGTH(handlers) < SV_ARRAY_LENGTH(driver->signals), "one for SIGCHLD");
    for (size_t i = 0; i < SV_ARRAY_LENGTH(handlers); i++) {
        int r = sv_loop_add_signal(driver->loop, handlers[i].number, handlers[i].function, driver,
                                   &driver->signals[i]);
        if (r < 0)
            return error_trace(r);
    }
    return watch_orphans(driver);
}
