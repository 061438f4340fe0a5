/*
 * From a typed line to a command's function, by the rules of Python's cmd module, on which
 * supervisorctl stands: the name is the run of letters, digits and "_" at the start, the rest its
 * argument; "?" is "help"; anything else is "*** Unknown syntax".
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/str.h"
#include "ctl.h"
#include "faults.h"
#include "terminal.h"

/* How a row's check is made, and what is said when it fails: Supervisor 4.2.5, supervisorctl.py,
 * upcheck(), and Supvisors 0.19, supvisorsctl.py, _upcheck(). */
static const struct api_check {
    const char *method;
    const char *version;
    const char *prefix;  /* of complaints about the connection */
    const char *differs; /* before the version of the server */
    const char *unknown; /* the server has no such method */
} checks[] = {
    [SV_CHECK_UP] =
        {.method = "supervisor.getVersion",
         .version = "3.0",
         .prefix = "",
         .differs = "Sorry, this version of supervisorctl expects to talk to a server with API "
                    "version 3.0, but the remote version is ",
         .unknown = "Sorry, supervisord responded but did not recognize the supervisor "
                    "namespace commands that supervisorctl uses to control it.  Please check "
                    "that the [rpcinterface:supervisor] section is enabled in the "
                    "configuration file (see sample.conf)."},
    [SV_CHECK_CLUSTER] = {.method = "supvisors.get_api_version",
                          .version = "0.19",
                          .prefix = "ERROR: ",
                          .differs =
                              "ERROR: this version of supvisorsctl expects to talk to a server "
                              "with API version 0.19, but the remote version is ",
                          .unknown =
                              "ERROR: supervisord responded but did not recognize the supvisors "
                              "namespace commands that supervisorstl uses to control it. Please "
                              "check that the [rpcinterface:supvisors] section is enabled in the "
                              "configuration file."},
};

static const struct {
    const char *word;
    enum sv_option option;
} option_words[] = {
    {"--json", SV_OPTION_JSON}, {"--why", SV_OPTION_WHY}, {"--rolling", SV_OPTION_ROLLING}};

/* Is there a server, and does it speak our version? What is wrong is said, but for
 * SV_VERDICT_ABORTED. */
static bool is_up(struct sv_ctl *ctl, enum sv_check kind, enum sv_verdict *ret_verdict)
{
    const struct api_check *check = &checks[kind];
    json_t *version = NULL;
    enum sv_call outcome = sv_client_call(ctl->client, check->method, &version, "[]");
    enum sv_failure failure = sv_client_failure(ctl->client);
    const char *text = json_is_string(version) ? json_string_value(version) : "";
    bool is_ours = outcome == SV_CALL_OK && strcmp(text, check->version) == 0;

    *ret_verdict = SV_VERDICT_DONE;
    if (outcome == SV_CALL_OK && !is_ours)
        sv_complain(ctl, SV_EXIT_NOT_INSTALLED, "%s%s.", check->differs, text);
    else if (sv_client_fault(ctl->client)->code == SV_FAULT_UNKNOWN_METHOD)
        sv_complain(ctl, SV_EXIT_UNIMPLEMENTED, "%s", check->unknown);
    else if (failure == SV_FAILURE_REFUSED)
        sv_complain(ctl, SV_EXIT_REFUSED, "%s%s", check->prefix, sv_client_error(ctl->client));
    else if (failure == SV_FAILURE_NO_FILE)
        sv_complain(ctl, SV_EXIT_NOT_RUNNING, "%s%s", check->prefix, sv_client_error(ctl->client));
    else if (outcome != SV_CALL_OK)
        *ret_verdict = SV_VERDICT_ABORTED;
    json_decref(version);
    return is_ours;
}

/* Cuts `text` into words, in place, and takes the command's options out. False without memory. */
static bool split_words(const struct sv_command *command, char *text,
                        struct sv_arguments *arguments)
{
    static const char spaces[] = " \t\r\n\v\f";
    size_t capacity = strlen(text) / 2 + 1;

    arguments->words = calloc(capacity, sizeof(*arguments->words));
    if (!arguments->words)
        return false;
    for (char *word = text + strspn(text, spaces); *word;) {
        char *end = word + strcspn(word, spaces);
        char *next = end + strspn(end, spaces);
        unsigned option = 0;

        *end = '\0';
        for (size_t i = 0; i < SV_ARRAY_LENGTH(option_words); i++)
            if (strcmp(word, option_words[i].word) == 0)
                option = option_words[i].option & command->options;
        arguments->options |= option;
        if (!option)
            arguments->words[arguments->word_count++] = word;
        word = next;
    }
    return true;
}

