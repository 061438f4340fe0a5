/* What the remote methods ask of the small daemon, and what it answers. For api_host.h. */
#ifndef SV_TESTS_API_FUNCTIONS_H
#define SV_TESTS_API_FUNCTIONS_H

#include "api_daemon.h"

#include "base/names.h"

static inline const struct sv_group_view *host_groups(void *user, size_t *ret_count)
{
    return sv_core_groups(((struct api_host *)user)->core, ret_count);
}

static inline bool host_process(void *user, sv_process_id id, struct sv_process_view *ret_view)
{
    return sv_core_process(((struct api_host *)user)->core, id, ret_view);
}

static inline enum sv_supervisor_state host_state(void *user)
{
    return sv_core_state(((struct api_host *)user)->core);
}

static inline int32_t host_pid(void *user)
{
    (void)user;
    return 4711;
}

static inline const char *host_identifier(void *user)
{
    (void)user;
    return "probe";
}

static inline int64_t host_wall_ns(void *user)
{
    const struct api_host *host = user;
    return START_WALL_NS + (int64_t)host->now_ns + host->wall_shift_ns;
}

static inline const struct sv_config *host_config(void *user)
{
    return &((struct api_host *)user)->config;
}

static inline bool host_is_active(void *user, const char *name)
{
    return sv_core_group(((struct api_host *)user)->core, name) != NULL;
}

static inline enum sv_command_check host_check_command(void *user, sv_process_id id,
                                                       struct sv_str *ret_text)
{
    (void)id;
    struct api_host *host = user;
    if (host->command_check == SV_CHECK_NO_FILE)
        sv_str_add(ret_text, "can't find command '/nonexistent'");
    else if (host->command_check == SV_CHECK_NOT_EXECUTABLE)
        sv_str_add(ret_text, "command at '/etc/passwd' is not executable");
    return host->command_check;
}

static inline void host_start(void *user, sv_process_id id)
{
    feed(user, (struct sv_event){.kind = SV_EVENT_START, .process = id});
}

static inline void host_stop(void *user, sv_process_id id)
{
    feed(user, (struct sv_event){.kind = SV_EVENT_STOP, .process = id});
}

static inline int host_signal(void *user, sv_process_id id, int number)
{
    (void)id;
    struct api_host *host = user;
    host->last_signal = number;
    return host->signal_result;
}

static inline int host_write_stdin(void *user, sv_process_id id, const char *data, size_t length)
{
    (void)id;
    struct api_host *host = user;
    assert_true(length < sizeof host->written);
    memcpy(host->written, data, length);
    host->written[length] = '\0';
    return host->write_result;
}

static inline enum sv_group_change host_add_group(void *user, const char *name)
{
    struct api_host *host = user;
    if (host_is_active(user, name))
        return SV_GROUP_ALREADY;
    for (size_t i = 0; i < host->config.group_count; i++) {
        if (strcmp(host->groups[i].name, name) == 0) {
            feed(host, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &host->groups[i]});
            return SV_GROUP_DONE;
        }
    }
    return SV_GROUP_BAD_NAME;
}

static inline enum sv_group_change host_remove_group(void *user, const char *name)
{
    struct api_host *host = user;
    const struct sv_group_view *group = sv_core_group(host->core, name);
    if (!group)
        return SV_GROUP_BAD_NAME;
    for (size_t i = 0; i < group->process_count; i++) {
        struct sv_process_view view;
        sv_core_process(host->core, group->processes[i], &view);
        if (!sv_process_state_is_stopped(view.state))
            return SV_GROUP_STILL_RUNNING;
    }
    feed(host, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = name});
    sv_api_process_changed(host->api, 0);
    return SV_GROUP_DONE;
}

static inline bool host_reread(void *user, struct sv_str *ret_error)
{
    struct api_host *host = user;
    if (!host->reread_works)
        sv_str_add(ret_error, "not a valid boolean value: 'maybe'");
    return host->reread_works;
}

