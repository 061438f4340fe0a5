/*
 * The bodies of the messages of /live. They are the structs that the methods of supvisors.* answer,
 * with a few keys more.
 *
 * Copies of this instance are shown as the local core has them, also in a cluster: it knows why,
 * and it is there without a cluster.
 */
#include "driver/live/internal.h"

#include <string.h>
#include <unistd.h>

#include "api/supvisors/structs.h"
#include "driver/deaths/deaths.h"

#define SECOND 1e9

/* Takes `value`. On failure the object is gone. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (object && json_object_set_new(object, key, value) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* ---- Who we are ---- */

/* How this daemon is reached over TCP; NULL: it is not. */
static const struct sv_http_config *tcp_server(const struct sv_driver *driver)
{
    const struct sv_config *config = driver->options.config;
    for (size_t i = 0; i < config->http_server_count; i++)
        if (!config->http_servers[i].path)
            return &config->http_servers[i];
    return NULL;
}

/* What it is called where there is no cluster. */
static const char *own_name(const struct sv_driver *driver)
{
    return driver->options.config->daemon.identifier;
}

struct sv_instance_names sv_live_own_names(const struct sv_driver *driver)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    if (!cluster)
        return (struct sv_instance_names){.identifier = own_name(driver), .nick = own_name(driver)};
    struct sv_instance_view view;
    cluster->instance(cluster->user, cluster->local(cluster->user), &view);
    return view.names;
}

static json_t *css_files(const struct sv_supvisors_config *config)
{
    json_t *list = json_array();
    for (size_t i = 0; config && i < config->css_files.count; i++)
        sv_cluster_append(&list, json_sprintf("/css/%zu.css", i));
    return list;
}

/* What ends the waiting for other instances: a page offers to do so where USER is one of them. */
static json_t *synchro_options(const struct sv_supvisors_config *config)
{
    json_t *list = json_array();
    for (int i = 0; config && sv_choice_name(SV_CHOICE_SYNCHRO_OPTION, i); i++)
        if (config->synchro_options >> i & 1)
            sv_cluster_append(&list, json_string(sv_choice_name(SV_CHOICE_SYNCHRO_OPTION, i)));
    return list;
}

json_t *sv_live_hello(struct sv_driver *driver)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    const struct sv_supvisors_config *config = cluster ? cluster->config : NULL;
    const struct sv_instance_names names = sv_live_own_names(driver);
    return json_pack("{s:i, s:s, s:o, s:o, s:b, s:o, s:f, s:o, s:b, s:o, s:o}", //
                     "protocol", SV_LIVE_PROTOCOL, "version", SV_VERSION,       //
                     "identifier", sv_text_json(names.identifier),              //
                     "nick_identifier", sv_text_json(names.nick),               //
                     "cluster", cluster != NULL,                                //
                     "supervisor_identifier", sv_text_json(own_name(driver)),   //
                     "now", (double)sv_wall_ns() / SECOND,                      //
                     "software_name",                                           //
                     sv_text_json(config ? config->software_name : ""),         //
                     "software_icon", config && config->software_icon,          //
                     "css_files", css_files(config), "synchro_options", synchro_options(config));
}

/* ---- Instances ---- */

static json_t *url(const char *host, uint16_t port)
{
    return json_sprintf(strchr(host, ':') ? "http://[%s]:%u" : "http://%s:%u", host, port);
}

static json_t *lone_instance(const struct sv_driver *driver)
{
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    const struct sv_http_config *server = tcp_server(driver);
    return json_pack("{s:o, s:o, s:o, s:i, s:i, s:s, s:i, s:b, s:o, s:s, s:s}",          //
                     "identifier", sv_text_json(own_name(driver)),                       //
                     "nick_identifier", sv_text_json(own_name(driver)),                  //
                     "node_name", sv_text_json(host), "port", server ? server->port : 0, //
                     "statecode", (int)SV_INSTANCE_STATE_RUNNING,                        //
                     "statename",
                     sv_choice_name(SV_CHOICE_INSTANCE_STATE, SV_INSTANCE_STATE_RUNNING), //
                     "loading", 0, "process_failure", 0, "url",
                     server ? url(host, server->port) : json_string(""), //
                     "version", SV_VERSION, "why", "");
}

static json_t *instance(const struct sv_driver *driver, sv_instance_place place)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    if (!cluster)
        return lone_instance(driver);
    struct sv_instance_view view;
    cluster->instance(cluster->user, place, &view);
    json_t *body = sv_cluster_instance_json(cluster, &view);
    body = with(body, "url", url(view.host, view.http_port));
    body = with(body, "version", sv_text_json(view.version ? view.version : ""));
    body = with(body, "stereotypes", sv_cluster_name_list(view.names.stereotypes));
    return with(body, "why", sv_text_json(view.why ? view.why : ""));
}

static json_t *instance_row(const struct sv_driver *driver, const struct sv_live_row *row)
{
    return instance(driver, row->number);
}

static json_t *supvisors_row(const struct sv_driver *driver, const struct sv_live_row *row)
{
    (void)row;
    return sv_cluster_state_json(driver->api_host.cluster);
}

/* ---- Applications and processes of a cluster ---- */

static json_t *application_row(const struct sv_driver *driver, const struct sv_live_row *row)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    size_t place = cluster->application_named(cluster->user, row->application);
    if (place == SIZE_MAX)
        return NULL;
    struct sv_application_view view;
    cluster->application(cluster->user, place, &view);
    return with(sv_cluster_application_json(cluster, &view), "rules",
                sv_cluster_application_rules_json(cluster, &view));
}

