/* An accepted configuration: its life, and whether a group of it is the same as in an older one. */
#include "config/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sv_config *sv_config_ref(struct sv_config *config)
{
    config->reference_count++;
    return config;
}

void sv_config_unref(struct sv_config *config)
{
    if (!config)
        return;
    assert(config->reference_count > 0);
    if (--config->reference_count > 0)
        return;
    /* The arena holds everything but the struct that holds the arena. */
    sv_arena_done(&config->arena);
    free(config);
}

static int compare_name(const void *key, const void *item)
{
    const struct sv_group_config *const *group = item;
    return strcmp(key, (*group)->name);
}

const struct sv_group_config *sv_config_group(const struct sv_config *config, const char *name)
{
    const struct sv_group_config *const *found =
        config->group_count > 0 ? bsearch(name, config->groups_by_name, config->group_count,
                                          sizeof(*config->groups_by_name), compare_name)
                                : NULL;
    return found ? *found : NULL;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const char *const *a, const char *const *b)
{
    while (*a && *b && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return !*a && !*b;
}

static bool same_channel(const struct sv_channel_config *a, const struct sv_channel_config *b)
{
    /* Supervisor compares AUTO equal to every log file. */
    bool is_auto = a->logfile_kind == SV_LOGFILE_AUTO || b->logfile_kind == SV_LOGFILE_AUTO;
    bool same_file =
        is_auto || (a->logfile_kind == b->logfile_kind && same(a->logfile, b->logfile));
    return same_file && a->maxbytes == b->maxbytes && a->backups == b->backups &&
           a->capture_maxbytes == b->capture_maxbytes && a->events_enabled == b->events_enabled &&
           a->syslog == b->syslog && a->journal == b->journal;
}

/* Bit for bit: the same text gives the same number. */
static bool same_real(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool same_restart(const struct sv_program_config *a, const struct sv_program_config *b)
{
    return a->autostart == b->autostart && a->autorestart == b->autorestart &&
           a->startsecs == b->startsecs && a->startretries == b->startretries &&
           a->exitcode_count == b->exitcode_count &&
           (a->exitcode_count == 0 ||
            memcmp(a->exitcodes, b->exitcodes, a->exitcode_count * sizeof(int)) == 0) &&
           same_real(a->restart_delay, b->restart_delay) &&
           same_real(a->restart_delay_max, b->restart_delay_max) &&
           same_real(a->restart_jitter, b->restart_jitter) &&
           same_real(a->restart_reset_after, b->restart_reset_after);
}

static bool same_stop(const struct sv_program_config *a, const struct sv_program_config *b)
{
    return a->stopsignal == b->stopsignal && a->stopwaitsecs == b->stopwaitsecs &&
           a->stopasgroup == b->stopasgroup && a->killasgroup == b->killasgroup &&
           a->kill_mode == b->kill_mode;
}

static bool same_program(const struct sv_program_config *a, const struct sv_program_config *b)
{
    return a->kind == b->kind && same(a->name, b->name) && same(a->command, b->command) &&
           same(a->directory, b->directory) && a->umask == b->umask && a->uid == b->uid &&
           same_list(a->environment, b->environment) && same(a->serverurl, b->serverurl) &&
           a->priority == b->priority && same_restart(a, b) && same_stop(a, b) &&
           sv_health_config_equal(a->health, b->health) &&
           a->redirect_stderr == b->redirect_stderr &&
           same_channel(&a->channels[SV_STDOUT], &b->channels[SV_STDOUT]) &&
           same_channel(&a->channels[SV_STDERR], &b->channels[SV_STDERR]);
}

/* A [group:x] of one program and a [program:x] differ in nothing that a process could notice. */
static bool is_plain(const struct sv_group_config *group)
{
    return group->kind == SV_GROUP_PROGRAM || group->kind == SV_GROUP_HETEROGENEOUS;
}

bool sv_group_config_equal(const struct sv_group_config *a, const struct sv_group_config *b)
{
    bool same_kind = a->kind == b->kind || (is_plain(a) && is_plain(b));
    if (!same_kind || !same(a->name, b->name) || a->priority != b->priority ||
        a->program_count != b->program_count || !same(a->fcgi.url, b->fcgi.url) ||
        a->events != b->events || a->buffer_size != b->buffer_size ||
        !same(a->result_handler, b->result_handler))
        return false;
    for (size_t i = 0; i < a->program_count; i++)
        if (!same_program(a->programs[i], b->programs[i]))
            return false;
    return true;
}
