/*
 * svisord: arguments, the start, the end.
 *
 * The order of the start is Supervisor's, as far as a user can see it: read everything and refuse
 * with all problems listed; limits; privileges; log; then open what can be refused (sockets) while
 * the terminal is still there; only then go to the background. A restart (SIGHUP,
 * supervisor.restart) runs the whole of it again in the same process, except what can be done only
 * once. A reexec (driver/outlive/reexec.c) executes svisord anew in the same process: what was done
 * once is undone before, and the new image knows by what it inherits that it is in the background
 * already.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "config/check.h"
#include "config/cmdline.h"
#include "config/load.h"
#include "config/rules.h"
#include "driver/driver.h"
#include "io/account.h"
#include "io/config_host.h"
#include "io/daemon_log.h"
#include "io/daemonize.h"
#include "io/memory.h"

/* Exit statuses: 0 done, 1 the daemon's own trouble, 2 a mistake of the user (as Supervisor's
 * usage()). */
enum { EXIT_TROUBLE = 1, EXIT_USAGE = 2 };

struct daemon {
    struct sv_cmdline cmdline;
    struct sv_config_host host;
    struct sv_config *config;
    struct sv_daemon_log *log;
    struct sv_notify *notify;
    uint64_t nofile_soft;
    int ready_fd; /* the process that started us waits behind it; -1: nobody does */
    struct sv_self self;
    struct sv_inherited inherited; /* from the image before this one, or for the next */
    bool is_reexecuted;            /* the process was settled by an image before this life */
    int exec_error;                /* why it is the old image all the same; 0: it is not */
};

static void complain(const char *text)
{
    fprintf(stderr, "Error: %s\nFor help, use svisord -h\n", text);
}

static void print_problems(const struct sv_diag *diag)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_diag_render(diag, &text);
    fputs(sv_str_text(&text), stderr);
}

static void log_problems(const struct sv_diag *diag)
{
    static const enum sv_log_level levels[] = {
        [SV_SEVERITY_INFO] = SV_LOG_INFO,
        [SV_SEVERITY_WARNING] = SV_LOG_WARN,
        [SV_SEVERITY_ERROR] = SV_LOG_ERROR,
    };
    for (const struct sv_diag_row *row = diag->first; row; row = row->next) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_diag_render_row(row, &text);
        sv_log(levels[row->severity], "%s", sv_str_text(&text));
    }
}

static struct sv_config *load(struct daemon *daemon, struct sv_diag *diag)
{
    return sv_config_load(daemon->cmdline.config_file, &daemon->host, &daemon->cmdline.overrides,
                          diag);
}

/* The rules of the cluster, and what they say of the groups that this node has. False: they are
 * broken, and that is in `diag`. */
static bool check_rules(const struct daemon *daemon, const struct sv_config *config,
                        struct sv_diag *diag, struct sv_str *text)
{
    const struct sv_supvisors_config *supvisors = config->supvisors;
    struct sv_rules *rules = NULL;
    if (!supvisors)
        return true;
    if (supvisors->has_rules_files) {
        int r = sv_rules_load(&supvisors->rules_files, &daemon->host, diag, &rules);
        if (r < 0)
            sv_diag_add(diag, SV_SEVERITY_ERROR, NULL, "%s", sv_errno_text(r));
        if (r != 0)
            return false;
    }
    sv_rules_describe(rules, text);
    for (size_t i = 0; i < config->group_count; i++) {
        const struct sv_group_config *group = config->groups[i];
        struct sv_application_rules application;
        sv_rules_application(rules, group->name, supvisors->starting_strategy, &application);
        sv_rules_describe_application(&application, group->name, text);
        for (size_t j = 0; j < group->program_count; j++) {
            struct sv_process_rules process;
            sv_rules_process(rules, group->name, group->programs[j]->name, &process);
            sv_rules_describe_process(&process, group->name, group->programs[j]->name, text);
        }
    }
    sv_rules_unref(rules);
    return true;
}

static int check(struct daemon *daemon)
{
    struct sv_diag diag SV_CLEANUP(sv_diag_done) = {0};
    struct sv_config *config = load(daemon, &diag);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    bool is_good = config != NULL;
    if (config)
        sv_config_describe(config, &text);
    if (config)
        is_good = check_rules(daemon, config, &diag, &text);
    fputs(sv_str_text(&text), stdout);
    fflush(stdout);
    print_problems(&diag);
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    int r = config ? sv_driver_examine(config, &problem) : 0;
    if (r != 0)
        complain(r < 0 ? sv_errno_text(r) : sv_str_text(&problem));
    sv_config_unref(config);
    return is_good && r == 0 ? EXIT_SUCCESS : EXIT_USAGE;
}

