/*
 * A file of svisord's own, which tells the next daemon what this one has seen:
 * `<identifier>.deaths`,
 * `<identifier>.timeline`. It lies in `state_directory`, else beside the pid file, which every
 * configuration has in a place of its own. What cannot be read or written is complained of once;
 * memory goes on.
 */
#ifndef SV_DRIVER_STATE_FILE_H
#define SV_DRIVER_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct sv_driver;
struct sv_state_file;

/* `suffix` with its dot; `contents` for people, a plural; both live as long as the file. Nothing is
 * touched yet. -ENOMEM or 0. */
int sv_state_file_new(const struct sv_driver *driver, const char *suffix, const char *contents,
                      struct sv_state_file **ret_file);
/* NULL is allowed. */
void sv_state_file_free(struct sv_state_file *file);
/* The last `bytes_max` of it; nothing when there is no file or it cannot be read. */
void sv_state_file_read(struct sv_state_file *file, size_t bytes_max, struct sv_str *ret_bytes);
/* One write at the end, of a string that may have failed. False: it was complained of. */
bool sv_state_file_add(struct sv_state_file *file, const struct sv_str *bytes);
/* In the place of all that is in it. */
bool sv_state_file_replace(struct sv_state_file *file, const struct sv_str *bytes);
uint64_t sv_state_file_length(const struct sv_state_file *file);

#endif
