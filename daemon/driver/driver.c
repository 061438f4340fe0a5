/* The life of a driver: what is opened, in which order, and how it ends. feed.c has what happens in
 * between. */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"
#include "driver/rest/rest.h"
#include "driver/statistics/statistics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <unistd.h>

#include "base/error.h"
#include "driver/cluster/cluster.h"
#include "driver/environment.h"
#include "driver/live/live.h"

/* What programs are told to reach us by; a unix socket is preferred (options.py, realize()). */
static int choose_server_url(struct sv_driver *driver)
{
    const struct sv_config *config = driver->config;
    const struct sv_http_config *chosen = NULL;
    for (size_t i = 0; i < config->http_server_count; i++) {
        const struct sv_http_config *server = &config->http_servers[i];
        if (!chosen || (server->path && !chosen->path))
            chosen = server;
    }
    if (!chosen)
        return 0;
    struct sv_str url = {0};
    if (chosen->path)
        sv_str_addf(&url, "unix://%s", chosen->path);
    else
        sv_str_addf(&url, "http://%s:%u", chosen->host[0] ? chosen->host : "localhost",
                    chosen->port);
    driver->server_url = sv_str_take(&url);
    return driver->server_url ? 0 : -ENOMEM;
}

/* environ, and over it the environment of [supervisord]: what every program inherits. What a
 * service manager has said to svisord alone is left out. */
static int make_base_environment(struct sv_driver *driver)
{
    const char *const *lists[] = {(const char *const *)environ, driver->config->daemon.environment};
    int r = sv_environment_merge(lists, SV_ARRAY_LENGTH(lists), &driver->base_environment);
    if (r < 0)
        return error_trace(r);
    const char **kept = driver->base_environment;
    for (const char **at = kept; *at; at++)
        if (!sv_notify_is_private(*at))
            *kept++ = *at;
    *kept = NULL;
    return 0;
}

/* What this machine does not give is told in one line here, and in full by `svctl kernel`. */
static int open_kernel(struct sv_driver *driver, const char *former_tree)
{
    struct sv_str reason SV_CLEANUP(sv_str_done) = {0};
    int r =
        sv_cgroup_tree_open(driver->config->daemon.identifier, former_tree, &driver->tree, &reason);
    if (r == -ENOMEM)
        return error_trace(r);
    if (r < 0)
        sv_log_warn("programs run without a cgroup of their own: %s", sv_str_text(&reason));
    r = sv_limiter_new(driver->tree, &driver->limiter);
    if (r < 0)
        return error_trace(r);
    r = sv_kernel_new(driver->loop, driver->tree, driver->options.is_bpf_wanted, sv_facts_record,
                      driver, &driver->kernel);
    if (r < 0)
        return error_trace(r);
    sv_kernel_on_loss(driver->kernel, sv_facts_lost);
    const char *bpf_reason = sv_kernel_bpf_missing(driver->kernel);
    if (driver->tree && bpf_reason)
        sv_log_warn("nobody will know who sent a signal: eBPF is not in use (%s); `svctl kernel` "
                    "says what else is missing, and the remedy",
                    bpf_reason);
    return driver->tree ? 0 : sv_kernel_note_cgroup(driver->kernel, sv_str_text(&reason));
}

static int open_http(struct sv_driver *driver, struct sv_str *ret_error)
{
    int r = sv_http_new(driver->loop, sv_routes_handle, driver, &driver->http);
    if (r < 0)
        return error_trace(r);
    const struct sv_config *config = driver->config;
    for (size_t i = 0; i < config->http_server_count; i++) {
        r = sv_http_listen(driver->http, &config->http_servers[i], driver->options.inherited,
                           ret_error);
        if (r == -ENOMEM)
            return error_trace(r);
        if (r < 0)
            return SV_DRIVER_REFUSED;
    }
    return 0;
}

