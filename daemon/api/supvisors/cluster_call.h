/* What the methods of supvisors.* share: the checks that come first, and the structs of answers. */
#ifndef SV_API_SUPVISORS_CLUSTER_CALL_H
#define SV_API_SUPVISORS_CLUSTER_CALL_H

#include "api/cluster_host.h"
#include "api/handlers.h"
#include "api/text.h"
#include "base/choice.h"
#include "base/names.h"

static inline const struct sv_api_cluster *sv_cluster_of(const struct sv_api_call *call)
{
    return sv_call_host(call)->cluster;
}

/* --- checks: false means that the call has its fault --- */

/* get_all_applications_info and its sisters: the applications are known from DISTRIBUTION on. */
bool sv_cluster_check_distributed(struct sv_api_call *call);
/* The methods that need all of the cluster at work. */
bool sv_cluster_check_operating(struct sv_api_call *call);
/* The end of the cluster may also be asked for during an election. */
bool sv_cluster_check_closable(struct sv_api_call *call);
bool sv_cluster_check_conciliating(struct sv_api_call *call);
bool sv_cluster_check_application(struct sv_api_call *call, const char *name,
                                  struct sv_application_view *ret, size_t *ret_place);
/* "application:process", "name" (the process of that name in the application of that name),
 * "application:" and "application:*", which are all: then *ret_process is SIZE_MAX. */
bool sv_cluster_check_process(struct sv_api_call *call, const char *namespec,
                              size_t *ret_application, size_t *ret_process);
/* An identifier, nickname or stereotype. The array is the caller's to free. */
bool sv_cluster_check_instances(struct sv_api_call *call, const char *name,
                                sv_instance_place **ret_places, uint32_t *ret_count);
/* A strategy by its name or its number. */
bool sv_cluster_check_choice(struct sv_api_call *call, enum sv_choice_kind kind, json_t *value,
                             int *ret_number);
/* The end of a fault about a value that is neither a name nor a number. */
void sv_cluster_add_strange(const json_t *value, struct sv_str *text);

/* --- pieces of answers: new references, NULL without memory --- */

double sv_cluster_seconds(uint64_t ns);
json_t *sv_cluster_identifier_list(const struct sv_api_cluster *cluster,
                                   const sv_instance_place *places, size_t count);
/* Of the rule; with `#` the one that its number gives to the application. */
json_t *sv_cluster_application_identifiers(const struct sv_api_cluster *cluster,
                                           const struct sv_application_rules *rules);
json_t *sv_cluster_name_list(const struct sv_name_list *names);
/* Appends to the list and takes the item; a NULL item, or no memory, empties the list to NULL. */
void sv_cluster_append(json_t **list, json_t *item);

#endif
