/*
 * core/cluster, joined to the rest of the daemon.
 *
 *     mesh, API, timer ──event──> core/cluster ──actions──> mesh, local core, keeper, log
 *     local core ──changed processes──> core/cluster
 *
 * What actions point to lives until the next step, and performing them has consequences that
 * core/cluster must hear of: a process that starts, a client whose next call follows the answer to
 * the one before. So events that come meanwhile wait in a queue until the actions are done, and
 * then have their turn before anything else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/error.h"
#include "base/log.h"
#include "config/check.h"
#include "driver/cluster/internal.h"
#include "driver/live/live.h"
#include "driver/outlive/outlive.h"
#include "io/disabilities.h"
#include "io/discovery.h"
#include "io/host_identity.h"

enum { TIMER_ACCURACY_NS = 1000000 };

/* --- steps --- */

static void step(struct sv_driver_cluster *cluster, struct sv_cluster_event *event)
{
    event->now_ns = sv_now_ns();
    event->wall_ns = sv_wall_ns();
    sv_cluster_actions_clear(&cluster->actions);
    sv_cluster_step(cluster->core, event, &cluster->actions);
    for (size_t i = 0; i < cluster->actions.count; i++)
        sv_driver_cluster_perform(cluster, &cluster->actions.items[i]);
}

static struct sv_cluster_pending *add_pending(struct sv_driver_cluster *cluster)
{
    if (cluster->pending_count == cluster->pending_capacity) {
        size_t capacity = cluster->pending_capacity ? cluster->pending_capacity * 2 : 16;
        void *pending = realloc(cluster->pending, capacity * sizeof(*cluster->pending));
        if (!pending)
            abort(); /* the others would never hear of it: the next daemon tells them all */
        cluster->pending = pending;
        cluster->pending_capacity = capacity;
    }
    struct sv_cluster_pending *pending = &cluster->pending[cluster->pending_count++];
    *pending = (struct sv_cluster_pending){0};
    return pending;
}

static const char *keep_text(struct sv_cluster_pending *pending, size_t index, const char *text)
{
    if (!text)
        return NULL;
    pending->texts[index] = strdup(text);
    if (!pending->texts[index])
        abort();
    return pending->texts[index];
}

static void work_off(struct sv_driver_cluster *cluster)
{
    for (size_t i = 0; i < cluster->pending_count; i++) { /* it may grow meanwhile */
        struct sv_cluster_pending pending = cluster->pending[i];
        if (pending.process == 0 || sv_driver_row(cluster->driver, pending.process,
                                                  &cluster->scratch, &pending.event.process))
            step(cluster, &pending.event);
        for (size_t k = 0; k < SV_ARRAY_LENGTH(pending.texts); k++)
            free(pending.texts[k]);
    }
    cluster->pending_count = 0;
}

static void run(struct sv_driver_cluster *cluster)
{
    if (cluster->is_stepping || !cluster->has_begun)
        return;
    cluster->is_stepping = true;
    work_off(cluster);
    cluster->is_stepping = false;
    sv_source_arm(cluster->timer, sv_cluster_deadline_ns(cluster->core));
}

void sv_driver_cluster_feed(struct sv_driver_cluster *cluster, struct sv_cluster_event event)
{
    struct sv_cluster_pending *pending = add_pending(cluster);
    pending->event = event;
    if (event.kind == SV_CLUSTER_REQUEST) {
        struct sv_cluster_request *request = &pending->event.request;
        request->name = keep_text(pending, 0, request->name);
        request->extra_arguments = keep_text(pending, 1, request->extra_arguments);
    }
    run(cluster);
}

static void on_timer(void *user)
{
    sv_driver_cluster_feed(user, (struct sv_cluster_event){.kind = SV_CLUSTER_TIME});
}

/* --- local processes --- */

void sv_driver_cluster_changed(struct sv_driver *driver, sv_process_id process)
{
    struct sv_driver_cluster *cluster = driver->cluster;
    if (!cluster)
        return;
    struct sv_cluster_pending *pending = add_pending(cluster);
    pending->event = (struct sv_cluster_event){.kind = SV_CLUSTER_PROCESS,
                                               .instance = sv_cluster_local(cluster->core)};
    pending->process = process;
    run(cluster);
}

