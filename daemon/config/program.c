/*
 * [program:x], [fcgi-program:x], [eventlistener:x]: one section becomes `numprocs` processes.
 *
 * Supervisor reads the options in two passes, and that decides what each can be expanded with. The
 * first pass is once for the section and knows here, program_name, group_name, host_node_name and
 * ENV_*. The second is once for each process and knows process_num, numprocs and the section's own
 * `environment` as well: command, directory, environment, process_name and the log files. So
 * "priority=%(process_num)d" is an error, and "stdout_logfile=/log/%(process_num)d" is not.
 *
 * The names of log files are expanded twice: a literal per cent sign in them is "%%%%".
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <svisor/limits.h>

#include "config/datatype.h"
#include "config/loader.h"
#include "config/path.h"
#include "config/pytext.h"
#include "config/shlex.h"

struct program_reader {
    struct sv_loader *loader;
    const struct sv_ini_section *section;
    struct sv_scope section_scope;
    struct sv_scope process_scope;
    struct sv_program_config common; /* what all processes of the section share */
    struct sv_value environment;     /* as written */
    struct sv_value process_name;    /* as written */
    int64_t process_total;
    int64_t first_number;
};

static struct sv_value get(struct program_reader *reader, enum sv_option_id id)
{
    return sv_loader_get(reader->loader, reader->section, id, &reader->section_scope);
}

static struct sv_value get_process(struct program_reader *reader, enum sv_option_id id)
{
    return sv_loader_get(reader->loader, reader->section, id, &reader->process_scope);
}

static const char *copy_text(struct program_reader *reader, const char *text)
{
    return text ? sv_loader_check(reader->loader, sv_arena_strdup(reader->loader->arena, text))
                : NULL;
}

static double real_or_unset(const struct sv_value *value)
{
    return value->text ? value->real : -1;
}

static void read_restart(struct program_reader *reader, struct sv_program_config *common)
{
    common->autostart = get(reader, SV_OPTION_PROGRAM_autostart).boolean;
    common->autorestart = (enum sv_autorestart)get(reader, SV_OPTION_PROGRAM_autorestart).integer;
    common->startsecs = (uint32_t)get(reader, SV_OPTION_PROGRAM_startsecs).integer;
    common->startretries = (uint32_t)get(reader, SV_OPTION_PROGRAM_startretries).integer;
    struct sv_value exitcodes = get(reader, SV_OPTION_PROGRAM_exitcodes);
    common->exitcodes = exitcodes.codes;
    common->exitcode_count = exitcodes.code_count;
    struct sv_value delay = get(reader, SV_OPTION_PROGRAM_restart_delay);
    struct sv_value cap = get(reader, SV_OPTION_PROGRAM_restart_delay_max);
    struct sv_value reset = get(reader, SV_OPTION_PROGRAM_restart_reset_after);
    common->restart_delay = real_or_unset(&delay);
    common->restart_delay_max = real_or_unset(&cap);
    common->restart_reset_after = real_or_unset(&reset);
    common->restart_jitter = get(reader, SV_OPTION_PROGRAM_restart_jitter).real;
    if (cap.text && delay.text && cap.real < delay.real)
        sv_loader_report(reader->loader, SV_SEVERITY_WARNING, &cap.place,
                         "is below restart_delay; every pause is %g seconds", cap.real);
}

static void read_stop(struct program_reader *reader, struct sv_program_config *common)
{
    common->stopsignal = (int)get(reader, SV_OPTION_PROGRAM_stopsignal).integer;
    common->stopwaitsecs = (uint32_t)get(reader, SV_OPTION_PROGRAM_stopwaitsecs).integer;
    common->stopasgroup = get(reader, SV_OPTION_PROGRAM_stopasgroup).boolean;
    struct sv_value killasgroup = get(reader, SV_OPTION_PROGRAM_killasgroup);
    common->killasgroup = killasgroup.text ? killasgroup.boolean : common->stopasgroup;
    common->kill_mode = (enum sv_kill_mode)get(reader, SV_OPTION_PROGRAM_kill_mode).integer;
    if (common->stopasgroup && !common->killasgroup)
        sv_loader_report(reader->loader, reader->loader->error, &killasgroup.place,
                         "Cannot set stopasgroup=true and killasgroup=false; remove killasgroup");
}

