/*
 * [supervisord], and what the command line puts over it.
 *
 * A value of the command line goes through the row of its option like a value of the file: the same
 * check, the same message, with the option as the place. The value of the file is checked even so,
 * for it counts at the next start without the option.
 */
#include <string.h>

#include "config/loader.h"
#include "config/path.h"

static const struct {
    enum sv_option_id option;
    const char *flag;
} overrides_of[] = {
    [SV_OVERRIDE_NODAEMON] = {SV_OPTION_SUPERVISORD_nodaemon, "--nodaemon"},
    [SV_OVERRIDE_SILENT] = {SV_OPTION_SUPERVISORD_silent, "--silent"},
    [SV_OVERRIDE_USER] = {SV_OPTION_SUPERVISORD_user, "--user"},
    [SV_OVERRIDE_UMASK] = {SV_OPTION_SUPERVISORD_umask, "--umask"},
    [SV_OVERRIDE_DIRECTORY] = {SV_OPTION_SUPERVISORD_directory, "--directory"},
    [SV_OVERRIDE_LOGFILE] = {SV_OPTION_SUPERVISORD_logfile, "--logfile"},
    [SV_OVERRIDE_LOGFILE_MAXBYTES] = {SV_OPTION_SUPERVISORD_logfile_maxbytes, "--logfile_maxbytes"},
    [SV_OVERRIDE_LOGFILE_BACKUPS] = {SV_OPTION_SUPERVISORD_logfile_backups, "--logfile_backups"},
    [SV_OVERRIDE_LOGLEVEL] = {SV_OPTION_SUPERVISORD_loglevel, "--loglevel"},
    [SV_OVERRIDE_PIDFILE] = {SV_OPTION_SUPERVISORD_pidfile, "--pidfile"},
    [SV_OVERRIDE_IDENTIFIER] = {SV_OPTION_SUPERVISORD_identifier, "--identifier"},
    [SV_OVERRIDE_CHILDLOGDIR] = {SV_OPTION_SUPERVISORD_childlogdir, "--childlogdir"},
    [SV_OVERRIDE_MINFDS] = {SV_OPTION_SUPERVISORD_minfds, "--minfds"},
    [SV_OVERRIDE_MINPROCS] = {SV_OPTION_SUPERVISORD_minprocs, "--minprocs"},
    [SV_OVERRIDE_NOCLEANUP] = {SV_OPTION_SUPERVISORD_nocleanup, "--nocleanup"},
    [SV_OVERRIDE_STRIP_ANSI] = {SV_OPTION_SUPERVISORD_strip_ansi, "--strip_ansi"},
};
_Static_assert(SV_ARRAY_LENGTH(overrides_of) == SV_OVERRIDE_COUNT, "every override has an option");
_Static_assert(SV_OVERRIDE_COUNT <= SV_ARRAY_LENGTH(((struct sv_config_overrides *)0)->values),
               "every override has a place");

struct daemon_reader {
    struct sv_loader *loader;
    const struct sv_ini_section *section;
    const struct sv_config_overrides *overrides; /* may be NULL */
    struct sv_scope scope;                       /* here, over the environment */
};

static struct sv_value get(struct daemon_reader *reader, enum sv_option_id id)
{
    struct sv_value value = sv_loader_get(reader->loader, reader->section, id, &reader->scope);
    for (size_t i = 0; reader->overrides && i < SV_OVERRIDE_COUNT; i++) {
        const char *text = reader->overrides->values[i];
        if (overrides_of[i].option != id || !text)
            continue;
        value = (struct sv_value){.is_given = true,
                                  .text = text,
                                  .place = {.key = overrides_of[i].flag},
                                  .owner = {SV_ID_NONE, SV_ID_NONE}};
        sv_loader_convert(reader->loader, id, &value);
    }
    return value;
}

static const char *copy_text(struct daemon_reader *reader, const char *text)
{
    return text ? sv_loader_check(reader->loader, sv_arena_strdup(reader->loader->arena, text))
                : NULL;
}

