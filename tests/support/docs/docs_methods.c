/* docs/api.md: methods.def and faults.def as Markdown. */
#include <string.h>

#include "api/method.h"
#include "docs.h"

static const struct {
    const char *name;
    int code;
    int status;
    const char *doc;
} faults[] = {
#define FAULT(name_, code_, status_, doc_) {#name_, code_, status_, doc_},
#include "api/faults.def"
#undef FAULT
};

static const struct {
    const char *name, *method;
} aliases[] = {
#define METHOD(...)
#define ALIAS(name_, method_) {name_, method_},
#include "api/methods.def"
#undef METHOD
#undef ALIAS
};

static void add_signature(struct sv_str *text, const struct sv_method *method)
{
    sv_str_addf(text, "    %s(", method->name);
    for (const struct sv_parameter *p = method->parameters; p->name; p++) {
        sv_str_addf(text, "%s%s %s", p == method->parameters ? "" : ", ",
                    sv_value_type_name(p->type), p->name);
        if (p->fallback)
            sv_str_addf(text, " = %s", p->fallback);
    }
    sv_str_addf(text, ") -> %s\n\n", sv_value_type_name(method->result));
}

/* "* `name`: what it is" */
static void add_item(struct sv_str *text, const char *name, const char *doc)
{
    sv_str_addf(text, "* `%s`: ", name);
    sv_docs_add_markdown(text, doc);
    sv_str_add_char(text, '\n');
}

static bool is_fault(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (strlen(faults[i].name) == length && strncmp(faults[i].name, name, length) == 0)
            return true;
    return false;
}

/* False: the row names a fault that is none. */
static bool add_faults(struct sv_str *text, const char *names)
{
    bool is_good = true;
    for (const char *name = names; *name; name += strspn(name, " ")) {
        size_t length = strcspn(name, " ");
        is_good = is_good && is_fault(name, length);
        sv_str_addf(text, "%s`%.*s`", name == names ? "* faults: " : ", ", (int)length, name);
        name += length;
    }
    sv_str_add(text, *names ? "\n" : "");
    return is_good;
}

static void add_aliases(struct sv_str *text, const char *method)
{
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcmp(aliases[i].method, method) == 0)
            sv_str_addf(text, "* old name: `%s`\n", aliases[i].name);
}

static bool add_method(struct sv_str *text, const struct sv_method *method)
{
    sv_str_addf(text, "### %s\n\n", method->name);
    add_signature(text, method);
    sv_docs_add_markdown(text, method->help);
    sv_str_add(text, *method->doc ? " " : "");
    sv_docs_add_markdown(text, method->doc);
    sv_str_add(text, "\n\n");
    for (const struct sv_parameter *p = method->parameters; p->name; p++)
        add_item(text, p->name, p->doc);
    add_item(text, "result", method->result_doc);
    bool is_good = add_faults(text, method->faults);
    add_aliases(text, method->name);
    sv_str_add_char(text, '\n');
    return is_good;
}

bool sv_docs_methods(const char *argument, struct sv_str *ret_text)
{
    size_t count = 0;
    bool is_good = true;
    const char *name;
    const struct sv_method *method;
    sv_str_add_char(ret_text, '\n');
    for (size_t i = 0; (method = sv_method_at(i, &name)); i++) {
        if (name != method->name || strncmp(name, argument, strlen(argument)) != 0)
            continue;
        is_good = add_method(ret_text, method) && is_good;
        count++;
    }
    return is_good && count > 0;
}

bool sv_docs_faults(const char *argument, struct sv_str *ret_text)
{
    sv_str_add(ret_text, "\n| fault | code | HTTP | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sv_str_addf(ret_text, "| `%s` | %d | %d | ", faults[i].name, faults[i].code,
                    faults[i].status);
        sv_docs_add_markdown(ret_text, faults[i].doc);
        sv_str_add(ret_text, " |\n");
    }
    sv_str_add_char(ret_text, '\n');
    return *argument == '\0';
}