/* Limits and privileges: what can be done only once. False: refused, and told. What is good to know
 * goes to `diag`, and from there to the log once that is open. */
static bool settle(struct daemon *daemon, struct sv_diag *diag)
{
    const struct sv_daemon_config *config = &daemon->config->daemon;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int r = sv_limits_raise(config->minfds, config->minprocs, &daemon->nofile_soft, &text);
    if (r == 0 && config->user)
        r = sv_account_drop_privileges(config->user, &text);
    if (r != 0) {
        complain(r < 0 ? sv_errno_text(r) : sv_str_text(&text));
        return false;
    }
    const char *line = sv_str_text(&text);
    for (size_t length; *line; line += length + (line[length] == '\n')) {
        length = strcspn(line, "\n");
        sv_diag_add(diag, SV_SEVERITY_INFO, NULL, "%.*s", (int)length, line);
    }
    if (config->user)
        sv_diag_add(diag, SV_SEVERITY_INFO, NULL, "Set uid to user %u succeeded", config->uid);
    return true;
}

static void log_start(struct daemon *daemon, const struct sv_diag *diag)
{
    if (!daemon->config->daemon.user && geteuid() == 0)
        sv_log_critical("Supervisor is running as root.  Privileges were not dropped because no "
                        "user is specified in the config file.  If you intend to run as root, you "
                        "can set user=root in the config file to avoid this message.");
    if (daemon->exec_error)
        sv_log_critical("%s could not be executed: %s; svisord %s goes on", daemon->self.path,
                        sv_errno_text(daemon->exec_error), SV_VERSION);
    daemon->exec_error = 0;
    log_problems(diag);
}

static int drive(struct daemon *daemon)
{
    const struct sv_daemon_config *config = &daemon->config->daemon;
    struct sv_driver_options options = {
        .config = daemon->config,
        .host = &daemon->host,
        .overrides = &daemon->cmdline.overrides,
        .log = daemon->log,
        .notify = daemon->notify,
        .self = daemon->self.path ? &daemon->self : NULL,
        .inherited = &daemon->inherited,
        .nofile_soft = daemon->nofile_soft,
        .is_bpf_wanted = getenv("SVISOR_NO_BPF") == NULL,
    };
    struct sv_driver *driver = NULL;
    struct sv_str error SV_CLEANUP(sv_str_done) = {0};
    int r = sv_driver_new(&options, &driver, &error);
    if (r != 0) {
        const char *text = r == SV_DRIVER_REFUSED ? sv_str_text(&error) : sv_errno_text(r);
        sv_log_critical("%s", text);
        complain(text);
        return r == SV_DRIVER_REFUSED ? -EXIT_USAGE : -EXIT_TROUBLE;
    }
    if (daemon->ready_fd >= 0)
        sv_daemonize_settle(config->directory, config->umask);
    else if (daemon->is_reexecuted && !config->nodaemon)
        sv_daemonize_again(config->directory, config->umask);
    if (daemon->inherited.version)
        sv_log_info("svisord %s goes on where %s has left", SV_VERSION, daemon->inherited.version);
    sv_inherited_done(&daemon->inherited);
    sv_pidfile_write(config->pidfile);
    if (daemon->ready_fd >= 0)
        sv_daemonize_ready(sv_steal_fd(&daemon->ready_fd));
    sv_memory_settle();
    r = sv_driver_run(driver);
    sv_driver_free(driver);
    if (r != SV_DRIVER_REEXEC)
        sv_pidfile_remove(config->pidfile);
    if (r >= 0)
        return r;
    sv_log_critical("the event loop failed: %s", sv_errno_text(r));
    return -EXIT_TROUBLE;
}

/* One life from the reading of the configuration to the last stop; enum sv_driver_end, or -exit
 * status. */
