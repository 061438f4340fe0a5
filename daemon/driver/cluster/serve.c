/* Calls that other instances relay to this one: relay.h says how they travel. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "driver/cluster/relay.h"

static int send_result(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                       const struct sv_mesh_result *result)
{
    return sv_relay_send(cluster, party->place,
                         (struct sv_mesh_message){.kind = SV_MESH_RESULT, .result = *result});
}

static void refuse(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                   uint64_t id, enum sv_fault fault, const char *words)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_fault_text(fault, words, &text);
    (void)send_result(cluster, party,
                      &(struct sv_mesh_result){.id = id,
                                               .progress = SV_MESH_RESULT_ENDS,
                                               .fault = (int)fault,
                                               .text = sv_str_text(&text)});
}

static void served_free(struct sv_relay_served *served)
{
    json_decref(served->params);
    free(served->method);
    free(served->result);
    free(served);
}

static void forget(struct sv_relay_served *served)
{
    struct sv_relay *relay = served->cluster->relay;
    size_t i = 0;
    while (relay->served[i] != served)
        i++;
    relay->served[i] = relay->served[--relay->served_count];
    served_free(served);
}

/* Sends the next part; after the last one, or when the way there is gone, the call is forgotten. */
static void send_part(struct sv_relay_served *served)
{
    size_t left = served->length - served->sent;
    size_t length = left < SV_RELAY_PART_BYTES ? left : SV_RELAY_PART_BYTES;
    bool is_last = length == left;
    int r = send_result(
        served->cluster, &served->party,
        &(struct sv_mesh_result){.id = served->id,
                                 .progress = is_last ? SV_MESH_RESULT_ENDS : SV_MESH_RESULT_PART,
                                 .part = {served->result + served->sent, length}});
    served->sent += length;
    served->sent_ns = sv_now_ns();
    if (is_last || r != 0)
        forget(served);
}

static void refuse_and_forget(struct sv_relay_served *served, const char *words)
{
    refuse(served->cluster, &served->party, served->id, SV_FAULT_FAILED, words);
    forget(served);
}

static void on_answered(void *user, const struct sv_api_answer *answer)
{
    struct sv_relay_served *served = user;
    served->waiting = NULL;
    if (answer->fault_code != 0) {
        (void)send_result(served->cluster, &served->party,
                          &(struct sv_mesh_result){.id = served->id,
                                                   .progress = SV_MESH_RESULT_ENDS,
                                                   .fault = answer->fault_code,
                                                   .text = answer->fault_text});
        forget(served);
        return;
    }
    served->result = json_dumps(answer->result, JSON_COMPACT | JSON_ENCODE_ANY);
    served->length = served->result ? strlen(served->result) : 0;
    if (!served->result)
        refuse_and_forget(served, "out of memory");
    else if (served->length > SV_RELAY_RESULT_BYTES_MAX)
        refuse_and_forget(served,
                          "it is done, and the answer is larger than 1 MB, which is what can be "
                          "relayed: ask for less, or ask that instance itself");
    else
        send_part(served);
}

static struct sv_relay_served *find(const struct sv_relay *relay,
                                    const struct sv_relay_party *party, uint64_t id)
{
    for (size_t i = 0; i < relay->served_count; i++) {
        struct sv_relay_served *served = relay->served[i];
        if (served->id == id && served->party.place == party->place &&
            served->party.incarnation == party->incarnation)
            return served;
    }
    return NULL;
}

static bool has_room(const struct sv_relay *relay, sv_instance_place place)
{
    size_t count = 0;
    for (size_t i = 0; i < relay->served_count; i++)
        count += relay->served[i]->party.place == place;
    return relay->served_count < SV_RELAY_CALLS_MAX && count < SV_RELAY_INSTANCE_MAX;
}

