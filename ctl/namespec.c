/*
 * "GROUP:NAME" and back. A program without a [group] is a group of one with its own name, and is
 * written without the group: split("a") is ("a", "a"), make("a", "a") is "a". "GROUP:" means
 * "GROUP:*".
 */
#include "namespec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int sv_namespec_split(const char *name, struct sv_namespec *ret_namespec)
{
    char *text = strdup(name);
    char *colon;

    if (!text)
        return -ENOMEM;
    colon = strchr(text, ':');
    if (colon)
        *colon++ = '\0';
    *ret_namespec = (struct sv_namespec){.text = text, .group = text, .process = text};
    if (colon)
        ret_namespec->process = *colon == '\0' || strcmp(colon, "*") == 0 ? NULL : colon;
    return 0;
}

void sv_namespec_done(struct sv_namespec *namespec)
{
    free(namespec->text);
    *namespec = (struct sv_namespec){0};
}

char *sv_namespec_make(const char *group, const char *process)
{
    struct sv_str text = {0};

    if (process && strcmp(group, process) == 0)
        sv_str_add(&text, group);
    else
        sv_str_addf(&text, "%s:%s", group, process ? process : "*");
    return sv_str_take(&text);
}

char *sv_namespec_of(const json_t *info)
{
    return sv_namespec_make(sv_text_of(info, "group"), sv_text_of(info, "name"));
}

bool sv_namespec_matches(const struct sv_namespec *namespec, const json_t *info)
{
    return strcmp(namespec->group, sv_text_of(info, "group")) == 0 &&
           (!namespec->process || strcmp(namespec->process, sv_text_of(info, "name")) == 0);
}

const char *sv_text_of(const json_t *info, const char *key)
{
    const char *text = json_string_value(json_object_get(info, key));

    return text ? text : "";
}

json_int_t sv_integer_of(const json_t *info, const char *key)
{
    return json_integer_value(json_object_get(info, key));
}
