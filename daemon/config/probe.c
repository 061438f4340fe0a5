/*
 * The forms of ready= and liveness=:
 *
 *     notify
 *     port:8080    port:127.0.0.1:8080    port:[::1]:8080    port:unix:/run/x.sock
 *     http://127.0.0.1:8080/health        http://unix:/run/x.sock:/health
 *     exec:/usr/bin/check --fast
 *     log:listening on port [0-9]+
 *
 * No names of hosts but localhost: looking one up may take seconds, and svisord waits for nobody.
 */
#include "config/probe.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config/shlex.h"

static bool refuse(struct sv_str *problem, const char *text, const char *advice)
{
    sv_str_addf(problem, "'%s' %s", text, advice);
    return false;
}

static bool out_of_memory(struct sv_str *problem)
{
    sv_str_add(problem, "out of memory");
    return false;
}

/* Decimal digits from 1 to 65535. */
static bool parse_port(const char *text, size_t length, uint16_t *ret_port)
{
    uint32_t number = 0;
    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    *ret_port = (uint16_t)number;
    return number >= 1 && number <= 65535;
}

static bool is_numeric_host(const char *host)
{
    struct in6_addr address;
    return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1 ||
           inet_pton(AF_INET6, host, &address) == 1;
}

/* "HOST:PORT", "[HOST]:PORT", "PORT"; `default_port` 0: there must be one. */
static bool parse_address(const char *text, size_t length, uint16_t default_port,
                          struct sv_arena *arena, struct sv_probe_config *probe)
{
    const char *end = text + length;
    const char *host = "localhost";
    size_t host_length = strlen(host);
    const char *port = text;
    if (text < end && *text == '[') {
        const char *bracket = memchr(text, ']', length);
        if (!bracket || (bracket + 1 < end && bracket[1] != ':'))
            return false;
        host = text + 1;
        host_length = (size_t)(bracket - host);
        port = bracket + 1 < end ? bracket + 2 : end;
    } else {
        const char *colon = memchr(text, ':', length);
        if (colon || default_port) {
            host = text;
            host_length = (size_t)((colon ? colon : end) - text);
            port = colon ? colon + 1 : end;
        }
    }
    probe->host = sv_arena_strndup(arena, host, host_length);
    probe->port = default_port;
    if (!probe->host || !is_numeric_host(probe->host))
        return false;
    bool has_port = port < end;
    return has_port ? parse_port(port, (size_t)(end - port), &probe->port) : default_port != 0;
}

static bool parse_socket(const char *path, size_t length, struct sv_arena *arena,
                         struct sv_probe_config *probe)
{
    struct sockaddr_un address;
    probe->path = sv_arena_strndup(arena, path, length);
    return probe->path && length > 1 && path[0] == '/' && length < sizeof(address.sun_path);
}

static bool parse_notify(const char *rest, struct sv_arena *arena, struct sv_probe_config *probe,
                         struct sv_str *problem)
{
    (void)arena;
    return *rest == '\0' ? true : refuse(problem, probe->text, "is too long; write notify");
}

static bool parse_port_probe(const char *rest, struct sv_arena *arena,
                             struct sv_probe_config *probe, struct sv_str *problem)
{
    bool is_good = strncmp(rest, "unix:", 5) == 0
                       ? parse_socket(rest + 5, strlen(rest + 5), arena, probe)
                       : parse_address(rest, strlen(rest), 0, arena, probe);
    return is_good || refuse(problem, probe->text,
                             "is no port to connect to; write port:8080, port:127.0.0.1:8080, "
                             "port:[::1]:8080 or port:unix:/path/of.sock (an address in numbers: "
                             "names are not looked up)");
}

static bool is_plain(const char *target)
{
    for (; *target; target++)
        if ((unsigned char)*target <= ' ' || (unsigned char)*target >= 127)
            return false;
    return true;
}