static void read_numbers(struct program_reader *reader)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value numprocs = get(reader, SV_OPTION_PROGRAM_numprocs);
    const struct sv_config_overrides *overrides = loader->overrides;
    bool is_counted = overrides && overrides->counted_program &&
                      strcmp(overrides->counted_program, reader->common.program) == 0;
    reader->process_total = is_counted ? overrides->numprocs : numprocs.integer;
    reader->first_number = get(reader, SV_OPTION_PROGRAM_numprocs_start).integer;
    reader->process_name = sv_loader_raw(loader, reader->section, SV_OPTION_PROGRAM_process_name);
    struct sv_value *name = &reader->process_name;
    if (!sv_value_is_name(name->text)) {
        sv_loader_report(loader, loader->error, &name->place,
                         "Invalid name: '%s'; write a name without a blank, a colon or a slash",
                         name->text);
        reader->process_total = 0;
    }
    if (reader->process_total > 1 && !strstr(name->text, "%(process_num)")) {
        sv_loader_report(loader, loader->error, &numprocs.place,
                         "%%(process_num) must be present within process_name when numprocs > 1; "
                         "write process_name=%%(program_name)s_%%(process_num)02d");
        reader->process_total = 0;
    }
    if (loader->process_count + (size_t)reader->process_total > SV_PROCESSES_MAX) {
        sv_loader_report(loader, SV_SEVERITY_ERROR, &numprocs.place,
                         "more than %d processes in all; write a smaller numprocs",
                         SV_PROCESSES_MAX);
        reader->process_total = 0;
    }
}

/* The option of a channel, by what it says of it. */
enum channel_option { LOGFILE, MAXBYTES, BACKUPS, CAPTURE, EVENTS, SYSLOG, JOURNAL };

static const enum sv_option_id channel_options[2][7] = {
    [SV_STDOUT] = {[LOGFILE] = SV_OPTION_PROGRAM_stdout_logfile,
                   [MAXBYTES] = SV_OPTION_PROGRAM_stdout_logfile_maxbytes,
                   [BACKUPS] = SV_OPTION_PROGRAM_stdout_logfile_backups,
                   [CAPTURE] = SV_OPTION_PROGRAM_stdout_capture_maxbytes,
                   [EVENTS] = SV_OPTION_PROGRAM_stdout_events_enabled,
                   [SYSLOG] = SV_OPTION_PROGRAM_stdout_syslog,
                   [JOURNAL] = SV_OPTION_PROGRAM_stdout_journal},
    [SV_STDERR] = {[LOGFILE] = SV_OPTION_PROGRAM_stderr_logfile,
                   [MAXBYTES] = SV_OPTION_PROGRAM_stderr_logfile_maxbytes,
                   [BACKUPS] = SV_OPTION_PROGRAM_stderr_logfile_backups,
                   [CAPTURE] = SV_OPTION_PROGRAM_stderr_capture_maxbytes,
                   [EVENTS] = SV_OPTION_PROGRAM_stderr_events_enabled,
                   [SYSLOG] = SV_OPTION_PROGRAM_stderr_syslog,
                   [JOURNAL] = SV_OPTION_PROGRAM_stderr_journal},
};

static void read_common(struct program_reader *reader)
{
    struct sv_program_config *common = &reader->common;
    struct sv_loader *loader = reader->loader;
    common->priority = (int32_t)get(reader, SV_OPTION_PROGRAM_priority).integer;
    read_restart(reader, common);
    read_stop(reader, common);
    common->redirect_stderr = get(reader, SV_OPTION_PROGRAM_redirect_stderr).boolean;
    for (size_t i = 0; i < 2; i++) {
        struct sv_channel_config *channel = &common->channels[i];
        channel->capture_maxbytes = (uint64_t)get(reader, channel_options[i][CAPTURE]).integer;
        channel->events_enabled = get(reader, channel_options[i][EVENTS]).boolean;
    }
    struct sv_value serverurl = get(reader, SV_OPTION_PROGRAM_serverurl);
    struct sv_span url = sv_py_strip(serverurl.text, strlen(serverurl.text));
    bool is_automatic = url.length == 4 && strncasecmp(url.data, "auto", 4) == 0;
    common->serverurl = is_automatic ? NULL : copy_text(reader, serverurl.text);
    struct sv_value user = get(reader, SV_OPTION_PROGRAM_user);
    common->user = copy_text(reader, user.text);
    common->uid = user.owner.uid;
    struct sv_value umask = get(reader, SV_OPTION_PROGRAM_umask);
    common->umask = umask.text ? (uint32_t)umask.integer : SV_ID_NONE;
    reader->environment = sv_loader_raw(loader, reader->section, SV_OPTION_PROGRAM_environment);
    read_numbers(reader);
}

