/* core/cluster as the methods of supvisors.* see it: api/cluster_host.h, function by function. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "driver/cluster/internal.h"
#include "driver/statistics/statistics.h"
#include "io/host_identity.h"

static uint64_t host_now_ns(void *user)
{
    (void)user;
    return sv_now_ns();
}

static sv_instance_place host_local(void *user)
{
    const struct sv_driver_cluster *cluster = user;
    return sv_cluster_local(cluster->core);
}

static size_t host_instance_count(void *user)
{
    const struct sv_driver_cluster *cluster = user;
    return sv_cluster_instance_count(cluster->core);
}

static void host_instance(void *user, sv_instance_place place, struct sv_instance_view *ret)
{
    const struct sv_driver_cluster *cluster = user;
    sv_cluster_instance(cluster->core, place, ret);
}

static uint32_t host_find(void *user, const char *name, sv_instance_place *ret_places)
{
    const struct sv_driver_cluster *cluster = user;
    return sv_cluster_find(cluster->core, name, ret_places);
}

static size_t host_application_count(void *user)
{
    const struct sv_driver_cluster *cluster = user;
    return sv_cluster_application_count(cluster->core);
}

static void host_application(void *user, size_t place, struct sv_application_view *ret)
{
    const struct sv_driver_cluster *cluster = user;
    sv_cluster_application(cluster->core, place, ret);
}

static size_t host_application_named(void *user, const char *name)
{
    const struct sv_driver_cluster *cluster = user;
    return sv_cluster_application_named(cluster->core, name);
}

static void host_process(void *user, size_t application, size_t place,
                         struct sv_cluster_process_view *ret)
{
    const struct sv_driver_cluster *cluster = user;
    sv_cluster_process(cluster->core, application, place, ret);
}

static size_t host_process_named(void *user, size_t application, const char *name)
{
    const struct sv_driver_cluster *cluster = user;
    return sv_cluster_process_named(cluster->core, application, name);
}

static void host_copy(void *user, size_t application, size_t process, size_t place,
                      struct sv_copy_view *ret)
{
    const struct sv_driver_cluster *cluster = user;
    sv_cluster_copy(cluster->core, application, process, place, ret);
}

static void host_request(void *user, const struct sv_cluster_request *request)
{
    sv_driver_cluster_feed(
        user, (struct sv_cluster_event){.kind = SV_CLUSTER_REQUEST, .request = *request});
}

static void host_drop_request(void *user, uint64_t id)
{
    sv_driver_cluster_feed(
        user, (struct sv_cluster_event){.kind = SV_CLUSTER_REQUEST_GONE, .request = {.id = id}});
}

static int host_set_extra_arguments(void *user, sv_process_id id, const char *arguments)
{
    const struct sv_driver_cluster *cluster = user;
    struct sv_unit *unit = sv_driver_unit(cluster->driver, id);
    char *copy = strdup(arguments);
    if (!copy)
        return -ENOMEM;
    free(unit->extra_arguments);
    unit->extra_arguments = copy;
    return 0;
}

static void host_set_log_level(void *user, enum sv_log_level level)
{
    (void)user;
    sv_log_set_level(level);
}

static void host_statistics(void *user, struct sv_api_statistics *ret)
{
    const struct sv_driver_cluster *cluster = user;
    *ret = (struct sv_api_statistics){
        .has_host = sv_statistics_has_host(cluster->driver),
        .has_processes = sv_statistics_has_processes(cluster->driver),
        .collecting_period = sv_statistics_period(cluster->driver),
    };
}

static void host_enable_host_statistics(void *user, bool is_enabled)
{
    const struct sv_driver_cluster *cluster = user;
    sv_statistics_enable_host(cluster->driver, is_enabled);
}

static void host_enable_process_statistics(void *user, bool is_enabled)
{
    const struct sv_driver_cluster *cluster = user;
    sv_statistics_enable_processes(cluster->driver, is_enabled);
}

static void host_set_collecting_period(void *user, double seconds)
{
    const struct sv_driver_cluster *cluster = user;
    sv_statistics_set_period(cluster->driver, seconds);
}

struct network {
    struct sv_arena *arena;
    struct sv_mesh_address *addresses;
    size_t count;
};

static void add_address(void *user, const struct sv_host_address *address)
{
    struct network *network = user;
    if (network->count == SV_MESH_ADDRESSES_MAX)
        return;
    struct sv_mesh_address copy = {sv_arena_strdup(network->arena, address->interface),
                                   sv_arena_strdup(network->arena, address->address),
                                   sv_arena_strdup(network->arena, address->netmask)};
    if (copy.interface && copy.address && copy.netmask)
        network->addresses[network->count++] = copy;
}

const struct sv_mesh_network *sv_driver_cluster_network(struct sv_arena *arena)
{
    char name[256] = "";
    (void)gethostname(name, sizeof(name) - 1);
    struct network network = {
        arena, sv_arena_array(arena, struct sv_mesh_address, SV_MESH_ADDRESSES_MAX), 0};
    struct sv_mesh_network *told = sv_arena_new(arena, struct sv_mesh_network);
    const char *host_name = sv_arena_strdup(arena, name);
    if (!network.addresses || !told || !host_name)
        return NULL;
    sv_host_addresses(add_address, &network);
    *told = (struct sv_mesh_network){host_name, network.addresses, network.count};
    return told;
}

void sv_driver_cluster_host_init(struct sv_driver_cluster *cluster)
{
    cluster->host = (struct sv_api_cluster){
        .user = cluster,
        .config = cluster->config,
        .now_ns = host_now_ns,
        .local = host_local,
        .instance_count = host_instance_count,
        .instance = host_instance,
        .find = host_find,
        .application_count = host_application_count,
        .application = host_application,
        .application_named = host_application_named,
        .process = host_process,
        .process_named = host_process_named,
        .copy = host_copy,
        .request = host_request,
        .drop_request = host_drop_request,
        .relay = sv_driver_cluster_relay,
        .drop_relayed = sv_driver_cluster_drop_relayed,
        .set_extra_arguments = host_set_extra_arguments,
        .knows_program = sv_driver_cluster_knows_program,
        .set_disabled = sv_driver_cluster_set_disabled,
        .set_numprocs = sv_driver_cluster_set_numprocs,
        .set_log_level = host_set_log_level,
        .statistics = host_statistics,
        .enable_host_statistics = host_enable_host_statistics,
        .enable_process_statistics = host_enable_process_statistics,
        .set_collecting_period = host_set_collecting_period,
    };
    cluster->driver->api_host.cluster = &cluster->host;
}
