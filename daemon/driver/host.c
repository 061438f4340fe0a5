/* The daemon as the remote methods see it: api/host.h, function by function. */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/names.h"
#include "config/check.h"
#include "driver/cluster/cluster.h"
#include "driver/environment.h"
#include "driver/live/live.h"
#include "driver/statistics/statistics.h"
#include "io/command.h"

static const struct sv_group_view *host_groups(void *user, size_t *ret_count)
{
    struct sv_driver *driver = user;
    return sv_core_groups(driver->core, ret_count);
}

static bool host_process(void *user, sv_process_id id, struct sv_process_view *ret_view)
{
    struct sv_driver *driver = user;
    return sv_core_process(driver->core, id, ret_view);
}

static enum sv_supervisor_state host_state(void *user)
{
    struct sv_driver *driver = user;
    return sv_core_state(driver->core);
}

static int32_t host_pid(void *user)
{
    (void)user;
    return getpid();
}

static const char *host_identifier(void *user)
{
    struct sv_driver *driver = user;
    return driver->options.config->daemon.identifier; /* a reread does not rename */
}

static int64_t host_wall_ns(void *user)
{
    (void)user;
    return sv_wall_ns();
}

static const struct sv_config *host_config(void *user)
{
    struct sv_driver *driver = user;
    return driver->config;
}

static enum sv_command_check host_check_command(void *user, sv_process_id id,
                                                struct sv_str *ret_text)
{
    static const enum sv_command_check checks[] = {
        [SV_COMMAND_OK] = SV_CHECK_OK,
        [SV_COMMAND_EMPTY] = SV_CHECK_OK, /* the start itself says what is wrong with it */
        [SV_COMMAND_NOT_FOUND] = SV_CHECK_NO_FILE,
        [SV_COMMAND_NOT_EXECUTABLE] = SV_CHECK_NOT_EXECUTABLE,
        [SV_COMMAND_NO_PERMISSION] = SV_CHECK_NOT_EXECUTABLE,
        [SV_COMMAND_NO_MEMORY] = SV_CHECK_OK,
    };
    struct sv_unit *unit = sv_driver_unit(user, id);
    if (!unit || !unit->config->argv)
        return SV_CHECK_OK;
    sv_str_clear(&unit->driver->scratch);
    return checks[sv_command_find(unit->config->argv, sv_environment_path(unit->config),
                                  &unit->driver->scratch, ret_text)];
}

static void host_start(void *user, sv_process_id id)
{
    sv_driver_feed(user, (struct sv_event){.kind = SV_EVENT_START, .process = id});
}

static void host_stop(void *user, sv_process_id id)
{
    sv_driver_feed(user, (struct sv_event){.kind = SV_EVENT_STOP, .process = id});
}

static int host_signal(void *user, sv_process_id id, int number)
{
    sv_driver_feed(user,
                   (struct sv_event){.kind = SV_EVENT_SIGNAL, .process = id, .number = number});
    return 0;
}

static int host_write_stdin(void *user, sv_process_id id, const char *data, size_t length)
{
    struct sv_unit *unit = sv_driver_unit(user, id);
    if (!unit || !unit->run || !unit->run->input)
        return -EPIPE;
    return sv_input_write(unit->run->input, data, length);
}

static enum sv_group_change host_add_group(void *user, const char *name)
{
    struct sv_driver *driver = user;
    const struct sv_group_config *config = sv_config_group(driver->config, name);
    if (!config)
        return SV_GROUP_BAD_NAME;
    if (sv_core_group(driver->core, name))
        return SV_GROUP_ALREADY;
    int r = sv_unit_groups_add(driver, driver->config, config);
    if (r < 0) {
        sv_log_error("group %s could not be added: %s", name, sv_errno_text(r));
        return SV_GROUP_FAILED;
    }
    return SV_GROUP_DONE;
}