void sv_driver_cluster_removed(struct sv_driver *driver, const char *application, const char *name)
{
    struct sv_driver_cluster *cluster = driver->cluster;
    if (!cluster)
        return;
    struct sv_cluster_pending *pending = add_pending(cluster);
    pending->event =
        (struct sv_cluster_event){.kind = SV_CLUSTER_PROCESS,
                                  .instance = sv_cluster_local(cluster->core),
                                  .process = {.application = keep_text(pending, 0, application),
                                              .name = keep_text(pending, 1, name),
                                              .is_removed = true}};
    run(cluster);
}

/* --- the mesh --- */

static void on_connected(void *user, uint32_t place)
{
    sv_driver_cluster_feed(
        user, (struct sv_cluster_event){.kind = SV_CLUSTER_CONNECTED, .instance = place});
}

static void on_lost(void *user, uint32_t place)
{
    sv_driver_cluster_feed(user,
                           (struct sv_cluster_event){.kind = SV_CLUSTER_LOST, .instance = place});
}

static void on_message(void *user, uint32_t place, const struct sv_mesh_message *message)
{
    if (message->kind == SV_MESH_NEWS) {
        sv_driver_cluster_receive_news(user, place, &message->news);
        return;
    }
    if (message->kind >= SV_MESH_CALL) {
        sv_relay_receive(user, place, message);
        return;
    }
    sv_driver_cluster_feed(user, (struct sv_cluster_event){.kind = SV_CLUSTER_MESSAGE,
                                                           .instance = place,
                                                           .message = message});
}

/* --- opening --- */

/* How well an instance describes this daemon. */
enum likeness {
    LIKENESS_NONE,
    LIKENESS_PORT_AND_HOST, /* a host that is ours, and a port that we serve */
    LIKENESS_ADDRESS,       /* and the very address that we serve: 127.0.0.2 is another than .3 */
};

static enum likeness likeness(const struct sv_driver_cluster *cluster,
                              const struct sv_instance_config *instance)
{
    enum likeness best = LIKENESS_NONE;
    for (size_t i = 0; i < cluster->owner->http_server_count; i++) {
        const struct sv_http_config *server = &cluster->owner->http_servers[i];
        if (server->path || server->port != instance->http_port || best == LIKENESS_ADDRESS)
            continue;
        if (server->host && sv_host_has_address(instance->host, server->host))
            best = LIKENESS_ADDRESS;
        else if (!cluster->config->has_list || sv_host_is_local(instance->host))
            best = LIKENESS_PORT_AND_HOST;
    }
    return best;
}

/* Which of the instances this daemon is: the one that is most like it, and has no twin. */
static int find_self(struct sv_driver_cluster *cluster, sv_instance_place *ret_place,
                     struct sv_str *ret_error)
{
    const struct sv_supvisors_config *config = cluster->config;
    enum likeness best = LIKENESS_NONE;
    size_t count = 0;
    for (size_t i = 0; i < config->instance_count; i++) {
        enum likeness now = likeness(cluster, &config->instances[i]);
        if (now == LIKENESS_NONE || now < best)
            continue;
        count = now > best ? 1 : count + 1;
        best = now;
        *ret_place = (sv_instance_place)i;
    }
    if (count == 1)
        return 0;
    sv_str_addf(ret_error,
                count == 0
                    ? "supvisors_list of [rpcinterface:%s] does not name this daemon: write "
                      "an item whose host is a name or address of this host, and whose port "
                      "is that of [inet_http_server]"
                    : "supvisors_list of [rpcinterface:%s] names this daemon more than once: "
                      "one host with one port is one instance, unless [inet_http_server] "
                      "serves one address of several",
                config->name);
    return SV_DRIVER_REFUSED;
}

