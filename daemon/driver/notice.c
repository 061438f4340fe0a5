/*
 * Telling: what the core reports becomes lines of the log, events for the listeners, and a second
 * look for the calls that wait.
 *
 * The words of the log are Supervisor's (process.py), because people grep for them. The payload of
 * an event is rendered only if some pool subscribes to its type.
 */
#include "driver/internal.h"

#include "base/log.h"
#include "base/names.h"
#include "base/wait_status.h"
#include "driver/cluster/cluster.h"
#include "driver/live/live.h"

static bool is_wanted(const struct sv_driver *driver, enum sv_notice_type type)
{
    return sv_core_wanted_notices(driver->core) >> type & 1;
}

void sv_notice_publish(struct sv_driver *driver, enum sv_notice_type type,
                       const struct sv_str *payload)
{
    struct sv_blob *blob =
        sv_str_ok(payload) ? sv_blob_new(sv_str_text(payload), payload->length) : NULL;
    if (!blob) {
        sv_log_error("event %s lost: out of memory", sv_notice_name(type));
        return;
    }
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_PUBLISH,
                                             .publish = {.type = type, .blob = blob}});
    sv_blob_unref(blob);
}

static void log_running(const struct sv_unit *unit, const struct sv_action *action)
{
    if (action->notice.reason == SV_REASON_READY) {
        sv_log_info("success: %s entered RUNNING state, it is ready (%s)", unit->config->name,
                    unit->config->health->ready.text);
        return;
    }
    sv_log_info("success: %s entered RUNNING state, process has stayed up for > than %u seconds "
                "(startsecs)",
                unit->config->name, unit->config->startsecs);
}

static bool is_expected_exit(const struct sv_unit *unit)
{
    int code = sv_wait_exitstatus(unit->last_wait_status);
    for (size_t i = 0; i < unit->config->exitcode_count; i++)
        if (unit->config->exitcodes[i] == code)
            return true;
    return false;
}

static void log_end(const struct sv_unit *unit, const char *verb, bool is_expected,
                    const char *verdict)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_wait_describe(unit->last_wait_status, &text);
    sv_log(is_expected ? SV_LOG_INFO : SV_LOG_WARN, "%s: %s (%s%s)", verb, unit->config->name,
           sv_str_text(&text), verdict);
}

static void log_exited(const struct sv_unit *unit, const struct sv_action *action)
{
    log_end(unit, "exited", action->notice.is_expected,
            action->notice.is_expected ? "; expected" : "; not expected");
}

static void log_backoff(const struct sv_unit *unit, const struct sv_action *action)
{
    if (action->notice.reason == SV_REASON_EXITED_TOO_QUICKLY ||
        action->notice.reason == SV_REASON_EXITED_BEFORE_READY ||
        action->notice.reason == SV_REASON_NOT_READY)
        log_end(unit, "exited", false, "; not expected");
}

static void log_stopped(const struct sv_unit *unit, const struct sv_action *action)
{
    if (action->notice.from == SV_PROCESS_STOPPING)
        log_end(unit, "stopped", is_expected_exit(unit), "");
}

static void log_fatal(const struct sv_unit *unit, const struct sv_action *action)
{
    if (action->notice.reason == SV_REASON_TOO_MANY_RETRIES)
        sv_log_info("gave up: %s entered FATAL state, too many start retries too quickly",
                    unit->config->name);
}

typedef void (*log_function)(const struct sv_unit *unit, const struct sv_action *action);

static const log_function loggers[SV_NOTICE_COUNT] = {
    [SV_NOTICE_PROCESS_STATE_RUNNING] = log_running,
    [SV_NOTICE_PROCESS_STATE_EXITED] = log_exited,
    [SV_NOTICE_PROCESS_STATE_BACKOFF] = log_backoff,
    [SV_NOTICE_PROCESS_STATE_STOPPED] = log_stopped,
    [SV_NOTICE_PROCESS_STATE_FATAL] = log_fatal,
};

