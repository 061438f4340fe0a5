/* why: one paragraph a process, in plain words, and what it wrote last. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "explain.h"
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
    json_t *line;
    size_t i;

    /* svisord's text begins with the name already; what explain.c makes of supervisord's answer
     * does not. */
    if (strncmp(sv_text_of(why, "text"), sv_text_of(why, "name"),
                strlen(sv_text_of(why, "name"))) != 0)
        sv_str_addf(&text, "%s is %s. ", name ? name : "?", sv_text_of(why, "statename"));
    sv_str_add(&text, sv_text_of(why, "text"));
    say_paragraph(sv_str_text(&text));
    if (json_array_size(lines))
        sv_say("Its last output:");
    json_array_foreach(lines, i, line)
        sv_say("  | %s", json_is_string(line) ? json_string_value(line) : "");
    free(name);
    sv_str_done(&text);
}

enum sv_verdict sv_command_why(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
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
    verdict = sv_processes_matching(ctl, arguments, SV_EXIT_GENERIC, &infos);
    for (i = 0; i < json_array_size(infos) && !verdict; i++) {
        json_t *why = NULL;

        verdict = sv_explain(ctl, json_array_get(infos, i), &why);
        if (!verdict)
            json_array_append_new(rows, why);
    }
    json_decref(infos);
    if (!verdict && is_json) {
        sv_say_json(ctl, rows);
        return verdict;
    }
    json_array_foreach(rows, i, row) say_why(row);
    json_decref(rows);
    return verdict;
}
