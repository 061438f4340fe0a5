/* The interactive shell: a prompt, line editing, completion, a history file. */
#ifndef SV_CTL_SHELL_H
#define SV_CTL_SHELL_H

#include "ctl.h"

/* Runs `status`, then what is typed, until `exit`, Ctrl-D or Ctrl-C. */
void sv_shell_run(struct sv_ctl *ctl);

#endif