/* Its cgroup directory may still be busy: the sweep removes it. */
static void on_check_over(void *user)
{
    struct sv_driver *driver = user;
    sv_source_enable(driver->sweep, true);
    if (driver->check_queue.first)
        sv_source_enable(driver->check_queue.turn, true);
}

/* Certificates wait for the replacement to be launched, but not for its output: the last lines of a
 * log are those of the dead. */
static int open_loop(struct sv_driver *driver)
{
    int r = sv_loop_new(&driver->loop);
    if (r < 0)
        return error_trace(r);
    r = sv_driver_feed_begin(driver);
    if (r < 0)
        return error_trace(r);
    r = sv_loop_add_defer(driver->loop, SV_PRIORITY_NORMAL, sv_deaths_settle, driver,
                          &driver->coroner);
    if (r < 0)
        return error_trace(r);
    r = sv_loop_add_timer(driver->loop, SV_TIDY_AGAIN_NS / 2, sv_runs_tidy, driver,
                          &driver->tidy_timer);
    if (r < 0)
        return error_trace(r);
    r = sv_loop_add_timer(driver->loop, SV_RESCAN_PAUSE_NS / 10, sv_runs_rescan, driver,
                          &driver->rescan);
    if (r < 0)
        return error_trace(r);
    r = sv_child_probes_new(driver->loop, on_check_over, driver, &driver->child_probes);
    if (r < 0)
        return error_trace(r);
    r = sv_loop_add_defer(driver->loop, SV_PRIORITY_OUTPUT, sv_checks_take_turns, driver,
                          &driver->check_queue.turn);
    if (r < 0)
        return error_trace(r);
    r = sv_reexec_new(driver);
    if (r < 0)
        return error_trace(r);
    return sv_loop_add_defer(driver->loop, SV_PRIORITY_OUTPUT, sv_runs_sweep, driver,
                             &driver->sweep);
}

static int add_configured_groups(struct sv_driver *driver, struct sv_str *ret_error)
{
    for (size_t i = 0; i < driver->config->group_count; i++) {
        const struct sv_group_config *group = driver->config->groups[i];
        int r = sv_unit_groups_add(driver, driver->config, group);
        if (r == -ENOMEM)
            return error_trace(r);
        if (r < 0) {
            sv_str_addf(ret_error, "group %s could not be made: %s (%s)", group->name,
                        sv_errno_text(r), sv_errno_name(r));
            return SV_DRIVER_REFUSED;
        }
    }
    return 0;
}

/* Automatic logs of programs that live on are still written to, so they are not cleaned up then. */
static int open_programs(struct sv_driver *driver, struct sv_str *ret_error)
{
    struct sv_str memory SV_CLEANUP(sv_str_done) = {0};
    struct sv_str former_tree SV_CLEANUP(sv_str_done) = {0};
    int r = sv_handover_open(driver, &memory);
    if (r < 0)
        return r;
    if (!sv_handover_is_readable(&memory, ret_error)) {
        driver->is_adopting = true; /* none of it is touched */
        return SV_DRIVER_REFUSED;
    }
    bool has_former = sv_adopt_former_tree(&memory, &former_tree);
    driver->is_adopting = has_former;
    r = open_kernel(driver, sv_str_text(&former_tree));
    if (r != 0)
        return r;
    sv_handover_settle_keeper(driver);
    r = sv_deaths_new(driver);
    if (r != 0)
        return r;
    if (!driver->config->daemon.nocleanup && !has_former)
        sv_sink_clean_auto_files(driver->config->daemon.childlogdir,
                                 driver->config->daemon.identifier);
    driver->is_performing = has_former; /* the serials of events go on, also with those of now */
    r = add_configured_groups(driver, ret_error);
    driver->is_performing = false;
    if (r != 0)
        return r;
    if (has_former)
        sv_adopt_all(driver, &memory);
    else
        sv_handover_begin(driver);
    if (driver->tree)
        sv_cgroup_tree_clean(driver->tree);
    return 0;
}

