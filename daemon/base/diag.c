#include "base/diag.h"

#include <stdarg.h>

#include "base/str.h"

void sv_diag_done(struct sv_diag *diag)
{
    sv_arena_done(&diag->arena);
    *diag = (struct sv_diag){0};
}

static const char *copy(struct sv_diag *diag, const char *text)
{
    return text ? sv_arena_strdup(&diag->arena, text) : NULL;
}

void sv_diag_add(struct sv_diag *diag, enum sv_severity severity, const struct sv_place *place,
                 const char *format, ...)
{
    diag->error_count += severity == SV_SEVERITY_ERROR;
    diag->warning_count += severity == SV_SEVERITY_WARNING;
    struct sv_diag_row *row =
        diag->count < SV_DIAG_MAX ? sv_arena_new(&diag->arena, struct sv_diag_row) : NULL;
    if (!row) {
        diag->dropped_count++;
        return;
    }
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    va_list arguments;
    va_start(arguments, format);
    sv_str_addv(&text, format, arguments);
    va_end(arguments);
    row->severity = severity;
    row->text = copy(diag, sv_str_text(&text));
    if (!row->text)
        row->text = "(out of memory)";
    if (place)
        row->place = (struct sv_place){.file = copy(diag, place->file),
                                       .line = place->line,
                                       .section = copy(diag, place->section),
                                       .key = copy(diag, place->key)};
    if (diag->last)
        diag->last->next = row;
    else
        diag->first = row;
    diag->last = row;
    diag->count++;
}
