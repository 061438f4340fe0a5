/*
 * A call while it is being answered: what the handlers of methods.def work with. Internal to api.
 *
 * A handler settles its call at once, by sv_call_return() or sv_call_fault(), or turns it into a
 * call about processes, its members (sv_call_on_name() and its sisters). Then the call is settled
 * when its last member is.
 */
#ifndef SV_API_CALL_H
#define SV_API_CALL_H

#include <jansson.h>

#include "api/api.h"
#include "api/cluster_host.h"
#include "api/fault.h"
#include "api/method.h"
#include "base/idmap.h"
#include "base/map.h"

/* A place in a circular list; a list is a link of its own. */
struct sv_link {
    struct sv_link *previous, *next;
};

void sv_link_reset(struct sv_link *link);
/* Also right for a link that is in no list. */
void sv_link_remove(struct sv_link *link);
void sv_link_append(struct sv_link *list, struct sv_link *link);
static inline bool sv_link_is_alone(const struct sv_link *link)
{
    return link->next == link;
}

/* What a member waits for. */
enum sv_wait {
    SV_WAIT_NOTHING,
    SV_WAIT_SPAWNED, /* the spawn was answered, well or badly */
    SV_WAIT_RUNNING,
    SV_WAIT_STOPPED,
    SV_WAIT_GONE, /* a retired one */
};

/* One process that a call is about. */
struct sv_member {
    struct sv_link link; /* among the members that wait for a process */
    struct sv_api_call *call;
    sv_process_id process;
    uint32_t run; /* the one that is to stop */
    enum sv_wait wait;
    char *name; /* as faults tell it */
    /* Of the result, with name and group; NULL: the call is about this process alone. */
    json_t *entry;
    bool is_late; /* it had to wait: its entry comes behind those of the others */
};

struct sv_multicall;

struct sv_api_call {
    struct sv_link link; /* among the waiting calls, or among the settled ones */
    struct sv_api *api;
    sv_api_answered answered;
    void *user;
    bool is_building; /* the handler has not returned yet */
    bool is_settled;
    json_t *result;
    enum sv_fault fault; /* SV_FAULT_NONE: `result` is the answer */
    struct sv_str fault_text;

    struct sv_member *members;
    size_t member_count;
    size_t open_count; /* members that are not settled, and one while building */
    json_t *entries;   /* of the settled members that did not have to wait */
    bool has_failed;   /* memory was short for one of them */
    /* Makes the answer of `entries`; NULL: they are the answer. */
    void (*finish)(struct sv_api_call *call);

    struct sv_multicall *multicall; /* the state of a system.multicall; NULL: another method */
    uint64_t request;               /* that core/cluster is to answer; 0: none */
    enum sv_cluster_request_kind request_kind;
    uint64_t relayed;          /* the call that another instance is to answer; 0: none */
    struct sv_api_call *inner; /* the call that was relayed to this one; NULL: none */
};

/* NULL `result` means that memory was short: a fault. Takes the reference. */
void sv_call_return(struct sv_api_call *call, json_t *result);
/* `extra` may be NULL. */
void sv_call_fault(struct sv_api_call *call, enum sv_fault fault, const char *extra);
/* The answer of another call, whose fault has all its words and may be unknown here. */
void sv_call_answer_as(struct sv_api_call *call, const struct sv_api_answer *answer);

/* The method of that name or alias; NULL: none. */
const struct sv_method *sv_api_method(const struct sv_api *api, const char *name);

/* What is done to each member of a call. */
struct sv_verb {
    /* False: a call about many leaves the process out. A call about one does not ask. */
    bool (*applies)(const struct sv_process_view *view);
    /* Settles the member or lets it wait. `rest` are the arguments behind the name. */
    void (*act)(struct sv_member *member, const struct sv_process_view *view,
                const struct sv_argument *rest);
};

/* "name", "group:name", or all of "group:*". */
void sv_call_on_name(struct sv_api_call *call, const char *name, const struct sv_verb *verb,
                     const struct sv_argument *rest);
void sv_call_on_group(struct sv_api_call *call, const char *group, const struct sv_verb *verb,
                      const struct sv_argument *rest);
void sv_call_on_all(struct sv_api_call *call, const struct sv_verb *verb,
                    const struct sv_argument *rest);
/* These ones; what comes of each is in call->entries for call->finish(). */
void sv_call_on_these(struct sv_api_call *call, const sv_process_id *processes, size_t count,
                      const struct sv_verb *verb, const struct sv_argument *rest);

/* Fault SV_FAULT_SUCCESS: done. Else `extra` as in sv_call_fault(). */
void sv_member_settle(struct sv_member *member, enum sv_fault fault, const char *extra);
/* Looks at once, and from then on whenever the process changes. */
void sv_member_wait(struct sv_member *member, enum sv_wait wait);
/* Settles the waiting members of that process, or of all for 0, that have what they wait for. */
void sv_members_look(struct sv_api *api, sv_process_id process);
void sv_members_free(struct sv_api_call *call);

/* The call goes: cancels the call inside it that waits, and frees the rest as soon as possible. */
void sv_multicall_drop(struct sv_multicall *multicall);

/* supvisors/relay.c: the call goes before that which was relayed was answered. */
void sv_relay_call_drop(struct sv_api_call *call);

/* supvisors/requests.c: the call goes before its request was answered; the answer has come. */
void sv_cluster_call_drop(struct sv_api_call *call);
void sv_cluster_call_answered(struct sv_api *api, const struct sv_cluster_answer *answer);

/* The registry of one sv_api. */
enum { SV_API_BUCKET_COUNT = 1024 }; /* lists of waiting members, by process id */

struct sv_api {
    const struct sv_api_host *host;
    struct sv_map methods;           /* name -> const struct sv_method */
    struct sv_link waiting;          /* calls */
    struct sv_link settled;          /* calls, answered when nothing of api is on the stack */
    size_t waiting_count;            /* calls in `waiting` */
    struct sv_api_call *reexec_call; /* the one that waits for sv_api_reexec_tried() */
    bool is_trying_reexec;           /* also when nobody waits for it any more */
    size_t member_count;             /* of all calls */
    struct sv_idmap requests;        /* of core/cluster: id -> the call that waits */
    struct sv_idmap relayed;         /* of other instances: id -> the call that waits */
    uint64_t last_request;
    unsigned depth; /* how often api is on the stack */
    struct sv_link buckets[SV_API_BUCKET_COUNT];
};

static inline const struct sv_api_host *sv_call_host(const struct sv_api_call *call)
{
    return call->api->host;
}

#endif
