/*
 * Launching one run: look the command up, make its pipes and its cgroup, spawn it, watch it.
 *
 * Every way to fail ends in SPAWN_FAILED with Supervisor's words in it (process.py, spawn()), and
 * the core decides what to do about it. Nothing of a failed run is left behind.
 *
 * While a child executes its file, which takes the longest, the next launch is prepared: so one
 * launch is *under way* and its answer is still to come. It never outlives the turn of the pump
 * that began it, so nobody else ever meets a launch.
 */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "config/shlex.h"
#include "driver/cluster/cluster.h"
#include "driver/environment.h"
#include "io/account.h"
#include "io/command.h"
#include "io/pipes.h"
#include "io/proc.h"
#include "io/spawn.h"

/* Everything that is needed until the child has executed its file. */
struct launch {
    struct sv_unit *unit;
    const char *const *argv; /* of the program, or of a check of it; NULL: it has no words */
    uint32_t run_number;
    struct sv_run *run;          /* NULL: a check */
    struct sv_cgroup_leaf *leaf; /* borrowed; NULL: none */
    struct sv_spawned spawned;
    struct sv_pipes pipes;
    bool has_socket; /* a reference of the group's fcgi socket, given back if the launch fails */
    struct sv_arena extra; /* the words of `argv`, if the cluster added some */
    struct sv_account account;
    bool has_account;
    struct sv_str path;
    struct sv_str variables[6];
    const char **environment;
    struct sv_str error; /* why it failed */
    enum sv_death_stage stage;
    int error_number; /* errno of that; 0: the words say all */
};

static void launch_done(struct launch *launch)
{
    sv_pipes_close(&launch->pipes);
    sv_arena_done(&launch->extra);
    sv_account_done(&launch->account);
    sv_str_done(&launch->path);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(launch->variables); i++)
        sv_str_done(&launch->variables[i]);
    free(launch->environment);
    sv_str_done(&launch->error);
}

/* What the cluster adds is split together with the command, as Supvisors has it: an open quote of
 * one may end in the other. */
static bool add_extra_arguments(struct launch *launch)
{
    const struct sv_unit *unit = launch->unit;
    if (!unit->extra_arguments || !unit->extra_arguments[0])
        return true;
    struct sv_str command SV_CLEANUP(sv_str_done) = {0};
    struct sv_words words = {0};
    sv_str_addf(&command, "%s %s", unit->config->command, unit->extra_arguments);
    int r = sv_str_ok(&command) ? sv_shlex_split(sv_str_text(&command), &launch->extra, &words)
                                : -ENOMEM;
    if (r != 0) {
        sv_str_addf(&launch->error, "can't parse command %s: %s", sv_str_text(&command),
                    r < 0 ? sv_errno_text(r) : sv_shlex_error_text(r));
        return false;
    }
    launch->argv = words.items;
    return true;
}

static bool find_command(struct launch *launch)
{
    launch->stage = SV_DEATH_STAGE_COMMAND;
    const struct sv_program_config *config = launch->unit->config;
    if (!launch->argv) {
        sv_str_add(&launch->error, config->argv_error);
        return false;
    }
    return sv_command_find(launch->argv, sv_environment_path(config), &launch->path,
                           &launch->error) == SV_COMMAND_OK;
}

/* Supervisor's spawnerr has no place for the path; the log has. */
static int open_sinks(const struct sv_unit *unit)
{
    for (int c = 0; c < 2; c++) {
        int r = unit->sinks[c] ? sv_sink_open(unit->sinks[c]) : 0;
        if (r < 0) {
            sv_log_error("%s: the log file %s cannot be opened: %s", unit->config->name,
                         sv_sink_path(unit->sinks[c]), sv_errno_text(r));
            return r;
        }
    }
    return 0;
}

