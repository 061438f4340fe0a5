/* Following logs over HTTP: answers without an end, several at once (/logtail/NAME/CHANNEL,
 * /mainlogtail). */
#ifndef SV_CTL_STREAM_H
#define SV_CTL_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "client.h"

struct sv_stream {
    const char *path;                                          /* of the URL, not yet quoted */
    void (*take)(void *user, const char *data, size_t length); /* whatever arrives, in pieces */
    void *user;

    /* For stream.c. */
    CURL *handle;
    bool is_done;
    bool is_refused; /* the server has answered that there is nothing to follow */
    char error[CURL_ERROR_SIZE];
};

enum sv_stream_end {
    SV_STREAM_ENDED,       /* the server closed all of them */
    SV_STREAM_INTERRUPTED, /* Ctrl-C, or `on_input` said so */
};

/* Called when standard input is readable. False ends the streams. */
typedef bool (*sv_stream_input)(void *user);

/*
 * Follows all streams until the end. A stream that cannot be read is said on stderr, as
 * supervisorctl says it. `on_input` may be NULL: then standard input is left alone.
 */
enum sv_stream_end sv_streams_follow(const struct sv_client *client, struct sv_stream *streams,
                                     size_t count, sv_stream_input on_input, void *input_user);

#endif
