/* What a wait status says, in Supervisor's numbers and words (options.py, decode_wait_status()). */
#ifndef SV_BASE_WAIT_STATUS_H
#define SV_BASE_WAIT_STATUS_H

#include "base/str.h"

/* The exit code, or -1 when a signal ended the process. */
int sv_wait_exitstatus(int wait_status);
/* The signal that ended the process, 0 when it exited by itself. */
int sv_wait_signal(int wait_status);
/* Appends "exit status 3", "terminated by SIGTERM", "terminated by SIGSEGV (core dumped)". */
void sv_wait_describe(int wait_status, struct sv_str *ret_text);
/* Appends "SIGTERM", "SIGRTMIN+3", or "signal 99". */
void sv_signal_name(int number, struct sv_str *ret_text);

#endif