/* 0, also without rules_files; SV_RULES_E_BROKEN with what is wrong in `ret_error`; -ENOMEM. */
static int load_rules(const struct sv_driver *driver, const struct sv_config *config,
                      struct sv_rules **ret_rules, struct sv_str *ret_error)
{
    struct sv_diag diag SV_CLEANUP(sv_diag_done) = {0};
    if (!config->supvisors->has_rules_files)
        return 0;
    int r = sv_rules_load(&config->supvisors->rules_files, driver->options.host, &diag, ret_rules);
    if (r == SV_RULES_E_BROKEN)
        sv_diag_render(&diag, ret_error);
    if (r == 0)
        sv_rules_apply(*ret_rules, config);
    return r;
}

/* A daemon with nobody to speak with has no mesh, and is a cluster of its own. */
static int open_mesh(struct sv_driver_cluster *cluster, const struct sv_instance_config *self,
                     struct sv_str *ret_error)
{
    struct sv_mesh_settings settings;
    int r =
        sv_mesh_plan(cluster->config, &cluster->owner->daemon.cluster, self, &settings, ret_error);
    if (r == SV_MESH_E_ALONE)
        return 0;
    if (r < 0)
        return SV_DRIVER_REFUSED;
    static const struct sv_mesh_handlers handlers = {.connected = on_connected,
                                                     .lost = on_lost,
                                                     .message = on_message,
                                                     .stranger = sv_driver_cluster_stranger};
    struct sv_mesh_handlers own = handlers;
    own.user = cluster;
    r = sv_mesh_open(cluster->driver->loop, &settings, &own, ret_error, &cluster->mesh);
    if (r == 0)
        sv_log_info("the mesh is open as %s (%s)", self->identifier,
                    sv_mesh_security(cluster->mesh));
    return r == 0 || r == -ENOMEM ? r : SV_DRIVER_REFUSED;
}

static int open_all(struct sv_driver_cluster *cluster, struct sv_str *ret_error)
{
    sv_instance_place self = 0;
    int r = find_self(cluster, &self, ret_error);
    if (r == 0)
        r = load_rules(cluster->driver, cluster->owner, &cluster->rules, ret_error);
    if (r == SV_RULES_E_BROKEN)
        r = SV_DRIVER_REFUSED;
    if (r == 0)
        r = sv_driver_cluster_open_programs(cluster, ret_error);
    if (r == 0)
        r = open_mesh(cluster, &cluster->config->instances[self], ret_error);
    if (r == 0)
        r = sv_loop_add_timer(cluster->driver->loop, TIMER_ACCURACY_NS, on_timer, cluster,
                              &cluster->timer);
    if (r == 0)
        r = sv_relay_open(cluster);
    if (r != 0)
        return r;
    cluster->incarnation = (uint64_t)sv_wall_ns();
    sv_host_machine_id(&cluster->machine_id);
    struct sv_arena arena SV_CLEANUP(sv_arena_done) = {0};
    struct sv_cluster_options options = {
        .supvisors = cluster->config,
        .timing = &cluster->owner->daemon.cluster,
        .local = self,
        .machine_id = sv_str_text(&cluster->machine_id),
        .network = sv_driver_cluster_network(&arena),
        .version = SV_VERSION,
        .incarnation = cluster->incarnation,
        .seed = sv_now_ns() ^ (uint64_t)self << 32,
        .rules = cluster->rules,
    };
    cluster->core = sv_cluster_new(&options);
    if (!cluster->core)
        return -ENOMEM;
    sv_driver_cluster_host_init(cluster);
    r = sv_driver_cluster_open_publisher(cluster, &cluster->config->instances[self]);
    if (r != 0)
        return r;
    return sv_driver_cluster_open_discovery(cluster, &cluster->config->instances[self], ret_error);
}

int sv_driver_cluster_open(struct sv_driver *driver, struct sv_str *ret_error)
{
    if (!driver->config->supvisors)
        return 0;
    struct sv_driver_cluster *cluster = calloc(1, sizeof(*cluster));
    if (!cluster)
        return -ENOMEM;
    cluster->driver = driver;
    cluster->owner = sv_config_ref(driver->config);
    cluster->config = cluster->owner->supvisors;
    driver->cluster = cluster;
    return open_all(cluster, ret_error);
}

