/*
 * A request of REST -> a method and its arguments.
 *
 *     POST /supervisor/startProcess/web?wait=false      startProcess("web", false)
 *     GET  /supervisor/readLog/-100/0                   readLog(-100, 0)
 *     POST /system/multicall  {"calls": […]}            multicall([…])
 *
 * What follows the name of the method in the path are its first arguments, in order. The others
 * come by name, in the query or in a JSON object, each once. So the paths of supvisorsflask are
 * right as they are, and what holds a slash, or is an array, has a place too. Everything is checked
 * before the method is called, and a mistake is told with the name of the parameter and the place.
 *
 * A QUERY also takes POST: it may need a body, and supvisorsflask asks test_start_process so.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <svisor/limits.h>

#include "api/rest/rest.h"
#include "api/rest/value.h"
#include "api/text.h"
#include "config/nearest.h"

#define A_CLUSTER_IS "which is [rpcinterface:supvisors] in the file"

enum { SHOWN_BYTES_MAX = 60 }; /* of a value that is refused */

static const char instances[] = "/instances/"; /* a method of another one */

struct reading {
    const struct sv_rest_request *request;
    const char *path; /* without the instance */
    struct sv_route route;
    const char *rest; /* of the path, behind the method: "" or "/web/TERM" */
    json_t *values[SV_METHOD_PARAMETERS_MAX]; /* NULL: not given yet */
    struct sv_rest_problem *problem;
};

static bool refuse(struct reading *reading, unsigned status, enum sv_fault fault, const char *text)
{
    reading->problem->status = status;
    reading->problem->fault = fault;
    sv_fault_text(fault, text, &reading->problem->text);
    return false;
}

static bool refuse_arguments(struct reading *reading, const struct sv_str *text)
{
    return refuse(reading, sv_fault_status(SV_FAULT_INCORRECT_PARAMETERS),
                  SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(text));
}

/* --- the method --- */

static bool is_method_path(const char *path)
{
    static const char *const spaces[] = {"/supervisor/", "/supvisors/", "/svisor/", "/system/"};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(spaces); i++)
        if (strncmp(path, spaces[i], strlen(spaces[i])) == 0)
            return true;
    return false;
}

bool sv_rest_is_path(const char *path)
{
    return strncmp(path, instances, strlen(instances)) == 0 || is_method_path(path);
}

/* What follows an instance in the path; the path itself where there is none. */
static const char *behind_instance(const char *path)
{
    if (strncmp(path, instances, strlen(instances)) != 0)
        return path;
    path += strlen(instances);
    return path + strcspn(path, "/");
}

static bool find_path(struct reading *reading)
{
    const struct sv_rest_request *request = reading->request;
    reading->path = behind_instance(request->path);
    bool is_here = reading->path == request->path;
    if (is_method_path(reading->path) && (is_here || request->has_cluster))
        return true;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "there is no %.*s; ", SHOWN_BYTES_MAX, request->path);
    sv_str_add(&text, request->has_cluster ? "write /instances/ID and the path of a method"
                                           : "it takes a cluster, " A_CLUSTER_IS);
    return refuse(reading, sv_fault_status(SV_FAULT_UNKNOWN_METHOD), SV_FAULT_UNKNOWN_METHOD,
                  sv_str_text(&text));
}

static bool is_there(const struct sv_rest_request *request, const struct sv_route *route)
{
    return request->has_cluster || !(route->method->flags & SV_METHOD_OF_CLUSTER);
}

/* Whether the path has the name that XML-RPC knows: /supvisors/get_process_info. */
static bool is_name_of(const struct sv_method *method, const char *head)
{
    size_t length = strcspn(method->name, ".");
    return strncmp(head + 1, method->name, length) == 0 && head[1 + length] == '/' &&
           strcmp(head + 1 + length + 1, method->name + length + 1) == 0;
}

