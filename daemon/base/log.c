#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/str.h"

static const struct {
    enum sv_log_level level;
    const char *name;
    const char *tag;
} levels[] = {
    {SV_LOG_BLATHER, "blather", "BLAT"},   {SV_LOG_TRACE, "trace", "TRAC"},
    {SV_LOG_DEBUG, "debug", "DEBG"},       {SV_LOG_INFO, "info", "INFO"},
    {SV_LOG_WARN, "warn", "WARN"},         {SV_LOG_ERROR, "error", "ERRO"},
    {SV_LOG_CRITICAL, "critical", "CRIT"},
};

static sv_log_sink current_sink;
static void *current_user;
static enum sv_log_level current_level = SV_LOG_INFO;

void sv_log_set_sink(sv_log_sink sink, void *user)
{
    current_sink = sink;
    current_user = user;
}

void sv_log_set_level(enum sv_log_level level)
{
    current_level = level;
}

enum sv_log_level sv_log_get_level(void)
{
    return current_level;
}

bool sv_log_enabled(enum sv_log_level level)
{
    return current_sink && level >= current_level;
}

void sv_log(enum sv_log_level level, const char *format, ...)
{
    if (!sv_log_enabled(level))
        return;
    struct sv_str line SV_CLEANUP(sv_str_done) = {0};
    va_list arguments;
    va_start(arguments, format);
    sv_str_addv(&line, format, arguments);
    va_end(arguments);
    if (sv_str_ok(&line))
        current_sink(current_user, level, sv_str_text(&line), line.length);
}

const char *sv_log_level_name(enum sv_log_level level)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(levels); i++)
        if (levels[i].level == level)
            return levels[i].name;
    return "unknown";
}

const char *sv_log_level_tag(enum sv_log_level level)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(levels); i++)
        if (levels[i].level == level)
            return levels[i].tag;
    return "????";
}

bool sv_log_level_parse(const char *text, enum sv_log_level *ret_level)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(levels); i++) {
        if (strcasecmp(levels[i].name, text) == 0) {
            *ret_level = levels[i].level;
            return true;
        }
    }
    return false;
}