/* Groups whose name begins with "new" are the changed ones. */
static inline int host_compare_group(void *user, const char *name)
{
    if (!host_is_active(user, name))
        return 2;
    return strncmp(name, "new", 3) == 0 ? 1 : 0;
}

static inline const char *host_log_path(void *user, sv_process_id id, enum sv_channel channel)
{
    (void)user;
    (void)id;
    return channel == SV_STDOUT ? "/var/log/x.out" : NULL;
}

static inline const char *host_main_log_path(void *user)
{
    (void)user;
    return "/var/log/svisord.log";
}

static inline int host_read_log(void *user, const char *path, int64_t offset, int64_t length,
                                struct sv_str *ret)
{
    (void)path;
    sv_str_addf(ret, "%d+%d", (int)offset, (int)length);
    return ((struct api_host *)user)->read_outcome;
}

static inline int host_tail_log(void *user, const char *path, int64_t offset, int64_t length,
                                struct sv_str *ret, int64_t *ret_offset, int *ret_overflow)
{
    *ret_offset = offset + length;
    *ret_overflow = 1;
    return host_read_log(user, path, offset, length, ret);
}

static inline int host_follow_log(void *user, const char *path, const char *cursor, int64_t limit,
                                  struct sv_log_piece *ret)
{
    (void)path;
    sv_str_addf(&ret->bytes, "%s+%d", cursor, (int)limit);
    sv_str_add(&ret->cursor, "1-2-3");
    ret->behind_bytes = 5;
    ret->is_gap = true;
    return ((struct api_host *)user)->read_outcome;
}

static inline int host_clear_process_log(void *user, sv_process_id id)
{
    (void)id;
    return ((struct api_host *)user)->write_result;
}

static inline int host_clear_main_log(void *user)
{
    return ((struct api_host *)user)->read_outcome;
}

static inline void host_shutdown(void *user, bool is_restart)
{
    feed(user, (struct sv_event){.kind = SV_EVENT_SHUTDOWN, .is_restart = is_restart});
}

static inline void host_publish_remote(void *user, const char *type, const char *data)
{
    struct api_host *host = user;
    snprintf(host->written, sizeof host->written, "%s/%s", type, data);
}

static inline bool host_reexec(void *user, struct sv_str *ret_problem)
{
    struct api_host *host = user;
    host->reexec_count++;
    if (host->reexec_problem)
        sv_str_add(ret_problem, host->reexec_problem);
    return host->reexec_problem == NULL;
}

static inline json_t *host_kernel_report(void *user)
{
    (void)user;
    return json_pack("{s:b}", "cgroup", 1);
}

static inline json_t *host_why(void *user, sv_process_id id)
{
    (void)user;
    return json_pack("{s:i}", "process", (int)id);
}

/* One certificate, of run 3. */
static inline json_t *host_deaths(void *user, sv_process_id id, int64_t run)
{
    (void)user;
    return run > 0 && run != 3 ? json_array()
                               : json_pack("[{s:i, s:i}]", "process", (int)id, "asked", (int)run);
}

static inline json_t *host_network(void *user, sv_process_id id)
{
    (void)user;
    return json_pack("{s:i}", "process", (int)id);
}

static inline json_t *host_timeline(void *user, uint64_t after, size_t limit)
{
    (void)user;
    return json_pack("[{s:I, s:I}]", "after", (json_int_t)after, "limit", (json_int_t)limit);
}

static inline json_t *host_resource_events(void *user, sv_process_id id)
{
    (void)user;
    return json_pack("[{s:i}]", "process", (int)id);
}

/* `user` is the daemon. */
static const struct sv_api_host api_functions = {
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
    .publish_remote = host_publish_remote,
    .kernel_report = host_kernel_report,
    .reexec = host_reexec,
    .why = host_why,
    .deaths = host_deaths,
    .resource_events = host_resource_events,
    .network = host_network,
    .timeline = host_timeline,
};

#endif
