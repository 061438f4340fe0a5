/* Why execve() refused, beyond its errno; and where cores go. See why_exec.c. */
#ifndef SV_IO_WHY_EXEC_H
#define SV_IO_WHY_EXEC_H

#include "base/str.h"

/* Appends in words what is wrong with `path`, when `error` (of errno) does not say it: which
 * interpreter is missing, what kind of file it is. Nothing when the errno says all. */
void sv_why_exec(const char *path, int error, struct sv_str *ret_text);

/* Appends where the kernel has put a core of a process that worked in `directory` (NULL: the
 * daemon's). */
void sv_why_core(const char *directory, struct sv_str *ret_text);

#endif
