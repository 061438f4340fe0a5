/*
 * The shell. At a terminal, libedit edits the line; elsewhere lines are read as they are, so that a
 * script can be piped in.
 *
 * libedit is used through its callback interface: readline() itself would sleep in read(2), and
 * Ctrl-C could only be had with a signal handler that leaves the terminal raw. The callback is
 * installed for one line and removed before a command runs, so that the command finds an ordinary
 * terminal.
 *
 * The callbacks of libedit carry no user pointer: `shell` is the only one there can be.
 */
#include "shell.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
/* editline/readline.h needs FILE but does not ask for it */
#include <editline/readline.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <unistd.h>

#include "base/str.h"
#include "complete.h"
#include "terminal.h"

/* Python's delimiters without ":", "*" and "-": "group:*" and "my-name" are one word. */
static char word_breaks[] = " \t\n`~!@#$%^&()=+[{]}\\|;'\",<>/?";

static struct {
    struct sv_ctl *ctl;
    char *line; /* of libedit, owned; NULL after Ctrl-D */
    bool is_whole;
    json_t *words; /* candidates of the completion that is going on */
    size_t next;
    size_t word_begin; /* where it begins in the line */
} shell;

static void take_line(char *line)
{
    shell.line = line;
    shell.is_whole = true;
    rl_callback_handler_remove();
}

static enum sv_typed edit_line(struct sv_ctl *ctl, const char *prompt, struct sv_str *ret_line)
{
    shell.is_whole = false;
    shell.line = NULL;
    rl_callback_handler_install(prompt, take_line);
    while (!shell.is_whole) {
        struct pollfd fds[] = {{.fd = ctl->interrupt_fd, .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents) {
            rl_callback_handler_remove();
            return SV_TYPED_INTERRUPTED;
        }
        if (fds[1].revents)
            rl_callback_read_char();
    }
    if (!shell.line)
        return SV_TYPED_END;
    if (*shell.line)
        add_history(shell.line);
    sv_str_clear(ret_line);
    sv_str_add(ret_line, shell.line);
    free(shell.line);
    shell.line = NULL;
    return SV_TYPED_LINE;
}

static char *next_word(const char *start, int state)
{
    if (state == 0) {
        json_decref(shell.words);
        shell.words = sv_completions(shell.ctl, rl_line_buffer, shell.word_begin, start);
        shell.next = 0;
    }
    if (shell.next >= json_array_size(shell.words))
        return NULL;
    return strdup(json_string_value(json_array_get(shell.words, shell.next++)));
}

static char **complete(const char *start, int from, int to)
{
    (void)to;
    shell.word_begin = (size_t)from;
    rl_attempted_completion_over = 1; /* and not with file names */
    return rl_completion_matches(start, next_word);
}

static void run_lines(struct sv_ctl *ctl, const char *prompt, bool is_terminal)
{
    struct sv_str line = {0};
    enum sv_typed typed = SV_TYPED_LINE;
    enum sv_verdict verdict = sv_ctl_run_line(ctl, "status");

    while (verdict != SV_VERDICT_QUIT && typed == SV_TYPED_LINE) {
        typed = is_terminal ? edit_line(ctl, prompt, &line)
                            : sv_typed_line(ctl->interrupt_fd, prompt, &line);
        if (typed == SV_TYPED_LINE)
            verdict = sv_ctl_run_line(ctl, sv_str_text(&line));
        else
            sv_say("%s", "");
    }
    sv_str_done(&line);
}

void sv_shell_run(struct sv_ctl *ctl)
{
    bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    struct sv_str prompt = {0};

    sv_str_addf(&prompt, "%s> ", ctl->prompt);
    if (is_terminal) {
        shell.ctl = ctl;
        rl_readline_name = "svctl";
        rl_initialize();
        rl_completer_word_break_characters = word_breaks;
        rl_attempted_completion_function = complete;
        stifle_history(SV_CTL_HISTORY_LINES_MAX);
        if (ctl->history_file)
            read_history(ctl->history_file); /* the first time there is none */
    }
    run_lines(ctl, sv_str_text(&prompt), is_terminal);
    if (is_terminal && ctl->history_file && write_history(ctl->history_file))
        fprintf(stderr, "svctl: cannot write the history to %s\n", ctl->history_file);
    json_decref(shell.words);
    shell.words = NULL;
    sv_str_done(&prompt);
}
