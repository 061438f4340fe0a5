/* kernel: what svisord has of cgroups, eBPF, pidfds and the rest, and what would enable what is
 * missing. */
#include <string.h>

#include "ctl.h"
#include "faults.h"
#include "namespec.h"

/* Rows of these follow a feature, when the server has something to say there. */
static const struct {
    const char *key;
    const char *label;
} details[] = {{"detail", ""}, {"missing", "missing: "}, {"remedy", "remedy:  "}};

static const char *active_word(const json_t *active)
{
    if (json_is_string(active))
        return json_string_value(active);
    return json_is_true(active) || json_integer_value(active) ? "yes" : "no";
}

static void say_features(const json_t *features)
{
    int name_columns = 4;
    json_t *feature;
    size_t i;

    json_array_foreach(features, i, feature)
    {
        size_t length = strlen(sv_text_of(feature, "name"));
        if ((int)length > name_columns && length < 60)
            name_columns = (int)length;
    }
    sv_say("%-*s  %-6s  %s", name_columns, "NAME", "ACTIVE", "GIVES");
    json_array_foreach(features, i, feature)
    {
        sv_say("%-*s  %-6s  %s", name_columns, sv_text_of(feature, "name"),
               active_word(json_object_get(feature, "active")), sv_text_of(feature, "gives"));
        for (size_t j = 0; j < SV_ARRAY_LENGTH(details); j++) {
            const char *text = sv_text_of(feature, details[j].key);
            if (*text)
                sv_say("%*s  %s%s", name_columns + 8, "", details[j].label, text);
        }
    }
}

enum sv_verdict sv_command_kernel(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *features = NULL;
    enum sv_call outcome = sv_client_call(ctl->client, "svisor.getKernelReport", &features, "[]");

    if (outcome == SV_CALL_FAULT && sv_client_fault(ctl->client)->code == SV_FAULT_UNKNOWN_METHOD) {
        sv_complain(ctl, SV_EXIT_UNIMPLEMENTED,
                    "error: %s does not know svisor.getKernelReport: it is not svisord",
                    sv_client_url(ctl->client));
        return SV_VERDICT_DONE;
    }
    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    if (arguments->options & SV_OPTION_JSON) {
        sv_say_json(ctl, features);
        return SV_VERDICT_DONE;
    }
    say_features(features);
    json_decref(features);
    return SV_VERDICT_DONE;
}
