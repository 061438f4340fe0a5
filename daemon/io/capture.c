/*
 * Capture mode (dispatchers.py, POutputDispatcher.record_output): a program writes
 *
 *     <!--XSUPERVISOR:BEGIN-->data<!--XSUPERVISOR:END-->
 *
 * into its output, and `data` becomes a PROCESS_COMMUNICATION event instead of a part of the log.
 * The two states take turns; in each only one token is looked for, so a BEGIN between the tokens is
 * data.
 *
 *     text --BEGIN--> captured --END--> text
 *
 * A pipe may cut a token anywhere. What ends a piece and could begin the token is held back, and
 * nothing else: at most 23 bytes. (Supervisor holds back any output up to the token's length, and
 * drops it when the program ends; that a short last line is lost is its bug, and not one that
 * anybody relies on.)
 *
 * BoundIO: when the new piece does not fit into maxbytes, as many bytes as it has are dropped from
 * the front, and it is appended whole. So the last bytes are kept, and one piece larger than
 * maxbytes is kept whole. The result is bounded by maxbytes or one piece, whichever is more.
 */
#include "io/capture.h"

#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/attr.h"

enum { HELD_BYTES_MAX = sizeof(SV_CAPTURE_BEGIN) - 2 };
_Static_assert(sizeof(SV_CAPTURE_BEGIN) >= sizeof(SV_CAPTURE_END),
               "the longer token sizes the buffer");

struct token {
    const char *text;
    size_t length;
};

/* What ends the state: indexed by is_capturing. */
static const struct token tokens[] = {
    [false] = {SV_CAPTURE_BEGIN, sizeof(SV_CAPTURE_BEGIN) - 1},
    [true] = {SV_CAPTURE_END, sizeof(SV_CAPTURE_END) - 1},
};

struct sv_capture {
    struct sv_capture_callbacks callbacks;
    bool is_capturing;
    unsigned char held_count; /* bytes of the current token that ended the last piece */
};
_Static_assert(HELD_BYTES_MAX <= UINT8_MAX, "held_count is a byte");

struct sv_capture *sv_capture_new(const struct sv_capture_callbacks *callbacks)
{
    struct sv_capture *capture = calloc(1, sizeof(*capture));
    if (capture)
        capture->callbacks = *callbacks;
    return capture;
}

void sv_capture_free(struct sv_capture *capture)
{
    free(capture);
}

static void emit(struct sv_capture *capture, const char *data, size_t length)
{
    if (length > 0)
        capture->callbacks.piece(capture->callbacks.user, data, length, capture->is_capturing);
}

static void toggle(struct sv_capture *capture)
{
    bool was_capturing = capture->is_capturing;
    capture->is_capturing = !was_capturing;
    capture->held_count = 0;
    if (was_capturing)
        capture->callbacks.ended(capture->callbacks.user);
}

/* How many bytes at the end of `data` are the beginning of the token. Never the whole token. */
static size_t prefix_at_end(const char *data, size_t length, const struct token *token)
{
    size_t count = length < token->length ? length : token->length - 1;
    while (count > 0 && memcmp(data + length - count, token->text, count) != 0)
        count--;
    return count;
}

/*
 * The held bytes are the beginning of the token: the new ones go on with it, or the held ones are
 * text. They cannot begin a second token among themselves, since '<' stands only at a token's
 * front. Returns how many new bytes are used up.
 */
static size_t settle_held(struct sv_capture *capture, const char *data, size_t length)
{
    const struct token *token = &tokens[capture->is_capturing];
    size_t held = capture->held_count;
    size_t compared = token->length - held < length ? token->length - held : length;

    if (memcmp(data, token->text + held, compared) != 0) {
        capture->held_count = 0;
        emit(capture, token->text, held);
        return 0;
    }
    if (held + compared == token->length)
        toggle(capture);
    else
        capture->held_count = (unsigned char)(held + compared);
    return compared;
}

void sv_capture_feed(struct sv_capture *capture, const char *data, size_t length)
{
    while (length > 0) {
        if (capture->held_count > 0) {
            size_t used = settle_held(capture, data, length);
            data += used;
            length -= used;
            continue;
        }
        const struct token *token = &tokens[capture->is_capturing];
        const char *found = memmem(data, length, token->text, token->length);
        if (!found) {
            size_t held = prefix_at_end(data, length, token);
            emit(capture, data, length - held);
            capture->held_count = (unsigned char)held;
            return;
        }
        size_t before = (size_t)(found - data);
        emit(capture, data, before);
        toggle(capture);
        data += before + token->length;
        length -= before + token->length;
    }
}

void sv_capture_finish(struct sv_capture *capture)
{
    size_t held = capture->held_count;
    capture->held_count = 0;
    emit(capture, tokens[capture->is_capturing].text, held);
}

void sv_capture_bound_append(struct sv_str *buffer, uint64_t maxbytes, const char *data,
                             size_t length)
{
    if (maxbytes > SV_CAPTURE_BYTES_MAX)
        maxbytes = SV_CAPTURE_BYTES_MAX;
    if (buffer->length + length > maxbytes)
        sv_str_drop_front(buffer, length < buffer->length ? length : buffer->length);
    sv_str_append(buffer, data, length);
}
