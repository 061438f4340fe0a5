/* place: why each process of an application is where it is. */
#include <string.h>

#include "cluster.h"
#include "faults.h"
#include "namespec.h"

/* "s1, s2", or `nothing`. */
static void add_names(struct sv_str *text, const json_t *names, const char *nothing)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        sv_str_addf(text, "%s%s", i ? ", " : "", json_string_value(json_array_get(names, i)));
    if (json_array_size(names) == 0)
        sv_str_add(text, nothing);
}

static void say_process(const json_t *process)
{
    SV_CLEANUP(sv_str_done) struct sv_str text = {0};
    const json_t *running = json_object_get(process, "running_on");

    sv_str_addf(&text, "  %s: %s", sv_text_of(process, "process_name"),
                sv_text_of(process, "statename"));
    if (json_array_size(running)) {
        sv_str_add(&text, " on ");
        add_names(&text, running, "");
    }
    if (json_array_size(running) > 1)
        sv_str_add(&text, ", which is a conflict");
    sv_say("%s", sv_str_text(&text));

    sv_str_clear(&text);
    sv_str_add(&text, "    may run on ");
    add_names(&text, json_object_get(process, "may_run_on"), "no instance that is known");
    sv_str_addf(&text, " (identifiers: ");
    add_names(&text, json_object_get(process, "identifiers"), "none");
    sv_str_addf(&text, "), and counts %lld%% there",
                (long long)sv_integer_of(process, "expected_loading"));
    sv_say("%s", sv_str_text(&text));
    if (*sv_text_of(process, "why"))
        sv_say("    %s", sv_text_of(process, "why"));
}

static void say_application(const json_t *placement)
{
    const json_t *processes = json_object_get(placement, "processes");
    const char *name = sv_text_of(placement, "application_name");

    if (json_is_true(json_object_get(placement, "managed")))
        sv_say("%s: %s; starting strategy %s, distribution %s", name,
               sv_text_of(placement, "statename"), sv_text_of(placement, "starting_strategy"),
               sv_text_of(placement, "distribution"));
    else
        sv_say("%s: %s; no rules, so the cluster does not place it", name,
               sv_text_of(placement, "statename"));
    for (size_t i = 0; i < json_array_size(processes); i++)
        say_process(json_array_get(processes, i));
}

enum sv_verdict sv_command_place(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *placements = json_array();
    json_t *placement;
    size_t i;

    if (arguments->word_count == 0)
        sv_complain_usage(ctl, arguments, "Error: place requires the name of an application");
    for (i = 0; i < arguments->word_count; i++) {
        json_t *answer = NULL;
        enum sv_call outcome =
            sv_client_call(ctl->client, "svisor.getPlacement", &answer, "[s]", arguments->words[i]);

        if (outcome == SV_CALL_BROKEN) {
            json_decref(placements);
            return SV_VERDICT_ABORTED;
        }
        if (outcome == SV_CALL_OK)
            json_array_append_new(placements, answer);
        else if (sv_client_fault(ctl->client)->code == SV_FAULT_UNKNOWN_METHOD)
            sv_complain(ctl, SV_EXIT_UNIMPLEMENTED,
                        "error: %s does not know svisor.getPlacement: it is not svisord",
                        sv_client_url(ctl->client));
        else
            sv_complain_fault(ctl, arguments->words[i]);
    }
    if (arguments->options & SV_OPTION_JSON && arguments->word_count) {
        sv_say_json(ctl, placements);
        return SV_VERDICT_DONE;
    }
    json_array_foreach(placements, i, placement) say_application(placement);
    json_decref(placements);
    return SV_VERDICT_DONE;
}
