/* Which programs are disabled, over the life of the daemon. See disabilities.c. */
#ifndef SV_IO_DISABILITIES_H
#define SV_IO_DISABILITIES_H

#include <stdbool.h>

#include "base/str.h"

struct sv_disabilities;

/*
 * Reads the file; without one (`path` NULL) nothing is remembered over the daemon's end. 0,
 * -ENOMEM, or SV_DISABILITIES_E_BROKEN with a sentence for people: it is there and cannot be
 * understood.
 */
#define SV_DISABILITIES_E_BROKEN 1
int sv_disabilities_open(const char *path, struct sv_str *ret_problem,
                         struct sv_disabilities **ret_disabilities);
/* NULL is allowed. */
void sv_disabilities_free(struct sv_disabilities *disabilities);
bool sv_disabilities_has(const struct sv_disabilities *disabilities, const char *program);
/* Calls the function with each program that is disabled, in the order of the file. */
void sv_disabilities_tell(const struct sv_disabilities *disabilities,
                          void (*function)(void *user, const char *program), void *user);
/* Notes that there is such a program, enabled unless the file says otherwise. 0 or -ENOMEM. */
int sv_disabilities_know(struct sv_disabilities *disabilities, const char *program);
/* 0 or -ENOMEM. */
int sv_disabilities_put(struct sv_disabilities *disabilities, const char *program,
                        bool is_disabled);
/* Writes the file, if anything in it is new. 0, also without a file; negative errno. */
int sv_disabilities_save(struct sv_disabilities *disabilities);

#endif