static enum sv_verdict run_command(struct sv_ctl *ctl, const struct sv_command *command,
                                   const struct sv_arguments *arguments)
{
    enum sv_verdict verdict;

    if (command->takes == SV_TAKES_NOTHING && arguments->word_count) {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: %s accepts no arguments", command->name);
        sv_say_usage(command->name);
        return SV_VERDICT_DONE;
    }
    if (command->check != SV_CHECK_NONE && !is_up(ctl, command->check, &verdict)) {
        if (verdict == SV_VERDICT_DONE && command->exit_class == SV_EXIT_CLASS_STATUS)
            ctl->exit_status = SV_EXIT_STATUS_UNKNOWN;
        return verdict;
    }
    return command->run(ctl, arguments);
}

/* Asks for name and password. False: nobody answers. */
static bool ask_for_user(struct sv_ctl *ctl)
{
    struct sv_str username = {0};
    struct sv_str password = {0};
    bool has_both = sv_typed_line(ctl->interrupt_fd, "Username:", &username) == SV_TYPED_LINE &&
                    sv_typed_password(ctl->interrupt_fd, "Password:", &password) == SV_TYPED_LINE;

    sv_say("%s", "");
    if (has_both)
        has_both =
            sv_client_set_user(ctl->client, sv_str_text(&username), sv_str_text(&password)) == 0;
    sv_str_done(&username);
    sv_str_done(&password);
    return has_both;
}

/* Says why the client broke off. True: the command is to be run again. */
static bool explain_abort(struct sv_ctl *ctl, enum sv_verdict *ret_verdict)
{
    *ret_verdict = SV_VERDICT_DONE;
    if (sv_client_failure(ctl->client) == SV_FAILURE_UNAUTHORIZED) {
        sv_say("Server requires authentication");
        if (ctl->is_interactive && ask_for_user(ctl))
            return true;
        *ret_verdict = ctl->is_interactive ? SV_VERDICT_QUIT : SV_VERDICT_DONE;
        ctl->exit_status = SV_EXIT_GENERIC;
    } else if (sv_client_failure(ctl->client) == SV_FAILURE_INTERRUPTED) {
        sv_say("%s", "");
        ctl->exit_status = SV_EXIT_INTERRUPTED;
        *ret_verdict = SV_VERDICT_QUIT;
    } else {
        sv_complain(ctl, SV_EXIT_GENERIC, "error: %s", sv_client_error(ctl->client));
    }
    return false;
}

/* The whole line, white space around it removed, and with "?" written out. NULL without memory. */
static char *tidy(const char *line)
{
    struct sv_str text = {0};
    size_t length;

    line += strspn(line, " \t\r\n\v\f");
    length = strlen(line);
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    if (length && *line == '?') {
        sv_str_add(&text, "help ");
        line++;
        length--;
    }
    sv_str_append(&text, line, length);
    return sv_str_take(&text);
}

/* How much of the line is the command's name. One of ours has a "-" in it, which is none of cmd's
 * letters. */
static size_t name_length(const char *line)
{
    size_t length = strcspn(line, " \t\r\n\v\f");

    for (size_t i = 0; i < sv_command_count; i++)
        if (strlen(sv_commands[i].name) == length &&
            strncmp(line, sv_commands[i].name, length) == 0)
            return length;
    length = 0;
    while (isalnum((unsigned char)line[length]) || line[length] == '_')
        length++;
    return length;
}

/* One try; the caller's line is not changed, because a 401 may ask for another. */
static enum sv_verdict run_once(struct sv_ctl *ctl, const char *line)
{
    char *name = strdup(line);
    char *words = strdup(line);
    struct sv_arguments arguments = {0};
    const struct sv_command *command = NULL;
    enum sv_verdict verdict = SV_VERDICT_DONE;
    size_t length = name_length(line);

    if (name)
        name[length] = '\0';
    arguments.text = line + length + strspn(line + length, " \t\r\n\v\f");
    command = name ? sv_command_find(name) : NULL;
    arguments.command = command;
    if (!name || !words || (command && !split_words(command, words + length, &arguments)))
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
    else if (!command)
        sv_complain(ctl, SV_EXIT_GENERIC, "*** Unknown syntax: %s", line);
    else
        verdict = run_command(ctl, command, &arguments);
    free(arguments.words);
    free(words);
    free(name);
    return verdict;
}

enum sv_verdict sv_ctl_run_line(struct sv_ctl *ctl, const char *line)
{
    char *text = tidy(line);
    enum sv_verdict verdict = SV_VERDICT_DONE;

    json_decref(ctl->completion);
    ctl->completion = NULL;
    ctl->exit_status = SV_EXIT_SUCCESS;
    if (text && *text)
        do {
            verdict = run_once(ctl, text);
        } while (verdict == SV_VERDICT_ABORTED && explain_abort(ctl, &verdict));
    fflush(stdout);
    free(text);
    return verdict;
}