static struct sv_value read_logfile(struct program_reader *reader, size_t i)
{
    struct sv_loader *loader = reader->loader;
    enum sv_option_id id = channel_options[i][LOGFILE];
    struct sv_value value = sv_loader_raw(loader, reader->section, id);
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&name, "%s.%s", reader->section->name, sv_option(id)->key);
    if (sv_loader_expand(loader, id, sv_str_text(&name), &reader->process_scope, &value))
        sv_loader_expand(loader, id, sv_option(id)->key, &reader->process_scope, &value);
    sv_loader_convert(loader, id, &value);
    return value;
}

static void read_channel(struct program_reader *reader, size_t i, struct sv_program_config *program)
{
    struct sv_loader *loader = reader->loader;
    struct sv_channel_config *channel = &program->channels[i];
    struct sv_value logfile = read_logfile(reader, i);
    channel->backups = (uint32_t)get_process(reader, channel_options[i][BACKUPS]).integer;
    channel->maxbytes = (uint64_t)get_process(reader, channel_options[i][MAXBYTES]).integer;
    channel->syslog = get_process(reader, channel_options[i][SYSLOG]).boolean;
    channel->journal = get_process(reader, channel_options[i][JOURNAL]).boolean;
    channel->logfile_kind = SV_LOGFILE_NONE;
    const char *name = i == SV_STDOUT ? "stdout" : "stderr";
    switch ((enum sv_logfile_word)logfile.integer) {
    case SV_LOGFILE_WORD_NONE:
        break;
    case SV_LOGFILE_WORD_AUTO:
        channel->logfile_kind = SV_LOGFILE_AUTO;
        if (channel->maxbytes == 0)
            sv_loader_report(loader, SV_SEVERITY_WARNING, &logfile.place,
                             "For [%s], AUTO logging used for %s_logfile without rollover, set "
                             "maxbytes > 0 to avoid filling up filesystem unintentionally",
                             reader->section->name, name);
        break;
    case SV_LOGFILE_WORD_SYSLOG:
        channel->syslog = true;
        sv_loader_report(loader, SV_SEVERITY_WARNING, &logfile.place,
                         "For [%s], %s_logfile=syslog but this is deprecated and will be removed.  "
                         "Use %s_syslog=true to enable syslog instead.",
                         reader->section->name, name, name);
        break;
    case SV_LOGFILE_WORD_JOURNAL:
        channel->journal = true;
        break;
    case SV_LOGFILE_WORD_FILE:
        /* As it was written: the daemon opens a relative one from where it is then, and clients are
         * shown what stands in the file. An empty name is no log. */
        channel->logfile_kind = logfile.path && logfile.path[0] ? SV_LOGFILE_FILE : SV_LOGFILE_NONE;
        channel->logfile = copy_text(reader, logfile.path);
        break;
    }
    if (i != SV_STDERR || !program->redirect_stderr)
        return;
    if (channel->logfile_kind == SV_LOGFILE_FILE)
        sv_loader_report(loader, SV_SEVERITY_WARNING, &logfile.place,
                         "For [%s], redirect_stderr=true but stderr_logfile has also been set to "
                         "a filename, the filename has been ignored",
                         reader->section->name);
    channel->logfile_kind = SV_LOGFILE_NONE;
    channel->logfile = NULL;
}

static void read_command(struct program_reader *reader, struct sv_program_config *program)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value command = get_process(reader, SV_OPTION_PROGRAM_command);
    if (!command.text) {
        sv_loader_report(loader, loader->error, &command.place,
                         "program section %s does not specify a command; write command=…",
                         reader->section->name);
        return;
    }
    program->command = copy_text(reader, command.text);
    struct sv_words words = {0};
    int r = sv_shlex_split(command.text, loader->arena, &words);
    loader->is_out_of_memory = loader->is_out_of_memory || r < 0;
    if (r == 0 && words.count > 0) {
        program->argv = words.items;
        return;
    }
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    if (r == 0) {
        sv_str_add(&problem, "command is empty");
    } else {
        sv_str_add(&problem, "can't parse command ");
        sv_py_repr(&problem, command.text, strlen(command.text));
        sv_str_addf(&problem, ": %s", sv_shlex_error_text(r));
    }
    program->argv_error = copy_text(reader, sv_str_text(&problem));
    sv_loader_report(loader, SV_SEVERITY_WARNING, &command.place, "%s; the process cannot start",
                     sv_str_text(&problem));
}

