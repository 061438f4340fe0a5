/*
 * The life of an instance, as the others see it: Supvisors' states and arrows.
 *
 *     STOPPED <--> CHECKING --> CHECKED --> RUNNING
 *        ^            |            |           |
 *        |            v            v           v
 *        |         ISOLATED <--  FAILED <------+
 *        +-------------------------+
 *
 * FAILED says more than in Supvisors, where it lasts until the next tick. It is the time in which
 * the programs of a daemon that is gone may still run: until its keeper has ended them, or another
 * daemon has taken them back and says so (docs/mesh.md). So a lost instance is told at once, and
 * its programs are lost later, at LOSS. An instance that comes back in time was never lost: it is
 * not fenced, and nothing of it is started elsewhere.
 *
 * instance.def has a cell for each state and event. enter() is the only writer of the state.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/choice.h"
#include "core/cluster/members.h"

struct happening {
    struct sv_cluster *cluster;
    struct sv_instance *instance;
    const char *why;
};

static const uint32_t next_states[] = {
#define TO(name) (UINT32_C(1) << SV_INSTANCE_STATE_##name)
    [SV_INSTANCE_STATE_STOPPED] = TO(CHECKING),
    [SV_INSTANCE_STATE_CHECKING] = TO(STOPPED) | TO(CHECKED) | TO(ISOLATED),
    [SV_INSTANCE_STATE_CHECKED] = TO(RUNNING) | TO(FAILED),
    [SV_INSTANCE_STATE_RUNNING] = TO(FAILED),
    [SV_INSTANCE_STATE_FAILED] = TO(STOPPED) | TO(ISOLATED),
    [SV_INSTANCE_STATE_ISOLATED] = 0,
#undef TO
};

static void explain(struct sv_instance *instance, const char *why)
{
    char *copy = why ? strdup(why) : NULL;
    if (why && !copy)
        abort();
    free(instance->why);
    instance->why = copy;
}

static void enter(struct happening *what, enum sv_instance_state state)
{
    struct sv_cluster *cluster = what->cluster;
    struct sv_instance *instance = what->instance;
    assert(next_states[instance->state] >> state & 1);
    if (instance->state == SV_INSTANCE_STATE_CHECKED)
        cluster->machine->checked_count--;
    else if (state == SV_INSTANCE_STATE_CHECKED)
        cluster->machine->checked_count++;
    if (instance->is_voter && instance->state == SV_INSTANCE_STATE_RUNNING)
        cluster->machine->running_voter_count--;
    else if (instance->is_voter && state == SV_INSTANCE_STATE_RUNNING)
        cluster->machine->running_voter_count++;
    instance->state = state;
    instance->state_ns = cluster->now_ns;
    explain(instance, what->why);
    bool is_away = state == SV_INSTANCE_STATE_STOPPED || state == SV_INSTANCE_STATE_ISOLATED;
    if (is_away)
        sv_modes_forget(cluster, instance);
    if (state != SV_INSTANCE_STATE_RUNNING && sv_machine_master(cluster) == instance->place)
        sv_modes_set_master(cluster, SV_INSTANCE_NONE, sv_local(cluster)->view.term);
    sv_sight_see(cluster, instance, sv_quorum_is_settled(cluster, instance));
    sv_notice_instance(cluster, instance->place);
    sv_decide_about(cluster, state == SV_INSTANCE_STATE_FAILED ? SV_LOG_WARN : SV_LOG_INFO,
                    &(struct sv_subject){.instance = instance->place},
                    sv_text(cluster, "%s is %s: %s", instance->nick,
                            sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)state),
                            what->why ? what->why : ""));
    sv_quorum_changed(cluster);
    sv_machine_wake(cluster);
}

static void ignore(struct happening *what)
{
    (void)what;
}

static void impossible(struct happening *what)
{
    (void)what;
    assert(!"an event that cannot come in this state of an instance");
}

static void check(struct happening *what)
{
    enter(what, SV_INSTANCE_STATE_CHECKING);
    sv_liveness_watch(what->cluster, what->instance);
    sv_handshake_complete(what->cluster, what->instance);
}

static void complete(struct happening *what)
{
    what->instance->is_shut_out = false;
    enter(what, SV_INSTANCE_STATE_CHECKED);
    sv_liveness_watch(what->cluster, what->instance);
}

static void activate(struct happening *what)
{
    enter(what, SV_INSTANCE_STATE_RUNNING);
    what->cluster->machine->has_activated = true;
    sv_commander_instance_running(what->cluster, what->instance->place);
}

static void give_up(struct happening *what)
{
    sv_handshake_forget(what->instance);
    sv_liveness_doubt(what->cluster, what->instance);
    sv_liveness_watch(what->cluster, what->instance);
    enter(what, SV_INSTANCE_STATE_STOPPED);
}

static void isolate(struct happening *what)
{
    sv_handshake_forget(what->instance);
    sv_liveness_doubt(what->cluster, what->instance);
    enter(what, SV_INSTANCE_STATE_ISOLATED);
    sv_liveness_watch(what->cluster, what->instance);
}

static void shut_out_unheard(struct happening *what)
{
    enter(what, SV_INSTANCE_STATE_CHECKING);
    isolate(what);
}

static void fail(struct happening *what)
{
    struct sv_cluster *cluster = what->cluster;
    struct sv_instance *instance = what->instance;
    sv_handshake_forget(instance);
    enter(what, SV_INSTANCE_STATE_FAILED);
    cluster->machine->has_lost = true;
    sv_liveness_watch(cluster, instance);
    sv_liveness_doubt(cluster, instance);
    sv_command_forget(cluster, instance);
    sv_commander_instance_failed(cluster, instance->place);
}

/* It was silent, and its daemon dies only now: the keeper counts from here. */
static void doubt_longer(struct happening *what)
{
    sv_liveness_trust(what->cluster, what->instance);
    sv_liveness_doubt(what->cluster, what->instance);
}

