/* why: one paragraph a process, in plain words; the table of its last end, or of the run that is
 * asked for; and what it wrote last. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "death.h"
#include "explain.h"
#include "faults.h"
#include "namespec.h"
#include "processes.h"

#define PARAGRAPH_COLUMNS 79

/* Prints the text with its lines broken at spaces. */
static void say_paragraph(const char *text)
{
    while (*text) {
        size_t length = strlen(text);

        if (length > PARAGRAPH_COLUMNS) {
            size_t cut = PARAGRAPH_COLUMNS;

            while (cut > 0 && text[cut] != ' ')
                cut--;
            length = cut ? cut : strcspn(text, " ");
        }
        sv_say("%.*s", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

static void say_why(const json_t *why)
{
    struct sv_str text = {0};
    char *name = sv_namespec_of(why);
    const json_t *lines = json_object_get(why, "last_output");
    const json_t *death = json_object_get(why, "last_end");
    json_t *line;
    size_t i;

    /* svisord's text begins with the name already; what explain.c makes of supervisord's answer
     * does not. */
    if (strncmp(sv_text_of(why, "text"), sv_text_of(why, "name"),
                strlen(sv_text_of(why, "name"))) != 0)
        sv_str_addf(&text, "%s is %s. ", name ? name : "?", sv_text_of(why, "statename"));
    sv_str_add(&text, sv_text_of(why, "text"));
    say_paragraph(sv_str_text(&text));
    if (json_is_object(death))
        sv_say_death(death);
    if (json_array_size(lines) && !json_object_get(death, "tail"))
        sv_say("Its last output:");
    else
        lines = NULL; /* the certificate has shown what belongs to that run */
    json_array_foreach(lines, i, line)
        sv_say("  | %s", json_is_string(line) ? json_string_value(line) : "");
    free(name);
    sv_str_done(&text);
}

/* `--run 3` or `--run=3` among the words, taken out; 0: not given, -1: no number. */
static long take_run(struct sv_arguments *arguments)
{
    static const char option[] = "--run";
    size_t length = sizeof(option) - 1;
    long run = 0;
    size_t kept = 0;

    for (size_t i = 0; i < arguments->word_count; i++) {
        const char *word = arguments->words[i];
        const char *value = NULL;
        char *end;

        if (strncmp(word, option, length) != 0 || (word[length] != '\0' && word[length] != '=')) {
            arguments->words[kept++] = word;
            continue;
        }
        if (word[length] == '=')
            value = word + length + 1;
        else if (i + 1 < arguments->word_count)
            value = arguments->words[++i];
        run = value ? strtol(value, &end, 10) : -1;
        if (run <= 0 || *end != '\0')
            run = -1;
    }
    arguments->word_count = kept;
    return run;
}

/* The certificate of one run in the place of what `why` says of now. */
static enum sv_verdict explain_run(struct sv_ctl *ctl, const json_t *info, long run,
                                   json_t **ret_death)
{
    char *name = sv_namespec_of(info);
    enum sv_call outcome = sv_client_call(ctl->client, "svisor.getDeathCertificate", ret_death,
                                          "[s,i]", name ? name : "", (int)run);
    int code = outcome == SV_CALL_FAULT ? sv_client_fault(ctl->client)->code : 0;

    *ret_death = outcome == SV_CALL_OK ? *ret_death : NULL;
    if (code == SV_FAULT_FAILED)
        sv_complain(ctl, SV_EXIT_GENERIC, "%s: ERROR (no death certificate of run %ld)",
                    name ? name : "?", run);
    else if (code == SV_FAULT_UNKNOWN_METHOD)
        sv_complain(ctl, SV_EXIT_UNIMPLEMENTED, "error: %s keeps no death certificates",
                    sv_client_url(ctl->client));
    free(name);
    return outcome == SV_CALL_OK || code == SV_FAULT_FAILED || code == SV_FAULT_UNKNOWN_METHOD
               ? SV_VERDICT_DONE
               : SV_VERDICT_ABORTED;
}

static void say_run(const json_t *death)
{
    say_paragraph(sv_text_of(death, "summary"));
    sv_say_death(death);
}

enum sv_verdict sv_command_why(struct sv_ctl *ctl, const struct sv_arguments *given)
{
    struct sv_arguments words = *given;
    const struct sv_arguments *arguments = &words;
    long run = take_run(&words);
    bool is_json = arguments->options & SV_OPTION_JSON;
    json_t *rows = json_array();
    json_t *infos = NULL;
    json_t *row;
    enum sv_verdict verdict;
    size_t i;

    if (arguments->word_count == 0) {
        json_decref(rows);
        sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "Error: why requires a process name");
        sv_say_usage("why");
        return SV_VERDICT_DONE;
    }
    if (run < 0) {
        json_decref(rows);
        sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS,
                    "Error: --run takes the number of a run, such as --run 3");
        return SV_VERDICT_DONE;
    }
    verdict = sv_processes_matching(ctl, arguments, SV_EXIT_GENERIC, &infos);
    for (i = 0; i < json_array_size(infos) && !verdict; i++) {
        json_t *why = NULL;

        verdict = run ? explain_run(ctl, json_array_get(infos, i), run, &why)
                      : sv_explain(ctl, json_array_get(infos, i), &why);
        if (!verdict && why)
            json_array_append_new(rows, why);
    }
    json_decref(infos);
    if (!verdict && is_json) {
        sv_say_json(ctl, rows);
        return verdict;
    }
    json_array_foreach(rows, i, row)
    {
        if (run)
            say_run(row);
        else
            say_why(row);
    }
    json_decref(rows);
    return verdict;
}
