/*
 * How two instances get to know each other.
 *
 *     A  -- HELLO -->  B      who A is, and the options that all must share
 *     A <-- WELCOME --  B     what B thinks of A; if it is welcome, B's SNAPSHOT follows,
 *     A <-- SNAPSHOT -- B     and a HELLO of B, if A has not welcomed B yet
 *
 * A is CHECKED for B when A's HELLO was good, A has welcomed B, and A's rows are there. HELLO is
 * said again with every heartbeat until it is answered, so nothing here needs a timer or a message
 * that is never lost; said twice, it costs a snapshot.
 *
 * A daemon is known by its incarnation. A smaller one than the greatest that was heard of is a
 * message from the past. A greater one means that another daemon speaks now: the conversation
 * begins anew, and only HELLO can begin it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/choice.h"
#include "core/cluster/members.h"

static struct sv_mesh_strategies own_strategies(const struct sv_cluster *cluster)
{
    const struct sv_supvisors_config *config = cluster->supvisors;
    return (struct sv_mesh_strategies){
        .auto_fence = config->auto_fence,
        .starting = config->starting_strategy,
        .conciliation = config->conciliation_strategy,
        .supvisors_failure = config->supvisors_failure_strategy,
        .quorum = cluster->times->has_quorum,
        .daemon_grace_ns = (uint64_t)(cluster->timing->daemon_grace * (double)SV_SECOND_NS),
        .quorum_stop_after_ns =
            (uint64_t)(cluster->timing->quorum_stop_after * (double)SV_SECOND_NS),
    };
}

void sv_handshake_greet(struct sv_cluster *cluster, struct sv_instance *instance)
{
    const struct sv_instance *local = sv_local(cluster);
    struct sv_mesh_message *message = sv_send(cluster, instance->place, SV_MESH_HELLO);
    message->hello = (struct sv_mesh_hello){
        .protocol = SV_MESH_PROTOCOL,
        .version = cluster->version,
        .identifier = local->identifier,
        .nick = local->nick,
        .machine_id = cluster->machine_id,
        .host = local->host,
        .http_port = local->http_port,
        .stereotypes = local->stereotypes.items,
        .stereotype_count = local->stereotypes.count,
        .network = local->network,
        .strategies = own_strategies(cluster),
        .known_incarnation = instance->incarnation,
    };
}

void sv_handshake_connected(struct sv_cluster *cluster, struct sv_instance *instance)
{
    instance->is_connected = true;
    if (cluster->machine->has_begun && instance->state != SV_INSTANCE_STATE_ISOLATED)
        sv_handshake_greet(cluster, instance);
}

void sv_handshake_forget(struct sv_instance *instance)
{
    instance->is_welcome = false;
    instance->has_snapshot = false;
}

static void forget_incarnation(struct sv_cluster *cluster, struct sv_instance *instance,
                               uint64_t incarnation)
{
    sv_command_forget(cluster, instance);
    sv_handshake_forget(instance);
    instance->incarnation = incarnation;
    instance->is_accepted = false;
    instance->is_shut_out = false;
    instance->has_told = false;
    instance->revision = 0;
    instance->remote_sequence = 0;
    instance->acknowledged = 0;
    instance->acknowledged_ns = 0;
    sv_command_log_free(instance->log);
    instance->log = NULL;
}

bool sv_handshake_admit(struct sv_cluster *cluster, struct sv_instance *instance,
                        const struct sv_mesh_message *message)
{
    if (message->incarnation < instance->incarnation) {
        sv_instance_complain(cluster, instance, SV_COMPLAINT_STALE, "dropped");
        return false;
    }
    if (message->incarnation > instance->incarnation) {
        if (instance->incarnation != 0)
            sv_instance_feed(cluster, instance, SV_INSTANCE_RESTARTED,
                             "another daemon speaks for it");
        forget_incarnation(cluster, instance, message->incarnation);
    }
    bool is_handshake = message->kind == SV_MESH_HELLO || message->kind == SV_MESH_WELCOME ||
                        message->kind == SV_MESH_BYE;
    if (is_handshake)
        return true;
    if (instance->state == SV_INSTANCE_STATE_ISOLATED)
        return false;
    /* Who does not know us by HELLO does so at the next heartbeat: we greet until it answers. */
    return instance->is_accepted;
}

