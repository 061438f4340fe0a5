/*
 * svctl: supervisorctl for svisord and supervisord. The command line, and nothing else: dispatch.c
 * finds the command, commands/ has one file for each or for a few that belong together, shell.c is
 * the interactive side, settings.c reads [supervisorctl].
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl.h"
#include "settings.h"
#include "shell.h"
#include "terminal.h"

static const char usage[] =
    "svctl -- control applications run by svisord or supervisord from the cmd line.\n"
    "\n"
    "Usage: %s [options] [action [arguments]]\n"
    "\n"
    "Options:\n"
    "-c/--configuration FILENAME -- configuration file path (searches if not given)\n"
    "-h/--help -- print usage message and exit\n"
    "-i/--interactive -- start an interactive shell after executing commands\n"
    "-s/--serverurl URL -- URL on which the daemon is listening\n"
    "     (default \"http://localhost:9001\").\n"
    "-u/--username USERNAME -- username to use for authentication with server\n"
    "-p/--password PASSWORD -- password to use for authentication with server\n"
    "-r/--history-file FILENAME -- keep the history of the shell in this file\n"
    "\n"
    "action [arguments] -- see below\n"
    "\n"
    "Actions are commands like \"tail\" or \"stop\".  If -i is specified or no action is\n"
    "specified on the command line, a \"shell\" interpreting actions typed\n"
    "interactively is started.  Use the action \"help\" to find out about available\n"
    "actions.\n";

/* Python's getopt and ours find the same mistakes; the words are Python's. */
static int complain_of_usage(const char *program, const char *text)
{
    fprintf(stderr, "Error: %s\nFor help, use %s -h\n", text, program);
    return SV_EXIT_INVALID_ARGUMENTS;
}

/* Where each option with a value goes. */
static const char **place_of(struct sv_settings *settings, int option)
{
    const struct {
        int option;
        const char **place;
    } places[] = {
        {'c', &settings->file},     {'s', &settings->server_url},   {'u', &settings->username},
        {'p', &settings->password}, {'r', &settings->history_file},
    };

    for (size_t i = 0; i < SV_ARRAY_LENGTH(places); i++)
        if (places[i].option == option)
            return places[i].place;
    return NULL;
}

static int complain_of_option(char **argv, int option)
{
    struct sv_str text = {0};
    const char *word = argv[optind - 1];
    bool is_long = strncmp(word, "--", 2) == 0;
    int name_length = (int)strcspn(word, "=");

    if (option == ':' && is_long)
        sv_str_addf(&text, "option %s requires argument", word);
    else if (option == ':')
        sv_str_addf(&text, "option -%c requires argument", optopt);
    else if (is_long && optopt)
        sv_str_addf(&text, "option %.*s must not have an argument", name_length, word);
    else if (is_long)
        sv_str_addf(&text, "option %.*s not recognized", name_length, word);
    else
        sv_str_addf(&text, "option -%c not recognized", optopt);
    complain_of_usage(argv[0], sv_str_text(&text));
    sv_str_done(&text);
    return SV_EXIT_INVALID_ARGUMENTS;
}

/* -1: go on. Otherwise the exit code. */
static int read_options(int argc, char **argv, struct sv_settings *settings)
{
    static const struct option long_options[] = {{"configuration", required_argument, NULL, 'c'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {"interactive", no_argument, NULL, 'i'},
                                                 {"serverurl", required_argument, NULL, 's'},
                                                 {"username", required_argument, NULL, 'u'},
                                                 {"password", required_argument, NULL, 'p'},
                                                 {"history_file", required_argument, NULL, 'r'},
                                                 {"history-file", required_argument, NULL, 'r'},
                                                 {NULL, 0, NULL, 0}};
    int option;
    int index = -1; /* of the long option that was given */

    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:c:his:u:p:r:", long_options, &index)) != -1) {
        const char **place = place_of(settings, option);
        bool is_again = option == 'i' ? settings->is_interactive : place && *place;

        if (option == 'h' || (option == '?' && optopt == '?')) {
            printf(usage, argv[0]);
            return SV_EXIT_SUCCESS;
        }
        if (option == '?' || option == ':')
            return complain_of_option(argv, option);
        if (is_again) {
            char text[64];
            char short_name[] = {'-', (char)option, '\0'};

            snprintf(text, sizeof(text), "conflicting command line option '%s%s'",
                     index < 0 ? "" : "--", index < 0 ? short_name : long_options[index].name);
            return complain_of_usage(argv[0], text);
        }
        if (place)
            *place = optarg;
        else
            settings->is_interactive = true;
        index = -1;
    }
    return -1;
}

static enum sv_exit run(struct sv_ctl *ctl, char **words)
{
    struct sv_str line = {0};

    for (; *words; words++)
        sv_str_addf(&line, "%s%s", line.length ? " " : "", *words);
    if (line.length == 0) {
        sv_shell_run(ctl);
        return SV_EXIT_SUCCESS; /* of the shell always, as in supervisorctl */
    }
    sv_ctl_run_line(ctl, sv_str_text(&line));
    sv_str_done(&line);
    return ctl->exit_status;
}

int main(int argc, char **argv)
{
    struct sv_settings settings = {0};
    struct sv_ctl ctl = {0};
    struct sv_str problem = {0};
    int exit_status = read_options(argc, argv, &settings);

    if (exit_status >= 0)
        return exit_status;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!sv_settings_load(&settings, argv[0], &problem)) {
        exit_status = complain_of_usage(argv[0], sv_str_text(&problem));
        goto out;
    }
    ctl.prompt = settings.prompt;
    ctl.history_file = settings.history_file;
    ctl.mesh_key = settings.mesh_key;
    ctl.mesh_trust = settings.mesh_trust;
    ctl.is_interactive = settings.is_interactive || optind == argc;
    ctl.is_coloured = sv_terminal_is_coloured();
    ctl.interrupt_fd = sv_interrupt_open();
    ctl.client = sv_client_new(ctl.interrupt_fd);
    if (ctl.interrupt_fd < 0 || !ctl.client ||
        sv_client_set_url(ctl.client, settings.server_url) < 0 ||
        sv_client_set_user(ctl.client, settings.username, settings.password) < 0)
        exit_status = complain_of_usage(argv[0], "cannot start: out of memory or descriptors");
    else
        exit_status = (int)run(&ctl, argv + optind);
out:
    json_decref(ctl.completion);
    sv_client_free(ctl.client);
    sv_settings_done(&settings);
    sv_str_done(&problem);
    return exit_status;
}
