/*
 * Standard input is read with read(2) into a buffer of our own, not with stdio, because `fg` and
 * the prompts wait on it together with Ctrl-C and with output that arrives: poll() would not know
 * of lines that stdio has taken already. The buffer outlives one command, so that a script piped
 * into the shell keeps the lines after a `fg`.
 */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* Bytes of standard input that no line has used. There is one standard input, hence one buffer. */
static struct sv_str pending;

int sv_interrupt_open(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void sv_interrupt_clear(int interrupt_fd)
{
    struct signalfd_siginfo info;

    while (read(interrupt_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        ;
}

bool sv_interrupt_wait(int interrupt_fd, int ms)
{
    struct pollfd interrupt = {.fd = interrupt_fd, .events = POLLIN};

    if (poll(&interrupt, 1, ms) <= 0)
        return false;
    sv_interrupt_clear(interrupt_fd);
    return true;
}

static bool take_line(struct sv_str *ret_line, bool is_last)
{
    const char *text = sv_str_text(&pending);
    const char *newline = memchr(text, '\n', pending.length);
    size_t length = newline ? (size_t)(newline - text) : pending.length;

    if (!newline && !(is_last && pending.length) && pending.length < SV_CTL_LINE_BYTES_MAX)
        return false;
    sv_str_clear(ret_line);
    sv_str_append(ret_line, text, length);
    sv_str_drop_front(&pending, newline ? length + 1 : length);
    return true;
}

bool sv_typed_has_line(void)
{
    return pending.length && memchr(pending.data, '\n', pending.length);
}

bool sv_typed_take(struct sv_str *ret_line, enum sv_typed *ret_typed)
{
    char *room;
    ssize_t count;

    *ret_typed = SV_TYPED_LINE;
    if (take_line(ret_line, false))
        return true;
    room = sv_str_reserve(&pending, 4096);
    count = room ? read(STDIN_FILENO, room, 4096) : 0;
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return false;
    if (count > 0) {
        sv_str_grew(&pending, (size_t)count);
        return take_line(ret_line, false);
    }
    if (!take_line(ret_line, true))
        *ret_typed = SV_TYPED_END;
    return true;
}

enum sv_typed sv_typed_line(int interrupt_fd, const char *prompt, struct sv_str *ret_line)
{
    enum sv_typed typed = SV_TYPED_LINE;

    fputs(prompt, stdout);
    fflush(stdout);
    while (!take_line(ret_line, false)) {
        struct pollfd fds[] = {{.fd = interrupt_fd, .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return SV_TYPED_END;
        if (fds[0].revents)
            return SV_TYPED_INTERRUPTED;
        if (fds[1].revents && sv_typed_take(ret_line, &typed))
            return typed;
    }
    return typed;
}

enum sv_typed sv_typed_password(int interrupt_fd, const char *prompt, struct sv_str *ret_line)
{
    struct termios before;
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    enum sv_typed typed;

    if (is_terminal) {
        struct termios silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    typed = sv_typed_line(interrupt_fd, prompt, ret_line);
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputs("\n", stdout);
    }
    return typed;
}

enum sv_typed sv_typed_yes(int interrupt_fd, const char *prompt, bool *ret_yes)
{
    struct sv_str line = {0};
    enum sv_typed typed = sv_typed_line(interrupt_fd, prompt, &line);
    char first = sv_str_text(&line)[0];

    if (typed == SV_TYPED_LINE)
        *ret_yes = first == 'y' || first == 'Y';
    sv_str_done(&line);
    return typed;
}

bool sv_terminal_is_coloured(void)
{
    const char *refusal = getenv("NO_COLOR"); /* https://no-color.org: any text but the empty one */
    const char *kind = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(refusal && *refusal) && kind && strcmp(kind, "dumb") != 0;
}
