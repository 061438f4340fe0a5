/* Names of processes as people write them: "NAME", "GROUP:NAME", "GROUP:*" (Supervisor 4.2.5,
 * options.py). */
#ifndef SV_CTL_NAMESPEC_H
#define SV_CTL_NAMESPEC_H

#include <jansson.h>
#include <stdbool.h>

struct sv_namespec {
    char *text; /* owns group and process, with NULs put in */
    const char *group;
    const char *process; /* NULL: the whole group */
};

/* 0 or -ENOMEM. */
int sv_namespec_split(const char *name, struct sv_namespec *ret_namespec);
void sv_namespec_done(struct sv_namespec *namespec);

/* "NAME" when the group has the process's name, else "GROUP:NAME". Heap, or NULL without memory. */
char *sv_namespec_make(const char *group, const char *process);
/* The same of a struct with the keys "group" and "name". */
char *sv_namespec_of(const json_t *info);
bool sv_namespec_matches(const struct sv_namespec *namespec, const json_t *info);

/* Members of a struct from the server, tolerant of absence and of another type: "" and 0. */
const char *sv_text_of(const json_t *info, const char *key);
json_int_t sv_integer_of(const json_t *info, const char *key);

#endif