static bool refuse_path(struct reading *reading, const char *head)
{
    struct sv_str nearest SV_CLEANUP(sv_str_done) = {0};
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    size_t least = SIZE_MAX;
    size_t length = strlen(head);
    bool is_of_cluster = false;
    struct sv_route route;
    for (size_t i = 0; sv_route_at(i, &route); i++) {
        sv_str_clear(&path);
        sv_route_path(&route, &path);
        size_t longer = path.length > length ? path.length - length : length - path.length;
        bool is_its_name = is_name_of(route.method, head);
        if (longer > least && !is_its_name)
            continue; /* so many edits at least: the distance costs far more to know */
        size_t distance = is_its_name ? 0 : sv_edit_distance(head, sv_str_text(&path));
        bool is_usable = is_there(reading->request, &route);
        is_of_cluster = is_of_cluster || (distance == 0 && !is_usable);
        if (distance < least && is_usable) {
            least = distance;
            sv_str_clear(&nearest);
            sv_str_add(&nearest, sv_str_text(&path));
        }
    }
    sv_str_addf(&text, "there is no %.*s; ", SHOWN_BYTES_MAX, head);
    if (is_of_cluster)
        sv_str_add(&text, "it takes a cluster, " A_CLUSTER_IS "; ");
    else if (sv_is_near(head, least))
        sv_str_addf(&text, "did you mean %s? ", sv_str_text(&nearest));
    sv_str_add(&text, "/openapi.json has all paths");
    return refuse(reading, sv_fault_status(SV_FAULT_UNKNOWN_METHOD), SV_FAULT_UNKNOWN_METHOD,
                  sv_str_text(&text));
}

static bool find_method(struct reading *reading)
{
    const char *path = reading->path;
    const char *leaf = strchr(path + 1, '/'); /* is_method_path(): it has one */
    size_t length = (size_t)(leaf - path) + 1 + strcspn(leaf + 1, "/");
    struct sv_str head SV_CLEANUP(sv_str_done) = {0};
    struct sv_str candidate SV_CLEANUP(sv_str_done) = {0};
    sv_str_append(&head, path, length);
    struct sv_route route;
    for (size_t i = 0; sv_route_at(i, &route); i++) {
        sv_str_clear(&candidate);
        sv_route_path(&route, &candidate);
        if (strcmp(sv_str_text(&candidate), sv_str_text(&head)) == 0 &&
            is_there(reading->request, &route)) {
            reading->route = route;
            reading->rest = path + length;
            return true;
        }
    }
    return refuse_path(reading, sv_str_text(&head));
}

static bool check_verb(struct reading *reading)
{
    bool is_command = reading->route.method->kind == SV_METHOD_COMMAND;
    const char *verb = reading->request->verb;
    bool is_reading = strcmp(verb, "GET") == 0 || strcmp(verb, "HEAD") == 0;
    if (strcmp(verb, "POST") == 0 || (is_reading && !is_command))
        return true;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "%s %s: use %s", reading->route.name,
                is_command ? "changes something" : "only looks",
                is_command ? "POST" : "GET, or POST with a JSON body");
    reading->problem->allow = is_command ? "POST" : "GET, HEAD, POST";
    return refuse(reading, 405, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
}

/* --- the arguments --- */

static void show(const json_t *value, struct sv_str *text)
{
    char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    sv_str_addf(text, "%.*s", SHOWN_BYTES_MAX, shown ? shown : "something that is not UTF-8");
    free(shown);
}

/* Takes `value`, which may be NULL: it could not be read. `shown` is what was written. */
static bool set(struct reading *reading, size_t index, json_t *value, const char *place,
                const json_t *shown)
{
    const struct sv_parameter *parameter = &reading->route.method->parameters[index];
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (reading->values[index]) {
        json_decref(value);
        sv_str_addf(&text, "%s is given twice, the second time in the %s", parameter->name, place);
        return refuse_arguments(reading, &text);
    }
    if (value) {
        reading->values[index] = value;
        return true;
    }
    sv_str_addf(&text, "%s must be %s; the %s has ", parameter->name,
                sv_rest_value_expected(parameter->type), place);
    show(shown, &text);
    return refuse_arguments(reading, &text);
}

static bool set_text(struct reading *reading, size_t index, const char *place,
                     const struct sv_rest_field *field)
{
    enum sv_value_type type = reading->route.method->parameters[index].type;
    json_t *value = sv_rest_value_of_text(type, field->value, field->value_length);
    json_t *shown = value ? NULL : json_stringn(field->value, field->value_length);
    bool is_good = set(reading, index, value, place, shown);
    json_decref(shown);
    return is_good;
}

static bool is_preset(const struct reading *reading, size_t index)
{
    const char *preset = reading->route.preset;
    return preset && strcmp(reading->route.method->parameters[index].name, preset) == 0;
}