static bool make_pipes(struct launch *launch)
{
    launch->stage = SV_DEATH_STAGE_PREPARE;
    const struct sv_unit *unit = launch->unit;
    int socket = -1;
    if (unit->group->fcgi) {
        int r = sv_fcgi_listener_acquire(unit->group->fcgi, &socket);
        if (r < 0) {
            sv_str_addf(&launch->error, "Could not create FastCGI socket %s: %s",
                        unit->group->config->fcgi.url, sv_errno_text(r));
            return false;
        }
        launch->has_socket = true;
    }
    int r = open_sinks(unit);
    if (r == 0)
        r = sv_pipes_make(unit->config->redirect_stderr, socket, &launch->pipes);
    if (r == -EMFILE || r == -ENFILE)
        sv_str_addf(&launch->error, "too many open files to spawn '%s'", unit->config->name);
    else if (r < 0)
        sv_str_addf(&launch->error, "unknown error making dispatchers for '%s': %s",
                    unit->config->name, sv_errno_name(r));
    return r >= 0;
}

/* A program without a cgroup is worth more than no program: it is started, and the log says so. */
static void make_leaf(struct launch *launch)
{
    struct sv_unit *unit = launch->unit;
    struct sv_driver *driver = unit->driver;
    if (!driver->tree)
        return;
    int r = sv_cgroup_leaf_create(driver->tree, unit->group->config->name, unit->config->name,
                                  launch->run->number, &launch->run->leaf);
    launch->leaf = launch->run->leaf;
    if (r < 0)
        sv_log_error("%s: runs without a cgroup of its own: %s", unit->config->name,
                     sv_errno_text(r));
}

/* NOTIFY_SOCKET and WATCHDOG_USEC, where they are of use. WATCHDOG_PID is left out: the variable
 * may be missing, and nobody knows the pid of a process before it is born. */
static int add_notify(struct launch *launch, const char **ret_own, size_t count)
{
    const struct sv_health_config *health = launch->unit->config->health;
    if (!launch->run || !sv_health_wants_notify(health))
        return 0;
    struct sv_driver *driver = launch->unit->driver;
    int r = sv_driver_open_notify(driver);
    if (r < 0) {
        sv_str_addf(&launch->error, "could not open a socket for sd_notify: %s", sv_errno_text(r));
        return r;
    }
    sv_str_addf(&launch->variables[4], "NOTIFY_SOCKET=%s",
                sv_notify_socket_address(driver->notify_socket));
    ret_own[count++] = sv_str_text(&launch->variables[4]);
    double silence = health->watchdog > 0                       ? health->watchdog
                     : health->liveness.kind == SV_PROBE_NOTIFY ? health->liveness_period
                                                                : 0;
    if (silence > 0) {
        sv_str_addf(&launch->variables[5], "WATCHDOG_USEC=%.0f", silence * 1e6);
        ret_own[count] = sv_str_text(&launch->variables[5]);
    }
    return 0;
}

static bool make_environment(struct launch *launch)
{
    launch->stage = SV_DEATH_STAGE_PREPARE;
    const struct sv_unit *unit = launch->unit;
    const char *url = unit->config->serverurl ? unit->config->serverurl : unit->driver->server_url;
    struct sv_str *variables = launch->variables;
    sv_str_add(&variables[0], "SUPERVISOR_ENABLED=1");
    sv_str_addf(&variables[1], "SUPERVISOR_PROCESS_NAME=%s", unit->config->name);
    sv_str_addf(&variables[2], "SUPERVISOR_GROUP_NAME=%s", unit->group->config->name);
    const char *own[SV_ARRAY_LENGTH(launch->variables) + 1] = {
        sv_str_text(&variables[0]), sv_str_text(&variables[1]), sv_str_text(&variables[2])};
    size_t own_count = 3;
    if (url && url[0]) { /* an empty serverurl= tells the program none */
        sv_str_addf(&variables[3], "SUPERVISOR_SERVER_URL=%s", url);
        own[own_count++] = sv_str_text(&variables[3]);
    }
    if (add_notify(launch, own, own_count) < 0)
        return false;
    const char *const *lists[] = {unit->driver->base_environment, own, unit->config->environment};
    int r = sv_environment_merge(lists, SV_ARRAY_LENGTH(lists), &launch->environment);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(launch->variables); i++)
        if (!sv_str_ok(&variables[i]))
            r = -ENOMEM;
    if (r < 0)
        sv_str_addf(&launch->error, "out of memory to spawn '%s'", unit->config->name);
    return r == 0;
}

