/* The server knows no patterns but "GROUP:*", and only in some calls: names are matched here. */
#include "processes.h"

#include <string.h>

#include "namespec.h"

static bool means_all(const struct sv_arguments *arguments)
{
    for (size_t i = 0; i < arguments->word_count; i++)
        if (strcmp(arguments->words[i], "all") == 0)
            return true;
    return arguments->word_count == 0;
}

/* Appends what one word means. 0, or -ENOMEM. */
static int add_matching(struct sv_ctl *ctl, const char *word, const json_t *all,
                        enum sv_exit bad_name_exit, json_t *matching)
{
    struct sv_namespec namespec;
    bool is_found = false;
    size_t i;
    json_t *info;
    int r = sv_namespec_split(word, &namespec);

    if (r < 0)
        return r;
    json_array_foreach(all, i, info)
    {
        if (!sv_namespec_matches(&namespec, info))
            continue;
        is_found = true;
        json_array_append(matching, info);
    }
    if (!is_found && namespec.process)
        sv_complain(ctl, bad_name_exit, "%s: ERROR (no such process)", word);
    else if (!is_found)
        sv_complain(ctl, bad_name_exit, "%s: ERROR (no such group)", namespec.group);
    sv_namespec_done(&namespec);
    return 0;
}

enum sv_verdict sv_processes_matching(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                                      enum sv_exit bad_name_exit, json_t **ret_infos)
{
    json_t *all = NULL;
    json_t *matching;
    int r = 0;

    if (sv_client_call(ctl->client, "supervisor.getAllProcessInfo", &all, "[]") != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    if (means_all(arguments)) {
        *ret_infos = all;
        return SV_VERDICT_DONE;
    }
    matching = json_array();
    for (size_t i = 0; i < arguments->word_count && matching && r == 0; i++)
        r = add_matching(ctl, arguments->words[i], all, bad_name_exit, matching);
    json_decref(all);
    if (!matching || r < 0)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
    *ret_infos = matching;
    return SV_VERDICT_DONE;
}
