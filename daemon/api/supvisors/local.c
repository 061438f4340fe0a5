/*
 * supvisors.*: what concerns the instance that is asked alone: a start with extra arguments, the
 * level of its log, and what it knows of addresses.
 */
#include <stdlib.h>

#include "api/supvisors/cluster_call.h"
#include "api/target.h"
#include "base/log.h"

/* The arguments count from this start on; so those of a process that runs stay what they are. */
void sv_method_supvisors_start_args(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    const struct sv_group_view *group;
    struct sv_process_view view;
    size_t application, process;
    if (!sv_cluster_check_process(call, arguments[0].text, &application, &process))
        return;
    if (!sv_target_find(sv_call_host(call), arguments[0].text, &group, &view) || view.id == 0) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&text, "namespec=%s unknown to Supervisor", arguments[0].text);
        sv_call_fault(call, SV_FAULT_BAD_NAME, sv_str_text(&text));
        return;
    }
    if (sv_process_state_is_stopped(view.state) &&
        cluster->set_extra_arguments(cluster->user, view.id, arguments[1].text) < 0) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
        return;
    }
    const struct sv_argument start_arguments[] = {arguments[0], arguments[2]};
    sv_method_start_process(call, start_arguments);
}

/* --- the log --- */

/* In the order in which Supvisors lists them. */
static const enum sv_log_level levels[] = {SV_LOG_CRITICAL, SV_LOG_ERROR, SV_LOG_WARN,
                                           SV_LOG_INFO,     SV_LOG_DEBUG, SV_LOG_TRACE,
                                           SV_LOG_BLATHER};

static void bad_level(struct sv_api_call *call, const json_t *value)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&text, "invalid logger value=");
    if (json_is_string(value)) {
        sv_str_addf(&text, "%s - string expected in ", json_string_value(value));
        for (size_t i = 0; i < SV_ARRAY_LENGTH(levels); i++)
            sv_str_addf(&text, "%s'%s'", i ? ", " : "[", sv_log_level_name(levels[i]));
        sv_str_add(&text, "]");
    } else if (json_is_integer(value)) {
        sv_str_addf(&text, "%lld - integer expected in ", (long long)json_integer_value(value));
        for (size_t i = 0; i < SV_ARRAY_LENGTH(levels); i++)
            sv_str_addf(&text, "%s%d", i ? ", " : "[", (int)levels[i]);
        sv_str_add(&text, "]");
    } else {
        sv_cluster_add_strange(value, &text);
    }
    sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
}

static bool read_level(const json_t *value, enum sv_log_level *ret_level)
{
    if (json_is_string(value))
        return sv_log_level_parse(json_string_value(value), ret_level);
    for (size_t i = 0; json_is_integer(value) && i < SV_ARRAY_LENGTH(levels); i++)
        if (json_integer_value(value) == (json_int_t)levels[i]) {
            *ret_level = levels[i];
            return true;
        }
    return false;
}

void sv_method_supvisors_change_log_level(struct sv_api_call *call,
                                          const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    enum sv_log_level level;
    if (!read_level(arguments[0].value, &level)) {
        bad_level(call, arguments[0].value);
        return;
    }
    cluster->set_log_level(cluster->user, level);
    sv_call_return(call, json_true());
}

/* --- addresses --- */

/* The resolver is not asked for the names of an address: that may take long. */
static json_t *addresses_json(const struct sv_mesh_network *network)
{
    json_t *addresses = json_object();
    for (size_t i = 0; addresses && i < network->address_count; i++) {
        const struct sv_mesh_address *one = &network->addresses[i];
        json_t *entry = json_pack("{s:o, s:[], s:[s], s:{s:s, s:s, s:s}}", "host_name",
                                  sv_text_json(network->host_name), "aliases", "ipv4_addresses",
                                  one->address, "nic_info", "nic_name", one->interface,
                                  "ipv4_address", one->address, "netmask", one->netmask);
        if (entry)
            (void)json_object_set_new(addresses, one->interface, entry);
    }
    return addresses;
}

/* Each instance tells it in its HELLO, as it was when its daemon began. */
static json_t *network_json(const struct sv_instance_view *view)
{
    return json_pack("{s:o, s:o, s:o}", "machine_id", sv_text_json(view->machine_id), "fqdn",
                     sv_text_json(view->host), "addresses", addresses_json(view->network));
}

void sv_method_supvisors_get_network_info(struct sv_api_call *call,
                                          const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    sv_instance_place *places;
    uint32_t count;
    if (!sv_cluster_check_instances(call, arguments[0].text, &places, &count))
        return;
    struct sv_instance_view view;
    cluster->instance(cluster->user, places[0], &view);
    free(places);
    json_t *info =
        json_pack("{s:o, s:o, s:o, s:i, s:o}", "identifier", sv_text_json(view.names.identifier),
                  "nick_identifier", sv_text_json(view.names.nick), "host_id",
                  sv_text_json(view.host), "http_port", (int)view.http_port, "stereotypes",
                  sv_cluster_name_list(view.names.stereotypes));
    if (info && view.machine_id[0] != '\0' &&
        json_object_set_new(info, "network", network_json(&view)) < 0) {
        json_decref(info);
        info = NULL;
    }
    sv_call_return(call, info);
}
