/*
 * Each stream is a curl handle of its own in one multi handle that lives for one call. It is not
 * the client's: `fg` makes XML-RPC calls while its streams run.
 */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"

static size_t take_piece(char *data, size_t size, size_t count, void *user)
{
    struct sv_stream *stream = user;
    long status = 0;

    /* The body of an error is a page for a browser. */
    (void)curl_easy_getinfo(stream->handle, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        stream->take(stream->user, data, size * count);
    return size * count;
}

static void say_end(const struct sv_client *client, struct sv_stream *stream, CURLcode code)
{
    long status = 0;
    long error = 0;

    stream->is_done = true;
    (void)curl_easy_getinfo(stream->handle, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(stream->handle, CURLINFO_OS_ERRNO, &error);
    fflush(stdout);
    stream->is_refused = status && status != 200;
    if (stream->is_refused)
        fprintf(stderr, "%s%s Cannot read, status code %ld\n", sv_client_url(client), stream->path,
                status);
    else if (code && !status)
        fprintf(stderr, "%s%s Cannot connect, error: %s\n", sv_client_url(client), stream->path,
                code == CURLE_COULDNT_CONNECT && error ? sv_errno_text((int)error)
                : stream->error[0]                     ? stream->error
                                                       : curl_easy_strerror(code));
}

static bool start(const struct sv_client *client, CURLM *multi, struct sv_stream *stream)
{
    CURLcode r;

    stream->is_done = false;
    stream->error[0] = '\0';
    stream->handle = curl_easy_init();
    if (!stream->handle)
        return false;
    r = sv_client_aim(client, stream->handle, stream->path);
    if (!r)
        r = curl_easy_setopt(stream->handle, CURLOPT_PRIVATE, stream);
    (void)curl_easy_setopt(stream->handle, CURLOPT_ERRORBUFFER, stream->error);
    (void)curl_easy_setopt(stream->handle, CURLOPT_WRITEFUNCTION, take_piece);
    (void)curl_easy_setopt(stream->handle, CURLOPT_WRITEDATA, stream);
    if (r || curl_multi_add_handle(multi, stream->handle)) {
        say_end(client, stream, r ? r : CURLE_OUT_OF_MEMORY);
        return false;
    }
    return true;
}

static void collect_ends(const struct sv_client *client, CURLM *multi, size_t *running)
{
    CURLMsg *message;
    int queued;

    while ((message = curl_multi_info_read(multi, &queued))) {
        struct sv_stream *stream = NULL;

        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&stream);
        say_end(client, stream, message->data.result);
        --*running;
    }
}

static enum sv_stream_end run(const struct sv_client *client, CURLM *multi, size_t running,
                              sv_stream_input on_input, void *input_user)
{
    struct curl_waitfd fds[] = {
        {.fd = sv_client_interrupt_fd(client), .events = CURL_WAIT_POLLIN},
        {.fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN},
    };
    int active;

    while (running > 0 && !curl_multi_perform(multi, &active)) {
        collect_ends(client, multi, &running);
        fflush(stdout);
        if (running == 0)
            break;
        fds[0].revents = fds[1].revents = 0;
        if (curl_multi_poll(multi, fds, on_input ? 2 : 1, 60 * 1000, NULL))
            break;
        if (fds[0].revents || (fds[1].revents && !on_input(input_user)))
            return SV_STREAM_INTERRUPTED;
    }
    return SV_STREAM_ENDED;
}

enum sv_stream_end sv_streams_follow(const struct sv_client *client, struct sv_stream *streams,
                                     size_t count, sv_stream_input on_input, void *input_user)
{
    CURLM *multi = curl_multi_init();
    enum sv_stream_end end = SV_STREAM_ENDED;
    size_t running = 0;

    for (size_t i = 0; i < count && multi; i++)
        running += start(client, multi, &streams[i]);
    if (multi)
        end = run(client, multi, running, on_input, input_user);
    for (size_t i = 0; i < count && multi; i++) {
        if (streams[i].handle)
            curl_multi_remove_handle(multi, streams[i].handle);
        curl_easy_cleanup(streams[i].handle);
        streams[i].handle = NULL;
    }
    curl_multi_cleanup(multi);
    return end;
}
