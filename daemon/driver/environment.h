/* Joins lists of "KEY=value" into one environment. */
#ifndef SV_DRIVER_ENVIRONMENT_H
#define SV_DRIVER_ENVIRONMENT_H

#include <stddef.h>

#include "config/config.h"

/*
 * All variables of all lists, each NULL-terminated (a list may be NULL); a later one replaces an
 * earlier one of the same name. The first list is taken as it is: what svisord inherited is what
 * programs inherit. The array is the caller's to free(), its strings are borrowed from the lists.
 */
int sv_environment_merge(const char *const *const *lists, size_t list_count,
                         const char ***ret_environment);
/* PATH of the program's own environment=, or NULL. */
const char *sv_environment_path(const struct sv_program_config *config);

#endif