static bool find_parameter(struct reading *reading, const char *name, size_t length,
                           const char *place, size_t *ret_index)
{
    const struct sv_parameter *parameters = reading->route.method->parameters;
    for (size_t i = 0; parameters[i].name; i++) {
        if (strlen(parameters[i].name) == length &&
            strncmp(parameters[i].name, name, length) == 0 && !is_preset(reading, i)) {
            *ret_index = i;
            return true;
        }
    }
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "the %s has ", place);
    json_t *shown = json_stringn(name, length);
    show(shown, &text);
    json_decref(shown);
    sv_str_addf(&text, ", which %s does not take; it takes", reading->route.name);
    const char *before = "";
    for (size_t i = 0; parameters[i].name; i++) {
        if (!is_preset(reading, i))
            sv_str_addf(&text, "%s %s", before, parameters[i].name);
        before = is_preset(reading, i) ? before : ",";
    }
    sv_str_add(&text, *before ? "" : " nothing");
    return refuse_arguments(reading, &text);
}

static bool read_preset(struct reading *reading)
{
    const struct sv_parameter *parameters = reading->route.method->parameters;
    for (size_t i = 0; parameters[i].name; i++) {
        const char *value = reading->route.preset_value;
        if (is_preset(reading, i))
            reading->values[i] = sv_rest_value_of_text(parameters[i].type, value, strlen(value));
    }
    return true;
}

static bool read_path(struct reading *reading)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    size_t count = sv_method_parameter_count(reading->route.method);
    const char *rest = reading->rest;
    for (size_t i = 0; *rest; i++) {
        while (i < count && is_preset(reading, i))
            i++;
        size_t length = strcspn(rest + 1, "/");
        if (i >= count)
            sv_str_addf(&text, "the path has more arguments than %s takes, which are %zu",
                        reading->route.name, count - (reading->route.preset != NULL));
        else if (length == 0)
            sv_str_addf(&text, "the path has nothing for %s; an empty one is written ?%s=",
                        reading->route.method->parameters[i].name,
                        reading->route.method->parameters[i].name);
        if (text.length > 0)
            return refuse_arguments(reading, &text);
        struct sv_str segment SV_CLEANUP(sv_str_done) = {0};
        sv_str_append(&segment, rest + 1, length);
        struct sv_rest_field field = {.value = sv_str_text(&segment), .value_length = length};
        if (!set_text(reading, i, "path", &field))
            return false;
        rest += 1 + length;
    }
    return true;
}

static bool read_query(struct reading *reading)
{
    for (size_t i = 0; i < reading->request->field_count; i++) {
        const struct sv_rest_field *field = &reading->request->fields[i];
        size_t index;
        if (!find_parameter(reading, field->name, field->name_length, "query", &index) ||
            !set_text(reading, index, "query", field))
            return false;
    }
    return true;
}

/* Not deeper, and not more values, than a call of XML-RPC may have: asked before memory is spent.
 */
static bool is_bounded(const char *body, size_t length)
{
    size_t depth = 0, value_count = 0;
    bool is_inside = false; /* a text */
    for (size_t i = 0; i < length; i++) {
        char c = body[i];
        if (is_inside) {
            i += c == '\\';
            is_inside = c != '"';
            continue;
        }
        is_inside = c == '"';
        bool is_opening = c == '[' || c == '{';
        depth += is_opening;
        depth -= (c == ']' || c == '}') && depth > 0;
        value_count += is_opening || c == ',';
        if (depth > SV_XMLRPC_DEPTH_MAX || value_count > SV_XMLRPC_VALUES_MAX)
            return false;
    }
    return true;
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t length = sizeof(json) - 1;
    return content_type && strncasecmp(content_type, json, length) == 0 &&
           strchr("; \t", content_type[length]);
}

static bool parse_body(struct reading *reading, json_t **ret_object)
{
    const struct sv_rest_request *request = reading->request;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (!is_json(request->content_type))
        return refuse(reading, 415, SV_FAULT_INCORRECT_PARAMETERS,
                      "the body must be JSON: send Content-Type: application/json");
    if (!is_bounded(request->body, request->body_length))
        return refuse(reading, 413, SV_FAULT_INCORRECT_PARAMETERS,
                      "the body has too many values, or is nested too deeply");
    json_error_t error;
    json_t *object =
        json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(object)) {
        *ret_object = object;
        return true;
    }
    if (object)
        sv_str_add(&text, "the body must be an object of arguments by their names");
    else
        sv_str_addf(&text, "the body is not JSON: line %d, column %d: %s", error.line, error.column,
                    error.text);
    json_decref(object);
    return refuse_arguments(reading, &text);
}

