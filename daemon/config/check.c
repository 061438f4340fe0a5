/*
 * The configuration as svisord understood it, in the form of a configuration file: sections, and
 * key=value with the defaults filled in, so that a reader compares it with what was written without
 * learning another format. One section per process, since expansions make them differ.
 */
#include "config/check.h"

#include <string.h>

#include "base/names.h"
#include "config/datatype.h"

static void add_text(struct sv_str *str, const char *key, const char *value)
{
    sv_str_addf(str, "%s=%s\n", key, value ? value : "");
}

static void add_boolean(struct sv_str *str, const char *key, bool value)
{
    add_text(str, key, value ? "true" : "false");
}

static void add_number(struct sv_str *str, const char *key, int64_t value)
{
    sv_str_addf(str, "%s=%lld\n", key, (long long)value);
}

static void add_octal(struct sv_str *str, const char *key, uint32_t value)
{
    sv_str_addf(str, "%s=%03o\n", key, value);
}

/* A size in the largest unit that divides it. */
static void add_bytes(struct sv_str *str, const char *key, uint64_t value)
{
    static const struct {
        const char *suffix;
        unsigned shift;
    } units[] = {{"GB", 30}, {"MB", 20}, {"KB", 10}, {"", 0}};
    size_t i = 0;
    while (units[i].shift > 0 && (value == 0 || value % (UINT64_C(1) << units[i].shift) != 0))
        i++;
    sv_str_addf(str, "%s=%llu%s\n", key, (unsigned long long)(value >> units[i].shift),
                units[i].suffix);
}

static void add_seconds(struct sv_str *str, const char *key, double value)
{
    if (value >= 0)
        sv_str_addf(str, "%s=%g\n", key, value);
}

static void add_owner(struct sv_str *str, const char *key, uint32_t uid, uint32_t gid)
{
    if (uid != SV_ID_NONE && gid != SV_ID_NONE)
        sv_str_addf(str, "%s=%u:%u\n", key, uid, gid);
    else if (uid != SV_ID_NONE)
        sv_str_addf(str, "%s=%u\n", key, uid);
}

/* The mark that the value does not hold is the quote; a value with both gets what cannot be
 * written. */
static void add_environment(struct sv_str *str, const char *const *items)
{
    sv_str_add(str, "environment=");
    for (size_t i = 0; items && items[i]; i++) {
        const char *equals = strchr(items[i], '=');
        char mark = strchr(equals, '"') ? '\'' : '"';
        sv_str_addf(str, "%s%.*s=%c%s%c", i == 0 ? "" : ",", (int)(equals - items[i]), items[i],
                    mark, equals + 1, mark);
    }
    sv_str_add_char(str, '\n');
}

static void describe_daemon(struct sv_str *str, const struct sv_daemon_config *daemon)
{
    sv_str_add(str, "[supervisord]\n");
    add_text(str, "logfile", daemon->logfile_syslog ? "syslog" : daemon->logfile);
    add_bytes(str, "logfile_maxbytes", daemon->logfile_maxbytes);
    add_number(str, "logfile_backups", daemon->logfile_backups);
    add_text(str, "loglevel", sv_log_level_name(daemon->loglevel));
    add_text(str, "pidfile", daemon->pidfile);
    add_octal(str, "umask", daemon->umask);
    add_boolean(str, "nodaemon", daemon->nodaemon);
    add_boolean(str, "silent", daemon->silent);
    add_number(str, "minfds", daemon->minfds);
    add_number(str, "minprocs", daemon->minprocs);
    add_boolean(str, "nocleanup", daemon->nocleanup);
    add_boolean(str, "strip_ansi", daemon->strip_ansi);
    add_text(str, "childlogdir", daemon->childlogdir);
    if (daemon->user)
        add_text(str, "user", daemon->user);
    if (daemon->directory)
        add_text(str, "directory", daemon->directory);
    add_text(str, "identifier", daemon->identifier);
    add_environment(str, daemon->environment);
}

