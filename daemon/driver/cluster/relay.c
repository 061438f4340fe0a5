/* Calls of the clients of this daemon that are for another instance: relay.h says how they travel.
 */
#include "driver/cluster/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/choice.h"
#include "base/log.h"

enum { TIMER_ACCURACY_NS = 10000000 };

/* --- what both sides use --- */

int sv_relay_send(struct sv_driver_cluster *cluster, sv_instance_place place,
                  struct sv_mesh_message message)
{
    message.incarnation = cluster->incarnation;
    return sv_mesh_send(cluster->mesh, place, &message);
}

bool sv_relay_is_there(const struct sv_driver_cluster *cluster, const struct sv_relay_party *party)
{
    uint64_t incarnation = sv_cluster_partner(cluster->core, party->place);
    return incarnation != 0 && incarnation == party->incarnation;
}

const char *sv_relay_nick(const struct sv_driver_cluster *cluster, sv_instance_place place)
{
    struct sv_instance_view view;
    sv_cluster_instance(cluster->core, place, &view);
    return view.names.nick;
}

void sv_relay_watch(struct sv_driver_cluster *cluster)
{
    const struct sv_relay *relay = cluster->relay;
    if (relay->asked_count + relay->served_count == 1)
        sv_source_arm(relay->timer, sv_now_ns() + SV_RELAY_WAITS_NS);
}

/* --- the calls --- */

/* The mesh's ids: those of api count from 1 in each daemon, and no two daemons may share one. */
static uint64_t mesh_id(const struct sv_driver_cluster *cluster, uint64_t id)
{
    return cluster->incarnation + id;
}

static void asked_free(struct sv_relay_asked *asked)
{
    free(asked->method);
    sv_str_done(&asked->result);
    free(asked);
}

static void forget(struct sv_relay *relay, size_t index)
{
    relay->asked[index] = relay->asked[--relay->asked_count];
}

/* Takes it out of the list before anybody hears of it: who hears may call again. */
static void settle(struct sv_driver_cluster *cluster, size_t index,
                   const struct sv_api_answer *answer)
{
    struct sv_relay_asked *asked = cluster->relay->asked[index];
    uint64_t id = asked->id;
    forget(cluster->relay, index);
    asked_free(asked);
    sv_api_relay_answered(cluster->driver->api, id, answer);
}

static void refuse(struct sv_driver_cluster *cluster, uint64_t id, const struct sv_str *text)
{
    const struct sv_api_answer answer = {.fault_code = SV_FAULT_FAILED,
                                         .fault_text = sv_str_text(text)};
    sv_api_relay_answered(cluster->driver->api, id, &answer);
}

/* `ending` completes "svisor.why of s2: ". */
static void fail(struct sv_driver_cluster *cluster, size_t index, const char *ending)
{
    const struct sv_relay_asked *asked = cluster->relay->asked[index];
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "FAILED: %s of %s: %s", asked->method,
                sv_relay_nick(cluster, asked->party.place), ending);
    settle(
        cluster, index,
        &(struct sv_api_answer){.fault_code = SV_FAULT_FAILED, .fault_text = sv_str_text(&text)});
}

static void fail_lost(struct sv_driver_cluster *cluster, size_t index)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_instance_view view;
    sv_cluster_instance(cluster->core, cluster->relay->asked[index]->party.place, &view);
    sv_str_addf(&text, "the instance was lost before it answered (%s); %s",
                *view.why ? view.why : "another daemon speaks for it",
                "whether it was done is not known");
    fail(cluster, index, sv_str_text(&text));
}

/* --- asking --- */

static bool has_room(const struct sv_relay *relay, sv_instance_place place, struct sv_str *text)
{
    size_t count = 0;
    for (size_t i = 0; i < relay->asked_count; i++)
        count += relay->asked[i]->party.place == place;
    if (relay->asked_count < SV_RELAY_CALLS_MAX && count < SV_RELAY_INSTANCE_MAX)
        return true;
    sv_str_addf(text, "FAILED: %d calls to one instance, or %d to all, wait already; try later",
                SV_RELAY_INSTANCE_MAX, SV_RELAY_CALLS_MAX);
    return false;
}

static bool is_reachable(const struct sv_driver_cluster *cluster, sv_instance_place place,
                         struct sv_str *text)
{
    struct sv_instance_view view;
    if (sv_cluster_partner(cluster->core, place) != 0)
        return true;
    sv_cluster_instance(cluster->core, place, &view);
    sv_str_addf(text, "FAILED: %s cannot be asked: it is %s%s%s", view.names.nick,
                sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)view.state), *view.why ? ", " : "",
                view.why);
    return false;
}

