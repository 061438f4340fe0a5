/* Reading the configuration again, and taking groups into use and out of it. */
#include "api/handlers.h"
#include "api/target.h"
#include "api/text.h"
#include "config/config.h"

/* The same numbers as host->compare_group() has. */
enum { GROUP_REMOVED = -1, GROUP_CHANGED = 1, GROUP_ADDED = 2 };

static bool add_read_groups(const struct sv_api_host *host, int comparison, json_t *names)
{
    const struct sv_config *config = host->config(host->user);
    bool ok = true;
    for (size_t i = 0; i < config->group_count && ok; i++) {
        const char *name = config->groups[i]->name;
        if (host->compare_group(host->user, name) == comparison)
            ok = json_array_append_new(names, sv_text_json(name)) == 0;
    }
    return ok;
}

static bool add_active_groups(const struct sv_api_host *host, int comparison, json_t *names)
{
    size_t count;
    const struct sv_group_view *groups = host->groups(host->user, &count);
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        const char *name = groups[i].config->name;
        if (host->compare_group(host->user, name) == comparison)
            ok = json_array_append_new(names, sv_text_json(name)) == 0;
    }
    return ok;
}

void sv_method_reload_config(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_str error SV_CLEANUP(sv_str_done) = {0};
    if (!host->reread(host->user, &error)) {
        sv_call_fault(call, SV_FAULT_CANT_REREAD, sv_str_text(&error));
        return;
    }
    json_t *added = json_array();
    json_t *changed = json_array();
    json_t *removed = json_array();
    bool ok = add_read_groups(host, GROUP_ADDED, added) &&
              add_read_groups(host, GROUP_CHANGED, changed) &&
              add_active_groups(host, GROUP_REMOVED, removed);
    json_t *result = json_pack("[[o,o,o]]", added, changed, removed);
    if (!ok) {
        json_decref(result);
        result = NULL;
    }
    sv_call_return(call, result);
}

static const enum sv_fault change_faults[] = {
    [SV_GROUP_DONE] = SV_FAULT_NONE,
    [SV_GROUP_BAD_NAME] = SV_FAULT_BAD_NAME,
    [SV_GROUP_ALREADY] = SV_FAULT_ALREADY_ADDED,
    [SV_GROUP_STILL_RUNNING] = SV_FAULT_STILL_RUNNING,
    [SV_GROUP_FAILED] = SV_FAULT_FAILED,
};

static void answer_change(struct sv_api_call *call, enum sv_group_change change, const char *name)
{
    if (change == SV_GROUP_DONE)
        sv_call_return(call, json_true());
    else
        sv_call_fault(call, change_faults[change], name);
}

void sv_method_add_process_group(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    answer_change(call, host->add_group(host->user, arguments[0].text), arguments[0].text);
}

void sv_method_remove_process_group(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    answer_change(call, host->remove_group(host->user, arguments[0].text), arguments[0].text);
}
