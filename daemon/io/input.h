/* The stdin of one run: writes that never block, with a bounded buffer behind them. */
#ifndef SV_IO_INPUT_H
#define SV_IO_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"

struct sv_input;

/* Owns `fd` (the writing end, non-blocking), also when it fails. */
int sv_input_new(struct sv_loop *loop, int fd, struct sv_input **ret_input);
void sv_input_free(struct sv_input *input);
int sv_input_fd(const struct sv_input *input); /* borrowed */
/* 0: written or buffered, all of it. -EPIPE: nobody reads any more. -ENOBUFS: it would be more than
 * SV_STDIN_BUFFER_BYTES_MAX; nothing of it was written. */
int sv_input_write(struct sv_input *input, const void *data, size_t length);
/* The same for `data` from `*cursor` on, which follows what is in the pipe: exact even if a SIGKILL
 * ends us in between, when `cursor` is in a mapped file (cursors.h). It is kept until all is
 * written, or the input freed. */
int sv_input_send(struct sv_input *input, const void *data, size_t length, int64_t *cursor);

#endif