static void describe_http(struct sv_str *str, const struct sv_http_config *server)
{
    sv_str_addf(str, "\n[%s]\n", server->place.section);
    if (server->path) {
        add_text(str, "file", server->path);
        add_octal(str, "chmod", server->mode);
        add_owner(str, "chown", server->owner_uid, server->owner_gid);
    } else {
        bool is_v6 = strchr(server->host, ':') != NULL;
        sv_str_addf(str, "port=%s%s%s:%u\n", is_v6 ? "[" : "", *server->host ? server->host : "*",
                    is_v6 ? "]" : "", server->port);
    }
    if (!server->username)
        return;
    add_text(str, "username", server->username);
    add_text(str, "password", "(hidden)");
}

static void describe_channel(struct sv_str *str, const char *name,
                             const struct sv_channel_config *channel)
{
    char key[64];
    static const char *const kinds[] = {[SV_LOGFILE_NONE] = "NONE", [SV_LOGFILE_AUTO] = "AUTO"};
    bool is_file = channel->logfile_kind == SV_LOGFILE_FILE;
    sv_str_addf(str, "%s_logfile=%s\n", name,
                is_file ? channel->logfile : kinds[channel->logfile_kind]);
    static const char *const suffixes[] = {"_logfile_maxbytes", "_capture_maxbytes"};
    const uint64_t sizes[] = {channel->maxbytes, channel->capture_maxbytes};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(sizes); i++) {
        key[0] = '\0';
        strncat(key, name, sizeof(key) - 32);
        strncat(key, suffixes[i], 31);
        add_bytes(str, key, sizes[i]);
    }
    sv_str_addf(str, "%s_logfile_backups=%u\n", name, channel->backups);
    sv_str_addf(str, "%s_events_enabled=%s\n", name, channel->events_enabled ? "true" : "false");
    sv_str_addf(str, "%s_syslog=%s\n", name, channel->syslog ? "true" : "false");
    sv_str_addf(str, "%s_journal=%s\n", name, channel->journal ? "true" : "false");
}

static void describe_restart(struct sv_str *str, const struct sv_program_config *program)
{
    static const char *const words[] = {[SV_AUTORESTART_NEVER] = "false",
                                        [SV_AUTORESTART_UNEXPECTED] = "unexpected",
                                        [SV_AUTORESTART_ALWAYS] = "true"};
    add_number(str, "priority", program->priority);
    add_boolean(str, "autostart", program->autostart);
    add_text(str, "autorestart", words[program->autorestart]);
    add_number(str, "startsecs", program->startsecs);
    if (program->startretries == SV_RETRIES_ENDLESS)
        add_text(str, "startretries", "endless");
    else
        add_number(str, "startretries", program->startretries);
    sv_str_add(str, "exitcodes=");
    for (size_t i = 0; i < program->exitcode_count; i++)
        sv_str_addf(str, "%s%d", i == 0 ? "" : ",", program->exitcodes[i]);
    sv_str_add_char(str, '\n');
    add_seconds(str, "restart_delay", program->restart_delay);
    add_seconds(str, "restart_delay_max", program->restart_delay_max);
    add_seconds(str, "restart_jitter", program->restart_jitter);
    add_seconds(str, "restart_reset_after", program->restart_reset_after);
}