static void tell_state(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (!unit)
        return;
    if (loggers[action->notice.type])
        loggers[action->notice.type](unit, action);
    sv_live_state(unit, action);
    if (is_wanted(driver, action->notice.type)) {
        struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
        struct sv_state_notice notice = {
            .type = action->notice.type,
            .process_name = unit->config->name,
            .group_name = unit->group->config->name,
            .from = action->notice.from,
            .pid = action->notice.pid,
            .tries = action->notice.tries,
            .is_expected = action->notice.is_expected,
        };
        sv_payload_process_state(&notice, &payload);
        sv_notice_publish(driver, action->notice.type, &payload);
    }
    sv_api_process_changed(driver->api, action->process);
    sv_driver_cluster_publish_state(driver, action);
    sv_unit_changed(driver, action->process);
    unit = sv_driver_unit(driver, action->process);
    if (unit && unit->is_retired)
        sv_unit_groups_retire(unit, true); /* this may have been the end of it */
}

static void tell_group(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
    sv_payload_group(action->notice.group_name, &payload);
    bool is_wanted_now = is_wanted(driver, action->notice.type);
    bool is_added = action->notice.type == SV_NOTICE_PROCESS_GROUP_ADDED;
    sv_live_group(driver, action->notice.group_name, is_added ? "was added" : "was removed");
    if (action->notice.type == SV_NOTICE_PROCESS_GROUP_REMOVED)
        sv_unit_groups_removed(driver, action->notice.group_name);
    if (is_wanted_now)
        sv_notice_publish(driver, action->notice.type, &payload);
}

static void tell_daemon(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_str payload = {0};
    if (is_wanted(driver, action->notice.type))
        sv_notice_publish(driver, action->notice.type, &payload);
    if (action->notice.type == SV_NOTICE_SUPERVISOR_STATE_CHANGE_STOPPING)
        sv_live_daemon(driver, SV_TIMELINE_INFO,
                       sv_core_state(driver->core) == SV_SUPERVISOR_RESTARTING ? "svisord restarts"
                                                                               : "svisord stops");
    sv_api_process_changed(driver->api, 0);
}

static void log_overflow(struct sv_driver *driver, const struct sv_action *action)
{
    (void)driver;
    sv_log_error("pool %s event buffer overflowed, discarding event %llu",
                 action->notice.group_name, (unsigned long long)action->notice.serial);
}

static void log_broken_listener(struct sv_driver *driver, const struct sv_action *action)
{
    const struct sv_unit *unit = sv_driver_unit(driver, action->process);
    sv_log_warn("%s: has entered the UNKNOWN state and will no longer receive events, this usually "
                "indicates the process violated the eventlistener protocol",
                unit ? unit->config->name : "?");
}

static void log_kill(struct sv_driver *driver, const struct sv_action *action)
{
    const struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (unit)
        sv_log_warn("killing '%s' (%d) with SIGKILL", unit->config->name, action->notice.pid);
}

/* What a probe or the watchdog has found, and what follows: the words are still the core's. */
static void log_unhealthy(struct sv_driver *driver, const struct sv_action *action)
{
    const struct sv_unit *unit = sv_driver_unit(driver, action->process);
    struct sv_process_view view;
    if (!unit || !sv_core_process(driver->core, action->process, &view))
        return;
    const struct sv_health_config *health = unit->config->health;
    static const char *const words[] = {
        [-SV_LIVENESS_RESTART] = "it is stopped and started again",
        [-SV_LIVENESS_STOP] = "it is stopped",
        [-SV_LIVENESS_NONE] = "nothing is done (liveness_action=none)",
    };
    const char *then = health->liveness_action > 0 ? "it gets the signal of liveness_action"
                                                   : words[-health->liveness_action];
    if (action->notice.reason == SV_REASON_NOT_READY)
        then = "it is stopped, and the start has failed";
    sv_log_warn("%s (pid %d) %s: %s; %s", unit->config->name, action->notice.pid,
                sv_reason_text(action->notice.reason),
                *view.probe_text ? view.probe_text : "it was not asked yet", then);
    sv_api_process_changed(driver->api, action->process);
}

