/* system.*: the methods about the methods, as XML-RPC clients know them. */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/text.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void sv_method_list_methods(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    size_t count = 0;
    const char **names = calloc(call->api->methods.count, sizeof *names);
    json_t *list = json_array();
    bool ok = names && list;
    if (ok) {
        sv_map_foreach (entry, &call->api->methods)
            names[count++] = entry->key;
        qsort(names, count, sizeof *names, compare_names);
    }
    for (size_t i = 0; i < count && ok; i++)
        ok = json_array_append_new(list, sv_text_json(names[i])) == 0;
    if (!ok) {
        json_decref(list);
        list = NULL;
    }
    free(names);
    sv_call_return(call, list);
}

void sv_method_method_help(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_method *method = sv_api_method(call->api, arguments[0].text);
    if (!method) {
        sv_call_fault(call, SV_FAULT_SIGNATURE_UNSUPPORTED, NULL);
        return;
    }
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_method_help(method, &text);
    sv_call_return(call, sv_str_ok(&text) ? sv_text_json(sv_str_text(&text)) : NULL);
}

void sv_method_method_signature(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_method *method = sv_api_method(call->api, arguments[0].text);
    if (method)
        sv_call_return(call, sv_method_signature(method));
    else
        sv_call_fault(call, SV_FAULT_SIGNATURE_UNSUPPORTED, NULL);
}