/*
 * Groups are looked up here: the child may not read files. Whoever is that user already needs no
 * change, so that a daemon without privileges runs programs of its own user (options.py,
 * drop_privileges()).
 */
static bool find_account(struct launch *launch)
{
    const struct sv_program_config *config = launch->unit->config;
    launch->stage = SV_DEATH_STAGE_USER;
    if (config->uid == SV_ID_NONE || config->uid == getuid())
        return true;
    struct sv_str reason SV_CLEANUP(sv_str_done) = {0};
    int r = sv_account_load(config->uid, &launch->account, &reason);
    launch->has_account = r == 0;
    if (r != 0)
        sv_str_addf(&launch->error, "couldn't setuid to %u: %s", config->uid,
                    r < 0 ? sv_errno_text(r) : sv_str_text(&reason));
    return r == 0;
}

static void describe_failure(struct launch *launch, const struct sv_spawn_failure *failure)
{
    const struct sv_program_config *config = launch->unit->config;
    const char *why = sv_errno_name(failure->error);
    static const enum sv_death_stage stages[] = {
        [SV_SPAWN_STAGE_FORK] = SV_DEATH_STAGE_FORK,
        [SV_SPAWN_STAGE_CGROUP] = SV_DEATH_STAGE_CGROUP,
        [SV_SPAWN_STAGE_LIMIT] = SV_DEATH_STAGE_LIMIT,
        [SV_SPAWN_STAGE_USER] = SV_DEATH_STAGE_USER,
        [SV_SPAWN_STAGE_DIRECTORY] = SV_DEATH_STAGE_DIRECTORY,
        [SV_SPAWN_STAGE_EXEC] = SV_DEATH_STAGE_EXEC,
    };
    launch->stage = stages[failure->stage];
    launch->error_number = failure->error;
    switch (failure->stage) {
    case SV_SPAWN_STAGE_FORK:
        if (failure->error == EAGAIN)
            sv_str_addf(&launch->error, "Too many processes in process table to spawn '%s'",
                        config->name);
        else
            sv_str_addf(&launch->error, "unknown error during fork for '%s': %s", config->name,
                        why);
        break;
    case SV_SPAWN_STAGE_CGROUP:
        sv_str_addf(&launch->error, "couldn't enter the cgroup: %s", why);
        break;
    case SV_SPAWN_STAGE_LIMIT:
        sv_str_addf(&launch->error, "couldn't set %s to %s: %s", sv_limit_key(failure->limit),
                    sv_limits_find(launch->unit->limits, failure->limit)->text, why);
        break;
    case SV_SPAWN_STAGE_USER:
        sv_str_addf(&launch->error, "couldn't setuid to %u: %s", config->uid, why);
        break;
    case SV_SPAWN_STAGE_DIRECTORY:
        sv_str_addf(&launch->error, "couldn't chdir to %s: %s", config->directory, why);
        break;
    case SV_SPAWN_STAGE_EXEC:
        sv_str_addf(&launch->error, "couldn't exec %s: %s", launch->argv[0], why);
        break;
    }
}

static void begin_spawn(const struct launch *launch)
{
    const struct sv_unit *unit = launch->unit;
    const struct sv_program_config *config = unit->config;
    sv_spawn_begin(&(struct sv_spawn_plan){
        .path = sv_str_text(&launch->path),
        .argv = (char *const *)launch->argv,
        .envp = (char *const *)launch->environment,
        .directory = config->directory,
        .umask = (mode_t)config->umask,
        .has_umask = config->umask != SV_ID_NONE,
        .has_user = launch->has_account,
        .uid = launch->account.uid,
        .gid = launch->account.gid,
        .groups = launch->account.groups,
        .group_count = launch->account.group_count,
        .stdin_fd = launch->pipes.child_stdin_fd,
        .stdout_fd = launch->pipes.child_stdout_fd,
        .stderr_fd = launch->pipes.child_stderr_fd,
        .cgroup_fd = launch->leaf ? sv_cgroup_leaf_fd(launch->leaf) : -1,
        .nofile_soft = sv_limits_find(unit->limits, SV_LIMIT_RLIMIT_NOFILE)
                           ? 0
                           : unit->driver->options.nofile_soft,
        .limits = unit->limits,
    });
}