/* Why it is not done; SV_FAULT_NONE: it is. */
static enum sv_fault check(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                           const struct sv_mesh_call *call, const json_t *params,
                           const char **ret_words)
{
    *ret_words = NULL;
    if (!cluster->owner->daemon.cluster.mesh_calls) {
        *ret_words = "the instance has mesh_calls=false: ask it itself";
        return SV_FAULT_FAILED;
    }
    if (!sv_relay_is_there(cluster, party)) {
        *ret_words = "the instance that was asked has not accepted the one that asks";
        return SV_FAULT_FAILED;
    }
    if (!has_room(cluster->relay, party->place)) {
        *ret_words = "the instance has too many calls of others already, try later";
        return SV_FAULT_FAILED;
    }
    if (!params || !sv_api_may_be_relayed(call->method, params)) {
        *ret_words = params ? "a relayed call is not relayed again" : "the arguments are not JSON";
        return SV_FAULT_INCORRECT_PARAMETERS;
    }
    return SV_FAULT_NONE;
}

/* Takes `params`. NULL without memory. */
static struct sv_relay_served *served_new(struct sv_driver_cluster *cluster,
                                          const struct sv_relay_party *party,
                                          const struct sv_mesh_call *call, json_t *params)
{
    struct sv_relay_served *served = calloc(1, sizeof(*served));
    char *method = strdup(call->method);
    if (!served || !method) {
        free(served);
        free(method);
        json_decref(params);
        return NULL;
    }
    *served = (struct sv_relay_served){
        .cluster = cluster,
        .id = call->id,
        .party = *party,
        .number = ++cluster->relay->last_number,
        .method = method,
        .params = params,
    };
    return served;
}

void sv_relay_serve(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                    const struct sv_mesh_call *call)
{
    struct sv_relay *relay = cluster->relay;
    const char *words;
    json_t *params = json_loadb(call->params.bytes, call->params.length, JSON_ALLOW_NUL, NULL);
    enum sv_fault fault = check(cluster, party, call, params, &words);
    if (fault) {
        refuse(cluster, party, call->id, fault, words);
        json_decref(params);
        return;
    }
    struct sv_relay_served *served = served_new(cluster, party, call, params);
    if (!served) {
        refuse(cluster, party, call->id, SV_FAULT_FAILED, "out of memory");
        return;
    }
    relay->served[relay->served_count++] = served;
    sv_relay_watch(cluster);
    sv_source_enable(relay->work, true);
}

bool sv_relay_make_one(struct sv_driver_cluster *cluster)
{
    const struct sv_relay *relay = cluster->relay;
    struct sv_relay_served *served = NULL;
    for (size_t i = 0; i < relay->served_count; i++)
        if (relay->served[i]->method && (!served || relay->served[i]->number < served->number))
            served = relay->served[i];
    if (!served)
        return false;
    char *method = sv_steal(&served->method);
    json_t *params = sv_steal(&served->params);
    sv_log(SV_LOG_TRACE, "method called by %s: %s()", sv_relay_nick(cluster, served->party.place),
           method);
    struct sv_api_call *waiting =
        sv_api_call(cluster->driver->api, method, params, on_answered, served);
    if (waiting)
        served->waiting = waiting; /* otherwise it is answered, and perhaps gone */
    json_decref(params);
    free(method);
    return true;
}

/* What the call does goes on; only the waiting for it ends. */
static void drop(struct sv_relay_served *served)
{
    if (served->waiting)
        sv_api_call_cancel(served->waiting);
    forget(served);
}

void sv_relay_wanted(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                     uint64_t id, bool is_wanted)
{
    struct sv_relay_served *served = find(cluster->relay, party, id);
    if (!served)
        return;
    if (!is_wanted)
        drop(served);
    else if (served->result)
        send_part(served);
}

void sv_relay_review_served(struct sv_driver_cluster *cluster)
{
    const struct sv_relay *relay = cluster->relay;
    uint64_t now_ns = sv_now_ns();
    for (size_t i = relay->served_count; i-- > 0;) { /* forget() puts the last one into the gap */
        struct sv_relay_served *served = relay->served[i];
        bool is_stuck = served->result && now_ns - served->sent_ns > SV_RELAY_PATIENCE_NS;
        if (!sv_relay_is_there(cluster, &served->party) || is_stuck)
            drop(served);
        else if (!served->result)
            (void)send_result(
                cluster, &served->party,
                &(struct sv_mesh_result){.id = served->id, .progress = SV_MESH_RESULT_WAITS});
    }
}

void sv_relay_free_served(struct sv_relay *relay)
{
    for (size_t i = 0; i < relay->served_count; i++)
        served_free(relay->served[i]); /* the call itself has gone with api */
}