bool sv_driver_cluster_manages(const struct sv_driver *driver, const char *application)
{
    const struct sv_driver_cluster *cluster = driver->cluster;
    struct sv_application_rules rules = {0};
    if (cluster)
        sv_rules_application(cluster->rules, application, cluster->config->starting_strategy,
                             &rules);
    return rules.is_managed;
}

static void manage(struct sv_run *run)
{
    const struct sv_unit *unit = run->unit;
    sv_handover_manage(run, sv_driver_cluster_manages(unit->driver, unit->group->config->name));
}

/* What an earlier daemon has started, and what the rules say otherwise now. */
static void manage_all(struct sv_driver *driver)
{
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        struct sv_unit *unit = driver->units.slots[i].value;
        if (unit && unit->run)
            manage(unit->run);
    }
    for (struct sv_run *run = driver->lingering; run; run = run->next)
        manage(run);
}

void sv_driver_cluster_begin(struct sv_driver *driver)
{
    struct sv_driver_cluster *cluster = driver->cluster;
    if (!cluster)
        return;
    sv_driver_cluster_note_programs(cluster, driver->config);
    sv_driver_cluster_listen_to_statistics(cluster);
    manage_all(driver);
    cluster->has_begun = true; /* what waits are the rows of all local processes */
    sv_driver_cluster_feed(cluster, (struct sv_cluster_event){.kind = SV_CLUSTER_BEGIN});
}

int sv_driver_cluster_reread(struct sv_driver *driver, const struct sv_config *config,
                             struct sv_str *ret_error)
{
    struct sv_driver_cluster *cluster = driver->cluster;
    if (!cluster || !config->supvisors)
        return 0;
    struct sv_rules *rules = NULL;
    int r = load_rules(driver, config, &rules, ret_error);
    if (r != 0)
        return r < 0 ? r : SV_DRIVER_REFUSED;
    sv_driver_cluster_note_programs(cluster, config);
    sv_rules_unref(cluster->rules);
    cluster->rules = rules;
    manage_all(driver);
    sv_driver_cluster_feed(cluster,
                           (struct sv_cluster_event){.kind = SV_CLUSTER_RULES, .rules = rules});
    sv_live_rules_changed(driver);
    return 0;
}

void sv_driver_cluster_ending(struct sv_driver *driver, bool keeps_programs)
{
    struct sv_driver_cluster *cluster = driver->cluster;
    if (!cluster || cluster->is_ending)
        return;
    cluster->is_ending = true;
    sv_driver_cluster_feed(cluster, (struct sv_cluster_event){.kind = SV_CLUSTER_LOCAL_ENDING,
                                                              .keeps_programs = keeps_programs});
}

void sv_driver_cluster_close(struct sv_driver *driver)
{
    enum { FLUSH_NS = 100000000 };
    struct sv_driver_cluster *cluster = driver->cluster;
    if (!cluster)
        return;
    driver->cluster = NULL;
    sv_discovery_close(cluster->discovery);
    sv_driver_cluster_close_publisher(cluster);
    sv_mesh_close(cluster->mesh, FLUSH_NS);
    sv_arena_done(&cluster->discovered);
    sv_source_free(cluster->timer);
    sv_relay_close(cluster);
    sv_cluster_free(cluster->core);
    sv_disabilities_free(cluster->disabilities);
    sv_rules_unref(cluster->rules);
    for (size_t i = 0; i < cluster->pending_count; i++)
        for (size_t k = 0; k < SV_ARRAY_LENGTH(cluster->pending[i].texts); k++)
            free(cluster->pending[i].texts[k]);
    free(cluster->pending);
    sv_cluster_actions_done(&cluster->actions);
    sv_str_done(&cluster->machine_id);
    sv_str_done(&cluster->scratch);
    sv_config_unref(cluster->owner);
    free(cluster);
}