static int open_all(struct sv_driver *driver, struct sv_str *ret_error)
{
    int r = open_loop(driver);
    if (r != 0)
        return r;
    driver->core = sv_core_new(sv_now_ns() ^ (uint64_t)getpid() << 32);
    if (!driver->core)
        return -ENOMEM;
    sv_host_init(driver);
    r = sv_live_open(driver);
    if (r != 0)
        return r;
    r = sv_driver_cluster_open(driver, ret_error);
    if (r != 0)
        return r;
    r = sv_statistics_open(driver);
    if (r != 0)
        return r;
    driver->api = sv_api_new(&driver->api_host);
    if (!driver->api)
        return -ENOMEM;
    r = choose_server_url(driver);
    if (r != 0)
        return r;
    r = make_base_environment(driver);
    if (r != 0)
        return r;
    r = open_programs(driver, ret_error);
    if (r != 0)
        return r;
    r = open_http(driver, ret_error);
    if (r != 0)
        return r;
    r = sv_signals_begin(driver);
    if (r == 0)
        r = sv_status_begin(driver);
    return r != 0 ? r : sv_ticks_begin(driver);
}

int sv_driver_new(const struct sv_driver_options *options, struct sv_driver **ret_driver,
                  struct sv_str *ret_error)
{
    struct sv_driver *driver = calloc(1, sizeof(*driver));
    if (!driver)
        return -ENOMEM;
    driver->options = *options;
    driver->config = sv_config_ref(options->config);
    int r = open_all(driver, ret_error);
    if (r != 0) {
        /* What an earlier daemon left is for the next one, who may have more luck. */
        driver->is_leaving = driver->is_adopting;
        if (driver->tree && driver->is_leaving)
            sv_cgroup_tree_keep(driver->tree);
        sv_driver_free(driver);
        return r;
    }
    *ret_driver = driver;
    return 0;
}

void sv_driver_free(struct sv_driver *driver)
{
    if (!driver)
        return;
    sv_live_close(driver);
    sv_http_free(driver->http);
    sv_api_free(driver->api);
    sv_operations_free(driver->operations);
    sv_str_done(&driver->openapi);
    sv_statistics_close(driver);
    sv_driver_cluster_close(driver);
    sv_reexec_free(driver->reexec);
    sv_unit_groups_free_all(driver);
    sv_child_probes_free(driver->child_probes);
    sv_notify_socket_free(driver->notify_socket);
    sv_handover_close(driver);
    sv_kernel_free(driver->kernel);
    sv_limiter_free(driver->limiter);
    sv_cgroup_tree_free(driver->tree);
    sv_actions_done(&driver->actions);
    sv_actions_done(&driver->tellings);
    sv_core_free(driver->core);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(driver->signals); i++)
        sv_source_free(driver->signals[i]);
    sv_source_free(driver->tick_timer);
    sv_source_free(driver->orphan_timer);
    sv_source_free(driver->status_timer);
    sv_source_free(driver->watchdog_timer);
    sv_source_free(driver->tidy_timer);
    sv_source_free(driver->quit_timer);
    sv_source_free(driver->timer);
    sv_source_free(driver->pump);
    sv_source_free(driver->coroner);
    sv_source_free(driver->sweep);
    sv_source_free(driver->check_queue.turn);
    sv_source_free(driver->rescan);
    sv_loop_free(driver->loop);
    sv_deaths_free(driver->deaths);
    sv_idmap_done(&driver->units);
    sv_idmap_done(&driver->runs_by_pid);
    sv_idmap_done(&driver->runs_by_cgroup);
    sv_str_done(&driver->scratch);
    free(driver->server_url);
    free(driver->base_environment);
    sv_config_unref(driver->config);
    free(driver);
}

int sv_driver_run(struct sv_driver *driver)
{
    sv_live_begin(driver);
    driver->has_begun = true;
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_BEGIN});
    sv_driver_cluster_begin(driver);
    sv_statistics_begin(driver);
    int r = sv_loop_run(driver->loop);
    sv_live_end(driver);
    return r;
}