/* The section's `environment`, expanded; its variables can be used by the options that follow. */
static void read_environment(struct program_reader *reader, struct sv_program_config *program)
{
    struct sv_loader *loader = reader->loader;
    struct sv_map own = {0};
    struct sv_map merged = {0};
    struct sv_value text = reader->environment;
    sv_loader_expand(loader, SV_OPTION_PROGRAM_environment, "environment", &reader->process_scope,
                     &text);
    sv_loader_pairs(loader, &text, &own);
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_map_foreach (entry, &own) {
        sv_str_clear(&name);
        sv_str_addf(&name, "ENV_%s", entry->key);
        if (!sv_str_ok(&name) ||
            sv_scope_put_text(&reader->process_scope, sv_str_text(&name), entry->value) < 0)
            loader->is_out_of_memory = true;
    }
    sv_map_foreach (entry, &loader->daemon_variables)
        if (sv_map_put(&merged, entry->key, entry->value) < 0)
            loader->is_out_of_memory = true;
    sv_map_foreach (entry, &own)
        if (sv_map_put(&merged, entry->key, entry->value) < 0)
            loader->is_out_of_memory = true;
    program->environment = sv_loader_environment(loader, &merged);
    sv_map_done(&own);
    sv_map_done(&merged);
}

static void read_name(struct program_reader *reader, struct sv_program_config *program)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value name = reader->process_name;
    sv_loader_expand(loader, SV_OPTION_PROGRAM_process_name, "process_name", &reader->process_scope,
                     &name);
    struct sv_span span = sv_py_strip(name.text, strlen(name.text));
    program->name =
        sv_loader_check(loader, sv_arena_strndup(loader->arena, span.data, span.length));
    /* Supervisor looks at the name before it is expanded only; a slash would leave the log
     * directory. */
    if (!sv_value_is_name(name.text))
        sv_loader_report(
            loader, loader->error, &name.place,
            "Invalid name: '%s'; it must not be empty or contain a blank, a colon or a "
            "slash",
            name.text);
}

static struct sv_program_config *read_process(struct program_reader *reader, int64_t number)
{
    struct sv_loader *loader = reader->loader;
    struct sv_program_config *program =
        sv_loader_check(loader, sv_arena_new(loader->arena, struct sv_program_config));
    reader->process_scope =
        (struct sv_scope){.parent = &reader->section_scope, .arena = &loader->scratch};
    if (!program || sv_scope_put_number(&reader->process_scope, "process_num", number) < 0 ||
        sv_scope_put_number(&reader->process_scope, "numprocs", reader->process_total) < 0) {
        loader->is_out_of_memory = true;
        sv_scope_done(&reader->process_scope);
        return NULL;
    }
    *program = reader->common;
    read_environment(reader, program);
    program->directory = copy_text(reader, get_process(reader, SV_OPTION_PROGRAM_directory).text);
    read_channel(reader, SV_STDOUT, program);
    read_channel(reader, SV_STDERR, program);
    read_command(reader, program);
    program->health = sv_load_health(loader, reader->section, &reader->process_scope);
    read_name(reader, program);
    sv_scope_done(&reader->process_scope);
    return program;
}

static void read_processes(struct program_reader *reader, struct sv_list *processes)
{
    struct sv_loader *loader = reader->loader;
    size_t errors_before = loader->diag->error_count;
    for (int64_t i = 0; i < reader->process_total && !loader->is_out_of_memory; i++) {
        struct sv_program_config *program = read_process(reader, reader->first_number + i);
        if (program) {
            program->index = (uint32_t)i;
            sv_loader_push(loader, processes, program);
        }
        loader->process_count++;
        /* What is wrong or doubtful with the first process is so with all of them. */
        loader->is_muted = true;
        if (loader->diag->error_count > errors_before)
            break;
    }
    loader->is_muted = false;
}

void sv_load_program(struct sv_loader *loader, const struct sv_ini_section *section,
                     enum sv_program_kind kind, const struct sv_group_config *group,
                     struct sv_list *processes)
{
    const char *name = sv_loader_section_name(loader, section);
    if (!name)
        return;
    struct program_reader reader = {
        .loader = loader,
        .section = section,
        .section_scope = {.parent = &loader->environment, .arena = &loader->scratch},
        .common = {.kind = kind, .program = name, .place = section->place}};
    struct sv_scope *scope = &reader.section_scope;
    if (sv_scope_put_text(scope, "here", loader->here) < 0 ||
        sv_scope_put_text(scope, "program_name", name) < 0 ||
        sv_scope_put_text(scope, "host_node_name", loader->host->host_name) < 0 ||
        sv_scope_put_text(scope, "group_name", group->name) < 0)
        loader->is_out_of_memory = true;
    reader.common.place.file =
        sv_loader_check(loader, sv_arena_strdup(loader->arena, section->place.file));
    reader.common.place.section =
        sv_loader_check(loader, sv_arena_strdup(loader->arena, section->name));
    read_common(&reader);
    reader.common.limits = sv_load_limits(loader, section, scope, false, group->limits);
    read_processes(&reader, processes);
    sv_scope_done(scope);
}
