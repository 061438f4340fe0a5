/*
 * Diagnostics for people: what is wrong, where, and what to write instead.
 *
 * A reader of outside text collects all of them and goes on, so that a user sees every problem at
 * once and not the first. The zero value is an empty list.
 */
#ifndef SV_BASE_DIAG_H
#define SV_BASE_DIAG_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"

#define SV_DIAG_MAX 1000 /* rows kept; more are counted in `dropped_count` */

enum sv_severity { SV_SEVERITY_INFO, SV_SEVERITY_WARNING, SV_SEVERITY_ERROR };

/* Where: any part may be absent (NULL or 0). Strings are copied by sv_diag_add(). */
struct sv_place {
    const char *file;
    unsigned line; /* from 1 */
    const char *section;
    const char *key;
};

struct sv_diag_row {
    enum sv_severity severity;
    struct sv_place place;
    const char *text;
    struct sv_diag_row *next;
};

struct sv_diag {
    struct sv_arena arena;
    struct sv_diag_row *first;
    struct sv_diag_row *last;
    size_t count; /* rows kept */
    size_t dropped_count;
    size_t error_count; /* all of them, kept or not */
    size_t warning_count;
};

void sv_diag_done(struct sv_diag *diag);
void sv_diag_add(struct sv_diag *diag, enum sv_severity severity, const struct sv_place *place,
                 const char *format, ...) SV_PRINTF(4, 5);

#endif