static enum sv_group_change host_remove_group(void *user, const char *name)
{
    struct sv_driver *driver = user;
    const struct sv_group_view *group = sv_core_group(driver->core, name);
    if (!group)
        return SV_GROUP_BAD_NAME;
    for (size_t i = 0; i < group->process_count; i++) {
        struct sv_process_view view;
        if (sv_core_process(driver->core, group->processes[i], &view) &&
            !sv_process_state_is_stopped(view.state))
            return SV_GROUP_STILL_RUNNING;
    }
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = name});
    return SV_GROUP_DONE;
}

/* Every error in one text, a line each without the last end of line: the text of a fault. */
static void describe_errors(const struct sv_diag *diag, struct sv_str *ret_error)
{
    for (const struct sv_diag_row *row = diag->first; row; row = row->next) {
        if (row->severity != SV_SEVERITY_ERROR)
            continue;
        if (ret_error->length > 0)
            sv_str_add_char(ret_error, '\n');
        sv_diag_render_row(row, ret_error);
    }
}

static bool host_reread(void *user, struct sv_str *ret_error)
{
    struct sv_driver *driver = user;
    struct sv_diag diag SV_CLEANUP(sv_diag_done) = {0};
    struct sv_config *config = sv_config_load(driver->config->file, driver->options.host,
                                              driver->options.overrides, &diag);
    if (!config) {
        describe_errors(&diag, ret_error);
        sv_live_daemon(driver, SV_TIMELINE_WARNING,
                       "the configuration was read again and refused: the former one counts");
        return false;
    }
    if (sv_driver_cluster_reread(driver, config, ret_error) != 0) {
        sv_config_unref(config);
        return false;
    }
    for (const struct sv_diag_row *row = diag.first; row; row = row->next) {
        struct sv_str line SV_CLEANUP(sv_str_done) = {0};
        sv_diag_render_row(row, &line);
        sv_log(row->severity == SV_SEVERITY_WARNING ? SV_LOG_WARN : SV_LOG_INFO, "%s",
               sv_str_text(&line));
    }
    sv_config_unref(driver->config);
    driver->config = config;
    sv_unit_limits_reread(driver);
    sv_live_daemon(driver, SV_TIMELINE_INFO, "the configuration was read again");
    return true;
}

static int host_compare_group(void *user, const char *name)
{
    struct sv_driver *driver = user;
    const struct sv_group_config *new_config = sv_config_group(driver->config, name);
    const struct sv_group_view *active = sv_core_group(driver->core, name);
    if (!new_config)
        return -1;
    if (!active)
        return 2;
    struct sv_group_config now;
    sv_unit_groups_show(driver, sv_map_get(&driver->groups, name), &now);
    return sv_group_config_equal(new_config, &now) ? 0 : 1;
}

static const char *host_log_path(void *user, sv_process_id id, enum sv_channel channel)
{
    struct sv_unit *unit = sv_driver_unit(user, id);
    return unit && unit->sinks[channel] ? sv_sink_path(unit->sinks[channel]) : NULL;
}

static const char *host_main_log_path(void *user)
{
    struct sv_driver *driver = user;
    return driver->options.log ? sv_daemon_log_path(driver->options.log) : NULL;
}

static int host_read_log(void *user, const char *path, int64_t offset, int64_t length,
                         struct sv_str *ret_text)
{
    (void)user;
    return sv_logfile_read(path, offset, length, ret_text);
}

static int host_tail_log(void *user, const char *path, int64_t offset, int64_t length,
                         struct sv_str *ret_text, int64_t *ret_offset, int *ret_overflow)
{
    (void)user;
    return sv_logfile_tail(path, offset, length, ret_text, ret_offset, ret_overflow);
}

static int host_follow_log(void *user, const char *path, const char *cursor, int64_t limit,
                           struct sv_log_piece *ret_piece)
{
    (void)user;
    return sv_logfile_follow(path, cursor, limit, ret_piece);
}