static void fail_shut_out(struct happening *what)
{
    what->instance->is_shut_out = true;
    fail(what);
}

static void note_shut_out(struct happening *what)
{
    what->instance->is_shut_out = true;
}

/* Whoever ended them: as far as the cluster knows, nothing runs there any more. */
static void lose(struct happening *what)
{
    struct sv_cluster *cluster = what->cluster;
    struct sv_instance *instance = what->instance;
    sv_liveness_trust(cluster, instance);
    if (instance->may_run) {
        instance->may_run = false;
        sv_model_lose(cluster, instance->place);
        sv_sight_see(cluster, instance, sv_quorum_is_settled(cluster, instance));
        sv_machine_wake(cluster);
    }
    if (instance->state != SV_INSTANCE_STATE_FAILED)
        return;
    enum sv_supvisors_state state = sv_machine_state(cluster);
    bool is_fenced = instance->is_shut_out ||
                     (cluster->supvisors->auto_fence && state >= SV_SUPVISORS_STATE_ELECTION &&
                      state <= SV_SUPVISORS_STATE_CONCILIATION);
    enter(what, is_fenced ? SV_INSTANCE_STATE_ISOLATED : SV_INSTANCE_STATE_STOPPED);
}

static void end(struct happening *what)
{
    fail(what);
    lose(what);
}

static void end_checking(struct happening *what)
{
    give_up(what);
    lose(what);
}

static void come_back(struct happening *what)
{
    enter(what, SV_INSTANCE_STATE_STOPPED);
    check(what);
}

