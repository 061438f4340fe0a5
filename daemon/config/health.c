/* ready=, liveness=, watchdog= and what goes with them, of one process. */
#include <string.h>

#include "config/loader.h"

/* Less than that is no check but a load; and 0 would be a check without end. */
#define SHORTEST_SECONDS 0.1

struct health_reader {
    struct sv_loader *loader;
    const struct sv_ini_section *section;
    const struct sv_scope *scope;
};

static struct sv_value get(struct health_reader *reader, enum sv_option_id id)
{
    return sv_loader_get(reader->loader, reader->section, id, reader->scope);
}

static double get_seconds(struct health_reader *reader, enum sv_option_id id)
{
    struct sv_value value = get(reader, id);
    if (!value.text || value.real >= SHORTEST_SECONDS)
        return value.text ? value.real : 0;
    sv_loader_report(reader->loader, reader->loader->error, &value.place,
                     "'%s' is too short; write a number of at least %g", value.text,
                     SHORTEST_SECONDS);
    return SHORTEST_SECONDS;
}

/* A key that changes nothing is most likely a slip. */
static void warn_if_given(struct health_reader *reader, enum sv_option_id id, const char *missing)
{
    struct sv_value value = sv_loader_raw(reader->loader, reader->section, id);
    if (value.is_given)
        sv_loader_report(reader->loader, SV_SEVERITY_WARNING, &value.place,
                         "has no effect without %s", missing);
}

static void warn_of_unused(struct health_reader *reader, const struct sv_health_config *health)
{
    if (health->ready.kind == SV_PROBE_NONE)
        warn_if_given(reader, SV_OPTION_PROGRAM_ready_timeout, "ready=");
    if (health->liveness.kind == SV_PROBE_NONE) {
        warn_if_given(reader, SV_OPTION_PROGRAM_liveness_period, "liveness=");
        warn_if_given(reader, SV_OPTION_PROGRAM_liveness_timeout, "liveness=");
        warn_if_given(reader, SV_OPTION_PROGRAM_liveness_failures, "liveness=");
        if (!(health->watchdog > 0))
            warn_if_given(reader, SV_OPTION_PROGRAM_liveness_action, "liveness= or watchdog=");
    }
}

const struct sv_health_config *sv_load_health(struct sv_loader *loader,
                                              const struct sv_ini_section *section,
                                              const struct sv_scope *scope)
{
    struct health_reader reader = {loader, section, scope};
    struct sv_health_config health = {0};
    struct sv_value ready = get(&reader, SV_OPTION_PROGRAM_ready);
    struct sv_value liveness = get(&reader, SV_OPTION_PROGRAM_liveness);
    if (ready.probe)
        health.ready = *ready.probe;
    if (liveness.probe)
        health.liveness = *liveness.probe;
    struct sv_value timeout = get(&reader, SV_OPTION_PROGRAM_ready_timeout);
    health.ready_timeout = timeout.real;
    health.liveness_period = get_seconds(&reader, SV_OPTION_PROGRAM_liveness_period);
    health.liveness_timeout = get_seconds(&reader, SV_OPTION_PROGRAM_liveness_timeout);
    health.liveness_failures = (uint32_t)get(&reader, SV_OPTION_PROGRAM_liveness_failures).integer;
    health.liveness_action = (int)get(&reader, SV_OPTION_PROGRAM_liveness_action).integer;
    health.watchdog = get_seconds(&reader, SV_OPTION_PROGRAM_watchdog);
    warn_of_unused(&reader, &health);
    if (health.ready.kind == SV_PROBE_NONE && health.liveness.kind == SV_PROBE_NONE &&
        !(health.watchdog > 0))
        return NULL;
    struct sv_health_config *kept =
        sv_loader_check(loader, sv_arena_new(loader->arena, struct sv_health_config));
    if (kept)
        *kept = health;
    return kept;
}
