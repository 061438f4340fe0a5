/* The person at the other end: Ctrl-C as a descriptor, typed lines, passwords, colour. */
#ifndef SV_CTL_TERMINAL_H
#define SV_CTL_TERMINAL_H

#include <stdbool.h>

#include "base/str.h"

enum sv_typed {
    SV_TYPED_LINE,
    SV_TYPED_END,         /* end of input, or Ctrl-D */
    SV_TYPED_INTERRUPTED, /* Ctrl-C */
};

/* From now on Ctrl-C makes the returned descriptor readable and does not end svctl. Or -errno. */
int sv_interrupt_open(void);
/* Forgets the Ctrl-C that made the descriptor readable. */
void sv_interrupt_clear(int interrupt_fd);
/* Waits so long, or for Ctrl-C, which is forgotten. True: Ctrl-C. */
bool sv_interrupt_wait(int interrupt_fd, int ms);

/* Reads standard input as far as it is there; SV_TYPED_LINE with `ret_line` when a line is whole.
 * The newline is not in the line. Call it when standard input is readable; false: nothing whole
 * yet. */
bool sv_typed_take(struct sv_str *ret_line, enum sv_typed *ret_typed);
/* A whole line is there already: sv_typed_take() will not read. */
bool sv_typed_has_line(void);
/* Prints the prompt and waits for a line on standard input. */
enum sv_typed sv_typed_line(int interrupt_fd, const char *prompt, struct sv_str *ret_line);
/* The same at the terminal, without echo. */
enum sv_typed sv_typed_password(int interrupt_fd, const char *prompt, struct sv_str *ret_line);
/* True for an answer that begins with "y" or "Y". */
enum sv_typed sv_typed_yes(int interrupt_fd, const char *prompt, bool *ret_yes);

/* Standard output is a terminal that understands colour, and NO_COLOR does not forbid it. */
bool sv_terminal_is_coloured(void);

#endif
