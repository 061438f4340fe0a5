/* A file that grows by whole records and is written anew when it has grown too long. See
 * append_file.c. */
#ifndef SV_IO_APPEND_FILE_H
#define SV_IO_APPEND_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct sv_append_file;

/* Nothing is made yet: a file that nobody writes to does not come into being. -ENOMEM or 0. */
int sv_append_file_new(const char *path, struct sv_append_file **ret_file);
/* NULL is allowed. */
void sv_append_file_free(struct sv_append_file *file);
const char *sv_append_file_path(const struct sv_append_file *file);
/* What is in it, at most the last `max_bytes`. 0 also when there is no such file. */
int sv_append_file_read(struct sv_append_file *file, size_t max_bytes, struct sv_str *ret_bytes);
/* One write at the end, without waiting for the disk. */
int sv_append_file_add(struct sv_append_file *file, const void *data, size_t length);
/* Puts these bytes in the place of all; a crash leaves the old file or the new one. */
int sv_append_file_replace(struct sv_append_file *file, const void *data, size_t length);
/* How long it is by now. */
uint64_t sv_append_file_length(const struct sv_append_file *file);

#endif
