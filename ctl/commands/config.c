/* reread, avail: what the configuration files say, beside what runs. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "faults.h"
#include "namespec.h"

/* The three lists of reloadConfig, in its order. */
static const struct {
    const char *key; /* of --json, and the word after the group's name */
} changes[] = {{"available"}, {"changed"}, {"disappeared"}};

struct change {
    const char *group;
    const char *what;
};

static int compare_changes(const void *a, const void *b)
{
    const struct change *left = a;
    const struct change *right = b;

    return strcmp(left->group, right->group);
}

static void say_changes(struct sv_ctl *ctl, const json_t *lists)
{
    size_t count = 0;
    size_t total = 0;
    struct change *rows;

    for (size_t i = 0; i < SV_ARRAY_LENGTH(changes); i++)
        total += json_array_size(json_array_get(lists, i));
    if (total == 0) {
        sv_say("No config updates to processes");
        return;
    }
    rows = calloc(total, sizeof(*rows));
    if (!rows) {
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
        return;
    }
    for (size_t i = 0; i < SV_ARRAY_LENGTH(changes); i++) {
        size_t j;
        json_t *group;

        json_array_foreach(json_array_get(lists, i), j, group)
        {
            if (json_is_string(group))
                rows[count++] = (struct change){json_string_value(group), changes[i].key};
        }
    }
    qsort(rows, count, sizeof(*rows), compare_changes);
    for (size_t i = 0; i < count; i++)
        sv_say("%s: %s", rows[i].group, rows[i].what);
    free(rows);
}

static json_t *json_of_changes(const json_t *lists)
{
    json_t *object = json_object();

    for (size_t i = 0; i < SV_ARRAY_LENGTH(changes); i++)
        json_object_set(object, changes[i].key, json_array_get(lists, i));
    return object;
}

enum sv_verdict sv_command_reread(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *result = NULL;

    if (sv_client_call(ctl->client, "supervisor.reloadConfig", &result, "[]") != SV_CALL_OK) {
        const struct sv_xmlrpc_fault *fault = sv_client_fault(ctl->client);

        if (fault->code == SV_FAULT_SHUTDOWN_STATE)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: supervisor shutting down");
        else if (fault->code == SV_FAULT_CANT_REREAD)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: %s", fault->text);
        else
            return SV_VERDICT_ABORTED;
        return SV_VERDICT_DONE;
    }
    if (arguments->options & SV_OPTION_JSON)
        sv_say_json(ctl, json_of_changes(json_array_get(result, 0)));
    else
        say_changes(ctl, json_array_get(result, 0));
    json_decref(result);
    return SV_VERDICT_DONE;
}

static void say_available(const json_t *info)
{
    char *name = sv_namespec_of(info);

    sv_say("%-32s %-9s %-9s %lld:%lld", name ? name : "?",
           json_is_true(json_object_get(info, "inuse")) ? "in use" : "avail",
           json_is_true(json_object_get(info, "autostart")) ? "auto" : "manual",
           (long long)sv_integer_of(info, "group_prio"),
           (long long)sv_integer_of(info, "process_prio"));
    free(name);
}

static json_t *json_of_available(const json_t *info)
{
    char *name = sv_namespec_of(info);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:b, s:b, s:I, s:I}", "name", name ? name : "?", "group",
        sv_text_of(info, "group"), "process", sv_text_of(info, "name"), "in_use",
        json_is_true(json_object_get(info, "inuse")), "autostart",
        json_is_true(json_object_get(info, "autostart")), "group_priority",
        sv_integer_of(info, "group_prio"), "process_priority", sv_integer_of(info, "process_prio"));

    free(name);
    return object;
}

enum sv_verdict sv_command_avail(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *result = NULL;
    json_t *info;
    json_t *rows = arguments->options & SV_OPTION_JSON ? json_array() : NULL;
    size_t i;

    if (sv_client_call(ctl->client, "supervisor.getAllConfigInfo", &result, "[]") != SV_CALL_OK) {
        json_decref(rows);
        if (sv_client_fault(ctl->client)->code != SV_FAULT_SHUTDOWN_STATE)
            return SV_VERDICT_ABORTED;
        sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: supervisor shutting down");
        return SV_VERDICT_DONE;
    }
    json_array_foreach(result, i, info)
    {
        if (rows)
            json_array_append_new(rows, json_of_available(info));
        else
            say_available(info);
    }
    if (arguments->options & SV_OPTION_JSON)
        sv_say_json(ctl, rows);
    json_decref(result);
    return SV_VERDICT_DONE;
}
