/*
 * Ends: of the whole cluster, by request or by a running failure strategy; of the local daemon; and
 * of the waiting for others (end_sync).
 *
 * Only the Master restarts or shuts down. Whoever else is asked hands the request to it, and
 * answers when the Master has.
 */
#include <stdlib.h>

#include "base/choice.h"
#include "core/cluster/members.h"

static void ask(struct sv_cluster *cluster, enum sv_supvisors_state state, const char *why)
{
    if (!sv_machine_is_master(cluster))
        return;
    sv_decide(cluster, SV_LOG_WARN, "the cluster goes to %s: %s",
              sv_choice_name(SV_CHOICE_SUPVISORS_STATE, (int)state), why);
    cluster->machine->asked = state;
    sv_machine_wake(cluster);
}

void sv_machine_restart(struct sv_cluster *cluster, const char *why)
{
    ask(cluster, SV_SUPVISORS_STATE_RESTARTING, why);
}

void sv_machine_shutdown(struct sv_cluster *cluster, const char *why)
{
    ask(cluster, SV_SUPVISORS_STATE_SHUTTING_DOWN, why);
}

static void close_cluster(struct sv_cluster *cluster, const struct sv_cluster_request *request)
{
    bool is_restart = request->kind == SV_REQUEST_RESTART;
    if (sv_machine_is_master(cluster)) {
        ask(cluster, is_restart ? SV_SUPVISORS_STATE_RESTARTING : SV_SUPVISORS_STATE_SHUTTING_DOWN,
            "by request");
        sv_answer(cluster, request->id, 0, NULL, true);
        return;
    }
    if (sv_machine_master(cluster) == SV_INSTANCE_NONE) {
        sv_answer(cluster, request->id, SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE,
                  "there is no Master at present; ask again when one is elected", false);
        return;
    }
    sv_command_ask(cluster, is_restart ? SV_MESH_COMMAND_RESTART : SV_MESH_COMMAND_SHUTDOWN,
                   request->id);
}

static void refuse(struct sv_cluster *cluster, const struct sv_cluster_request *request,
                   enum sv_cluster_fault fault, const char *text)
{
    sv_answer(cluster, request->id, (int)fault, text, false);
}

/* False: there is not exactly one that is RUNNING, and the request is answered. */
static bool find_running(struct sv_cluster *cluster, const struct sv_cluster_request *request,
                         const char *name, sv_instance_place *ret)
{
    const char *const names[] = {name};
    struct sv_name_list list = {.items = names, .count = 1};
    sv_instance_place *places =
        sv_arena_array(&cluster->texts, sv_instance_place, cluster->instance_count);
    if (!places)
        abort();
    uint32_t count = sv_identifiers_find(&list, cluster->names, cluster->instance_count, places);
    if (count == 0) {
        refuse(cluster, request, SV_CLUSTER_FAULT_BAD_NAME,
               sv_text(cluster, "unknown Supvisors identifier=%s", name));
        return false;
    }
    if (count > 1) {
        refuse(cluster, request, SV_CLUSTER_FAULT_INCORRECT_PARAMETERS,
               sv_text(cluster, "multiple identifiers found for Supvisors master=%s", name));
        return false;
    }
    const struct sv_instance *instance = cluster->instances[places[0]];
    if (instance->state != SV_INSTANCE_STATE_RUNNING) {
        refuse(cluster, request, SV_CLUSTER_FAULT_NOT_RUNNING,
               sv_text(cluster, "Supvisors instance=%s is not RUNNING (%s)", instance->identifier,
                       sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)instance->state)));
        return false;
    }
    *ret = places[0];
    return true;
}

/* The checks and texts are Supvisors' (rpcinterface.py, end_sync). */
static void end_sync(struct sv_cluster *cluster, const struct sv_cluster_request *request)
{
    const char *name = request->name ? request->name : "";
    if (sv_machine_state(cluster) != SV_SUPVISORS_STATE_SYNCHRONIZATION) {
        refuse(cluster, request, SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE,
               sv_text(cluster,
                       "invalid Supvisors state=%s - state expected in "
                       "['SYNCHRONIZATION']",
                       sv_choice_name(SV_CHOICE_SUPVISORS_STATE, (int)sv_machine_state(cluster))));
        return;
    }
    if (sv_machine_master(cluster) != SV_INSTANCE_NONE) {
        refuse(cluster, request, SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE,
               "Supvisors synchronization ending");
        return;
    }
    if (!sv_synchro_has(cluster, SV_SYNCHRO_OPTION_USER)) {
        refuse(cluster, request, SV_CLUSTER_FAULT_NOT_APPLICABLE,
               "USER expected in synchro_options");
        return;
    }
    sv_instance_place master = sv_election_rule(cluster)->select(cluster);
    if (*name && !find_running(cluster, request, name, &master))
        return;
    /* It is named, and declares itself; the others follow (election.c). */
    sv_modes_set_master(cluster, master, sv_local(cluster)->view.term);
    sv_decide(cluster, SV_LOG_INFO, "%s is to be the Master: by request",
              cluster->instances[master]->nick);
    sv_answer(cluster, request->id, 0, NULL, true);
}

void sv_machine_request(struct sv_cluster *cluster, const struct sv_cluster_request *request)
{
    if (request->kind == SV_REQUEST_END_SYNC)
        end_sync(cluster, request);
    else
        close_cluster(cluster, request);
}

/* The others hear of it at once, and know whether there is anything to wait for. */
void sv_machine_leave(struct sv_cluster *cluster, bool keeps_programs)
{
    cluster->machine->has_left = true;
    sv_replica_flush(cluster);
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *instance = cluster->instances[i];
        if (i != cluster->local && instance->is_connected && instance->is_accepted)
            sv_send(cluster, i, SV_MESH_BYE)->bye.keeps_programs = keeps_programs;
    }
}

/* Programs that are not kept are stopped by the local core first; their rows are still told. */
void sv_machine_ending(struct sv_cluster *cluster, bool keeps_programs)
{
    cluster->machine->is_ending = true;
    if (keeps_programs)
        sv_machine_leave(cluster, true);
    sv_machine_wake(cluster);
}
