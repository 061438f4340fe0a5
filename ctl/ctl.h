/*
 * svctl: what its files share. svctl.c reads the command line and finds the row of commands.def;
 * each row's function lives in commands/. client.h talks to the daemon, shell.h to the person.
 */
#ifndef SV_CTL_H
#define SV_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "client.h"

/* Exit codes: Supervisor 4.2.5, supervisorctl.py, LSBInitExitStatuses and LSBStatusExitStatuses. */
enum sv_exit {
    SV_EXIT_SUCCESS = 0,
    SV_EXIT_GENERIC = 1,
    SV_EXIT_INVALID_ARGUMENTS = 2,
    SV_EXIT_UNIMPLEMENTED = 3,
    SV_EXIT_REFUSED = 4,
    SV_EXIT_NOT_INSTALLED = 5,
    SV_EXIT_NOT_RUNNING = 7,
    SV_EXIT_STATUS_NOT_RUNNING = 3, /* of `status`: some process does not run */
    SV_EXIT_STATUS_UNKNOWN = 4,     /* of `status`: no answer, or no such name */
    SV_EXIT_INTERRUPTED = 130,      /* as a shell reports the death by SIGINT */
};

/* How a command ended, for the one who dispatches; the exit code is sv_ctl.exit_status. */
enum sv_verdict {
    SV_VERDICT_DONE,
    SV_VERDICT_QUIT,    /* leave the shell */
    SV_VERDICT_ABORTED, /* the client broke off: client.h has the failure, which nobody has said yet
                         */
};

/* Which words after the command's name are taken out as options. */
enum sv_option {
    SV_OPTION_JSON = 1 << 0,
    SV_OPTION_WHY = 1 << 1,
    SV_OPTION_ROLLING = 1 << 2,
};

struct sv_command;

struct sv_arguments {
    const struct sv_command *command; /* the row that was found */
    const char *text; /* everything after the command's name, white space around it removed */
    const char **words;
    size_t word_count; /* without the options */
    unsigned options;  /* those of enum sv_option that were given */
};

struct sv_ctl {
    struct sv_client *client;
    const char *prompt;
    const char *history_file; /* NULL: none */
    const char *mesh_key;     /* the files of `mesh` */
    const char *mesh_trust;
    bool is_interactive;
    bool is_coloured;
    int interrupt_fd; /* readable after Ctrl-C */
    enum sv_exit exit_status;
    /* What the server said to the method that completion asked since the last command, or NULL. */
    json_t *completion;
    const char *completion_method;
};

enum sv_completion {
    SV_COMPLETE_NOTHING,
    SV_COMPLETE_ACTION,
    SV_COMPLETE_GROUP,
    SV_COMPLETE_PROCESS,
    SV_COMPLETE_INSTANCE,
    SV_COMPLETE_APPLICATION,
    SV_COMPLETE_CLUSTER_PROCESS,
    SV_COMPLETE_STRATEGY,             /* of starting, and nothing behind it */
    SV_COMPLETE_STRATEGY_APPLICATION, /* then applications */
    SV_COMPLETE_STRATEGY_PROCESS,     /* then processes of the cluster */
    SV_COMPLETE_CONCILIATION,
    SV_COMPLETE_LEVEL,
    SV_COMPLETE_STATISTICS,
    SV_COMPLETE_COUNT
};
enum sv_takes { SV_TAKES_WORDS, SV_TAKES_NOTHING };
/* Ask for the API version first: of Supervisor's methods, or of Supvisors'. */
enum sv_check { SV_CHECK_NONE, SV_CHECK_UP, SV_CHECK_CLUSTER };
enum sv_origin {
    SV_ORIGIN_SUPERVISOR, /* supervisorctl has it, too */
    SV_ORIGIN_SUPVISORS,  /* supervisorctl has it with the plug-in of Supvisors */
    SV_ORIGIN_SVISOR,
    SV_ORIGIN_SHELL,  /* not in the list that `help` prints */
    SV_ORIGIN_HIDDEN, /* and not completed */
};
enum sv_exit_class { SV_EXIT_CLASS_INIT, SV_EXIT_CLASS_STATUS };

struct sv_command {
    const char *name;
    enum sv_verdict (*run)(struct sv_ctl *ctl, const struct sv_arguments *arguments);
    enum sv_takes takes;
    enum sv_check check;
    unsigned options;
    enum sv_completion completion;
    enum sv_exit_class exit_class;
    enum sv_origin origin;
    const char *help;       /* supervisorctl's text, NULL where it has none */
    const char *extra_help; /* what svctl adds, NULL where it adds nothing */
};

extern const struct sv_command sv_commands[];
extern const size_t sv_command_count;

/* NULL when there is no command of that name. */
const struct sv_command *sv_command_find(const char *name);
/* Runs one line as typed. */
enum sv_verdict sv_ctl_run_line(struct sv_ctl *ctl, const char *line);

/* One line on stdout. */
void sv_say(const char *format, ...) SV_PRINTF(1, 2);
/* The same, and the command's exit code. */
void sv_complain(struct sv_ctl *ctl, enum sv_exit exit_status, const char *format, ...)
    SV_PRINTF(3, 4);
/* After a call that failed: whether nobody is there, so that the next daemon is waited for. Says
 * so, unless it is told already. */
bool sv_say_away(const struct sv_ctl *ctl, bool *is_told);
/* How the command is to be used: what supervisorctl prints below a complaint. */
void sv_say_usage(const char *command_name);
/* Prints and releases the value; keys in the order in which they were set. NULL says "out of
 * memory". */
void sv_say_json(struct sv_ctl *ctl, json_t *value);

#define SV_COMMAND(name, function, ...)                                                            \
    enum sv_verdict function(struct sv_ctl *ctl, const struct sv_arguments *arguments);
#include "commands.def"
#undef SV_COMMAND

#endif
