/* Names and numbers of what a user chooses among: svisor/choices.def. Numbers begin at 0 and have
 * no holes. */
#ifndef SV_BASE_CHOICE_H
#define SV_BASE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <svisor/choices.h>

#include "base/str.h"

/* "LESS_LOADED"; NULL: no such number. */
const char *sv_choice_name(enum sv_choice_kind kind, int number);
/* What it means, for people; NULL: no such number. */
const char *sv_choice_help(enum sv_choice_kind kind, int number);
/* The files of Supvisors take options in any case, and rules and remote calls as written here. */
bool sv_choice_parse(enum sv_choice_kind kind, const char *name, bool any_case, int *ret_number);
size_t sv_choice_count(enum sv_choice_kind kind);
/* Appends "ABORT, STOP or CONTINUE". */
void sv_choice_list(enum sv_choice_kind kind, struct sv_str *ret_text);

#endif