static bool send_call(struct sv_driver_cluster *cluster, const struct sv_relay_asked *asked,
                      json_t *params, struct sv_str *text)
{
    char *json = json_dumps(params, JSON_COMPACT);
    size_t length = json ? strlen(json) : 0;
    int r = json ? 0 : -ENOMEM;
    if (length > SV_RELAY_PARAMS_BYTES_MAX)
        sv_str_addf(text,
                    "FAILED: the arguments have %zu bytes, and %u can be relayed: ask %s itself",
                    length, SV_RELAY_PARAMS_BYTES_MAX, sv_relay_nick(cluster, asked->party.place));
    else if (r == 0)
        r = sv_relay_send(cluster, asked->party.place,
                          (struct sv_mesh_message){.kind = SV_MESH_CALL,
                                                   .call = {.id = mesh_id(cluster, asked->id),
                                                            .method = asked->method,
                                                            .params = {json, length}}});
    if (r == SV_MESH_E_AWAY)
        sv_str_addf(text, "FAILED: the connection to %s has just broken",
                    sv_relay_nick(cluster, asked->party.place));
    else if (r < 0)
        sv_str_add(text, "FAILED: out of memory");
    free(json);
    return text->length == 0;
}

static struct sv_relay_asked *asked_new(struct sv_driver_cluster *cluster, uint64_t id,
                                        sv_instance_place place, const char *method)
{
    struct sv_relay_asked *asked = calloc(1, sizeof(*asked));
    char *copy = strdup(method);
    if (!asked || !copy) {
        free(asked);
        free(copy);
        return NULL;
    }
    asked->id = id;
    asked->party = (struct sv_relay_party){place, sv_cluster_partner(cluster->core, place)};
    asked->method = copy;
    asked->heard_ns = sv_now_ns();
    return asked;
}

void sv_driver_cluster_relay(void *user, uint64_t id, sv_instance_place place, const char *method,
                             json_t *params)
{
    struct sv_driver_cluster *cluster = user;
    struct sv_relay *relay = cluster->relay;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (!is_reachable(cluster, place, &text) || !has_room(relay, place, &text)) {
        refuse(cluster, id, &text);
        return;
    }
    struct sv_relay_asked *asked = asked_new(cluster, id, place, method);
    if (!asked) {
        sv_str_add(&text, "FAILED: out of memory");
        refuse(cluster, id, &text);
        return;
    }
    if (!send_call(cluster, asked, params, &text)) {
        asked_free(asked);
        refuse(cluster, id, &text);
        return;
    }
    relay->asked[relay->asked_count++] = asked;
    sv_relay_watch(cluster);
}

static void send_want(struct sv_driver_cluster *cluster, sv_instance_place place, uint64_t id,
                      bool is_wanted)
{
    /* If it is lost, the other side asks again or gives up: relay.h. */
    (void)sv_relay_send(
        cluster, place,
        (struct sv_mesh_message){.kind = SV_MESH_WANT, .want = {.id = id, .is_wanted = is_wanted}});
}

void sv_driver_cluster_drop_relayed(void *user, uint64_t id)
{
    struct sv_driver_cluster *cluster = user;
    struct sv_relay *relay = cluster->relay;
    for (size_t i = 0; i < relay->asked_count; i++) {
        struct sv_relay_asked *asked = relay->asked[i];
        if (asked->id != id)
            continue;
        send_want(cluster, asked->party.place, mesh_id(cluster, id), false);
        forget(relay, i);
        asked_free(asked);
        return;
    }
}

/* --- what comes back --- */

