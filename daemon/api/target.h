/* From the names that clients give to groups and processes. */
#ifndef SV_API_TARGET_H
#define SV_API_TARGET_H

#include "api/call.h"

/* NULL: no such group is in use. */
const struct sv_group_view *sv_target_group(const struct sv_api_host *host, const char *name);
/*
 * Finds "name" (the process of that name in the group of that name), "group:name", "group:" and
 * "group:*". False: there is none. True with ret_view->id 0: it is the whole group.
 */
bool sv_target_find(const struct sv_api_host *host, const char *name,
                    const struct sv_group_view **ret_group, struct sv_process_view *ret_view);
/* As above for methods that want one process: false when it is not, and the call has its fault. */
bool sv_target_process(struct sv_api_call *call, const char *name,
                       struct sv_process_view *ret_view);
/* "name" or "group:name", as Supervisor's make_namespec(). */
void sv_target_name(const struct sv_process_view *view, struct sv_str *ret_name);

#endif
