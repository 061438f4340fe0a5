/*
 * A small daemon for the tests of the remote methods: the real core (api_daemon.h), and a host that
 * does what the driver does (api_functions.h).
 *
 * A test feeds it with calls and with what would happen outside (a spawn that is answered, a
 * process that ends, time that passes), and reads the answers as JSON text.
 */
#ifndef SV_TESTS_API_HOST_H
#define SV_TESTS_API_HOST_H

#include "api_functions.h"

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
    host->host = api_functions;
    host->host.user = host;
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
