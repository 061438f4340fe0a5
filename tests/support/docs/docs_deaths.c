/* Causes and fields of death certificates: svisor/death_causes.def and svisor/deaths.def. */
#include "docs.h"

#include <string.h>

static const struct {
    const char *name;
    const char *text;
} causes[] = {
#define DEATH_CAUSE(name, code, text) {#name, text},
#include "svisor/death_causes.def"
#undef DEATH_CAUSE
};

static const struct {
    const char *name;
    const char *type;
    const char *doc;
} fields[] = {
#define DEATH_NUMBER(tag, name, doc)          {#name, "number", doc},
#define DEATH_TEXT(tag, name, bytes_max, doc) {#name, "text", doc},
#include "svisor/deaths.def"
#undef DEATH_NUMBER
#undef DEATH_TEXT
};

static void add_causes(struct sv_str *text)
{
    sv_str_add(text, "\n| cause | a run that … |\n|---|---|\n");
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        sv_str_addf(text, "| `%s` | ", causes[i].name);
        sv_docs_add_markdown(text, causes[i].text);
        sv_str_add(text, " |\n");
    }
}

static void add_fields(struct sv_str *text)
{
    sv_str_add(text, "\n| key | kept as | |\n|---|---|---|\n");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        sv_str_addf(text, "| `%s` | %s | ", fields[i].name, fields[i].type);
        sv_docs_add_markdown(text, fields[i].doc);
        sv_str_add(text, " |\n");
    }
}

bool sv_docs_deaths(const char *argument, struct sv_str *ret_text)
{
    bool is_causes = strcmp(argument, "causes") == 0;
    if (is_causes)
        add_causes(ret_text);
    else
        add_fields(ret_text);
    sv_str_add_char(ret_text, '\n');
    return is_causes || strcmp(argument, "fields") == 0;
}
