/*
 * Keys of rows: "4 17\nshop\nweb", so that a map can hold them, and a client that is being written
 * a snapshot can hold what is left as bytes, not as pointers to what comes and goes.
 */
#include "driver/live/internal.h"

#include <stdlib.h>
#include <string.h>

void sv_live_key(const struct sv_live_row *row, struct sv_str *ret_key)
{
    sv_str_addf(ret_key, "%d %u\n%s\n%s", (int)row->kind, row->number, row->application, row->name);
}

struct sv_live_row sv_live_row_of(const char *key, struct sv_str *scratch)
{
    sv_str_clear(scratch);
    sv_str_add(scratch, key);
    char *rest = scratch->data;
    struct sv_live_row row = {.kind = SV_LIVE_INSTANCE, .application = "", .name = ""};
    if (!sv_str_ok(scratch) || !rest)
        return row; /* without memory: one that is always there, told early */
    row.kind = (enum sv_live_kind)strtoul(rest, &rest, 10);
    row.number = (uint32_t)strtoul(rest, &rest, 10);
    row.application = strsep(&rest, "\n"); /* ends what was before */
    row.application = strsep(&rest, "\n");
    row.name = rest;
    return row;
}

struct walk {
    sv_live_row_seen *seen;
    void *user;
};

static void see(const struct walk *walk, enum sv_live_kind kind, uint32_t number)
{
    const struct sv_live_row row = {.kind = kind, .number = number, .application = "", .name = ""};
    walk->seen(walk->user, &row);
}

static void each_local_copy(struct sv_driver *driver, const struct walk *walk)
{
    size_t group_count;
    const struct sv_group_view *groups = sv_core_groups(driver->core, &group_count);
    for (size_t g = 0; g < group_count; g++)
        for (size_t i = 0; i < groups[g].process_count; i++) {
            const struct sv_live_row row = {.kind = SV_LIVE_LOCAL_COPY,
                                            .number = groups[g].processes[i],
                                            .application = groups[g].config->name,
                                            .name = groups[g].programs[i]->name};
            walk->seen(walk->user, &row);
        }
}

/* Its own row, or those of its copies in other instances; by `kind`. */
static void see_process(const struct sv_api_cluster *cluster, size_t application, size_t process,
                        const struct walk *walk, enum sv_live_kind kind)
{
    struct sv_cluster_process_view view;
    cluster->process(cluster->user, application, process, &view);
    struct sv_live_row row = {.kind = kind, .application = view.application, .name = view.name};
    if (kind == SV_LIVE_PROCESS)
        walk->seen(walk->user, &row);
    for (size_t i = 0; kind == SV_LIVE_COPY && i < view.copy_count; i++) {
        struct sv_copy_view copy;
        cluster->copy(cluster->user, application, process, i, &copy);
        row.number = copy.instance;
        if (copy.instance != cluster->local(cluster->user))
            walk->seen(walk->user, &row);
    }
}

static void each_process(const struct sv_api_cluster *cluster, const struct walk *walk,
                         enum sv_live_kind kind)
{
    for (size_t a = 0; a < cluster->application_count(cluster->user); a++) {
        struct sv_application_view application;
        cluster->application(cluster->user, a, &application);
        for (size_t p = 0; p < application.process_count; p++)
            see_process(cluster, a, p, walk, kind);
    }
}

static void each_application(const struct sv_api_cluster *cluster, const struct walk *walk)
{
    for (size_t a = 0; a < cluster->application_count(cluster->user); a++) {
        struct sv_application_view application;
        cluster->application(cluster->user, a, &application);
        const struct sv_live_row row = {
            .kind = SV_LIVE_APPLICATION, .application = application.name, .name = ""};
        walk->seen(walk->user, &row);
    }
}

void sv_live_each_row(struct sv_driver *driver, sv_live_row_seen *seen, void *user)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    const struct walk walk = {seen, user};
    if (!cluster) {
        see(&walk, SV_LIVE_INSTANCE, 0);
        each_local_copy(driver, &walk);
        return;
    }
    see(&walk, SV_LIVE_SUPVISORS, 0);
    for (sv_instance_place i = 0; i < cluster->instance_count(cluster->user); i++)
        see(&walk, SV_LIVE_INSTANCE, i);
    each_application(cluster, &walk);
    each_process(cluster, &walk, SV_LIVE_PROCESS);
    each_local_copy(driver, &walk);
    each_process(cluster, &walk, SV_LIVE_COPY);
    see(&walk, SV_LIVE_CONFLICTS, 0);
}
