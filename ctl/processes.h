/* Which processes a list of names means. */
#ifndef SV_CTL_PROCESSES_H
#define SV_CTL_PROCESSES_H

#include "ctl.h"

/*
 * The structs of getAllProcessInfo that the words mean: "NAME", "GROUP:NAME", "GROUP:*", "all", or
 * all of them without words. In the order of the words, and of the server within one. A name that
 * matches nothing is said on stdout and gives `bad_name_exit`. The result is a new reference.
 */
enum sv_verdict sv_processes_matching(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                                      enum sv_exit bad_name_exit, json_t **ret_infos);

#endif
