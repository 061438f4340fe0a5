/*
 * What an event listener says on its stdout, as tokens.
 *
 * The parser follows dispatchers.py of Supervisor: while ACKNOWLEDGED only "READY\n" may come,
 * while READY nothing, while BUSY "RESULT n\n" and n bytes; what an UNKNOWN listener says is thrown
 * away. The state is the core's, so each call is told it, and a token is taken only when it is
 * whole.
 *
 *     fed "READY\nRES" while ACKNOWLEDGED   -> READY, then (the core says READY) BROKEN
 *     fed "RESULT 2\nOKREADY\n" while BUSY  -> RESULT "OK", then (ACKNOWLEDGED) READY
 *
 * Two answers are firmer than Supervisor's: a negative or absurd length and a line that does not
 * begin with "RESULT " are BROKEN at once (Supervisor skips the first seven bytes whatever they
 * are, and waits for ever for a length of -1); "RESULT 0\n" is whole without a further byte.
 *
 * Too much input, and no memory for it, both make the string fail: `input.has_failed` means BROKEN.
 */
#include "wire/listener.h"

#include <string.h>
#include <svisor/limits.h>

static const char ready_token[] = "READY\n";
static const char result_word[] = "RESULT ";

enum {
    READY_LENGTH = sizeof(ready_token) - 1,
    RESULT_WORD_LENGTH = sizeof(result_word) - 1,
};

void sv_listener_parser_done(struct sv_listener_parser *parser)
{
    sv_str_done(&parser->input);
    sv_str_done(&parser->result);
    *parser = (struct sv_listener_parser){0};
}

void sv_listener_parser_feed(struct sv_listener_parser *parser, const char *data, size_t length)
{
    if (length > SV_LISTENER_RESULT_BYTES_MAX ||
        parser->input.length > SV_LISTENER_RESULT_BYTES_MAX - length)
        parser->input.has_failed = true;
    sv_str_append(&parser->input, data, length);
}

static enum sv_listener_token broken(struct sv_listener_parser *parser)
{
    sv_str_clear(&parser->input);
    sv_str_clear(&parser->result);
    parser->has_result_header = false;
    return SV_TOKEN_BROKEN;
}

static enum sv_listener_token next_ready(struct sv_listener_parser *parser)
{
    if (parser->input.length < READY_LENGTH)
        return SV_TOKEN_MORE;
    if (memcmp(parser->input.data, ready_token, READY_LENGTH) != 0)
        return broken(parser);
    sv_str_drop_front(&parser->input, READY_LENGTH);
    return SV_TOKEN_READY;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The number in "RESULT n", or -1. White space and a "+" are Python's int(). */
static int64_t parse_length(const char *line, size_t length)
{
    if (length < RESULT_WORD_LENGTH || memcmp(line, result_word, RESULT_WORD_LENGTH) != 0)
        return -1;
    const char *at = line + RESULT_WORD_LENGTH;
    const char *end = line + length;
    while (at < end && is_blank(*at))
        at++;
    while (at < end && is_blank(end[-1]))
        end--;
    if (at < end && *at == '+')
        at++;
    if (at == end)
        return -1;
    int64_t number = 0;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return -1;
        number = number * 10 + (*at - '0');
        if (number > SV_LISTENER_RESULT_BYTES_MAX)
            return -1;
    }
    return number;
}

static enum sv_listener_token next_result(struct sv_listener_parser *parser)
{
    if (!parser->has_result_header) {
        if (parser->input.length == 0)
            return SV_TOKEN_MORE;
        const char *line = parser->input.data;
        size_t searched = parser->input.length;
        if (searched > SV_LISTENER_LINE_BYTES_MAX)
            searched = SV_LISTENER_LINE_BYTES_MAX;
        const char *end = memchr(line, '\n', searched);
        if (!end)
            return searched == SV_LISTENER_LINE_BYTES_MAX ? broken(parser) : SV_TOKEN_MORE;
        size_t line_length = (size_t)(end - line);
        parser->result_length = parse_length(line, line_length);
        if (parser->result_length < 0)
            return broken(parser);
        sv_str_drop_front(&parser->input, line_length + 1);
        sv_str_clear(&parser->result);
        parser->has_result_header = true;
    }
    size_t missing = (size_t)parser->result_length - parser->result.length;
    size_t taken = missing < parser->input.length ? missing : parser->input.length;
    sv_str_append(&parser->result, parser->input.data, taken);
    if (!sv_str_ok(&parser->result))
        return broken(parser);
    sv_str_drop_front(&parser->input, taken);
    if (taken < missing)
        return SV_TOKEN_MORE;
    parser->has_result_header = false;
    return SV_TOKEN_RESULT;
}

enum sv_listener_token sv_listener_parser_foresee(const struct sv_listener_parser *parser)
{
    enum { TELLING_LENGTH = 3 }; /* "REA" or "RES" */
    if (parser->has_result_header)
        return SV_TOKEN_RESULT;
    if (parser->input.length < TELLING_LENGTH)
        return SV_TOKEN_MORE;
    if (memcmp(parser->input.data, ready_token, TELLING_LENGTH) == 0)
        return SV_TOKEN_READY;
    return memcmp(parser->input.data, result_word, TELLING_LENGTH) == 0 ? SV_TOKEN_RESULT
                                                                        : SV_TOKEN_BROKEN;
}

enum sv_listener_token sv_listener_parser_next(struct sv_listener_parser *parser,
                                               enum sv_listener_state state)
{
    if (state == SV_LISTENER_UNKNOWN) {
        broken(parser);
        return SV_TOKEN_MORE;
    }
    if (!sv_str_ok(&parser->input))
        return broken(parser);
    if (state == SV_LISTENER_ACKNOWLEDGED)
        return next_ready(parser);
    if (state == SV_LISTENER_BUSY)
        return next_result(parser);
    return parser->input.length > 0 ? broken(parser) : SV_TOKEN_MORE;
}
