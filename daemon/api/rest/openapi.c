/*
 * The OpenAPI document.
 *
 * One operation for each route, in the order of methods.def, so that the same daemon gives the same
 * bytes. What must be given stands in the path, what may be given in the query, arrays in a body:
 * one of the forms that request.c takes, and the one that supvisorsflask has. A result has the type
 * of its row; the keys of structs are told in words, as in docs/api.md, since the rows have no
 * more.
 */
#include "api/rest/openapi.h"

#include <string.h>

#include "api/rest/rest.h"
#include "api/rest/value.h"
#include "base/choice.h"

static const char json_content[] = "application/json";

/* --- schemas --- */

static json_t *type_schema(enum sv_value_type type)
{
    return json_pack("{s:s*}", "type", sv_rest_value_schema(type));
}

/* A truth that becomes a list for "group:*" is what the rows of those methods say of their result.
 */
static json_t *result_schema(const struct sv_method *method)
{
    if (method->result == SV_TYPE_BOOLEAN && strstr(method->result_doc, "group:*"))
        return json_pack("{s:[s,s], s:s}", "type", "boolean", "array", "description",
                         method->result_doc);
    json_t *schema = type_schema(method->result);
    json_object_set_new(schema, "description", json_string(method->result_doc));
    return schema;
}

/* The names that a strategy may have, so that a client can offer them. */
static void add_choices(json_t *schema, const struct sv_method *method,
                        const struct sv_parameter *parameter)
{
    if (strcmp(parameter->name, "strategy") != 0)
        return;
    bool is_conciliation = strstr(method->name, "conciliate") != NULL;
    enum sv_choice_kind kind =
        is_conciliation ? SV_CHOICE_CONCILIATION_STRATEGY : SV_CHOICE_STARTING_STRATEGY;
    json_t *names = json_array();
    for (size_t i = 0; i < sv_choice_count(kind); i++)
        json_array_append_new(names, json_string(sv_choice_name(kind, (int)i)));
    json_object_set_new(schema, "enum", names);
}

static json_t *parameter_schema(const struct sv_method *method,
                                const struct sv_parameter *parameter)
{
    json_t *schema = type_schema(parameter->type);
    const char *fallback = parameter->fallback;
    if (fallback)
        json_object_set_new(schema, "default",
                            sv_rest_value_of_text(parameter->type, fallback, strlen(fallback)));
    add_choices(schema, method, parameter);
    return schema;
}

static json_t *reference(const char *kind, const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

static json_t *content_of(json_t *schema)
{
    return json_pack("{s:{s:o}}", json_content, "schema", schema);
}

/* --- operations --- */

static bool is_large(const struct sv_parameter *parameter)
{
    return parameter->type == SV_TYPE_ARRAY || parameter->type == SV_TYPE_STRUCT;
}

static bool is_given(const struct sv_route *route, const struct sv_parameter *parameter)
{
    return route->preset && strcmp(route->preset, parameter->name) == 0;
}

static void add_parameter(json_t *list, const struct sv_method *method,
                          const struct sv_parameter *parameter)
{
    bool is_required = parameter->fallback == NULL;
    json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", parameter->name,
                                          "in", is_required ? "path" : "query", "required",
                                          is_required, "description", parameter->doc, "schema",
                                          parameter_schema(method, parameter)));
}

/* The arguments that only a body can hold; NULL: there are none. */
static json_t *body_of(const struct sv_method *method)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (const struct sv_parameter *p = method->parameters; p->name; p++) {
        if (!is_large(p))
            continue;
        json_t *schema = type_schema(p->type);
        json_object_set_new(schema, "description", json_string(p->doc));
        json_object_set_new(properties, p->name, schema);
        if (!p->fallback)
            json_array_append_new(required, json_string(p->name));
    }
    if (json_object_size(properties) == 0) {
        json_decref(properties);
        json_decref(required);
        return NULL;
    }
    bool is_required = json_array_size(required) > 0;
    json_t *schema = json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties,
                               "required", required);
    return json_pack("{s:b, s:o}", "required", is_required, "content", content_of(schema));
}

/* A status for each fault of the row, with their names; whatever else may come is "default". */
static json_t *responses_of(const struct sv_method *method)
{
    json_t *responses = json_object();
    json_object_set_new(responses, "200",
                        json_pack("{s:s, s:o}", "description",
                                  *method->result_doc ? method->result_doc : "the result",
                                  "content", content_of(result_schema(method))));
    if (method->flags & SV_METHOD_WAITS)
        json_object_set_new(responses, "202", reference("responses", "Accepted"));
    for (const char *name = method->faults; *name; name += strspn(name, " ")) {
        size_t length = strcspn(name, " ");
        char status[16];
        snprintf(status, sizeof(status), "%u", sv_fault_status(sv_fault_named(name, length)));
        const json_t *known = json_object_get(responses, status);
        const char *before = json_string_value(json_object_get(known, "description"));
        json_object_set_new(responses, status,
                            json_pack("{s:o, s:o}", "description",
                                      json_sprintf("%s%s%.*s", before ? before : "",
                                                   before ? ", " : "", (int)length, name),
                                      "content", content_of(reference("schemas", "Fault"))));
        name += length;
    }
    json_object_set_new(responses, "default", reference("responses", "Fault"));
    return responses;
}

