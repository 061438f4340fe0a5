/*
 * Any bytes as the output of an event listener, fed in pieces whose sizes the input chooses, while
 * the state follows the tokens as in the core. The same bytes fed at once give the same tokens.
 */
#include <stdint.h>
#include <stdlib.h>
#include <svisor/limits.h>

#include "wire/listener.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    enum sv_listener_state state;
    uint64_t token_count;
    uint64_t result_bytes;
};

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static void take_tokens(struct sv_listener_parser *parser, struct tally *tally)
{
    for (;;) {
        enum sv_listener_token token = sv_listener_parser_next(parser, tally->state);
        if (token == SV_TOKEN_MORE)
            return;
        tally->token_count++;
        if (token == SV_TOKEN_READY) {
            check(tally->state == SV_LISTENER_ACKNOWLEDGED);
            tally->state = SV_LISTENER_BUSY; /* an event is always waiting */
        } else if (token == SV_TOKEN_RESULT) {
            check(tally->state == SV_LISTENER_BUSY);
            check(parser->result.length == (size_t)parser->result_length);
            check(parser->result.length <= SV_LISTENER_RESULT_BYTES_MAX);
            tally->result_bytes += parser->result.length;
            tally->state = SV_LISTENER_ACKNOWLEDGED;
        } else {
            tally->state = SV_LISTENER_UNKNOWN;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t piece = data[0] % 16u + 1;
    const char *said = (const char *)data + 1;
    size_t length = size - 1;

    struct sv_listener_parser parser = {0};
    struct tally pieces = {0};
    for (size_t i = 0; i < length; i += piece) {
        sv_listener_parser_feed(&parser, said + i, piece < length - i ? piece : length - i);
        take_tokens(&parser, &pieces);
    }
    sv_listener_parser_done(&parser);

    struct tally whole = {0};
    sv_listener_parser_feed(&parser, said, length);
    take_tokens(&parser, &whole);
    sv_listener_parser_done(&parser);
    check(pieces.token_count == whole.token_count && pieces.state == whole.state);
    check(pieces.result_bytes == whole.result_bytes);

    struct sv_str payload = {0};
    sv_payload_process_log("p", "g", 1, "stdout", said, length, &payload);
    struct sv_envelope envelope = {
        .server = "s", .pool = "p", .payload = payload.data, .payload_length = payload.length};
    struct sv_str bytes = {0};
    sv_envelope_encode(&envelope, &bytes);
    check(sv_str_ok(&bytes));
    sv_str_done(&bytes);
    sv_str_done(&payload);
    return 0;
}