static void log_waiting(struct sv_driver *driver, const struct sv_action *action)
{
    (void)action;
    struct sv_str names SV_CLEANUP(sv_str_done) = {0};
    size_t group_count;
    const struct sv_group_view *groups = sv_core_groups(driver->core, &group_count);
    for (size_t g = 0; g < group_count; g++) {
        for (size_t i = 0; i < groups[g].process_count; i++) {
            struct sv_process_view view;
            if (sv_core_process(driver->core, groups[g].processes[i], &view) &&
                !sv_process_state_is_stopped(view.state))
                sv_str_addf(&names, "%s%s", names.length ? ", " : "", view.config->name);
        }
    }
    if (names.length > 0)
        sv_log_info("waiting for %s to die", sv_str_text(&names));
}

/* The listener's answer was logged when it was heard; that the event comes back is no news. */
static void log_nothing(struct sv_driver *driver, const struct sv_action *action)
{
    (void)driver;
    (void)action;
}

typedef void (*fact_function)(struct sv_driver *driver, const struct sv_action *action);

static const fact_function facts[SV_REASON_COUNT] = {
    [SV_REASON_LISTENER_OVERFLOW] = log_overflow, [SV_REASON_LISTENER_BROKEN] = log_broken_listener,
    [SV_REASON_LISTENER_REJECTED] = log_nothing,  [SV_REASON_STOP_TIMEOUT] = log_kill,
    [SV_REASON_SHUTDOWN_WAITING] = log_waiting,   [SV_REASON_NOT_READY] = log_unhealthy,
    [SV_REASON_LIVENESS_FAILED] = log_unhealthy,  [SV_REASON_WATCHDOG_EXPIRED] = log_unhealthy,
};

/* A fact without a change of state: in Supervisor's words where it has some. */
static void tell_fact(struct sv_driver *driver, const struct sv_action *action)
{
    const struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (facts[action->notice.reason])
        facts[action->notice.reason](driver, action);
    else if (unit)
        sv_log_warn("%s: %s", unit->config->name, sv_reason_text(action->notice.reason));
    sv_live_process_changed(driver, action->process);
}

void sv_notice_tell(struct sv_driver *driver, const struct sv_action *action)
{
    enum sv_notice_type type = action->notice.type;
    if (type == SV_NOTICE_EVENT)
        tell_fact(driver, action);
    else if (sv_notice_set_of(SV_NOTICE_PROCESS_STATE) >> type & 1)
        tell_state(driver, action);
    else if (sv_notice_set_of(SV_NOTICE_PROCESS_GROUP) >> type & 1)
        tell_group(driver, action);
    else
        tell_daemon(driver, action);
    if (type != SV_NOTICE_EVENT)
        sv_status_changed(driver, type);
}

static const enum sv_notice_type log_types[] = {
    [SV_STDOUT] = SV_NOTICE_PROCESS_LOG_STDOUT,
    [SV_STDERR] = SV_NOTICE_PROCESS_LOG_STDERR,
};

static const enum sv_notice_type communication_types[] = {
    [SV_STDOUT] = SV_NOTICE_PROCESS_COMMUNICATION_STDOUT,
    [SV_STDERR] = SV_NOTICE_PROCESS_COMMUNICATION_STDERR,
};

static const char *const channel_names[] = {[SV_STDOUT] = "stdout", [SV_STDERR] = "stderr"};

void sv_notice_output(struct sv_unit *unit, const struct sv_run *run, enum sv_channel which,
                      const char *data, size_t length)
{
    if (!unit->config->channels[which].events_enabled || !is_wanted(unit->driver, log_types[which]))
        return;
    struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
    sv_payload_process_log(unit->config->name, unit->group->config->name, run->pid,
                           channel_names[which], data, length, &payload);
    sv_notice_publish(unit->driver, log_types[which], &payload);
}

void sv_notice_capture(struct sv_unit *unit, const struct sv_run *run, enum sv_channel which,
                       const char *data, size_t length)
{
    if (!is_wanted(unit->driver, communication_types[which]))
        return;
    struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
    sv_payload_process_communication(unit->config->name, unit->group->config->name, run->pid, data,
                                     length, &payload);
    sv_notice_publish(unit->driver, communication_types[which], &payload);
}
