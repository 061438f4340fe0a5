/* What reading a log (logread.c) and following one (logfollow.c) have in common. */
#ifndef SV_IO_LOGREAD_H
#define SV_IO_LOGREAD_H

#include <sys/stat.h>

#include "base/str.h"

/* 0 and an open regular file, or SV_LOGREAD_NO_FILE or SV_LOGREAD_FAILED. */
int sv_logread_open(const char *path, int *ret_fd, struct stat *ret_status);
/* Up to `length` bytes from `offset`; less at the end of the file. 0 or SV_LOGREAD_FAILED. */
int sv_logread_append(int fd, int64_t offset, int64_t length, struct sv_str *text);
void sv_logread_close(int *fd); /* for SV_CLEANUP */

#endif
