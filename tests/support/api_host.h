/*
 * A small daemon for the tests of the remote methods: the real core, and a host that does what the
 * driver does, with spawns and signals that only the test knows of.
 *
 * A test feeds it with calls and with what would happen outside (a spawn that is answered, a
 * process that ends, time that passes), and reads the answers as JSON text.
 */
#ifndef SV_TESTS_API_HOST_H
#define SV_TESTS_API_HOST_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/names.h"
#include "core/core.h"

#define SECOND_NS     1000000000ull
#define START_WALL_NS (1795361452 * (int64_t)SECOND_NS) /* 2026-11-22 15:30:52 UTC */

enum { PROGRAMS_MAX = 16 };

/* What becomes of a spawn. */
enum spawn_mode { SPAWN_WORKS, SPAWN_FAILS, SPAWN_LATER };

struct api_host {
    struct sv_api_host host;
    struct sv_core *core;
    struct sv_api *api;
    struct sv_actions actions;
    size_t performed_count;
    bool is_performing;
    uint64_t now_ns;

    struct sv_program_config programs[PROGRAMS_MAX];
    const struct sv_program_config *program_list[PROGRAMS_MAX];
    struct sv_group_config groups[PROGRAMS_MAX];
    const struct sv_group_config *group_list[PROGRAMS_MAX];
    size_t program_count;
    struct sv_config config;

    enum spawn_mode spawn_mode;
    bool ignores_signals;
    bool signals_fail;
    int64_t wall_shift_ns; /* the clock was set by this much after the core saw it last */
    int last_signal;
    int signal_result;
    enum sv_command_check command_check;
    int read_outcome;
    const char *reexec_problem;
    int reexec_count;
    char written[64];
    int write_result;
    bool reread_works;
};

static inline void feed(struct api_host *host, struct sv_event event);

static inline void end_process(struct api_host *host, sv_process_id id, int wait_status)
{
    struct sv_process_view view;
    if (sv_core_process(host->core, id, &view))
        feed(host, (struct sv_event){.kind = SV_EVENT_EXITED,
                                     .process = id,
                                     .run = view.run,
                                     .exited = {.wait_status = wait_status}});
}

/* The answer to a spawn that was put off. */
static inline void answer_spawn(struct api_host *host, sv_process_id id, bool works)
{
    struct sv_process_view view;
    assert_true(sv_core_process(host->core, id, &view));
    struct sv_event event = {.process = id, .run = view.run};
    if (works) {
        event.kind = SV_EVENT_SPAWNED;
        event.pid = 1000 + (int32_t)id;
    } else {
        event.kind = SV_EVENT_SPAWN_FAILED;
        event.text = "unknown error making dispatchers for 'x': EMFILE";
    }
    feed(host, event);
    sv_api_process_changed(host->api, id);
}

static inline void perform(struct api_host *host, const struct sv_action *action)
{
    if (action->kind == SV_ACTION_SPAWN && host->spawn_mode != SPAWN_LATER) {
        answer_spawn(host, action->process, host->spawn_mode == SPAWN_WORKS);
    } else if (action->kind == SV_ACTION_SIGNAL) {
        host->last_signal = action->signal.number;
        if (host->signals_fail)
            feed(host, (struct sv_event){.kind = SV_EVENT_SIGNAL_FAILED,
                                         .process = action->process,
                                         .run = action->run,
                                         .text = "Operation not permitted"});
        else if (!host->ignores_signals)
            end_process(host, action->process, action->signal.number);
    } else if (action->kind == SV_ACTION_NOTICE) {
        sv_api_process_changed(host->api, action->process);
    }
}

static inline void feed(struct api_host *host, struct sv_event event)
{
    event.now_ns = host->now_ns;
    event.wall_ns = START_WALL_NS + (int64_t)host->now_ns;
    sv_core_step(host->core, &event, &host->actions);
    if (host->is_performing)
        return;
    host->is_performing = true;
    while (host->performed_count < host->actions.count) {
        struct sv_action action = host->actions.items[host->performed_count++];
        perform(host, &action);
    }
    host->is_performing = false;
    host->performed_count = 0;
    host->actions.count = 0;
}

static inline void pass_seconds(struct api_host *host, unsigned seconds)
{
    host->now_ns += seconds * SECOND_NS;
    while (sv_core_deadline_ns(host->core) <= host->now_ns)
        feed(host, (struct sv_event){.kind = SV_EVENT_TIME});
}

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

static const char *const no_environment[] = {NULL};
static const char *const cat_argv[] = {"/bin/cat", NULL};
static const int exitcodes[] = {0};