struct difference {
    const char *option;
    const char *here;
    const char *there;
};

static const char *switched(bool is_on)
{
    return is_on ? "true" : "false";
}

static const char *seconds(struct sv_cluster *cluster, uint64_t duration_ns)
{
    return sv_text(cluster, "%.3g s", (double)duration_ns / (double)SV_SECOND_NS);
}

/* The text names every option that differs; NULL: none. */
static const char *compare(struct sv_cluster *cluster, const struct sv_instance *instance,
                           const struct sv_mesh_strategies *theirs)
{
    struct sv_mesh_strategies ours = own_strategies(cluster);
    const struct {
        bool differs;
        struct difference difference;
    } rows[] = {
        {ours.auto_fence != theirs->auto_fence,
         {"auto_fence", switched(ours.auto_fence), switched(theirs->auto_fence)}},
        {ours.starting != theirs->starting,
         {"starting_strategy", sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)ours.starting),
          sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)theirs->starting)}},
        {ours.conciliation != theirs->conciliation,
         {"conciliation_strategy",
          sv_choice_name(SV_CHOICE_CONCILIATION_STRATEGY, (int)ours.conciliation),
          sv_choice_name(SV_CHOICE_CONCILIATION_STRATEGY, (int)theirs->conciliation)}},
        {ours.supvisors_failure != theirs->supvisors_failure,
         {"supvisors_failure_strategy",
          sv_choice_name(SV_CHOICE_SUPVISORS_FAILURE_STRATEGY, (int)ours.supvisors_failure),
          sv_choice_name(SV_CHOICE_SUPVISORS_FAILURE_STRATEGY, (int)theirs->supvisors_failure)}},
        {ours.quorum != theirs->quorum,
         {"quorum", switched(ours.quorum), switched(theirs->quorum)}},
        {ours.daemon_grace_ns != theirs->daemon_grace_ns,
         {"daemon_grace", seconds(cluster, ours.daemon_grace_ns),
          seconds(cluster, theirs->daemon_grace_ns)}},
        {ours.quorum_stop_after_ns != theirs->quorum_stop_after_ns,
         {"quorum_stop_after", seconds(cluster, ours.quorum_stop_after_ns),
          seconds(cluster, theirs->quorum_stop_after_ns)}},
    };
    const char *text = NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct difference *row = &rows[i].difference;
        if (rows[i].differs)
            text = sv_text(cluster, "%s%s%s is %s in %s and %s in %s", text ? text : "",
                           text ? ", " : "", row->option, row->here ? row->here : "?",
                           sv_local(cluster)->nick, row->there ? row->there : "?", instance->nick);
    }
    return text;
}

static void answer(struct sv_cluster *cluster, struct sv_instance *instance,
                   enum sv_mesh_authorization authorization, const char *text)
{
    struct sv_mesh_message *message = sv_send(cluster, instance->place, SV_MESH_WELCOME);
    message->welcome.authorization = authorization;
    message->welcome.greeted_incarnation = instance->incarnation;
    message->welcome.text = text;
}

/* An isolated one hears why, but not more often than it would get heartbeats. */
static void refuse(struct sv_cluster *cluster, struct sv_instance *instance)
{
    if (instance->refused_ns &&
        cluster->now_ns - instance->refused_ns < cluster->times->heartbeat_ns / 2)
        return;
    instance->refused_ns = cluster->now_ns;
    answer(cluster, instance, SV_MESH_NOT_AUTHORIZED,
           sv_text(cluster, "it is ISOLATED in %s: %s", sv_local(cluster)->nick,
                   instance->why ? instance->why : ""));
}

