/*
 * dispatchers.py of Supervisor 4.2.5, stripEscapes(): a sequence begins with ESC [ and ends with
 * the first of the letters below, whatever stands between. It is not the ECMA-48 grammar (a
 * sequence that ends with another letter swallows text up to the next one of these), but it is what
 * users' logs look like today.
 *
 * The one difference: the state is kept from piece to piece. A pipe cuts where it likes, and
 * Supervisor lets a cut sequence through in two halves. An ESC at the end of a piece is held back
 * until the next character tells whether a sequence begins.
 */
#include "io/ansi.h"

#include <stdbool.h>
#include <string.h>

static const char ESCAPE = '\x1b';
static const char TERMINATORS[] = "HfABCDRsuJKhlpm";

static bool is_terminator(char c)
{
    return c != '\0' && strchr(TERMINATORS, c);
}

size_t sv_ansi_strip(struct sv_ansi *ansi, const char *in, size_t length, char *out)
{
    const char *end = in + length;
    char *to = out;

    while (in < end) {
        switch (ansi->state) {
        case SV_ANSI_TEXT: {
            const char *escape = memchr(in, ESCAPE, (size_t)(end - in));
            size_t text = (size_t)((escape ? escape : end) - in);
            memcpy(to, in, text);
            to += text;
            in += text;
            if (escape) {
                ansi->state = SV_ANSI_ESCAPE;
                in++;
            }
            break;
        }
        case SV_ANSI_ESCAPE:
            if (*in == '[') {
                ansi->state = SV_ANSI_SEQUENCE;
                in++;
            } else { /* the character is looked at again: it may be an escape itself */
                ansi->state = SV_ANSI_TEXT;
                *to++ = ESCAPE;
            }
            break;
        case SV_ANSI_SEQUENCE:
            if (is_terminator(*in++))
                ansi->state = SV_ANSI_TEXT;
            break;
        }
    }
    return (size_t)(to - out);
}

size_t sv_ansi_finish(struct sv_ansi *ansi, char *out)
{
    size_t length = ansi->state == SV_ANSI_ESCAPE ? 1 : 0;
    if (length)
        *out = ESCAPE;
    ansi->state = SV_ANSI_TEXT;
    return length;
}