static json_t *operation_of(const struct sv_route *route, const char *space)
{
    const struct sv_method *method = route->method;
    json_t *parameters = json_array();
    for (const struct sv_parameter *p = method->parameters; p->name; p++)
        if (!is_large(p) && !is_given(route, p))
            add_parameter(parameters, method, p);
    json_t *operation = json_pack("{s:[s], s:s, s:s, s:s, s:o, s:o*}", "tags", space, "operationId",
                                  route->name, "summary", method->help, "description", method->doc,
                                  "parameters", parameters, "requestBody", body_of(method));
    json_object_set_new(operation, "responses", responses_of(method));
    if (strcmp(route->name, method->name) != 0 && !route->preset)
        json_object_set_new(operation, "deprecated", json_true()); /* an old name */
    return operation;
}

/* A preset with the name of its method stands in for it. */
static bool is_hidden(size_t index, const struct sv_route *route)
{
    struct sv_route before;
    for (size_t i = 0; i < index && sv_route_at(i, &before); i++)
        if (strcmp(before.name, route->name) == 0)
            return true;
    return false;
}

static void add_route(json_t *paths, const struct sv_route *route)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    struct sv_str space SV_CLEANUP(sv_str_done) = {0};
    const struct sv_method *method = route->method;
    sv_route_path(route, &path);
    for (const struct sv_parameter *p = method->parameters; p->name; p++)
        if (!p->fallback && !is_large(p) && !is_given(route, p))
            sv_str_addf(&path, "/{%s}", p->name);
    sv_str_append(&space, route->name, strcspn(route->name, "."));
    const char *verb = method->kind == SV_METHOD_COMMAND ? "post" : "get";
    json_object_set_new(paths, sv_str_text(&path),
                        json_pack("{s:o}", verb, operation_of(route, sv_str_text(&space))));
}

/* --- the document --- */

static json_t *tags(bool has_cluster)
{
    static const struct {
        const char *name, *doc;
        bool is_of_cluster;
    } rows[] = {
        {"supervisor", "Programs of this daemon, as Supervisor has them.", false},
        {"supvisors", "Applications of the cluster, as Supvisors has them.", true},
        {"svisor", "What only svisord has.", false},
        {"system", "The methods themselves.", false},
    };
    json_t *list = json_array();
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++)
        if (has_cluster || !rows[i].is_of_cluster)
            json_array_append_new(
                list, json_pack("{s:s, s:s}", "name", rows[i].name, "description", rows[i].doc));
    return list;
}

static json_t *object_schema(const char *required, json_t *properties)
{
    return json_pack("{s:s, s:[s], s:o}", "type", "object", "required", required, "properties",
                     properties);
}

static json_t *text_schema(const char *doc)
{
    return json_pack("{s:s, s:s}", "type", "string", "description", doc);
}

static json_t *schemas(void)
{
    json_t *fault = object_schema("code", json_pack("{s:o, s:{s:s, s:s}}", "message",
                                                    text_schema("its name, and what it is about"),
                                                    "code", "type", "integer", "description",
                                                    "its number, as in XML-RPC"));
    json_array_append_new(json_object_get(fault, "required"), json_string("message"));
    json_t *state =
        json_pack("{s:s, s:[s,s,s]}", "type", "string", "enum", "RUNNING", "DONE", "FAILED");
    json_t *operation = object_schema(
        "id", json_pack("{s:o, s:o, s:o, s:{s:s}, s:o}", "id", text_schema("its handle"), "method",
                        text_schema("what was called"), "state", state, "result", "description",
                        "with DONE: what the call would have answered", "fault",
                        reference("schemas", "Fault")));
    return json_pack("{s:o, s:o}", "Fault", fault, "Operation", operation);
}

static json_t *answer_of(const char *description, const char *schema)
{
    return json_pack("{s:s, s:o}", "description", description, "content",
                     content_of(reference("schemas", schema)));
}

static json_t *components(void)
{
    static const char accepted[] =
        "with the header Prefer: respond-async: it goes on, and Location "
        "is the path of its operation";
    return json_pack("{s:o, s:{s:o, s:o}, s:{s:{s:s, s:s}}}", "schemas", schemas(), "responses",
                     "Fault", answer_of("a fault", "Fault"), "Accepted",
                     answer_of(accepted, "Operation"), "securitySchemes", "password", "type",
                     "http", "scheme", "basic");
}

static json_t *path_parameter(const char *name, const char *doc)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name, "in", "path", "required", 1,
                     "description", doc, "schema", type_schema(SV_TYPE_STRING));
}