static void read_log(struct daemon_reader *reader, struct sv_daemon_config *ret)
{
    struct sv_value logfile = get(reader, SV_OPTION_SUPERVISORD_logfile);
    ret->logfile_syslog = strcmp(logfile.text, "syslog") == 0;
    ret->logfile = ret->logfile_syslog ? NULL : sv_loader_normalize(reader->loader, logfile.text);
    ret->logfile_maxbytes = (uint64_t)get(reader, SV_OPTION_SUPERVISORD_logfile_maxbytes).integer;
    ret->logfile_backups = (uint32_t)get(reader, SV_OPTION_SUPERVISORD_logfile_backups).integer;
    ret->loglevel = (enum sv_log_level)get(reader, SV_OPTION_SUPERVISORD_loglevel).integer;
    ret->silent = get(reader, SV_OPTION_SUPERVISORD_silent).boolean;
    ret->strip_ansi = get(reader, SV_OPTION_SUPERVISORD_strip_ansi).boolean;
    ret->nocleanup = get(reader, SV_OPTION_SUPERVISORD_nocleanup).boolean;
    struct sv_value childlogdir = get(reader, SV_OPTION_SUPERVISORD_childlogdir);
    const struct sv_config_host *host = reader->loader->host;
    const char *directory = childlogdir.path ? childlogdir.path : host->temporary_directory;
    ret->childlogdir = sv_loader_check(
        reader->loader, sv_path_join(reader->loader->arena, host->directory, directory));
}

/* Its variables are for the programs, and from here on for %(ENV_x)s. */
static void read_environment(struct daemon_reader *reader, struct sv_daemon_config *ret)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value text =
        sv_loader_get(loader, reader->section, SV_OPTION_SUPERVISORD_environment, &reader->scope);
    /* Supervisor expands it twice, and only the second time knows the name of the host. */
    if (sv_scope_put_text(&reader->scope, "host_node_name", loader->host->host_name) < 0)
        loader->is_out_of_memory = true;
    sv_loader_expand(loader, SV_OPTION_SUPERVISORD_environment, "environment", &reader->scope,
                     &text);
    sv_loader_pairs(loader, &text, &loader->daemon_variables);
    ret->environment = sv_loader_environment(loader, &loader->daemon_variables);
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_map_foreach (entry, &loader->daemon_variables) {
        sv_str_clear(&name);
        sv_str_addf(&name, "ENV_%s", entry->key);
        if (!sv_str_ok(&name) ||
            sv_scope_put_text(&loader->environment, sv_str_text(&name), entry->value) < 0)
            loader->is_out_of_memory = true;
    }
}

void sv_load_daemon(struct sv_loader *loader, const struct sv_config_overrides *overrides,
                    struct sv_daemon_config *ret)
{
    struct daemon_reader reader = {
        .loader = loader,
        .section = sv_ini_section(&loader->ini, "supervisord"),
        .overrides = overrides,
        .scope = {.parent = &loader->environment, .arena = &loader->scratch}};
    if (sv_scope_put_text(&reader.scope, "here", loader->here) < 0)
        loader->is_out_of_memory = true;
    ret->minfds = (uint32_t)get(&reader, SV_OPTION_SUPERVISORD_minfds).integer;
    ret->minprocs = (uint32_t)get(&reader, SV_OPTION_SUPERVISORD_minprocs).integer;
    ret->directory = copy_text(&reader, get(&reader, SV_OPTION_SUPERVISORD_directory).path);
    struct sv_value user = get(&reader, SV_OPTION_SUPERVISORD_user);
    ret->user = copy_text(&reader, user.text);
    ret->uid = user.owner.uid;
    ret->gid = user.owner.gid;
    ret->umask = (uint32_t)get(&reader, SV_OPTION_SUPERVISORD_umask).integer;
    ret->nodaemon = get(&reader, SV_OPTION_SUPERVISORD_nodaemon).boolean;
    ret->identifier = copy_text(&reader, get(&reader, SV_OPTION_SUPERVISORD_identifier).text);
    ret->pidfile = sv_loader_normalize(loader, get(&reader, SV_OPTION_SUPERVISORD_pidfile).text);
    read_log(&reader, ret);
    read_environment(&reader, ret);
    sv_scope_done(&reader.scope);
}
