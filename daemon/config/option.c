/* Look-ups over the rows of options.def. */
#include "config/option.h"

#include <assert.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/nearest.h"

static const struct sv_option options[] = {
#define OPTION(section_, key_, type_, default_, min_, max_, unit_, reload_, origin_, help_)        \
    [SV_OPTION_##section_##_##key_] = {.section = SV_SECTION_##section_,                           \
                                       .key = #key_,                                               \
                                       .type = SV_TYPE_##type_,                                    \
                                       .default_text = (default_),                                 \
                                       .min = (min_),                                              \
                                       .max = (max_),                                              \
                                       .unit = (unit_),                                            \
                                       .reload = SV_RELOAD_##reload_,                              \
                                       .origin = SV_ORIGIN_##origin_,                              \
                                       .help = (help_)},
#include "config/options.def"
#undef OPTION
};
_Static_assert(sizeof(options) / sizeof(options[0]) == SV_OPTION_COUNT, "a row for every option");

static const char *const type_names[] = {
    [SV_TYPE_STRING] = "text",
    [SV_TYPE_BOOLEAN] = "boolean",
    [SV_TYPE_INTEGER] = "integer",
    [SV_TYPE_RETRIES] = "integer or endless",
    [SV_TYPE_SECONDS] = "number",
    [SV_TYPE_OCTAL] = "octal number",
    [SV_TYPE_BYTES] = "size",
    [SV_TYPE_SIGNAL] = "signal",
    [SV_TYPE_EXITCODES] = "exit codes",
    [SV_TYPE_AUTORESTART] = "true, false or unexpected",
    [SV_TYPE_KILL_MODE] = "control-group or process",
    [SV_TYPE_PROBE] = "probe",
    [SV_TYPE_LIVENESS_ACTION] = "restart, stop, signal:NAME or none",
    [SV_TYPE_LOGLEVEL] = "log level",
    [SV_TYPE_LOGFILE] = "log file",
    [SV_TYPE_FILE] = "file",
    [SV_TYPE_DIRECTORY] = "directory",
    [SV_TYPE_USER] = "user",
    [SV_TYPE_OWNER] = "user:group",
    [SV_TYPE_ADDRESS] = "host:port",
    [SV_TYPE_SIZE_OR_MAX] = "size or max",
    [SV_TYPE_NUMBER_OR_MAX] = "integer or max",
    [SV_TYPE_PRESSURE] = "bounds of pressure",
    [SV_TYPE_FORK_RATE] = "number in a time",
    [SV_TYPE_PERCENT] = "per cent or max",
    [SV_TYPE_CPU_LIST] = "list of processors",
    [SV_TYPE_IO_MAX] = "limits of devices",
    [SV_TYPE_OOM_POLICY] = "continue, stop or kill",
    [SV_TYPE_RLIMIT] = "SOFT or SOFT:HARD",
    [SV_TYPE_MULTICAST_GROUP] = "address:port",
    [SV_TYPE_IPV4_ADDRESS] = "IP address",
    [SV_TYPE_EVENT_LINK] = "NONE, ZMQ, WS or ALL",
    [SV_TYPE_SYNCHRO_OPTIONS] = "list of words",
    [SV_TYPE_SUPVISORS_FAILURE] = "word",
    [SV_TYPE_STARTING_STRATEGY] = "word",
    [SV_TYPE_CONCILIATION_STRATEGY] = "word",
    [SV_TYPE_STATISTICS] = "list of words",
    [SV_TYPE_PERIODS] = "list of numbers",
    [SV_TYPE_ON_STOP] = "stop or keep",
};
_Static_assert(sizeof(type_names) / sizeof(type_names[0]) == SV_TYPE_COUNT,
               "every type has a name");

