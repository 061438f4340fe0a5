/* shutdown, reload, version, pid, open, quit: about the daemon itself, and which one. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "faults.h"
#include "namespec.h"
#include "terminal.h"

/* In the shell the person is asked first. False: do not; `ret_verdict` says how to go on. */
static bool is_meant(struct sv_ctl *ctl, const char *prompt, enum sv_verdict *ret_verdict)
{
    bool is_yes = !ctl->is_interactive;
    enum sv_typed typed = SV_TYPED_LINE;

    if (ctl->is_interactive)
        typed = sv_typed_yes(ctl->interrupt_fd, prompt, &is_yes);
    *ret_verdict = SV_VERDICT_DONE;
    if (typed == SV_TYPED_END)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: no answer");
    if (typed == SV_TYPED_INTERRUPTED) {
        sv_say("%s", "");
        *ret_verdict = SV_VERDICT_QUIT;
    }
    return is_yes;
}

enum sv_verdict sv_command_shutdown(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    enum sv_verdict verdict;

    (void)arguments;
    if (!is_meant(ctl, "Really shut the remote supervisord process down y/N? ", &verdict))
        return verdict;
    if (sv_client_call(ctl->client, "supervisor.shutdown", NULL, "[]") == SV_CALL_OK) {
        sv_say("Shut down");
        return SV_VERDICT_DONE;
    }
    if (sv_client_fault(ctl->client)->code == SV_FAULT_SHUTDOWN_STATE) {
        sv_say("ERROR: already shutting down"); /* and the exit code stays 0 */
        return SV_VERDICT_DONE;
    }
    if (sv_client_failure(ctl->client) != SV_FAILURE_REFUSED &&
        sv_client_failure(ctl->client) != SV_FAILURE_NO_FILE)
        return SV_VERDICT_ABORTED;
    sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: %s (already shut down?)",
                sv_client_error(ctl->client));
    return SV_VERDICT_DONE;
}

enum sv_verdict sv_command_reload(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    enum sv_verdict verdict;

    (void)arguments;
    if (!is_meant(ctl, "Really restart the remote supervisord process y/N? ", &verdict))
        return verdict;
    if (sv_client_call(ctl->client, "supervisor.restart", NULL, "[]") == SV_CALL_OK) {
        sv_say("Restarted supervisord");
        return SV_VERDICT_DONE;
    }
    if (sv_client_fault(ctl->client)->code != SV_FAULT_SHUTDOWN_STATE)
        return SV_VERDICT_ABORTED;
    sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: already shutting down");
    return SV_VERDICT_DONE;
}

static enum sv_verdict version_json(struct sv_ctl *ctl)
{
    static const struct {
        const char *key;
        const char *method;
    } parts[] = {{"version", "supervisor.getSupervisorVersion"},
                 {"api_version", "supervisor.getAPIVersion"},
                 {"identification", "supervisor.getIdentification"}};
    json_t *object = json_object();

    for (size_t i = 0; i < SV_ARRAY_LENGTH(parts); i++) {
        json_t *value = NULL;
        if (sv_client_call(ctl->client, parts[i].method, &value, "[]") != SV_CALL_OK) {
            json_decref(object);
            return SV_VERDICT_ABORTED;
        }
        json_object_set_new(object, parts[i].key, value);
    }
    sv_say_json(ctl, object);
    return SV_VERDICT_DONE;
}

enum sv_verdict sv_command_version(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *version = NULL;

    if (arguments->options & SV_OPTION_JSON)
        return version_json(ctl);
    if (sv_client_call(ctl->client, "supervisor.getSupervisorVersion", &version, "[]"))
        return SV_VERDICT_ABORTED;
    sv_say("%s", json_is_string(version) ? json_string_value(version) : "");
    json_decref(version);
    return SV_VERDICT_DONE;
}

/* One row of `pid`: printed at once, or kept for --json when `rows` is there. */
static void say_pid(const char *name, json_int_t pid, json_t *rows)
{
    if (rows)
        json_array_append_new(rows, json_pack("{s:s?, s:I}", "name", name, "pid", pid));
    else
        sv_say("%lld", (long long)pid);
}

static enum sv_verdict pid_of_all(struct sv_ctl *ctl, json_t *rows)
{
    json_t *infos = NULL;
    json_t *info;
    size_t i;

    if (sv_client_call(ctl->client, "supervisor.getAllProcessInfo", &infos, "[]") != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    json_array_foreach(infos, i, info)
    {
        char *name = sv_namespec_of(info);
        say_pid(name, sv_integer_of(info, "pid"), rows);
        free(name);
    }
    json_decref(infos);
    return SV_VERDICT_DONE;
}

static enum sv_verdict pid_of_one(struct sv_ctl *ctl, const char *name, json_t *rows)
{
    json_t *info = NULL;
    char *full_name;
    enum sv_call outcome =
        sv_client_call(ctl->client, "supervisor.getProcessInfo", &info, "[s]", name);

    if (outcome == SV_CALL_FAULT && sv_client_fault(ctl->client)->code == SV_FAULT_BAD_NAME) {
        sv_complain(ctl, SV_EXIT_GENERIC, "No such process %s", name);
        return SV_VERDICT_DONE;
    }
    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    full_name = sv_namespec_of(info);
    say_pid(full_name, sv_integer_of(info, "pid"), rows);
    if (sv_integer_of(info, "pid") == 0)
        ctl->exit_status = SV_EXIT_NOT_RUNNING;
    free(full_name);
    json_decref(info);
    return SV_VERDICT_DONE;
}

static enum sv_verdict say_pids(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                                json_t *rows)
{
    enum sv_verdict verdict = SV_VERDICT_DONE;
    json_t *pid = NULL;

    if (arguments->word_count == 0) {
        if (sv_client_call(ctl->client, "supervisor.getPID", &pid, "[]") != SV_CALL_OK)
            return SV_VERDICT_ABORTED;
        say_pid(NULL, json_integer_value(pid), rows);
        json_decref(pid);
        return SV_VERDICT_DONE;
    }
    for (size_t i = 0; i < arguments->word_count; i++)
        if (strcmp(arguments->words[i], "all") == 0)
            return pid_of_all(ctl, rows);
    for (size_t i = 0; i < arguments->word_count && !verdict; i++)
        verdict = pid_of_one(ctl, arguments->words[i], rows);
    return verdict;
}

enum sv_verdict sv_command_pid(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *rows = arguments->options & SV_OPTION_JSON ? json_array() : NULL;
    enum sv_verdict verdict = say_pids(ctl, arguments, rows);

    if (verdict == SV_VERDICT_DONE && arguments->options & SV_OPTION_JSON)
        sv_say_json(ctl, rows);
    else
        json_decref(rows);
    return verdict;
}

enum sv_verdict sv_command_open(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    const char *url = arguments->text;
    enum sv_verdict verdict;

    if (strncmp(url, "http:", 5) != 0 && strncmp(url, "unix:", 5) != 0) {
        sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: url must be http:// or unix://");
        return SV_VERDICT_DONE;
    }
    if (sv_client_set_url(ctl->client, url) < 0) {
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
        return SV_VERDICT_DONE;
    }
    verdict = sv_ctl_run_line(ctl, "status");
    ctl->exit_status = SV_EXIT_SUCCESS; /* of `open`, whatever the processes do */
    return verdict;
}

enum sv_verdict sv_command_quit(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    (void)ctl;
    (void)arguments;
    sv_say("%s", "");
    return SV_VERDICT_QUIT;
}