static bool parse_http(const char *rest, struct sv_arena *arena, struct sv_probe_config *probe,
                       struct sv_str *problem)
{
    if (strncmp(rest, "http:", 5) == 0) /* http:http://…, the form of the others */
        rest += 5;
    bool is_good = strncmp(rest, "//", 2) == 0;
    const char *place = rest + (is_good ? 2 : 0);
    const char *target = place + strcspn(place, "/");
    if (is_good && strncmp(place, "unix:", 5) == 0) {
        const char *path = place + 5;
        const char *colon = strchr(path, ':');
        target = colon ? colon + 1 : path + strlen(path);
        is_good = parse_socket(path, colon ? (size_t)(colon - path) : strlen(path), arena, probe);
        probe->authority = "localhost";
    } else if (is_good) {
        is_good = parse_address(place, (size_t)(target - place), 80, arena, probe);
        probe->authority = sv_arena_strndup(arena, place, (size_t)(target - place));
    }
    probe->target = *target ? sv_arena_strdup(arena, target) : "/";
    if (is_good && (!probe->authority || !probe->target))
        return out_of_memory(problem);
    is_good = is_good && probe->target[0] == '/' && is_plain(probe->target);
    return is_good || refuse(problem, probe->text,
                             "is no address to ask; write http://127.0.0.1:8080/health or "
                             "http://unix:/path/of.sock:/health (an address in numbers: names are "
                             "not looked up; no https)");
}

static bool parse_exec(const char *rest, struct sv_arena *arena, struct sv_probe_config *probe,
                       struct sv_str *problem)
{
    struct sv_words words = {0};
    int r = sv_shlex_split(rest, arena, &words);
    if (r < 0)
        return out_of_memory(problem);
    if (r > 0) {
        sv_str_addf(problem, "'%s': %s; close it", probe->text, sv_shlex_error_text(r));
        return false;
    }
    probe->argv = words.items;
    return words.count > 0 || refuse(problem, probe->text,
                                     "names no command; write exec:/path/of/check and its "
                                     "arguments");
}

static bool parse_log(const char *rest, struct sv_arena *arena, struct sv_probe_config *probe,
                      struct sv_str *problem)
{
    if (*rest == '\0')
        return refuse(problem, probe->text, "has no pattern; write log:listening on port [0-9]+");
    struct sv_str reason = {0};
    probe->pattern = sv_pattern_compile(rest, arena, &reason);
    if (!probe->pattern)
        sv_str_addf(problem,
                    "'%s' is no regular expression: %s; put a backslash before what is "
                    "meant literally",
                    rest, sv_str_text(&reason));
    sv_str_done(&reason);
    return probe->pattern;
}

static const struct {
    const char *word;
    enum sv_probe_kind kind;
    bool (*parse)(const char *rest, struct sv_arena *arena, struct sv_probe_config *probe,
                  struct sv_str *problem);
} forms[] = {
    {"notify", SV_PROBE_NOTIFY, parse_notify}, {"port:", SV_PROBE_PORT, parse_port_probe},
    {"http:", SV_PROBE_HTTP, parse_http},      {"exec:", SV_PROBE_EXEC, parse_exec},
    {"log:", SV_PROBE_LOG, parse_log},
};

bool sv_probe_parse(const char *text, struct sv_arena *arena, struct sv_probe_config *ret_probe,
                    struct sv_str *problem)
{
    struct sv_probe_config probe = {.text = sv_arena_strdup(arena, text)};
    if (!probe.text)
        return out_of_memory(problem);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(forms); i++) {
        size_t length = strlen(forms[i].word);
        if (strncmp(text, forms[i].word, length) != 0)
            continue;
        probe.kind = forms[i].kind;
        if (!forms[i].parse(probe.text + length, arena, &probe, problem))
            return false;
        *ret_probe = probe;
        return true;
    }
    return refuse(problem, text,
                  "is not known; write notify, port:8080, http://127.0.0.1:8080/health, "
                  "exec:COMMAND or log:PATTERN");
}

static bool same_probe(const struct sv_probe_config *a, const struct sv_probe_config *b)
{
    return a->kind == b->kind && (a->kind == SV_PROBE_NONE || strcmp(a->text, b->text) == 0);
}

/* Bit for bit: the same text gives the same number. */
static bool same_real(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

bool sv_health_config_equal(const struct sv_health_config *a, const struct sv_health_config *b)
{
    if (!a || !b)
        return a == b;
    return same_probe(&a->ready, &b->ready) && same_probe(&a->liveness, &b->liveness) &&
           same_real(a->ready_timeout, b->ready_timeout) &&
           same_real(a->liveness_period, b->liveness_period) &&
           same_real(a->liveness_timeout, b->liveness_timeout) &&
           a->liveness_failures == b->liveness_failures &&
           a->liveness_action == b->liveness_action && same_real(a->watchdog, b->watchdog);
}

bool sv_health_wants_notify(const struct sv_health_config *health)
{
    return health && (health->ready.kind == SV_PROBE_NOTIFY ||
                      health->liveness.kind == SV_PROBE_NOTIFY || health->watchdog > 0);
}