static bool end_spawn(struct launch *launch)
{
    struct sv_spawn_failure failure = {0};
    int r = sv_spawn_end(&launch->spawned, &failure);
    if (r < 0)
        failure = (struct sv_spawn_failure){.stage = SV_SPAWN_STAGE_FORK, .error = -r};
    if (r != 0)
        describe_failure(launch, &failure);
    return r == 0;
}

/*
 * The pipes are the keeper's, and the run is in the journal with its cgroup, before there is
 * anybody in it: a daemon that dies during the spawn leaves all that the next one needs to find out
 * what came of it.
 */
static void prepare_for_death(struct launch *launch, const struct sv_kept *pipes)
{
    struct sv_run *run = launch->run;
    sv_handover_keep(run, pipes);
    if (sv_driver_cluster_manages(launch->unit->driver, launch->unit->group->config->name))
        sv_handover_manage(run, true);
    launch->unit->run = run;
    sv_handover_note(launch->unit->driver, launch->unit->id);
}

static bool prepare(struct launch *launch)
{
    struct sv_unit *unit = launch->unit;
    launch->run = sv_run_new(unit, launch->run_number);
    if (!add_extra_arguments(launch) || !find_command(launch) || !find_account(launch) ||
        !make_environment(launch) || !make_pipes(launch))
        return false;
    struct sv_kept kept = {.pidfd = -1,
                           .stdin_fd = launch->pipes.stdin_fd,
                           .stdout_fd = launch->pipes.stdout_fd,
                           .stderr_fd = launch->pipes.stderr_fd};
    if (!launch->run || sv_run_open_streams(launch->run, &launch->pipes) < 0 ||
        !sv_checks_begin(launch->run)) {
        sv_str_addf(&launch->error, "out of memory to spawn '%s'", unit->config->name);
        return false;
    }
    make_leaf(launch);
    sv_unit_limits_begin(unit, launch->run);
    prepare_for_death(launch, &kept);
    return true;
}

static void take_over(struct launch *launch)
{
    struct sv_unit *unit = launch->unit;
    struct sv_run *run = sv_steal(&launch->run);
    run->pid = launch->spawned.pid;
    run->pidfd = launch->spawned.pidfd;
    run->has_socket = launch->has_socket;
    sv_handover_keep_pidfd(run);
    if (!run->leaf)
        run->start_ticks = sv_process_start_ticks(run->pid);
    if (unit->parser)
        sv_listener_parser_done(unit->parser); /* a fresh listener begins a fresh conversation */
    int r = sv_run_watch_exit(run);
    if (r < 0)
        sv_log_critical("%s (pid %d): its end cannot be watched: %s", unit->config->name,
                        (int)run->pid, sv_errno_text(r));
    sv_log_info("spawned: '%s' with pid %d", unit->config->name, (int)run->pid);
    sv_driver_feed(unit->driver, (struct sv_event){.kind = SV_EVENT_SPAWNED,
                                                   .process = unit->id,
                                                   .run = run->number,
                                                   .pid = run->pid});
    sv_resources_watch_run(run, true);
}

static void fail(struct launch *launch)
{
    struct sv_unit *unit = launch->unit;
    unit->run = NULL;
    sv_run_free(
        launch->run); /* what the child wrote about its failure goes to the log of the program */
    if (launch->has_socket)
        sv_fcgi_listener_release(unit->group->fcgi);
    sv_log_info("spawnerr: %s", sv_str_text(&launch->error));
    sv_deaths_stillborn(&(struct sv_stillbirth){
        .unit = unit,
        .run = launch->run_number,
        .stage = launch->stage,
        .error = launch->error_number,
        .text = sv_str_text(&launch->error),
        .path = launch->path.length > 0 ? sv_str_text(&launch->path) : NULL,
    });
    sv_driver_feed(unit->driver, (struct sv_event){.kind = SV_EVENT_SPAWN_FAILED,
                                                   .process = unit->id,
                                                   .run = launch->run_number,
                                                   .text = sv_str_text(&launch->error)});
}

