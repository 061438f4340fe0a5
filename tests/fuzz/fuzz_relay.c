/* A call that another instance relays: its arguments are JSON from outside, and become arguments
 * of a method that have their types, or a refusal with words. The input: a line with the method,
 * then the JSON. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct sv_method *method, json_t *params)
{
    struct sv_argument arguments[SV_METHOD_PARAMETERS_MAX];
    struct sv_str error = {0};
    if (!sv_params_count_fits(method, params))
        return;
    if (sv_params_read(method, params, arguments, &error)) {
        for (size_t i = 0; method->parameters[i].name; i++) {
            enum sv_value_type type = method->parameters[i].type;
            bool is_text = type == SV_TYPE_STRING || type == SV_TYPE_SIGNAL;
            assert(!is_text || arguments[i].text);
            assert(arguments[i].value || method->parameters[i].fallback);
        }
    } else {
        assert(error.length > 0);
    }
    sv_str_done(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    if (!newline)
        return 0;
    char *name = strndup((const char *)data, (size_t)(newline - data));
    size_t rest = size - (size_t)(newline + 1 - data);
    /* As driver/cluster/serve.c reads it. */
    json_t *params = json_loadb((const char *)newline + 1, rest, JSON_ALLOW_NUL, NULL);
    if (params && sv_api_may_be_relayed(name, params)) {
        const char *known;
        const struct sv_method *method;
        assert(strcmp(name, "svisor.relay") != 0);
        for (size_t i = 0; (method = sv_method_at(i, &known)); i++)
            if (strcmp(known, name) == 0)
                judge(method, params);
    }
    json_decref(params);
    free(name);
    return 0;
}
