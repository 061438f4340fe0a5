/*
 * The remote methods: one row of methods.def each, called with jansson values, answered once.
 *
 * A call is answered inside sv_api_call() or later: startProcess waits for RUNNING, a group for all
 * its members, system.multicall for all its calls. Nothing blocks meanwhile. The driver says
 * whenever a process has changed, and the waiting calls that care look again.
 */
#ifndef SV_API_API_H
#define SV_API_API_H

#include <jansson.h>

#include "api/host.h"

struct sv_api;
struct sv_api_call;
struct sv_cluster_answer;

/* Exactly one of the two is meant: `result` (borrowed for the call) or, with code != 0, a fault. */
struct sv_api_answer {
    json_t *result;
    int fault_code; /* enum sv_fault of api/faults.def */
    const char *fault_text;
};

typedef void (*sv_api_answered)(void *user, const struct sv_api_answer *answer);

/* `host` is kept. NULL without memory. */
struct sv_api *sv_api_new(const struct sv_api_host *host);
/* Calls that still wait are dropped without an answer. */
void sv_api_free(struct sv_api *api);

/*
 * `params` is an array (borrowed). `answered` is called exactly once, perhaps before this returns;
 * then NULL is returned. Otherwise the waiting call, which the caller may drop with
 * sv_api_call_cancel() until it is answered.
 */
struct sv_api_call *sv_api_call(struct sv_api *api, const char *method, json_t *params,
                                sv_api_answered answered, void *user);
void sv_api_call_cancel(struct sv_api_call *call);

/* What came of the host's reexec(): the version that is about to be executed, or NULL and what is
 * wrong with it. */
void sv_api_reexec_tried(struct sv_api *api, const char *version, const char *problem);

/* What Supervisor's getProcessInfo says in `description`; `now` in seconds since 1970. */
void sv_api_describe_process(const struct sv_process_view *view, int64_t now, struct sv_str *ret);
/* The same of one that is RUNNING since `start`. */
void sv_api_describe_running(int32_t pid, int64_t start, int64_t now, struct sv_str *ret);

/* A process changed state, was removed, or the daemon begins to stop (process 0: any). */
void sv_api_process_changed(struct sv_api *api, sv_process_id process);

/* What came of a call that struct sv_api_cluster has relayed. */
void sv_api_relay_answered(struct sv_api *api, uint64_t id, const struct sv_api_answer *answer);
/* False: the call would be relayed once more, and so perhaps for ever. */
bool sv_api_may_be_relayed(const char *method, const json_t *params);

/* The answer of core/cluster to what a method of supvisors.* asked. */
void sv_api_cluster_answered(struct sv_api *api, const struct sv_cluster_answer *answer);

#endif