static void describe_health(struct sv_str *str, const struct sv_health_config *health)
{
    static const char *const words[] = {[-SV_LIVENESS_RESTART] = "restart",
                                        [-SV_LIVENESS_STOP] = "stop",
                                        [-SV_LIVENESS_NONE] = "none"};
    if (!health)
        return;
    if (health->ready.kind != SV_PROBE_NONE) {
        add_text(str, "ready", health->ready.text);
        add_seconds(str, "ready_timeout", health->ready_timeout);
    }
    if (health->liveness.kind != SV_PROBE_NONE) {
        add_text(str, "liveness", health->liveness.text);
        add_seconds(str, "liveness_period", health->liveness_period);
        add_seconds(str, "liveness_timeout", health->liveness_timeout);
        add_number(str, "liveness_failures", health->liveness_failures);
    }
    if (health->watchdog > 0)
        add_seconds(str, "watchdog", health->watchdog);
    if (health->liveness_action > 0)
        sv_str_addf(str, "liveness_action=signal:%s\n",
                    sv_value_signal_name(health->liveness_action));
    else if (health->liveness.kind != SV_PROBE_NONE || health->watchdog > 0)
        add_text(str, "liveness_action", words[-health->liveness_action]);
}

static void describe_limits(struct sv_str *str, const struct sv_limits *limits)
{
    for (size_t i = 0; limits && i < limits->count; i++)
        add_text(str, sv_limit_key(limits->items[i].limit), limits->items[i].text);
}

static void describe_program(struct sv_str *str, const struct sv_group_config *group,
                             const struct sv_program_config *program)
{
    sv_str_addf(str, "\n; process %s:%s, of [%s] at %s:%u\n", group->name, program->name,
                program->place.section, program->place.file, program->place.line);
    add_text(str, "command", program->command);
    if (program->argv_error)
        sv_str_addf(str, "; cannot start: %s\n", program->argv_error);
    for (size_t i = 0; program->argv && program->argv[i]; i++)
        sv_str_addf(str, ";   argv[%zu]: %s\n", i, program->argv[i]);
    if (program->directory)
        add_text(str, "directory", program->directory);
    if (program->user)
        add_text(str, "user", program->user);
    if (program->umask != SV_ID_NONE)
        add_octal(str, "umask", program->umask);
    describe_restart(str, program);
    describe_health(str, program->health);
    add_text(str, "stopsignal", sv_value_signal_name(program->stopsignal));
    add_number(str, "stopwaitsecs", program->stopwaitsecs);
    add_boolean(str, "stopasgroup", program->stopasgroup);
    add_boolean(str, "killasgroup", program->killasgroup);
    add_text(str, "kill_mode", program->kill_mode == SV_KILL_PROCESS ? "process" : "control-group");
    describe_limits(str, program->limits);
    add_boolean(str, "redirect_stderr", program->redirect_stderr);
    describe_channel(str, "stdout", &program->channels[SV_STDOUT]);
    describe_channel(str, "stderr", &program->channels[SV_STDERR]);
    add_text(str, "serverurl", program->serverurl ? program->serverurl : "AUTO");
    add_environment(str, program->environment);
}

static void describe_events(struct sv_str *str, const struct sv_group_config *group)
{
    size_t count = 0;
    sv_str_add(str, "events=");
    for (size_t type = 0; type < SV_NOTICE_COUNT; type++)
        if (group->events & (sv_notice_set)1 << type)
            sv_str_addf(str, "%s%s", count++ == 0 ? "" : ",",
                        sv_notice_name((enum sv_notice_type)type));
    sv_str_add_char(str, '\n');
    add_number(str, "buffer_size", group->buffer_size);
    add_text(str, "result_handler", group->result_handler);
}

static void describe_group(struct sv_str *str, const struct sv_group_config *group)
{
    static const char *const kinds[] = {[SV_GROUP_PROGRAM] = "program",
                                        [SV_GROUP_HETEROGENEOUS] = "group",
                                        [SV_GROUP_FCGI] = "fcgi-program",
                                        [SV_GROUP_LISTENER] = "eventlistener"};
    sv_str_addf(str, "\n[%s:%s]\n", kinds[group->kind], group->name);
    add_number(str, "priority", group->priority);
    describe_limits(str, group->limits);
    if (group->kind == SV_GROUP_LISTENER)
        describe_events(str, group);
    if (group->kind == SV_GROUP_FCGI) {
        add_text(str, "socket", group->fcgi.url);
        if (group->fcgi.backlog > 0)
            add_number(str, "socket_backlog", group->fcgi.backlog);
        if (group->fcgi.mode != SV_ID_NONE)
            add_octal(str, "socket_mode", group->fcgi.mode);
        add_owner(str, "socket_owner", group->fcgi.owner_uid, group->fcgi.owner_gid);
    }
    for (size_t i = 0; i < group->program_count; i++)
        describe_program(str, group, group->programs[i]);
}