static int host_clear_process_log(void *user, sv_process_id id)
{
    struct sv_unit *unit = sv_driver_unit(user, id);
    int result = 0;
    for (int c = 0; unit && c < 2; c++) {
        int r = unit->sinks[c] ? sv_sink_clear(unit->sinks[c]) : 0;
        if (r < 0)
            result = r;
    }
    return result;
}

static int host_clear_main_log(void *user)
{
    struct sv_driver *driver = user;
    return driver->options.log ? sv_daemon_log_clear(driver->options.log) : -ENOENT;
}

static void host_shutdown(void *user, bool is_restart)
{
    sv_driver_cluster_ending(user, false);
    sv_driver_feed(user, (struct sv_event){.kind = SV_EVENT_SHUTDOWN, .is_restart = is_restart});
}

static bool host_reexec(void *user, struct sv_str *ret_problem)
{
    return sv_reexec_begin(user, ret_problem);
}

static void host_publish_remote(void *user, const char *type, const char *data)
{
    struct sv_driver *driver = user;
    struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
    sv_payload_remote_communication(type, data, &payload);
    sv_notice_publish(driver, SV_NOTICE_REMOTE_COMMUNICATION, &payload);
}

static json_t *host_kernel_report(void *user)
{
    struct sv_driver *driver = user;
    json_t *rows = sv_kernel_report(driver->kernel);
    if (rows)
        sv_limiter_report(driver->limiter, rows);
    return rows;
}

static json_t *host_why(void *user, sv_process_id id)
{
    return sv_why(user, id);
}

static json_t *host_deaths(void *user, sv_process_id id, int64_t run)
{
    const struct sv_unit *unit = sv_driver_unit(user, id);
    return unit ? sv_deaths_json(user, unit, run) : NULL;
}

static json_t *host_network(void *user, sv_process_id id)
{
    struct sv_unit *unit = sv_driver_unit(user, id);
    return unit ? sv_network_json(unit) : NULL;
}

static json_t *host_resource_events(void *user, sv_process_id id)
{
    const struct sv_unit *unit = sv_driver_unit(user, id);
    return unit ? sv_resources_json(unit) : NULL;
}

static json_t *host_timeline(void *user, uint64_t after, size_t limit)
{
    return sv_live_timeline(user, after, limit);
}

static json_t *host_host_statistics(void *user, double period)
{
    sv_statistics_look(user);
    return sv_statistics_host_report(user, period);
}

static json_t *host_process_statistics(void *user, sv_process_id id, double period)
{
    sv_statistics_look(user);
    return sv_statistics_process_report(user, id, period);
}

static json_t *host_usage(void *user, double period)
{
    sv_statistics_look(user);
    return sv_statistics_usage_report(user, period);
}

void sv_host_init(struct sv_driver *driver)
{
    driver->api_host = (struct sv_api_host){
        .user = driver,
        .groups = host_groups,
        .process = host_process,
        .state = host_state,
        .pid = host_pid,
        .identifier = host_identifier,
        .wall_ns = host_wall_ns,
        .config = host_config,
        .check_command = host_check_command,
        .start = host_start,
        .stop = host_stop,
        .signal = host_signal,
        .write_stdin = host_write_stdin,
        .add_group = host_add_group,
        .remove_group = host_remove_group,
        .reread = host_reread,
        .compare_group = host_compare_group,
        .log_path = host_log_path,
        .main_log_path = host_main_log_path,
        .read_log = host_read_log,
        .tail_log = host_tail_log,
        .follow_log = host_follow_log,
        .clear_process_log = host_clear_process_log,
        .clear_main_log = host_clear_main_log,
        .shutdown = host_shutdown,
        .reexec = host_reexec,
        .publish_remote = host_publish_remote,
        .kernel_report = host_kernel_report,
        .why = host_why,
        .deaths = host_deaths,
        .resource_events = host_resource_events,
        .timeline = host_timeline,
        .network = host_network,
        .host_statistics = host_host_statistics,
        .process_statistics = host_process_statistics,
        .usage = host_usage,
    };
}
