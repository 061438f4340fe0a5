/* enable_stats, disable_stats, stats_period: what the local instance measures, and how often. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster.h"
#include "python.h"

struct subject {
    const char *word;
    const char *title;
    const char *method;
};

static const struct subject subjects[] = {
    {"host", "Host statistics", "supvisors.enable_host_statistics"},
    {"process", "Process statistics", "supvisors.enable_process_statistics"},
};
#define ALL_SUBJECTS ((1U << SV_ARRAY_LENGTH(subjects)) - 1U)

/* One bit for each subject that the word means; 0: it means nothing. */
static unsigned subjects_of(const char *word)
{
    if (strcasecmp(word, "all") == 0)
        return ALL_SUBJECTS;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(subjects); i++)
        if (strcasecmp(word, subjects[i].word) == 0)
            return 1U << i;
    return 0;
}

/* 0 when it has complained: of each word, and then once how the command is used. */
static unsigned read_subjects(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    unsigned chosen = arguments->word_count ? 0 : ALL_SUBJECTS;
    bool is_wrong = false;

    for (size_t i = 0; i < arguments->word_count; i++) {
        SV_CLEANUP(sv_str_done) struct sv_str word = {0};
        unsigned meant = subjects_of(arguments->words[i]);

        chosen |= meant;
        if (meant)
            continue;
        for (const char *c = arguments->words[i]; *c; c++)
            sv_str_addf(&word, "%c", tolower((unsigned char)*c));
        sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "ERROR: invalid statistics type %s",
                    sv_str_text(&word));
        is_wrong = true;
    }
    if (is_wrong)
        sv_say_usage(arguments->command->name);
    return is_wrong ? 0 : chosen;
}

static enum sv_verdict request(struct sv_ctl *ctl, const char *done, const char *method,
                               json_t *parameter)
{
    SV_CLEANUP(sv_str_done) struct sv_str text = {0};
    json_t *result = NULL;
    enum sv_call outcome = sv_client_call(ctl->client, method, &result, "[o]", parameter);

    if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, NULL);
    if (outcome == SV_CALL_OK) {
        sv_add_python(&text, result);
        sv_say("%s: %s", done, sv_str_text(&text));
        json_decref(result);
    }
    return outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
}

enum sv_verdict sv_command_cluster_switch_stats(struct sv_ctl *ctl,
                                                const struct sv_arguments *arguments)
{
    bool is_enabled = strcmp(arguments->command->name, "enable_stats") == 0;
    unsigned chosen = read_subjects(ctl, arguments);
    enum sv_verdict verdict = SV_VERDICT_DONE;

    for (size_t i = 0; i < SV_ARRAY_LENGTH(subjects) && !verdict; i++) {
        SV_CLEANUP(sv_str_done) struct sv_str done = {0};

        sv_str_addf(&done, "%s %s", subjects[i].title, is_enabled ? "enabled" : "disabled");
        if (chosen & (1U << i))
            verdict =
                request(ctl, sv_str_text(&done), subjects[i].method, json_boolean(is_enabled));
    }
    return verdict;
}

enum sv_verdict sv_command_cluster_stats_period(struct sv_ctl *ctl,
                                                const struct sv_arguments *arguments)
{
    char *end = NULL;

    if (arguments->word_count < 1) {
        sv_complain_usage(ctl, arguments, "ERROR: stats_period requires a period");
        return SV_VERDICT_DONE;
    }
    /* Supvisors' own command breaks off with a traceback when it is not positive. */
    double period = strtod(arguments->words[0], &end);
    if (*end != '\0' || !isfinite(period) || period <= 0) {
        sv_complain_usage(ctl, arguments,
                          "ERROR: stats_period requires a strictly positive period");
        return SV_VERDICT_DONE;
    }
    return request(ctl, "Statistics period updated", "supvisors.update_collecting_period",
                   json_real(period));
}