/* A word that ends in a colon takes a name behind it. */
static const char *const section_words[] = {
    [SV_SECTION_SUPERVISORD] = "supervisord",
    [SV_SECTION_UNIX_HTTP_SERVER] = "unix_http_server",
    [SV_SECTION_INET_HTTP_SERVER] = "inet_http_server",
    [SV_SECTION_SUPERVISORCTL] = "supervisorctl",
    [SV_SECTION_PROGRAM] = "program:",
    [SV_SECTION_FCGI_PROGRAM] = "fcgi-program:",
    [SV_SECTION_EVENTLISTENER] = "eventlistener:",
    [SV_SECTION_GROUP] = "group:",
    [SV_SECTION_INCLUDE] = "include",
    [SV_SECTION_RPCINTERFACE] = "rpcinterface:",
    [SV_SECTION_SUPVISORS] = "rpcinterface:supvisors",
    [SV_SECTION_CTLPLUGIN] = "ctlplugin:",
    [SV_SECTION_SVISOR] = "svisor",
};
_Static_assert(sizeof(section_words) / sizeof(section_words[0]) == SV_SECTION_KIND_COUNT,
               "every kind of section has a word");

const struct sv_option *sv_option(enum sv_option_id id)
{
    assert((size_t)id < SV_OPTION_COUNT);
    return &options[id];
}

const char *sv_option_type_name(enum sv_option_type type)
{
    return type_names[type];
}

const char *sv_section_word(enum sv_section_kind kind)
{
    return section_words[kind];
}

/* Supervisor takes every section that begins with the word of a server: [inet_http_server:two],
 * too. */
static bool is_open_ended(size_t kind)
{
    const char *word = section_words[kind];
    return word[strlen(word) - 1] == ':' || kind == SV_SECTION_UNIX_HTTP_SERVER ||
           kind == SV_SECTION_INET_HTTP_SERVER;
}

int sv_section_kind_of(const char *section)
{
    for (size_t kind = 0; kind < SV_SECTION_KIND_COUNT; kind++) {
        const char *word = section_words[kind];
        if (strcmp(section, word) == 0 && !(word[strlen(word) - 1] == ':'))
            return (int)kind;
    }
    for (size_t kind = 0; kind < SV_SECTION_KIND_COUNT; kind++) {
        const char *word = section_words[kind];
        if (is_open_ended(kind) && strncmp(section, word, strlen(word)) == 0)
            return (int)kind;
    }
    return -1;
}

bool sv_section_takes(enum sv_section_kind kind, enum sv_section_kind options_of)
{
    bool is_program = kind == SV_SECTION_FCGI_PROGRAM || kind == SV_SECTION_EVENTLISTENER;
    return kind == options_of || (is_program && options_of == SV_SECTION_PROGRAM);
}

const struct sv_option *sv_option_find(enum sv_section_kind kind, const char *key)
{
    for (size_t i = 0; i < SV_OPTION_COUNT; i++)
        if (sv_section_takes(kind, options[i].section) && strcmp(options[i].key, key) == 0)
            return &options[i];
    return NULL;
}

const char *sv_option_nearest(enum sv_section_kind kind, const char *key)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < SV_OPTION_COUNT; i++) {
        if (!sv_section_takes(kind, options[i].section))
            continue;
        size_t distance = sv_edit_distance(key, options[i].key);
        if (distance < least) {
            least = distance;
            nearest = options[i].key;
        }
    }
    return nearest && sv_is_near(key, least) ? nearest : NULL;
}

const char *sv_section_nearest(const char *section)
{
    char head[32] = {0};
    size_t length = strcspn(section, ":");
    if (length >= sizeof(head))
        return NULL;
    for (size_t i = 0, filled = 0; i < length; i++) {
        char c = section[i];
        if (c != ' ' && c != '\t')
            head[filled++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    for (size_t kind = 0; kind < SV_SECTION_KIND_COUNT; kind++) {
        char word[32] = {0};
        memcpy(word, section_words[kind], strcspn(section_words[kind], ":"));
        size_t distance = sv_edit_distance(head, word);
        if (distance < least) {
            least = distance;
            nearest = section_words[kind];
        }
    }
    return nearest && sv_is_near(head, least) ? nearest : NULL;
}
