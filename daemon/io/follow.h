/* Follows a growing file through rotation, for /logtail and `tail -f`: inotify, no polling. */
#ifndef SV_IO_FOLLOW_H
#define SV_IO_FOLLOW_H

#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"

struct sv_follow;

/* New bytes, in pieces of at most SV_OUTPUT_TURN_BYTES_MAX a turn. */
typedef void (*sv_follow_function)(void *user, const char *data, size_t length);

/* Starts `head_bytes` before the end of the file, as Supervisor's /logtail does with 1024. */
int sv_follow_new(struct sv_loop *loop, const char *path, uint64_t head_bytes,
                  sv_follow_function function, void *user, struct sv_follow **ret_follow);
void sv_follow_free(struct sv_follow *follow);

#endif
