/* Kinds and numbers of resource events: svisor/resources.def. */
#include "docs.h"

#include <string.h>

#include "base/names.h"
#include "base/shortage.h"

static const char *const docs[] = {
#define RESOURCE(name, notice, text)
#define RESOURCE_NUMBER(name, merge, doc) doc,
#include "svisor/resources.def"
#undef RESOURCE
#undef RESOURCE_NUMBER
};

static void add_kinds(struct sv_str *text)
{
    sv_str_add(text, "\n| resource | event | |\n|---|---|---|\n");
    for (unsigned i = 0; i < SV_RESOURCE_COUNT; i++) {
        enum sv_resource resource = (enum sv_resource)i;
        sv_str_addf(text, "| `%s` | `%s` | ", sv_resource_name(resource),
                    sv_notice_name(sv_resource_notice(resource)));
        sv_docs_add_markdown(text, sv_resource_text(resource));
        sv_str_add(text, " |\n");
    }
}

static void add_numbers(struct sv_str *text)
{
    sv_str_add(text, "\n| key | |\n|---|---|\n");
    for (unsigned i = 0; i < SV_RESOURCE_NUMBER_COUNT; i++) {
        sv_str_addf(text, "| `%s` | ", sv_resource_number_name((enum sv_resource_number)i));
        sv_docs_add_markdown(text, docs[i]);
        sv_str_add(text, " |\n");
    }
}

bool sv_docs_resources(const char *argument, struct sv_str *ret_text)
{
    bool is_kinds = strcmp(argument, "kinds") == 0;
    if (is_kinds)
        add_kinds(ret_text);
    else
        add_numbers(ret_text);
    sv_str_add_char(ret_text, '\n');
    return is_kinds || strcmp(argument, "numbers") == 0;
}
