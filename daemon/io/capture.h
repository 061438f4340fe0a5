/* Finds capture mode in a stream of output: what stands between Supervisor's two tokens. See
 * capture.c. */
#ifndef SV_IO_CAPTURE_H
#define SV_IO_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define SV_CAPTURE_BEGIN "<!--XSUPERVISOR:BEGIN-->"
#define SV_CAPTURE_END   "<!--XSUPERVISOR:END-->"

struct sv_capture;

struct sv_capture_callbacks {
    void *user;
    /* A piece of the stream, tokens taken out. `is_captured`: it stood between them. */
    void (*piece)(void *user, const char *data, size_t length, bool is_captured);
    /* The end token was met. */
    void (*ended)(void *user);
};

/* `callbacks` is copied. NULL without memory. */
struct sv_capture *sv_capture_new(const struct sv_capture_callbacks *callbacks);
void sv_capture_free(struct sv_capture *capture);
void sv_capture_feed(struct sv_capture *capture, const char *data, size_t length);
/* The stream has ended: hands out what was held back because it looked like the start of a token.
 */
void sv_capture_finish(struct sv_capture *capture);

/* Adds to a buffer of captured bytes by the rule of Supervisor's BoundIO: see capture.c. */
void sv_capture_bound_append(struct sv_str *buffer, uint64_t maxbytes, const char *data,
                             size_t length);

#endif