static void (*const cells[][SV_INSTANCE_EVENT_COUNT])(struct happening *what) = {
#define INSTANCE_CELL(state, event, handler)                                                       \
    [SV_INSTANCE_STATE_##state][SV_INSTANCE_##event] = handler,
#include "core/cluster/instance.def"
};
_Static_assert(sizeof(cells) / sizeof(*cells) == SV_INSTANCE_STATE_ISOLATED + 1,
               "every state has its cells");

void sv_instance_feed(struct sv_cluster *cluster, struct sv_instance *instance,
                      enum sv_instance_event event, const char *why)
{
    assert(instance->place != cluster->local || event <= SV_INSTANCE_ACTIVATE);
    cells[instance->state][event](&(struct happening){cluster, instance, why});
}

static void on_silence(struct sv_cluster *cluster, struct sv_timer *timer)
{
    struct sv_instance *instance =
        sv_instance_of_timer(timer, offsetof(struct sv_instance, silence));
    const char *why = instance->state == SV_INSTANCE_STATE_CHECKING ? "it did not answer in time"
                      : instance->acknowledged_ns < instance->local_ns
                          ? "it does not hear us"
                          : "nothing was heard of it in suspect_after";
    sv_instance_feed(cluster, instance, SV_INSTANCE_SILENT, why);
}

static void on_loss(struct sv_cluster *cluster, struct sv_timer *timer)
{
    struct sv_instance *instance = sv_instance_of_timer(timer, offsetof(struct sv_instance, loss));
    sv_instance_feed(cluster, instance, SV_INSTANCE_LOSS,
                     "it did not come back, and its programs have ended by now");
}

/* FNV-1a. Two instances agree by sums of these: any good mixture will do. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    hash = (hash ^ (hash >> 31)) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ (hash >> 29);
}

uint64_t sv_instance_hash(const char *identifier)
{
    return hash_of(identifier);
}

static const char *keep(struct sv_cluster *cluster, const char *text)
{
    const char *copy = sv_arena_strdup(&cluster->identities, text ? text : "");
    if (!copy)
        abort();
    return copy;
}

struct sv_instance *sv_instance_add(struct sv_cluster *cluster,
                                    const struct sv_instance_config *config, bool is_voter)
{
    struct sv_instance *instance = sv_allocate(1, sizeof(*instance));
    size_t capacity = cluster->instance_capacity;
    cluster->instances = sv_grow(cluster->instances, &capacity, cluster->instance_count + 1,
                                 sizeof(struct sv_instance *));
    capacity = cluster->instance_capacity;
    cluster->names = sv_grow(cluster->names, &capacity, cluster->instance_count + 1,
                             sizeof(struct sv_instance_names));
    cluster->instance_capacity = (uint32_t)capacity;
    instance->place = cluster->instance_count++;
    instance->identifier = keep(cluster, config->identifier);
    instance->nick = keep(cluster, config->nick);
    instance->host = keep(cluster, config->host);
    instance->machine_id = instance->version = instance->network.host_name = "";
    instance->http_port = config->http_port;
    instance->event_port = config->event_port;
    instance->hash = hash_of(instance->identifier);
    instance->is_voter = is_voter;
    instance->view.master = SV_INSTANCE_NONE;
    cluster->instances[instance->place] = instance;
    cluster->names[instance->place] =
        (struct sv_instance_names){.identifier = instance->identifier, .nick = instance->nick};
    if (sv_map_put(&cluster->by_identifier, instance->identifier, instance) < 0)
        abort();
    cluster->machine->voter_count += is_voter;
    sv_sight_add(cluster, instance);
    sv_timer_init(cluster, &instance->silence, on_silence);
    sv_timer_init(cluster, &instance->loss, on_loss);
    sv_quorum_add(cluster, instance);
    return instance;
}

static void learn_stereotypes(struct sv_cluster *cluster, struct sv_instance *instance,
                              const char *const *names, size_t count)
{
    if (instance->has_stereotypes)
        return;
    const char **items = sv_arena_array(&cluster->identities, const char *, count ? count : 1);
    if (!items)
        abort();
    for (size_t i = 0; i < count; i++)
        items[i] = keep(cluster, names[i]);
    instance->stereotypes = (struct sv_name_list){.items = items, .count = count};
    instance->has_stereotypes = true;
    cluster->names[instance->place].stereotypes = &instance->stereotypes;
}

void sv_instance_discovered(struct sv_cluster *cluster, const struct sv_instance_config *config,
                            const struct sv_name_list *stereotypes)
{
    for (sv_instance_place i = 0; i < cluster->instance_count; i++)
        if (strcmp(cluster->instances[i]->identifier, config->identifier) == 0 ||
            strcmp(cluster->instances[i]->nick, config->nick) == 0)
            return;
    if (cluster->instance_count >= SV_INSTANCES_MAX) {
        sv_decide(cluster, SV_LOG_WARN, "%s is not taken in: there are %u instances already",
                  config->identifier, cluster->instance_count);
        return;
    }
    struct sv_instance *instance = sv_instance_add(cluster, config, false);
    if (stereotypes)
        learn_stereotypes(cluster, instance, stereotypes->items, stereotypes->count);
    sv_decide(cluster, SV_LOG_INFO, "%s was discovered", instance->nick);
    sv_sight_see(cluster, instance, sv_quorum_is_settled(cluster, instance));
    sv_cluster_actions_add(cluster->actions, SV_CLUSTER_CONNECT)->instance = instance->place;
    sv_machine_wake(cluster);
}

static bool is_same_network(const struct sv_mesh_network *a, const struct sv_mesh_network *b)
{
    bool is_same = a->address_count == b->address_count && strcmp(a->host_name, b->host_name) == 0;
    for (size_t i = 0; is_same && i < a->address_count; i++)
        is_same = strcmp(a->addresses[i].interface, b->addresses[i].interface) == 0 &&
                  strcmp(a->addresses[i].address, b->addresses[i].address) == 0 &&
                  strcmp(a->addresses[i].netmask, b->addresses[i].netmask) == 0;
    return is_same;
}

static void learn_network(struct sv_cluster *cluster, struct sv_instance *instance,
                          const struct sv_mesh_network *told)
{
    if (is_same_network(&instance->network, told))
        return;
    struct sv_mesh_address *addresses =
        sv_arena_array(&cluster->identities, struct sv_mesh_address, told->address_count + 1);
    if (!addresses)
        abort();
    for (size_t i = 0; i < told->address_count; i++)
        addresses[i] = (struct sv_mesh_address){keep(cluster, told->addresses[i].interface),
                                                keep(cluster, told->addresses[i].address),
                                                keep(cluster, told->addresses[i].netmask)};
    instance->network =
        (struct sv_mesh_network){keep(cluster, told->host_name), addresses, told->address_count};
}

void sv_instance_learn(struct sv_cluster *cluster, struct sv_instance *instance,
                       const struct sv_mesh_hello *hello)
{
    learn_stereotypes(cluster, instance, hello->stereotypes, hello->stereotype_count);
    if (hello->machine_id && strcmp(instance->machine_id, hello->machine_id) != 0)
        instance->machine_id = keep(cluster, hello->machine_id);
    if (hello->version && strcmp(instance->version, hello->version) != 0)
        instance->version = keep(cluster, hello->version);
    learn_network(cluster, instance, &hello->network);
}

void sv_instances_free(struct sv_cluster *cluster)
{
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        struct sv_instance *instance = cluster->instances[i];
        sv_command_log_free(instance->log);
        free(instance->view.runs);
        free(instance->view.master_identifier);
        free(instance->why);
        free(instance);
    }
    sv_arena_done(&cluster->identities);
    free(cluster->instances);
    free(cluster->names);
    sv_map_done(&cluster->by_identifier);
}

void sv_instance_complain(struct sv_cluster *cluster, struct sv_instance *instance,
                          enum sv_complaint complaint, const char *text)
{
    enum { QUIET_SECONDS = 60 };
    static const char *const words[SV_COMPLAINT_COUNT] = {
        [SV_COMPLAINT_STALE] = "of a former daemon",
        [SV_COMPLAINT_REPLAYED] = "that came before",
        [SV_COMPLAINT_GAP] = "with something missing before it",
        [SV_COMPLAINT_MALFORMED] = "that makes no sense",
        [SV_COMPLAINT_UNEXPECTED] = "that nobody asked for",
    };
    bool is_first = ++instance->complaints[complaint] == 1;
    if (!is_first && cluster->now_ns - instance->complaint_ns < QUIET_SECONDS * SV_SECOND_NS)
        return;
    instance->complaint_ns = cluster->now_ns;
    sv_decide(cluster, SV_LOG_DEBUG, "%s sent a message %s: %s (%llu of them so far)",
              instance->nick, words[complaint], text,
              (unsigned long long)instance->complaints[complaint]);
}