/* A program that nobody starts; tests change what they need before add_group(). */
static inline struct sv_program_config *add_program(struct api_host *host, const char *name,
                                                    unsigned startsecs)
{
    struct sv_program_config *program = &host->programs[host->program_count];
    *program = (struct sv_program_config){
        .name = name,
        .program = name,
        .command = "/bin/cat",
        .argv = cat_argv,
        .umask = SV_ID_NONE,
        .uid = SV_ID_NONE,
        .environment = no_environment,
        .priority = 999,
        .autorestart = SV_AUTORESTART_UNEXPECTED,
        .startsecs = startsecs,
        .startretries = 3,
        .stopsignal = SIGTERM,
        .stopwaitsecs = 10,
        .exitcodes = exitcodes,
        .exitcode_count = 1,
        .restart_delay = -1,
        .restart_delay_max = -1,
        .restart_reset_after = -1,
        .kill_mode = SV_KILL_PROCESS,
        .channels = {{.logfile_kind = SV_LOGFILE_AUTO, .maxbytes = 52428800, .backups = 10},
                     {.logfile_kind = SV_LOGFILE_NONE, .maxbytes = 52428800, .backups = 10}},
    };
    host->program_list[host->program_count++] = program;
    return program;
}

/* A group of the last `count` programs. */
static inline void add_group(struct api_host *host, const char *name, size_t count)
{
    struct sv_group_config *group = &host->groups[host->config.group_count];
    *group = (struct sv_group_config){
        .kind = SV_GROUP_PROGRAM,
        .name = name,
        .priority = 999,
        .programs = &host->program_list[host->program_count - count],
        .program_count = count,
        .fcgi = {.owner_uid = SV_ID_NONE, .owner_gid = SV_ID_NONE, .mode = SV_ID_NONE},
    };
    host->group_list[host->config.group_count++] = group;
    host->config.groups = host->group_list;
    assert_int_equal(host_add_group(host, name), SV_GROUP_DONE);
}

static inline struct api_host *host_new(void)
{
    struct api_host *host = calloc(1, sizeof *host);
    assert_non_null(host);
    host->host = (struct sv_api_host){
        .user = host,
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
    host->now_ns = SECOND_NS;
    host->reread_works = true;
    host->core = sv_core_new(1);
    host->api = sv_api_new(&host->host);
    assert_non_null(host->core);
    assert_non_null(host->api);
    feed(host, (struct sv_event){.kind = SV_EVENT_BEGIN});
    return host;
}

static inline void host_free(struct api_host *host)
{
    sv_api_free(host->api);
    sv_core_free(host->core);
    sv_actions_done(&host->actions);
    free(host);
}

/* Where an answer is kept: as JSON, a fault as "fault 10 BAD_NAME: x". */
struct reply {
    char *text; /* NULL: not answered yet */
    unsigned count;
};

static inline void keep_reply(void *user, const struct sv_api_answer *answer)
{
    struct reply *reply = user;
    free(reply->text);
    reply->count++;
    if (!answer->fault_code) {
        reply->text = json_dumps(answer->result, JSON_COMPACT | JSON_ENCODE_ANY);
        return;
    }
    struct sv_str text = {0};
    sv_str_addf(&text, "fault %d %s", answer->fault_code, answer->fault_text);
    reply->text = sv_str_take(&text);
}

static inline void reply_done(struct reply *reply)
{
    free(reply->text);
    *reply = (struct reply){0};
}

static inline struct sv_api_call *call(struct api_host *host, const char *method,
                                       const char *params, struct reply *reply)
{
    json_t *values = json_loads(params, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(values);
    struct sv_api_call *made = sv_api_call(host->api, method, values, keep_reply, reply);
    json_decref(values);
    return made;
}

/* The call is answered at once, with this. */
static inline void expect_at(struct api_host *host, const char *method, const char *params,
                             const char *wanted, const char *file, int line)
{
    struct reply reply = {0};
    struct sv_api_call *made = call(host, method, params, &reply);
    if (made || reply.count != 1 || strcmp(reply.text, wanted) != 0)
        print_error("%s%s\n  got    %s\n  wanted %s\n", method, params,
                    reply.text ? reply.text : "nothing yet", wanted);
    _assert_true(!made && reply.count == 1 && strcmp(reply.text, wanted) == 0, method, file, line);
    reply_done(&reply);
}

#define expect_answer(host, method, params, wanted)                                                \
    expect_at((host), (method), (params), (wanted), __FILE__, __LINE__)

/* The id of a process by "group" and "name". */
static inline sv_process_id id_of(struct api_host *host, const char *group, const char *name)
{
    const struct sv_group_view *view = sv_core_group(host->core, group);
    assert_non_null(view);
    for (size_t i = 0; i < view->process_count; i++) {
        struct sv_process_view process;
        if (sv_core_process(host->core, view->processes[i], &process) &&
            strcmp(process.config->name, name) == 0)
            return process.id;
    }
    fail_msg("no process %s:%s", group, name);
    return 0;
}

#endif
