/*
 * The ini dialect of Supervisor's files: text -> sections of keys, each with its file and line.
 *
 * Exactly Python's RawConfigParser(strict=False, inline_comment_prefixes=(';', '#')).
 */
#ifndef SV_CONFIG_INI_H
#define SV_CONFIG_INI_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"

struct sv_ini_key {
    const char *name;  /* lower case */
    const char *value; /* lines joined with \n */
    struct sv_place place;
};

struct sv_ini_section {
    const char *name;
    struct sv_place place; /* of its first header */
    struct sv_map keys;    /* name -> struct sv_ini_key *, as first written */
};

/* The zero value is an empty file. */
struct sv_ini {
    struct sv_arena arena;
    struct sv_map sections;         /* name -> struct sv_ini_section *, as first written */
    struct sv_ini_section defaults; /* [DEFAULT]: answers for keys that a section does not have */
};

void sv_ini_done(struct sv_ini *ini);

/*
 * Adds what `text` says to what earlier files said: sections merge, the last value of a key counts.
 * `file` is copied. Problems go to `diag`. 0, or -ENOMEM.
 */
int sv_ini_parse(struct sv_ini *ini, const char *file, const char *text, size_t length,
                 struct sv_diag *diag);

struct sv_ini_section *sv_ini_section(const struct sv_ini *ini, const char *name);
/* The key of the section, or else of [DEFAULT], or else NULL. */
struct sv_ini_key *sv_ini_key(const struct sv_ini *ini, const struct sv_ini_section *section,
                              const char *name);

#endif
