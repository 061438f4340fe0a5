/* The options of every section, as rows: options.def. */
#ifndef SV_CONFIG_OPTION_H
#define SV_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sv_section_kind {
    SV_SECTION_SUPERVISORD,
    SV_SECTION_UNIX_HTTP_SERVER,
    SV_SECTION_INET_HTTP_SERVER,
    SV_SECTION_SUPERVISORCTL,
    SV_SECTION_PROGRAM,
    SV_SECTION_FCGI_PROGRAM,
    SV_SECTION_EVENTLISTENER,
    SV_SECTION_GROUP,
    SV_SECTION_INCLUDE,
    SV_SECTION_RPCINTERFACE,
    SV_SECTION_SUPVISORS, /* [rpcinterface:supvisors] */
    SV_SECTION_CTLPLUGIN,
    SV_SECTION_SVISOR,
    SV_SECTION_KIND_COUNT
};

enum sv_option_type {
    SV_TYPE_STRING,
    SV_TYPE_BOOLEAN,
    SV_TYPE_INTEGER,
    SV_TYPE_RETRIES, /* an integer, or "endless" */
    SV_TYPE_SECONDS, /* with a fraction */
    SV_TYPE_OCTAL,
    SV_TYPE_BYTES,
    SV_TYPE_SIGNAL,
    SV_TYPE_EXITCODES,
    SV_TYPE_AUTORESTART,
    SV_TYPE_KILL_MODE,
    SV_TYPE_PROBE, /* probe.h */
    SV_TYPE_LIVENESS_ACTION,
    SV_TYPE_LOGLEVEL,
    SV_TYPE_LOGFILE,   /* NONE, AUTO, syslog, journal, or a file in a directory that exists */
    SV_TYPE_FILE,      /* a file in a directory that exists */
    SV_TYPE_DIRECTORY, /* a directory that exists */
    SV_TYPE_USER,
    SV_TYPE_OWNER, /* user or user:group */
    SV_TYPE_ADDRESS,
    SV_TYPE_SIZE_OR_MAX,
    SV_TYPE_NUMBER_OR_MAX,
    SV_TYPE_PERCENT, /* of one processor, or max */
    SV_TYPE_CPU_LIST,
    SV_TYPE_IO_MAX,
    SV_TYPE_OOM_POLICY,
    SV_TYPE_PRESSURE,        /* warn.h */
    SV_TYPE_FORK_RATE,       /* likewise */
    SV_TYPE_RLIMIT,          /* SOFT or SOFT:HARD */
    SV_TYPE_MULTICAST_GROUP, /* address:port */
    SV_TYPE_IPV4_ADDRESS,    /* or ANY */
    SV_TYPE_EVENT_LINK,
    SV_TYPE_SYNCHRO_OPTIONS, /* a set of them */
    SV_TYPE_SUPVISORS_FAILURE,
    SV_TYPE_STARTING_STRATEGY,
    SV_TYPE_CONCILIATION_STRATEGY,
    SV_TYPE_STATISTICS, /* a set of them */
    SV_TYPE_PERIODS,    /* up to three numbers */
    SV_TYPE_ON_STOP,
    SV_TYPE_COUNT
};

/* When a changed value takes effect. */
enum sv_reload {
    SV_RELOAD_START,  /* svisord must be started again */
    SV_RELOAD_UPDATE, /* `update` restarts the programs that it concerns */
    SV_RELOAD_LIVE,   /* `reread` and `update` change it in programs that run on */
    SV_RELOAD_CTL,    /* svctl reads it each time */
};

enum sv_origin { SV_ORIGIN_SUPERVISOR, SV_ORIGIN_SVISOR };

enum sv_option_id {
#define OPTION(section, key, type, default_text, min, max, unit, reload, origin, help)             \
    SV_OPTION_##section##_##key,
#include "config/options.def"
#undef OPTION
    SV_OPTION_COUNT
};

struct sv_option {
    enum sv_section_kind section;
    const char *key;
    enum sv_option_type type;
    const char *default_text; /* NULL: none */
    int64_t min, max;         /* numbers only */
    const char *unit;
    enum sv_reload reload;
    enum sv_origin origin;
    const char *help;
};

const struct sv_option *sv_option(enum sv_option_id id);
/* "integer", "boolean"… for people. */
const char *sv_option_type_name(enum sv_option_type type);
/* "supervisord", or "program:" for a section with a name behind it. */
const char *sv_section_word(enum sv_section_kind kind);
/* Which kind the section is, or -1: none of ours. */
int sv_section_kind_of(const char *section);
/* True when a section of that kind takes options of the other: a listener is a program, too. */
bool sv_section_takes(enum sv_section_kind kind, enum sv_section_kind options);
/* The row of a key in such a section; NULL: there is none. */
const struct sv_option *sv_option_find(enum sv_section_kind kind, const char *key);
/* The key of such a section that `key` may be a slip of; NULL: none is near. */
const char *sv_option_nearest(enum sv_section_kind kind, const char *key);
/* The section word that `section` may be a slip of; NULL: none is near. */
const char *sv_section_nearest(const char *section);

#endif