static void describe_svisor(struct sv_str *str, const struct sv_config *config)
{
    const struct sv_daemon_config *daemon = &config->daemon;
    sv_str_add(str, "\n[svisor]\n");
    add_number(str, "death_history", daemon->death_history);
    add_text(str, "state_directory", daemon->state_directory);
    add_text(str, "on_stop", daemon->on_stop == SV_ON_STOP_KEEP ? "keep" : "stop");
    if (config->supvisors)
        sv_cluster_describe(&daemon->cluster, str);
}

void sv_config_describe(const struct sv_config *config, struct sv_str *ret_text)
{
    struct sv_str *str = ret_text;
    sv_str_addf(str, "; %s\n", config->file);
    describe_daemon(str, &config->daemon);
    for (size_t i = 0; i < config->http_server_count; i++)
        describe_http(str, &config->http_servers[i]);
    sv_str_add(str, "\n[supervisorctl]\n");
    add_text(str, "serverurl", config->ctl.serverurl);
    add_text(str, "prompt", config->ctl.prompt);
    if (config->ctl.username)
        add_text(str, "username", config->ctl.username);
    if (config->ctl.password)
        add_text(str, "password", "(hidden)");
    if (config->ctl.history_file)
        add_text(str, "history_file", config->ctl.history_file);
    for (size_t i = 0; i < config->rpcinterface_count; i++) {
        const struct sv_plugin_config *plugin = &config->rpcinterfaces[i];
        sv_str_addf(str, "\n[rpcinterface:%s]\n", plugin->name);
        add_text(str, "supervisor.rpcinterface_factory", plugin->factory);
        for (size_t j = 0; j < plugin->count; j++)
            add_text(str, plugin->keys[j], plugin->values[j]);
        if (config->supvisors && plugin->is_supvisors && plugin->name == config->supvisors->name)
            sv_supvisors_describe(config->supvisors, str);
    }
    describe_svisor(str, config);
    for (size_t i = 0; i < config->group_count; i++)
        describe_group(str, config->groups[i]);
}

void sv_diag_render_row(const struct sv_diag_row *row, struct sv_str *ret_text)
{
    const struct sv_place *place = &row->place;
    if (place->file)
        sv_str_add(ret_text, place->file);
    if (place->file && place->line > 0)
        sv_str_addf(ret_text, ":%u", place->line);
    if (place->file)
        sv_str_add(ret_text, ": ");
    if (place->section)
        sv_str_addf(ret_text, "[%s]%s", place->section, place->key ? " " : ": ");
    if (place->key)
        sv_str_addf(ret_text, "%s: ", place->key);
    sv_str_add(ret_text, row->text);
}

void sv_diag_render(const struct sv_diag *diag, struct sv_str *ret_text)
{
    static const char *const severities[] = {[SV_SEVERITY_INFO] = "info",
                                             [SV_SEVERITY_WARNING] = "warning",
                                             [SV_SEVERITY_ERROR] = "error"};
    for (const struct sv_diag_row *row = diag->first; row; row = row->next) {
        sv_str_addf(ret_text, "%s: ", severities[row->severity]);
        sv_diag_render_row(row, ret_text);
        sv_str_add_char(ret_text, '\n');
    }
    if (diag->dropped_count > 0)
        sv_str_addf(ret_text, "%zu more are not shown\n", diag->dropped_count);
}