void sv_handshake_hello(struct sv_cluster *cluster, struct sv_instance *instance,
                        const struct sv_mesh_message *message)
{
    const struct sv_mesh_hello *hello = &message->hello;
    if (instance->state == SV_INSTANCE_STATE_ISOLATED) {
        refuse(cluster, instance);
        return;
    }
    const char *fault = NULL;
    if (hello->protocol != SV_MESH_PROTOCOL)
        fault = sv_text(cluster, "the mesh protocol is %u in %s and %" PRIu32 " in %s",
                        SV_MESH_PROTOCOL, sv_local(cluster)->nick, hello->protocol, instance->nick);
    else if (!hello->identifier || strcmp(hello->identifier, instance->identifier) != 0) {
        sv_instance_complain(cluster, instance, SV_COMPLAINT_MALFORMED,
                             "its HELLO has another identifier");
        answer(cluster, instance, SV_MESH_UNKNOWN_HERE,
               sv_text(cluster, "it is known as %s in %s", instance->identifier,
                       sv_local(cluster)->nick));
        return;
    } else
        fault = compare(cluster, instance, &hello->strategies);
    if (fault) {
        answer(cluster, instance, SV_MESH_INCONSISTENT, fault);
        sv_instance_feed(cluster, instance, SV_INSTANCE_SHUT_OUT, fault);
        return;
    }
    sv_instance_learn(cluster, instance, hello);
    instance->is_accepted = true;
    answer(cluster, instance, SV_MESH_AUTHORIZED, "");
    sv_replica_snapshot(cluster, instance);
    if (!instance->is_welcome)
        sv_handshake_greet(cluster, instance);
    sv_instance_feed(cluster, instance, SV_INSTANCE_HEARD, "it said HELLO");
}

void sv_handshake_welcome(struct sv_cluster *cluster, struct sv_instance *instance,
                          const struct sv_mesh_message *message)
{
    if (message->welcome.greeted_incarnation != cluster->incarnation) {
        sv_instance_complain(cluster, instance, SV_COMPLAINT_STALE,
                             "it answers a former daemon of ours");
        return;
    }
    const char *text = message->welcome.text ? message->welcome.text : "";
    switch (message->welcome.authorization) {
    case SV_MESH_AUTHORIZED:
        if (!instance->is_accepted)
            return; /* its HELLO is under way */
        instance->is_welcome = true;
        sv_instance_feed(cluster, instance, SV_INSTANCE_HEARD, "it answered HELLO");
        sv_handshake_complete(cluster, instance);
        return;
    case SV_MESH_NOT_AUTHORIZED:
    case SV_MESH_INCONSISTENT:
        sv_instance_feed(cluster, instance, SV_INSTANCE_SHUT_OUT,
                         sv_text(cluster, "it refuses us: %s", text));
        return;
    case SV_MESH_UNKNOWN_HERE:
        sv_instance_feed(cluster, instance, SV_INSTANCE_REFUSED,
                         sv_text(cluster, "it does not know us: %s", text));
        return;
    }
    sv_instance_complain(cluster, instance, SV_COMPLAINT_MALFORMED, "an unknown authorization");
}

void sv_handshake_complete(struct sv_cluster *cluster, struct sv_instance *instance)
{
    if (instance->is_accepted && instance->is_welcome && instance->has_snapshot)
        sv_instance_feed(cluster, instance, SV_INSTANCE_COMPLETE, "it has told all its processes");
}

void sv_handshake_bye(struct sv_cluster *cluster, struct sv_instance *instance,
                      const struct sv_mesh_message *message)
{
    if (message->bye.keeps_programs)
        sv_instance_feed(cluster, instance, SV_INSTANCE_LEFT,
                         "its daemon has ended, and leaves its programs to the next one");
    else
        sv_instance_feed(cluster, instance, SV_INSTANCE_ENDED, "its daemon has ended");
    instance->is_accepted = false;
}