static void read_whole(struct sv_driver_cluster *cluster, size_t index)
{
    const struct sv_str *bytes = &cluster->relay->asked[index]->result;
    json_t *value =
        json_loadb(sv_str_text(bytes), bytes->length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (value)
        settle(cluster, index, &(struct sv_api_answer){.result = value});
    else
        fail(cluster, index, "its answer is not JSON, or memory is short");
    json_decref(value);
}

static void take_result(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                        const struct sv_mesh_result *result)
{
    struct sv_relay *relay = cluster->relay;
    size_t i = 0;
    while (i < relay->asked_count && (mesh_id(cluster, relay->asked[i]->id) != result->id ||
                                      relay->asked[i]->party.place != party->place))
        i++;
    if (i == relay->asked_count) {
        if (result->progress != SV_MESH_RESULT_ENDS)
            send_want(cluster, party->place, result->id, false);
        return;
    }
    struct sv_relay_asked *asked = relay->asked[i];
    asked->heard_ns = sv_now_ns();
    if (result->progress == SV_MESH_RESULT_WAITS)
        return;
    sv_str_append(&asked->result, result->part.bytes, result->part.length);
    bool is_too_long = asked->result.length > SV_RELAY_RESULT_BYTES_MAX;
    if (result->fault != 0) {
        settle(cluster, i,
               &(struct sv_api_answer){.fault_code = result->fault, .fault_text = result->text});
    } else if (is_too_long) {
        send_want(cluster, party->place, result->id, false);
        fail(cluster, i, "its answer is longer than it may be");
    } else if (result->progress == SV_MESH_RESULT_PART) {
        send_want(cluster, party->place, result->id, true);
    } else {
        asked->is_whole = true;
        sv_source_enable(relay->work, true);
    }
}

/* Reads one result that is whole. False: there is none. */
static bool read_one(struct sv_driver_cluster *cluster)
{
    const struct sv_relay *relay = cluster->relay;
    for (size_t i = 0; i < relay->asked_count; i++) {
        if (!relay->asked[i]->is_whole)
            continue;
        read_whole(cluster, i);
        return true;
    }
    return false;
}

static void on_work(void *user)
{
    struct sv_driver_cluster *cluster = user;
    struct sv_relay *relay = cluster->relay;
    relay->makes_first = !relay->makes_first;
    bool is_done = relay->makes_first ? sv_relay_make_one(cluster) || read_one(cluster)
                                      : read_one(cluster) || sv_relay_make_one(cluster);
    if (is_done)
        sv_source_enable(relay->work, true);
}

void sv_relay_receive(struct sv_driver_cluster *cluster, sv_instance_place place,
                      const struct sv_mesh_message *message)
{
    const struct sv_relay_party party = {place, message->incarnation};
    if (message->kind == SV_MESH_CALL)
        sv_relay_serve(cluster, &party, &message->call);
    else if (message->kind == SV_MESH_WANT)
        sv_relay_wanted(cluster, &party, message->want.id, message->want.is_wanted);
    else if (sv_relay_is_there(cluster, &party))
        take_result(cluster, &party, &message->result);
}

/* --- those that get no answer --- */

static uint64_t patience_ns(const struct sv_driver_cluster *cluster)
{
    return SV_RELAY_PATIENCE_NS +
           (uint64_t)(cluster->owner->daemon.cluster.suspect_after * 1000000000.0);
}

/* Ends one of them that will get no answer. False: there is none. */
static bool end_one(struct sv_driver_cluster *cluster)
{
    static const char unheard[] =
        "nothing was heard of the call for too long: the connection broke meanwhile, or the "
        "instance is of a version that relays no calls; whether it was done is not known";
    const struct sv_relay *relay = cluster->relay;
    uint64_t now_ns = sv_now_ns();
    for (size_t i = 0; i < relay->asked_count; i++) {
        struct sv_relay_asked *asked = relay->asked[i];
        if (asked->is_whole)
            continue;
        if (!sv_relay_is_there(cluster, &asked->party))
            fail_lost(cluster, i);
        else if (now_ns - asked->heard_ns > patience_ns(cluster))
            fail(cluster, i, unheard);
        else
            continue;
        return true;
    }
    return false;
}

static void on_timer(void *user)
{
    struct sv_driver_cluster *cluster = user;
    const struct sv_relay *relay = cluster->relay;
    while (end_one(cluster))
        ; /* from the first one on: who was answered may have called again */
    sv_relay_review_served(cluster);
    if (relay->asked_count + relay->served_count > 0)
        sv_source_arm(relay->timer, sv_now_ns() + SV_RELAY_WAITS_NS);
}

void sv_relay_instance_changed(struct sv_driver_cluster *cluster)
{
    const struct sv_relay *relay = cluster->relay;
    if (relay->asked_count + relay->served_count > 0)
        sv_source_arm(relay->timer, sv_now_ns());
}

int sv_relay_open(struct sv_driver_cluster *cluster)
{
    cluster->relay = calloc(1, sizeof(*cluster->relay));
    if (!cluster->relay)
        return -ENOMEM;
    int r = sv_loop_add_timer(cluster->driver->loop, TIMER_ACCURACY_NS, on_timer, cluster,
                              &cluster->relay->timer);
    if (r == 0)
        r = sv_loop_add_defer(cluster->driver->loop, SV_PRIORITY_OUTPUT, on_work, cluster,
                              &cluster->relay->work);
    return r;
}

void sv_relay_close(struct sv_driver_cluster *cluster)
{
    struct sv_relay *relay = cluster->relay;
    if (!relay)
        return;
    for (size_t i = 0; i < relay->asked_count; i++)
        asked_free(relay->asked[i]);
    sv_relay_free_served(relay);
    sv_source_free(relay->timer);
    sv_source_free(relay->work);
    free(relay);
}