static int live(struct daemon *daemon)
{
    struct sv_diag diag SV_CLEANUP(sv_diag_done) = {0};
    bool is_first = daemon->config == NULL;
    struct sv_config *config = load(daemon, &diag);
    if (!config && is_first) {
        print_problems(&diag);
        complain("the configuration was refused: see above");
        return -EXIT_USAGE;
    }
    if (config) {
        sv_config_unref(daemon->config);
        daemon->config = config;
    }
    if (is_first && !daemon->is_reexecuted && !daemon->config->daemon.nodaemon) {
        int r = sv_daemonize_begin(&daemon->ready_fd);
        if (r < 0) {
            complain(sv_errno_text(r));
            return -EXIT_TROUBLE;
        }
    }
    if (is_first && !settle(daemon, &diag))
        return -EXIT_USAGE;
    int r = sv_daemon_log_open(&daemon->config->daemon, &daemon->log);
    if (r < 0) {
        fprintf(stderr, "Error: the log file %s cannot be opened: %s\n",
                daemon->config->daemon.logfile, sv_errno_text(r));
        return -EXIT_USAGE;
    }
    log_start(daemon, &diag);
    if (!config)
        sv_log_error("the new configuration was refused; going on with the old one");
    r = drive(daemon);
    sv_daemon_log_free(sv_steal(&daemon->log));
    return r;
}

/* -c, or the first of Supervisor's places where there is a file. False: there is none, and it was
 * told. */
static bool find_config_file(struct daemon *daemon, const char *program)
{
    if (daemon->cmdline.config_file)
        return true;
    if (getuid() == 0)
        fputs("Warning: Supervisord is running as root and it is searching for its configuration "
              "file in default locations (including its current working directory); you probably "
              "want to specify a \"-c\" argument specifying an absolute path to a configuration "
              "file for improved security.\n",
              stderr);
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    daemon->cmdline.config_file = sv_config_host_search(&daemon->host, program, &problem);
    if (!daemon->cmdline.config_file)
        complain(sv_str_text(&problem));
    return daemon->cmdline.config_file != NULL;
}

/* Absolute, so that it means the same in whichever directory we are later. */
static int learn_self(struct daemon *daemon, char **argv)
{
    const char *path = (const char *)getauxval(AT_EXECFN);
    struct sv_str absolute = {0};
    if (!path)
        return 0;
    if (path[0] != '/')
        sv_str_addf(&absolute, "%s/", daemon->host.directory);
    sv_str_add(&absolute, path);
    daemon->self.path = sv_str_take(&absolute);
    daemon->self.arguments = argv;
    return daemon->self.path ? 0 : -ENOMEM;
}

/* Returns only when the exec has failed; then the old image goes on. */
static void reexecute(struct daemon *daemon)
{
    int r = sv_inherited_write(&daemon->inherited);
    if (r == 0 && chdir(daemon->host.directory) < 0)
        r = -errno;
    if (r == 0) {
        sv_limits_lower(daemon->nofile_soft);
        execv(daemon->self.path, daemon->self.arguments);
        r = -errno;
    }
    uint64_t ignored;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    (void)sv_limits_raise(0, 0, &ignored, &text);
    sv_inherited_unwrite(&daemon->inherited);
    daemon->is_reexecuted = true;
    daemon->exec_error = r;
}

static int run(struct daemon *daemon)
{
    int r;
    do {
        r = live(daemon);
        if (r == SV_DRIVER_REEXEC)
            reexecute(daemon);
    } while (r == SV_DRIVER_RESTART || r == SV_DRIVER_REEXEC);
    return r < 0 ? -r : r;
}

int main(int argc, char **argv)
{
    sv_memory_begin();
    struct daemon daemon = {.ready_fd = -1};
    struct sv_str error SV_CLEANUP(sv_str_done) = {0};
    if (sv_cmdline_parse(argc, argv, &daemon.cmdline, &error) != 0) {
        complain(sv_str_text(&error));
        return EXIT_USAGE;
    }
    if (daemon.cmdline.wants_help || daemon.cmdline.wants_version) {
        puts(daemon.cmdline.wants_help ? sv_cmdline_help() : SV_VERSION);
        return EXIT_SUCCESS;
    }
    int r = sv_inherited_read(&daemon.inherited);
    daemon.is_reexecuted = daemon.inherited.version != NULL;
    if (r == 0)
        r = sv_config_host_open(&daemon.host);
    if (r == 0)
        r = learn_self(&daemon, argv);
    if (r == 0)
        r = sv_signals_prepare();
    if (r == 0)
        r = sv_notify_new(&daemon.notify);
    if (r < 0) {
        complain(sv_errno_text(r));
        return EXIT_TROUBLE;
    }
    int status = EXIT_USAGE;
    if (find_config_file(&daemon, argv[0]))
        status = daemon.cmdline.is_check ? check(&daemon) : run(&daemon);
    sv_config_unref(daemon.config);
    sv_config_host_close(&daemon.host);
    sv_notify_free(daemon.notify);
    sv_inherited_done(&daemon.inherited);
    free((char *)daemon.self.path);
    return status;
}
