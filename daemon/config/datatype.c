/* Names, signals, addresses and KEY=value pairs, as Supervisor's datatypes.py reads them. */
#include "config/datatype.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "config/pytext.h"
#include "config/shlex.h"

/* The real-time signals as glibc numbers them for programs; the macros would be calls into it. */
enum { FIRST_REALTIME = 34, LAST_REALTIME = 64 };

static const struct {
    const char *name;
    int number;
} signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},   {"FPE", SIGFPE},
    {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
    {"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
    {"IO", SIGIO},     {"PWR", SIGPWR},       {"SYS", SIGSYS},   {"RTMIN", FIRST_REALTIME},
    {"IOT", SIGIOT},   {"CLD", SIGCHLD},      {"POLL", SIGPOLL}, {"RTMAX", LAST_REALTIME},
};

bool sv_value_is_name(const char *text)
{
    struct sv_span name = sv_py_strip(text, strlen(text));
    for (size_t i = 0; i < name.length; i++)
        if (strchr(" :/", name.data[i]))
            return false;
    return name.length > 0;
}

bool sv_value_signal(const char *text, int *ret_signal)
{
    struct sv_span span = sv_py_strip(text, strlen(text));
    int64_t number;
    bool is_number = sv_py_int(text, strlen(text), 10, &number) == SV_PY_INT_OK;
    char name[16] = {0};
    if (!is_number && span.length >= sizeof(name))
        return false;
    for (size_t i = 0; !is_number && i < span.length; i++) {
        char c = span.data[i];
        name[i] = c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
    }
    const char *word = strncmp(name, "SIG", 3) == 0 ? name + 3 : name;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(signals); i++) {
        if (is_number ? signals[i].number == number : strcmp(signals[i].name, word) == 0) {
            *ret_signal = signals[i].number;
            return true;
        }
    }
    return false;
}

const char *sv_value_signal_name(int number)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(signals); i++)
        if (signals[i].number == number)
            return signals[i].name;
    return NULL;
}

enum sv_py_int_result sv_value_bytes(const char *text, size_t length, int64_t *ret_bytes)
{
    static const char suffixes[][3] = {"kb", "mb", "gb"};
    int64_t factor = 1;
    for (size_t i = 0; length >= 2 && i < SV_ARRAY_LENGTH(suffixes); i++)
        if (strncasecmp(text + length - 2, suffixes[i], 2) == 0)
            factor = INT64_C(1) << (10 * (i + 1));
    enum sv_py_int_result result = sv_py_int(text, factor > 1 ? length - 2 : length, 10, ret_bytes);
    if (result != SV_PY_INT_OK)
        return result;
    if (*ret_bytes > INT64_MAX / factor)
        return SV_PY_INT_E_RANGE;
    *ret_bytes = *ret_bytes < 0 ? -1 : *ret_bytes * factor;
    return SV_PY_INT_OK;
}

bool sv_value_address(const char *text, struct sv_arena *arena, const char **ret_host,
                      uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    const char *port_text = colon ? colon + 1 : text;
    int64_t port;
    if (sv_py_int(port_text, strlen(port_text), 10, &port) != SV_PY_INT_OK || port < 1 ||
        port > UINT16_MAX)
        return false;
    size_t length = colon ? (size_t)(colon - text) : 0;
    bool is_bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    char *host = is_bracketed ? sv_arena_strndup(arena, text + 1, length - 2)
                              : sv_arena_strndup(arena, text, length);
    if (!host)
        return false;
    for (char *c = host; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    *ret_host = strcmp(host, "*") == 0 ? "" : host;
    *ret_port = (uint16_t)port;
    return true;
}

/* str.strip("'\""): takes the quotes off both ends, however many. */
static const char *without_quotes(struct sv_arena *scratch, const char *text)
{
    text += strspn(text, "'\"");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == '\'' || text[length - 1] == '"'))
        length--;
    return sv_arena_strndup(scratch, text, length);
}

bool sv_value_pairs(const char *text, struct sv_arena *scratch,
                    void (*found)(void *user, const char *key, const char *value), void *user,
                    struct sv_str *problem)
{
    struct sv_words words;
    int r = sv_shlex_tokens(text, scratch, &words);
    if (r != 0) {
        sv_str_addf(problem, "%s in ", sv_shlex_error_text(r));
        sv_py_repr(problem, text, strlen(text));
        sv_str_add(problem, "; write KEY=\"value\",KEY2=\"value2\"");
        return false;
    }
    /* Three words for a pair and one between pairs; Supervisor does not look at the fourth. */
    for (size_t i = 0; i < words.count; i += 4) {
        if (words.count - i < 3 || strcmp(words.items[i + 1], "=") != 0) {
            sv_str_addf(problem,
                        "Unexpected end of key/value pairs in value '%s'; write "
                        "KEY=\"value\",KEY2=\"value2\", with quotes around a value that is more "
                        "than a plain word",
                        text);
            return false;
        }
        const char *value = without_quotes(scratch, words.items[i + 2]);
        if (!value) {
            sv_str_add(problem, "out of memory");
            return false;
        }
        found(user, words.items[i], value);
    }
    return true;
}