/* The answer may feed the core, which may ask for the next launch: so nothing is under way before.
 */
static void answer(struct launch *launch, bool is_spawned)
{
    struct sv_driver *driver = launch->unit->driver;
    sv_process_id id = launch->unit->id;
    sv_pipes_close_child_ends(&launch->pipes);
    if (is_spawned)
        take_over(launch);
    else
        fail(launch);
    launch_done(launch);
    free(launch);
    sv_api_process_changed(driver->api, id); /* who waits only for the spawn */
}

void sv_launch_finish(struct sv_driver *driver)
{
    struct launch *launch = sv_steal(&driver->launching);
    if (launch)
        answer(launch, end_spawn(launch));
}

void sv_launch(struct sv_unit *unit, uint32_t run_number)
{
    struct sv_driver *driver = unit->driver;
    struct launch *launch = malloc(sizeof(*launch));
    if (!launch) {
        sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_SPAWN_FAILED,
                                                 .process = unit->id,
                                                 .run = run_number,
                                                 .text = "out of memory"});
        return;
    }
    *launch = (struct launch){
        .unit = unit, .argv = unit->config->argv, .run_number = run_number, .pipes = SV_PIPES_NONE};
    free(unit->status_text); /* that was the former run's */
    unit->status_text = NULL;
    bool is_prepared = prepare(launch);
    sv_launch_finish(driver);
    if (!is_prepared) {
        answer(launch, false);
        return;
    }
    begin_spawn(launch);
    driver->launching = launch;
}

bool sv_launch_concerns(const struct sv_driver *driver, sv_process_id id)
{
    return driver->launching && driver->launching->unit->id == id;
}

/* The directory of a check stands beside those of the runs: "web.probe.7". */
static struct sv_cgroup_leaf *make_check_leaf(const struct sv_unit *unit, uint32_t serial)
{
    struct sv_cgroup_leaf *leaf = NULL;
    struct sv_str name = {0};
    sv_str_addf(&name, "%s.probe", unit->config->name);
    int r = unit->driver->tree && sv_str_ok(&name)
                ? sv_cgroup_leaf_create(unit->driver->tree, unit->group->config->name,
                                        sv_str_text(&name), serial, &leaf)
                : 0;
    if (r < 0)
        sv_log_error("%s: a check of it runs without a cgroup of its own: %s", unit->config->name,
                     sv_errno_text(r));
    sv_str_done(&name);
    return leaf;
}

bool sv_launch_check(struct sv_unit *unit, const char *const *argv, uint32_t serial,
                     struct sv_probe_spawned *ret_spawned, struct sv_str *ret_error)
{
    struct launch launch = {.unit = unit, .argv = argv, .pipes = SV_PIPES_NONE};
    bool is_ready = find_command(&launch) && find_account(&launch) && make_environment(&launch);
    int r = is_ready ? sv_pipes_make(true, -1, &launch.pipes) : 0;
    if (r < 0)
        sv_str_addf(&launch.error, "no pipe for the check: %s", sv_errno_text(r));
    is_ready = is_ready && r == 0;
    if (is_ready)
        launch.leaf = make_check_leaf(unit, serial);
    sv_launch_finish(unit->driver);
    if (is_ready)
        begin_spawn(&launch);
    bool is_spawned = is_ready && end_spawn(&launch);
    if (is_spawned)
        *ret_spawned = (struct sv_probe_spawned){.pid = launch.spawned.pid,
                                                 .pidfd = launch.spawned.pidfd,
                                                 .output_fd = sv_steal_fd(&launch.pipes.stdout_fd),
                                                 .leaf = launch.leaf};
    else
        sv_cgroup_leaf_free(launch.leaf);
    sv_str_add(ret_error, sv_str_text(&launch.error));
    launch_done(&launch);
    return is_spawned;
}
