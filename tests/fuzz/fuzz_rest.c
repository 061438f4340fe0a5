/* Any request may come: verb, path, query and body become a call whose arguments all have their
 * types, or a refusal with a status and words. The input: a verb, a line of path, lines of
 * name=value up to an empty one, the body. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/rest/rest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS_MAX = 8 };

/* The text up to the next newline, which becomes its end. */
static char *line(char **rest, char *end, size_t *ret_length)
{
    char *begin = *rest;
    char *newline = memchr(begin, '\n', (size_t)(end - begin));
    char *stop = newline ? newline : end;
    *stop = '\0';
    *ret_length = (size_t)(stop - begin);
    *rest = newline ? newline + 1 : end;
    return begin;
}

/* Of a call to another instance, the arguments that are for it. */
static const json_t *inner_params(const struct sv_rest_call *call)
{
    if (call->name == call->method->name)
        return call->params;
    assert(json_array_size(call->params) == 3);
    return json_array_get(call->params, 2);
}

static void judge(const struct sv_rest_request *request)
{
    struct sv_rest_call call;
    struct sv_rest_problem problem = {0};
    struct sv_str body = {0};
    if (sv_rest_read(request, &call, &problem)) {
        const json_t *params = inner_params(&call);
        size_t count = sv_method_parameter_count(call.method);
        assert(json_array_size(params) <= count);
        assert(call.method->kind == SV_METHOD_QUERY || strcmp(request->verb, "POST") == 0);
        for (size_t i = json_array_size(params); i < count; i++)
            assert(call.method->parameters[i].fallback);
        for (size_t i = 0; i < json_array_size(params); i++)
            assert(json_array_get(params, i));
        sv_rest_encode_result(call.params, &body);
        json_decref(call.params);
    } else {
        assert(problem.status >= 400 && problem.text.length > 0);
        assert((problem.status == 405) == (problem.allow != NULL));
        sv_rest_encode_fault((int)problem.fault, sv_str_text(&problem.text), &body);
        sv_str_done(&problem.text);
    }
    json_t *back = json_loadb(body.data, body.length, 0, NULL);
    assert(back);
    json_decref(back);
    sv_str_done(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    char *rest = text, *end = text + size;
    size_t length;
    struct sv_rest_field fields[FIELDS_MAX];
    struct sv_rest_request request = {.fields = fields, .content_type = "application/json"};
    request.verb = line(&rest, end, &length);
    request.path = line(&rest, end, &length);
    while (rest < end && request.field_count < FIELDS_MAX) {
        char *name = line(&rest, end, &length);
        if (length == 0)
            break;
        char *equals = memchr(name, '=', length);
        char *value = equals ? equals + 1 : name + length;
        if (equals)
            *equals = '\0';
        fields[request.field_count++] = (struct sv_rest_field){
            .name = name,
            .name_length = equals ? (size_t)(equals - name) : length,
            .value = value,
            .value_length = (size_t)(name + length - value),
        };
    }
    request.body = rest;
    request.body_length = (size_t)(end - rest);
    for (int has_cluster = 0; has_cluster < 2 && sv_rest_is_path(request.path); has_cluster++) {
        request.has_cluster = has_cluster == 1;
        judge(&request);
    }
    free(text);
    return 0;
}
