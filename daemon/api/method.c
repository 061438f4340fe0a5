/*
 * The table of methods, from the rows of methods.def, and the two ways in which it describes
 * itself.
 *
 * system.methodHelp of Supervisor returns a Python docstring, and clients pick the lines with
 * @param and
 * @return out of it (xmlrpc.py, gettags()). The text made here has the same lines in the same
 * order, so that what they pick equals system.methodSignature.
 */
#include "api/method.h"

#include <string.h>

#include "api/handlers.h"

/* clang-format off */
#define NOTHING                              {0}
#define REQUIRED(type_, name_, doc_)         {SV_TYPE_##type_, #name_, NULL, doc_}
#define OPTIONAL(type_, name_, fallback_, doc_) {SV_TYPE_##type_, #name_, fallback_, doc_}
/* clang-format on */

static const char *const type_names[] = {
    [SV_TYPE_STRING] = "string", [SV_TYPE_CHARS] = "string",  [SV_TYPE_SIGNAL] = "string",
    [SV_TYPE_INT] = "int",       [SV_TYPE_DOUBLE] = "double", [SV_TYPE_BOOLEAN] = "boolean",
    [SV_TYPE_ARRAY] = "array",   [SV_TYPE_STRUCT] = "struct", [SV_TYPE_ANY] = "any",
};
_Static_assert(SV_ARRAY_LENGTH(type_names) == SV_TYPE_COUNT, "a name for every type");

const char *sv_value_type_name(enum sv_value_type type)
{
    return type_names[type];
}

static const struct sv_method methods[] = {
#define ALIAS(name_, method_)
#define METHOD(name_, handler_, kind_, flags_, result_, result_doc_, help_, doc_, faults_, ...)    \
    {                                                                                              \
        .name = name_,                                                                             \
        .handler = sv_method_##handler_,                                                           \
        .kind = SV_METHOD_##kind_,                                                                 \
        .flags = flags_,                                                                           \
        .result = SV_TYPE_##result_,                                                               \
        .result_doc = result_doc_,                                                                 \
        .help = help_,                                                                             \
        .doc = doc_,                                                                               \
        .faults = faults_,                                                                         \
        .parameters = {__VA_ARGS__},                                                               \
    },
#include "api/methods.def"
#undef METHOD
#undef ALIAS
};

static const struct {
    const char *name;
    const char *method;
} aliases[] = {
#define METHOD(...)
#define ALIAS(name_, method_) {name_, method_},
#include "api/methods.def"
#undef METHOD
#undef ALIAS
};

static const struct {
    const char *name, *method, *parameter, *value;
} presets[] = {
#define METHOD(...)
#define ALIAS(...)
#define PRESET(name_, method_, parameter_, value_) {name_, method_, parameter_, value_},
#include "api/methods.def"
#undef METHOD
#undef ALIAS
};

static const struct sv_method *method_named(const char *name)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

const struct sv_method *sv_method_at(size_t index, const char **ret_name)
{
    if (index < SV_ARRAY_LENGTH(methods)) {
        *ret_name = methods[index].name;
        return &methods[index];
    }
    index -= SV_ARRAY_LENGTH(methods);
    if (index >= SV_ARRAY_LENGTH(aliases))
        return NULL;
    *ret_name = aliases[index].name;
    return method_named(aliases[index].method);
}

/* A preset comes first: it may have the name of its method, and then hides its path. */
bool sv_route_at(size_t index, struct sv_route *ret_route)
{
    struct sv_route route = {0};
    if (index < SV_ARRAY_LENGTH(presets)) {
        route.name = presets[index].name;
        route.method = method_named(presets[index].method);
        route.preset = presets[index].parameter;
        route.preset_value = presets[index].value;
    } else {
        route.method = sv_method_at(index - SV_ARRAY_LENGTH(presets), &route.name);
    }
    *ret_route = route;
    return route.method != NULL;
}

void sv_route_path(const struct sv_route *route, struct sv_str *ret_path)
{
    static const char clustered[] = "supvisors.get_";
    const char *dot = strchr(route->name, '.');
    bool is_short = strncmp(route->name, clustered, sizeof(clustered) - 1) == 0;
    const char *leaf = is_short ? route->name + sizeof(clustered) - 1 : dot + 1;
    sv_str_add_char(ret_path, '/');
    sv_str_append(ret_path, route->name, (size_t)(dot - route->name));
    sv_str_add_char(ret_path, '/');
    sv_str_add(ret_path, leaf);
}

size_t sv_method_parameter_count(const struct sv_method *method)
{
    size_t count = 0;
    while (method->parameters[count].name)
        count++;
    return count;
}

void sv_method_help(const struct sv_method *method, struct sv_str *ret_text)
{
    sv_str_addf(ret_text, "%s\n", method->help);
    if (*method->doc)
        sv_str_addf(ret_text, "\n%s\n", method->doc);
    sv_str_add_char(ret_text, '\n');
    for (const struct sv_parameter *p = method->parameters; p->name; p++) {
        sv_str_addf(ret_text, "@param %s %s %s", sv_value_type_name(p->type), p->name, p->doc);
        if (p->fallback)
            sv_str_addf(ret_text, " (default: %s)", p->fallback);
        sv_str_add_char(ret_text, '\n');
    }
    sv_str_addf(ret_text, "@return %s result %s\n", sv_value_type_name(method->result),
                method->result_doc);
}

json_t *sv_method_signature(const struct sv_method *method)
{
    json_t *types = json_array();
    bool ok = json_array_append_new(types, json_string(sv_value_type_name(method->result))) == 0;
    for (const struct sv_parameter *p = method->parameters; p->name; p++)
        ok = ok && json_array_append_new(types, json_string(sv_value_type_name(p->type))) == 0;
    if (ok)
        return types;
    json_decref(types);
    return NULL;
}