static json_t *handle_operation(const char *id, const char *summary, json_t *result)
{
    json_t *parameter = path_parameter("id", "what the header Location of a 202 ends with");
    return json_pack("{s:[s], s:s, s:s, s:s, s:[o], s:{s:o, s:o}}", "tags", "svisor", "operationId",
                     id, "summary", summary, "description", "docs/rest.md tells of operations.",
                     "parameters", parameter, "responses", "200", result, "404",
                     answer_of("BAD_NAME", "Fault"));
}

/* The handles of driver/rest/operations.c, which are no methods. */
static void add_handles(json_t *paths)
{
    json_t *list =
        json_pack("{s:s, s:o}", "type", "array", "items", reference("schemas", "Operation"));
    json_object_set_new(
        paths, "/operations",
        json_pack("{s:{s:[s], s:s, s:s, s:s, s:[], s:{s:{s:s, s:o}}}}", "get", "tags", "svisor",
                  "operationId", "operations.list", "summary",
                  "List the calls that were answered with 202, without their results.",
                  "description", "docs/rest.md tells of operations.", "parameters", "responses",
                  "200", "description", "the operations", "content", content_of(list)));
    json_t *dropped = json_pack("{s:s, s:o}", "description", "true", "content",
                                content_of(type_schema(SV_TYPE_BOOLEAN)));
    json_object_set_new(
        paths, "/operations/{id}",
        json_pack("{s:o, s:o}", "get",
                  handle_operation("operations.get",
                                   "Return how far a call has come that was "
                                   "answered with 202.",
                                   answer_of("the operation", "Operation")),
                  "delete",
                  handle_operation("operations.delete", "Forget such a call. What it does goes on.",
                                   dropped)));
}

static json_t *relayed_operation(const char *id)
{
    return json_pack(
        "{s:[s], s:s, s:s, s:s, s:[o,o,o], s:{s:{s:s, s:o}, s:o}}", "tags", "svisor", "operationId",
        id, "summary", "Call a method of another instance through this one.", "description",
        "Any path of this document may follow /instances/{identifier}, with its arguments and its "
        "verb; the answer is that of the instance.",
        "parameters", path_parameter("identifier", "identifier or nickname of the instance"),
        path_parameter("space", "of the method"), path_parameter("method", "and its arguments"),
        "responses", "200", "description", "what the method returns", "content",
        content_of(type_schema(SV_TYPE_ANY)), "default", reference("responses", "Fault"));
}

static void add_relay(json_t *paths)
{
    json_object_set_new(paths, "/instances/{identifier}/{space}/{method}",
                        json_pack("{s:o, s:o}", "get", relayed_operation("instances.get"), "post",
                                  relayed_operation("instances.post")));
}

/* What io/publish_sse.c answers. */
static void add_events(json_t *paths)
{
    json_t *headers = json_pack(
        "{s:s, s:s, s:b, s:s, s:o}", "name", "headers", "in", "path", "required", 1, "description",
        "a header of events; more of them between slashes; all for the seven of Supvisors",
        "schema", type_schema(SV_TYPE_STRING));
    json_t *last_id =
        json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", "Last-Event-ID", "in", "header", "required",
                  0, "description", "the id of the last event that the client has had", "schema",
                  type_schema(SV_TYPE_STRING));
    json_t *stream =
        json_pack("{s:s, s:{s:{s:o}}}", "description", "a stream that does not end", "content",
                  "text/event-stream", "schema", type_schema(SV_TYPE_STRING));
    json_object_set_new(
        paths, "/events/{headers}",
        json_pack("{s:{s:[s], s:s, s:s, s:s, s:[o,o], s:{s:o}}}", "get", "tags", "svisor",
                  "operationId", "events", "summary", "Hear what happens.", "description",
                  "docs/events.md tells of the headers and of what comes back after a break.",
                  "parameters", headers, last_id, "responses", "200", stream));
}

void sv_rest_openapi(bool has_cluster, struct sv_str *ret_body)
{
    json_t *paths = json_object();
    struct sv_route route;
    for (size_t i = 0; sv_route_at(i, &route); i++)
        if ((has_cluster || !(route.method->flags & SV_METHOD_OF_CLUSTER)) && !is_hidden(i, &route))
            add_route(paths, &route);
    add_handles(paths);
    if (has_cluster) {
        add_relay(paths);
        add_events(paths);
    }
    json_t *document = json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:o, s:[{}, {s:[]}], s:o, s:o}", "openapi", "3.1.0",
        "info", "title", "svisord", "version", SV_VERSION, "description",
        "Every remote method of svisord. docs/rest.md has the rules, docs/api.md the methods.",
        "servers", "url", "/", "tags", tags(has_cluster), "security", "password", "paths", paths,
        "components", components());
    sv_rest_encode_result(document, ret_body);
    json_decref(document);
}
