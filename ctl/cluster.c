/* Supvisors' commands are alike: a strategy, then names, "all" or nothing for all of them; each
 * name is one call, and a fault of one does not keep the next from being tried. */
#include "cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/states.h>

#include "namespec.h"
#include "python.h"

void sv_complain_fault(struct sv_ctl *ctl, const char *subject)
{
    sv_complain(ctl, SV_EXIT_GENERIC, "%s%sERROR (%s)", subject ? subject : "", subject ? ": " : "",
                sv_client_fault(ctl->client)->text);
}

bool sv_means_all(const char *const *words, size_t word_count)
{
    for (size_t i = 0; i < word_count; i++)
        if (strcmp(words[i], "all") == 0)
            return true;
    return word_count == 0;
}

void sv_complain_usage(struct sv_ctl *ctl, const struct sv_arguments *arguments, const char *format,
                       ...)
{
    SV_CLEANUP(sv_str_done) struct sv_str text = {0};
    va_list values;

    va_start(values, format);
    sv_str_addv(&text, format, values);
    va_end(values);
    sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "%s", sv_str_text(&text));
    sv_say_usage(arguments->command->name);
}

bool sv_read_choice(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                    enum sv_choice_kind kind, const char *word, int *ret_number)
{
    SV_CLEANUP(sv_str_done) struct sv_str names = {0};

    if (sv_choice_parse(kind, word, false, ret_number))
        return true;
    sv_add_python_names(&names, kind);
    /* One command has words of its own. */
    if (strcmp(arguments->command->name, "restart_process") == 0)
        sv_complain_usage(ctl, arguments, "ERROR: unknown strategy=%s. use one of %s", word,
                          sv_str_text(&names));
    else
        sv_complain_usage(ctl, arguments, "ERROR: unknown strategy for %s. use one of %s",
                          arguments->command->name, sv_str_text(&names));
    return false;
}

json_t *sv_word_list(const struct sv_arguments *arguments, size_t first)
{
    json_t *words = json_array();

    for (size_t i = first; i < arguments->word_count && words; i++)
        json_array_append_new(words, json_string(arguments->words[i]));
    return words;
}

json_t *sv_joined_words(const struct sv_arguments *arguments, size_t first)
{
    SV_CLEANUP(sv_str_done) struct sv_str text = {0};

    for (size_t i = first; i < arguments->word_count; i++)
        sv_str_addf(&text, "%s%s", i > first ? " " : "", arguments->words[i]);
    return sv_str_ok(&text) ? json_string(sv_str_text(&text)) : NULL;
}

static int compare_texts(const void *a, const void *b)
{
    const json_t *const *left = a, *const *right = b;

    return strcmp(json_string_value(*left), json_string_value(*right));
}

void sv_sort_texts(json_t *texts)
{
    size_t count = json_array_size(texts);
    json_t **items = calloc(count + 1, sizeof(*items));

    for (size_t i = 0; i < count && items; i++)
        items[i] = json_incref(json_array_get(texts, i));
    if (items)
        qsort(items, count, sizeof(*items), compare_texts);
    for (size_t i = 0; i < count && items; i++)
        json_array_set_new(texts, i, items[i]);
    free(items);
}

enum sv_verdict sv_ask_cluster(struct sv_ctl *ctl, const char *method, json_t **ret_result)
{
    enum sv_call outcome = sv_client_call(ctl->client, method, ret_result, "[]");

    if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, NULL);
    return outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
}

/* Supervisor 4.2.5, states.py, RUNNING_STATES. */
static bool is_running(const json_t *info)
{
    json_int_t state = sv_integer_of(info, "statecode");

    return state == SV_PROCESS_STARTING || state == SV_PROCESS_RUNNING ||
           state == SV_PROCESS_BACKOFF;
}

enum sv_verdict sv_all_namespecs(struct sv_ctl *ctl, bool only_running, json_t **ret_names)
{
    json_t *infos = NULL;
    json_t *names;
    json_t *info;
    size_t i;
    enum sv_verdict verdict = sv_ask_cluster(ctl, "supvisors.get_all_process_info", &infos);

    if (verdict)
        return verdict;
    names = json_array();
    json_array_foreach(infos, i, info)
    {
        char *name = sv_namespec_make(sv_text_of(info, "application_name"),
                                      sv_text_of(info, "process_name"));

        if (name && (!only_running || is_running(info)))
            json_array_append_new(names, json_string(name));
        free(name);
    }
    json_decref(infos);
    *ret_names = names;
    return SV_VERDICT_DONE;
}

enum sv_verdict sv_named_processes(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                                   size_t first, bool only_running, json_t **ret_names)
{
    enum sv_verdict verdict = SV_VERDICT_DONE;

    if (sv_means_all(arguments->words + first, arguments->word_count - first))
        verdict = sv_all_namespecs(ctl, only_running, ret_names);
    else
        *ret_names = sv_word_list(arguments, first);
    if (!verdict)
        sv_sort_texts(*ret_names);
    return verdict;
}