/* Where the cluster has a process, and what it says of it. */
struct found {
    size_t application, process;
    struct sv_cluster_process_view view;
};

/* False: there is no such process (any more). */
static bool find(const struct sv_api_cluster *cluster, const struct sv_live_row *row,
                 struct found *ret)
{
    ret->application = cluster->application_named(cluster->user, row->application);
    if (ret->application == SIZE_MAX)
        return false;
    ret->process = cluster->process_named(cluster->user, ret->application, row->name);
    if (ret->process == SIZE_MAX)
        return false;
    cluster->process(cluster->user, ret->application, ret->process, &ret->view);
    return true;
}

static json_t *process_row(const struct sv_driver *driver, const struct sv_live_row *row)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    struct found found;
    if (!find(cluster, row, &found))
        return NULL;
    json_t *body = sv_cluster_process_json(cluster, &found.view);
    body = with(body, "why", sv_text_json(found.view.why ? found.view.why : ""));
    return with(body, "rules", sv_cluster_process_rules_json(cluster, &found.view));
}

bool sv_live_is_conflict(struct sv_driver *driver, const struct sv_live_row *row)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    struct found found;
    if (!find(cluster, row, &found))
        return false;
    struct sv_application_view owner;
    cluster->application(cluster->user, found.application, &owner);
    return owner.rules->is_managed && found.view.running_count > 1;
}

/* ---- Copies ---- */

static json_t *with_identifier(json_t *body, const char *identifier)
{
    return with(body, "identifier", sv_text_json(identifier));
}

static json_t *copy_row(const struct sv_driver *driver, const struct sv_live_row *row)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    struct found found;
    if (!find(cluster, row, &found))
        return NULL;
    for (size_t i = 0; i < found.view.copy_count; i++) {
        struct sv_copy_view copy;
        cluster->copy(cluster->user, found.application, found.process, i, &copy);
        if (copy.instance != row->number)
            continue;
        struct sv_instance_view owner;
        cluster->instance(cluster->user, copy.instance, &owner);
        return with_identifier(sv_cluster_copy_json(cluster, &copy), owner.names.identifier);
    }
    return NULL;
}

static json_t *local_copy(struct sv_live *live, const struct sv_live_row *row)
{
    struct sv_driver *driver = live->driver;
    struct sv_unit *unit = sv_driver_unit(driver, row->number);
    struct sv_str description SV_CLEANUP(sv_str_done) = {0};
    struct sv_str why SV_CLEANUP(sv_str_done) = {0};
    struct sv_mesh_process told;
    struct sv_process_view view;
    if (!unit || !sv_driver_row(driver, row->number, &description, &told) ||
        !sv_core_process(driver->core, row->number, &view))
        return NULL;
    sv_why_text(unit, &view, &why);
    json_t *body = sv_cluster_row_json(&told, told.event_ns, sv_wall_ns());
    body = with_identifier(body, sv_live_own_names(driver).identifier);
    body = with(body, "reason", json_string(sv_reason_name(view.reason)));
    body = with(body, "next_start", json_integer(view.next_start_wall_ns / (int64_t)SECOND));
    return with(body, "why", sv_wire_string(sv_str_text(&why), why.length));
}

static json_t *conflicts(const struct sv_live *live)
{
    json_t *list = json_array();
    sv_map_foreach (entry, &live->conflicts)
        if (json_array_size(list) < SV_LIVE_CONFLICTS_MAX)
            sv_cluster_append(&list, sv_text_json(entry->key));
    return list ? with(json_object(), "namespecs", list) : NULL;
}

/* ---- All of them ---- */

typedef json_t *row_function(const struct sv_driver *driver, const struct sv_live_row *row);

static const struct {
    const char *name;
    row_function *make; /* NULL: see sv_live_row_json() */
} kinds[SV_LIVE_KIND_COUNT] = {
    [SV_LIVE_SUPVISORS] = {"supvisors", supvisors_row},
    [SV_LIVE_INSTANCE] = {"instance", instance_row},
    [SV_LIVE_APPLICATION] = {"application", application_row},
    [SV_LIVE_PROCESS] = {"process", process_row},
    [SV_LIVE_LOCAL_COPY] = {"copy", NULL},
    [SV_LIVE_COPY] = {"copy", copy_row},
    [SV_LIVE_CONFLICTS] = {"conflicts", NULL},
};

const char *sv_live_kind_name(enum sv_live_kind kind)
{
    return kinds[kind].name;
}

json_t *sv_live_row_json(struct sv_live *live, const struct sv_live_row *row)
{
    if (kinds[row->kind].make)
        return kinds[row->kind].make(live->driver, row);
    return row->kind == SV_LIVE_CONFLICTS ? conflicts(live) : local_copy(live, row);
}

json_t *sv_live_gone(struct sv_live *live, const struct sv_live_row *row)
{
    const struct sv_api_cluster *cluster = live->driver->api_host.cluster;
    json_t *body = json_pack("{s:s, s:o}", "kind", kinds[row->kind].name, "application_name",
                             sv_text_json(row->application));
    if (row->kind != SV_LIVE_APPLICATION)
        body = with(body, "process_name", sv_text_json(row->name));
    if (row->kind == SV_LIVE_LOCAL_COPY)
        body = with_identifier(body, sv_live_own_names(live->driver).identifier);
    if (row->kind == SV_LIVE_COPY) {
        struct sv_instance_view owner;
        cluster->instance(cluster->user, row->number, &owner);
        body = with_identifier(body, owner.names.identifier);
    }
    return body;
}