static bool read_body(struct reading *reading)
{
    if (reading->request->body_length == 0)
        return true;
    json_t *object;
    if (!parse_body(reading, &object))
        return false;
    bool is_good = true;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        size_t index;
        is_good = find_parameter(reading, name, strlen(name), "body", &index);
        if (!is_good)
            break;
        enum sv_value_type type = reading->route.method->parameters[index].type;
        json_t *fitting = sv_rest_value_fits(type, value) ? json_incref(value) : NULL;
        is_good = set(reading, index, fitting, "body", value);
        if (!is_good)
            break;
    }
    json_decref(object);
    return is_good;
}

static bool refuse_missing(struct reading *reading, const struct sv_parameter *parameter)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    bool is_large = parameter->type == SV_TYPE_ARRAY || parameter->type == SV_TYPE_STRUCT;
    sv_str_addf(&text, "%s (%s) is missing: ", parameter->name, parameter->doc);
    if (is_large)
        sv_str_addf(&text, "send {\"%s\": …} as a JSON body", parameter->name);
    else
        sv_str_addf(&text, "write it in the path, in the query (?%s=…) or in a JSON body",
                    parameter->name);
    return refuse_arguments(reading, &text);
}

/* What is given, in order; holes are filled with what an absent argument means. */
static bool collect(struct reading *reading, json_t *params)
{
    const struct sv_parameter *parameters = reading->route.method->parameters;
    size_t count = 0;
    for (size_t i = 0; parameters[i].name; i++)
        if (reading->values[i] || !parameters[i].fallback)
            count = i + 1;
    for (size_t i = 0; i < count; i++) {
        const char *fallback = parameters[i].fallback;
        json_t *value = reading->values[i] ? json_incref(reading->values[i]) : NULL;
        if (!value && !fallback)
            return refuse_missing(reading, &parameters[i]);
        if (!value)
            value = sv_rest_value_of_text(parameters[i].type, fallback, strlen(fallback));
        if (json_array_append_new(params, value) < 0)
            return refuse(reading, 503, SV_FAULT_FAILED, "out of memory");
    }
    return true;
}

/* Wraps the arguments in those of svisor.relay, if the path has an instance. */
static bool relay(struct reading *reading, json_t **params)
{
    const char *begin = reading->request->path + strlen(instances);
    if (reading->path == reading->request->path)
        return true;
    json_t *identifier = json_stringn(begin, (size_t)(reading->path - begin));
    if (!identifier)
        return refuse(reading, sv_fault_status(SV_FAULT_BAD_NAME), SV_FAULT_BAD_NAME,
                      "the name of the instance is not UTF-8");
    *params = json_pack("[o, s, o]", identifier, reading->route.method->name, *params);
    return true;
}

bool sv_rest_read(const struct sv_rest_request *request, struct sv_rest_call *ret_call,
                  struct sv_rest_problem *ret_problem)
{
    struct reading reading = {.request = request, .problem = ret_problem};
    json_t *params = json_array();
    bool is_good = find_path(&reading) && find_method(&reading) && check_verb(&reading) &&
                   read_preset(&reading) && read_path(&reading) && read_query(&reading) &&
                   read_body(&reading) && collect(&reading, params) && relay(&reading, &params);
    for (size_t i = 0; i < SV_METHOD_PARAMETERS_MAX; i++)
        json_decref(reading.values[i]);
    if (!is_good) {
        json_decref(params);
        return false;
    }
    ret_call->method = reading.route.method;
    ret_call->name = reading.path == request->path ? reading.route.method->name : "svisor.relay";
    ret_call->params = params;
    return true;
}

/* --- answers --- */

static int append(const char *bytes, size_t length, void *user)
{
    sv_str_append(user, bytes, length);
    return sv_str_ok(user) ? 0 : -1;
}

void sv_rest_encode_result(const json_t *result, struct sv_str *ret_body)
{
    if (json_dump_callback(result, append, ret_body, JSON_ENCODE_ANY) < 0)
        ret_body->has_failed = true;
    sv_str_add_char(ret_body, '\n');
}

void sv_rest_encode_fault(int code, const char *text, struct sv_str *ret_body)
{
    json_t *fault = json_pack("{s:o, s:i}", "message", sv_text_json(text), "code", code);
    sv_rest_encode_result(fault, ret_body);
    json_decref(fault);
}
