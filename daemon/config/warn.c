/*
 * pressure_warn and fork_rate_warn.
 *
 *     pressure_warn = memory:some 20% over 10s, io:full 5%
 *                     RESOURCE[:KIND] SHARE% [over SECONDS[s]], …
 *
 * The words are the kernel's (Documentation/accounting/psi.rst), so that what is read there can be
 * written here. A window is half a second to ten seconds long, because the kernel takes no other;
 * ten is the default, as it asks least of everybody: a bound that is passed is told at once in any
 * window, and once for each.
 */
#include "config/warn.h"

#include <string.h>

#include "base/attr.h"

enum {
    WINDOW_MS_MIN = 500, /* WINDOW_MIN_US and WINDOW_MAX_US of kernel/sched/psi.c */
    WINDOW_MS_MAX = 10000,
    SHARE_MAX = 10000,
    DIGITS_MAX = 9,
    SECOND_MS = 1000,
    MINUTE_MS = 60000,
};

static const char *const names[] = {
    [SV_PRESSURE_CPU] = "cpu", [SV_PRESSURE_MEMORY] = "memory", [SV_PRESSURE_IO] = "io"};
_Static_assert(SV_ARRAY_LENGTH(names) == SV_PRESSURE_COUNT, "every pressure has a name");

const char *sv_pressure_name(enum sv_pressure pressure)
{
    return names[pressure];
}

/* --- words --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static void skip_blanks(const char **cursor)
{
    while (is_blank(**cursor))
        ++*cursor;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Takes the word, if it stands there and no letter follows. */
static bool take_word(const char **cursor, const char *word)
{
    const char *at = *cursor;
    for (; *word; word++, at++)
        if (lower(*at) != *word)
            return false;
    if (lower(*at) >= 'a' && lower(*at) <= 'z')
        return false;
    *cursor = at;
    skip_blanks(cursor);
    return true;
}

static bool take_char(const char **cursor, char c)
{
    if (**cursor != c)
        return false;
    ++*cursor;
    skip_blanks(cursor);
    return true;
}

/* "12" or "12.5", times ten to the power of `decimals`, which is how many there may be. */
static bool take_number(const char **cursor, unsigned decimals, uint64_t *ret_number)
{
    const char *at = *cursor;
    unsigned digits = 0;
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9' && digits <= DIGITS_MAX; at++, digits++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (*at == '.' && decimals > 0)
        at++;
    for (bool is_fraction = at > *cursor && at[-1] == '.'; decimals > 0; decimals--) {
        bool is_digit = is_fraction && *at >= '0' && *at <= '9';
        number = number * 10 + (is_digit ? (uint64_t)(*at++ - '0') : 0);
        digits += is_digit;
    }
    if (digits == 0 || digits > DIGITS_MAX || (*at >= '0' && *at <= '9'))
        return false;
    *ret_number = number;
    *cursor = at;
    skip_blanks(cursor);
    return true;
}

/* --- pressure_warn --- */

static bool take_resource(const char **cursor, struct sv_pressure_bound *bound)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(names); i++) {
        bound->pressure = (enum sv_pressure)i;
        if (take_word(cursor, names[i]))
            return true;
    }
    return false;
}

/* NULL: taken. Else what is wrong. */
static const char *take_bound(const char **cursor, struct sv_pressure_bound *bound)
{
    uint64_t share = 0;
    uint64_t window_ms = WINDOW_MS_MAX;
    skip_blanks(cursor);
    if (!take_resource(cursor, bound))
        return "begins with no resource that has pressure; write cpu, memory or io, such as "
               "memory:some 20% over 10s";
    if (take_char(cursor, ':')) {
        bound->is_full = take_word(cursor, "full");
        if (!bound->is_full && !take_word(cursor, "some"))
            return "has a kind of pressure that the kernel does not know; write some or full, such "
                   "as memory:some 20% over 10s";
    }
    if (!take_number(cursor, 2, &share) || !take_char(cursor, '%'))
        return "says no share of time; write a number and a per cent sign, such as memory:some 20% "
               "over 10s";
    take_char(cursor, '%'); /* written as other options need it: 20%% */
    if (share == 0 || share > SHARE_MAX)
        return "has a share out of range; write from 0.01% to 100%";
    if (take_word(cursor, "over")) {
        if (!take_number(cursor, 3, &window_ms))
            return "says no time behind over; write seconds, such as over 10s";
        take_word(cursor, "s");
    }
    if (window_ms < WINDOW_MS_MIN || window_ms > WINDOW_MS_MAX)
        return "has a time out of range; the kernel takes from 0.5s to 10s";
    bound->share_permyriad = (uint32_t)share;
    bound->window_ms = (uint32_t)window_ms;
    return NULL;
}

static bool is_repeated(const struct sv_pressure_bounds *bounds,
                        const struct sv_pressure_bound *bound)
{
    for (size_t i = 0; i < bounds->count; i++)
        if (bounds->items[i].pressure == bound->pressure &&
            bounds->items[i].is_full == bound->is_full)
            return true;
    return false;
}

bool sv_pressure_parse(const char *text, struct sv_pressure_bounds *ret_bounds,
                       struct sv_str *problem)
{
    struct sv_pressure_bounds bounds = {0};
    const char *wrong = NULL;
    do {
        struct sv_pressure_bound bound = {0};
        wrong = take_bound(&text, &bound);
        if (!wrong && is_repeated(&bounds, &bound))
            wrong = "gives the same pressure twice; write each of some and full once";
        if (!wrong)
            bounds.items[bounds.count++] = bound; /* six at most differ */
    } while (!wrong && take_char(&text, ','));
    if (!wrong && *text)
        wrong = "goes on after a bound; write commas between them, such as memory:some 20% over "
                "10s, io:full 5% over 10s";
    if (wrong)
        sv_str_add(problem, wrong);
    else
        *ret_bounds = bounds;
    return !wrong;
}

/* 2050 of 100 -> "20.5" */
static void add_decimal(struct sv_str *out, uint32_t number, uint32_t unit)
{
    sv_str_addf(out, "%u", number / unit);
    uint32_t rest = number % unit;
    for (const char *point = "."; rest > 0; point = "", rest = rest * 10 % unit)
        sv_str_addf(out, "%s%u", point, rest * 10 / unit);
}

void sv_pressure_render(const struct sv_pressure_bounds *bounds, struct sv_str *out)
{
    for (size_t i = 0; i < bounds->count; i++) {
        const struct sv_pressure_bound *bound = &bounds->items[i];
        sv_str_addf(out, "%s%s:%s ", i > 0 ? "," : "", names[bound->pressure],
                    bound->is_full ? "full" : "some");
        add_decimal(out, bound->share_permyriad, 100);
        sv_str_add(out, "% over ");
        add_decimal(out, bound->window_ms, SECOND_MS);
        sv_str_add_char(out, 's');
    }
}

/* --- fork_rate_warn --- */

bool sv_fork_rate_parse(const char *text, uint64_t *ret_count, uint64_t *ret_window_ms)
{
    skip_blanks(&text);
    if (!take_number(&text, 0, ret_count))
        return false;
    *ret_window_ms = SECOND_MS;
    if (take_char(&text, '/')) {
        if (take_word(&text, "min"))
            *ret_window_ms = MINUTE_MS;
        else if (!take_word(&text, "s"))
            return false;
    }
    return *text == '\0';
}
