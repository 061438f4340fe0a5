/*
 * What has changed, row by row, until the end of the turn: a row that changes several times in a
 * turn of the loop is one message, and what it says is true when it is sent.
 *
 *     hook -> key into `changed` -> flush: `changed` becomes `flushing` -> message, or `gone`
 *
 * A flush is cut into slices, too: with an instance thousands of rows may change at once. A row
 * that changes again before its turn in `flushing` is sent twice, which is no harm.
 *
 * Clocks and counters tick in a row of an instance all the time. It is sent when something else in
 * it has changed, for which what was sent last is kept.
 */
#include "driver/live/internal.h"

#include <string.h>

#include "port/cluster.h"

static void mark(struct sv_live *live, const struct sv_live_row *row)
{
    struct sv_str *key = &live->scratch;
    sv_str_clear(key);
    sv_live_key(row, key);
    if (!sv_str_ok(key) || sv_map_put(&live->changed, key->data, live) < 0)
        sv_live_begin_anew(live);
    sv_source_enable(live->flush, true);
}

static bool is_looked_at(const struct sv_driver *driver)
{
    return driver->live && sv_live_has_listeners(driver->live);
}

/* ---- Hooks ---- */

void sv_live_process_changed(struct sv_driver *driver, sv_process_id id)
{
    const struct sv_unit *unit = is_looked_at(driver) ? sv_driver_unit(driver, id) : NULL;
    if (unit)
        mark(driver->live, &(struct sv_live_row){.kind = SV_LIVE_LOCAL_COPY,
                                                 .number = id,
                                                 .application = unit->group->config->name,
                                                 .name = unit->config->name});
}

void sv_live_process_removed(const struct sv_unit *unit)
{
    sv_live_process_changed(unit->driver, unit->id); /* when it is looked for, it is not there */
}

static void process_changed(struct sv_live *live, const struct sv_cluster_action *action)
{
    const struct sv_api_cluster *cluster = live->driver->api_host.cluster;
    struct sv_live_row row = {.kind = SV_LIVE_PROCESS,
                              .application = action->notice.application,
                              .name = action->notice.name};
    mark(live, &row);
    if (action->instance == SV_INSTANCE_NONE)
        return;
    row.kind = SV_LIVE_COPY;
    row.number = action->instance;
    if (action->instance != cluster->local(cluster->user))
        mark(live, &row);
    mark(live, &(struct sv_live_row){.kind = SV_LIVE_INSTANCE, /* its load */
                                     .number = action->instance,
                                     .application = "",
                                     .name = ""});
}

void sv_live_cluster_notice(struct sv_driver *driver, const struct sv_cluster_action *action)
{
    struct sv_live *live = driver->live;
    if (live)
        sv_live_cluster_happening(driver, action);
    if (!is_looked_at(driver))
        return;
    struct sv_live_row row = {.application = "", .name = ""};
    switch (action->notice.what) {
    case SV_CLUSTER_NOTICE_INSTANCE:
        row.kind = SV_LIVE_INSTANCE;
        row.number = action->instance;
        mark(live, &row);
        row.number = 0; /* its state is also in that of the cluster */
        row.kind = SV_LIVE_SUPVISORS;
        mark(live, &row);
        break;
    case SV_CLUSTER_NOTICE_MODES:
        row.kind = SV_LIVE_SUPVISORS;
        mark(live, &row);
        break;
    case SV_CLUSTER_NOTICE_APPLICATION:
        row.kind = SV_LIVE_APPLICATION;
        row.application = action->notice.application;
        mark(live, &row);
        break;
    case SV_CLUSTER_NOTICE_PROCESS:
        process_changed(live, action);
        break;
    case SV_CLUSTER_NOTICE_LOG:
        break;
    }
}

static void mark_ruled(void *user, const struct sv_live_row *row)
{
    bool is_loaded = row->kind == SV_LIVE_INSTANCE; /* with what the rules say of what runs there */
    if (is_loaded || row->kind == SV_LIVE_APPLICATION || row->kind == SV_LIVE_PROCESS)
        mark(user, row);
}

void sv_live_rules_changed(struct sv_driver *driver)
{
    if (is_looked_at(driver))
        sv_live_each_row(driver, mark_ruled, driver->live);
}

/* ---- Conflicts ---- */

/* True: it is one now, or is one no more. */
static bool update_conflict(struct sv_live *live, const struct sv_live_row *process)
{
    struct sv_str namespec SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&namespec, "%s:%s", process->application, process->name);
    bool was = sv_str_ok(&namespec) && sv_map_has(&live->conflicts, namespec.data);
    bool is = sv_str_ok(&namespec) && sv_live_is_conflict(live->driver, process);
    if (was && !is)
        sv_map_remove(&live->conflicts, namespec.data);
    if (is && !was && sv_map_put(&live->conflicts, namespec.data, live) < 0)
        sv_live_begin_anew(live);
    return was != is;
}

static void find_conflict(void *user, const struct sv_live_row *row)
{
    if (row->kind == SV_LIVE_PROCESS)
        update_conflict(user, row);
}

void sv_live_find_conflicts(struct sv_live *live)
{
    sv_live_each_row(live->driver, find_conflict, live);
}

/* ---- Sending ---- */

/* Whether clients know it already. */
static bool is_old_news(struct sv_live *live, const json_t *instance)
{
    static const char *const ticking[] = {
        "remote_sequence_counter", "remote_time", "remote_mtime",
        "local_sequence_counter",  "local_time",  "local_mtime",
    };
    json_t *facts = json_copy((json_t *)instance);
    for (size_t i = 0; facts && i < SV_ARRAY_LENGTH(ticking); i++)
        (void)json_object_del(facts, ticking[i]);
    const char *identifier = json_string_value(json_object_get(instance, "identifier"));
    bool is_known = json_equal(facts, json_object_get(live->instances, identifier));
    if (is_known)
        json_decref(facts);
    else
        (void)json_object_set_new(live->instances, identifier, facts);
    return is_known;
}

static void send_row(struct sv_live *live, const struct sv_live_row *row)
{
    json_t *body = sv_live_row_json(live, row);
    if (!body)
        sv_live_broadcast(live, "gone", sv_live_gone(live, row));
    else if (row->kind == SV_LIVE_INSTANCE && is_old_news(live, body))
        json_decref(body);
    else
        sv_live_broadcast(live, sv_live_kind_name(row->kind), body);
    if (row->kind == SV_LIVE_PROCESS && update_conflict(live, row))
        mark(live, &(struct sv_live_row){.kind = SV_LIVE_CONFLICTS, .application = "", .name = ""});
}

void sv_live_forget_changes(struct sv_live *live)
{
    sv_map_done(&live->changed);
    sv_map_done(&live->flushing);
    sv_map_done(&live->conflicts);
    json_object_clear(live->instances);
    live->flushed_count = 0;
}

void sv_live_on_flush(void *user)
{
    struct sv_live *live = user;
    struct sv_str scratch SV_CLEANUP(sv_str_done) = {0};
    if (!sv_live_has_listeners(live)) {
        sv_live_forget_changes(live);
        return;
    }
    if (live->flushed_count == live->flushing.entry_count) {
        sv_map_done(&live->flushing);
        live->flushing = live->changed;
        live->changed = (struct sv_map){0};
        live->flushed_count = 0;
    }
    for (size_t i = 0; i < SV_LIVE_FLUSH_ROWS && live->flushed_count < live->flushing.entry_count;
         i++) {
        const struct sv_live_row row =
            sv_live_row_of(live->flushing.entries[live->flushed_count++].key, &scratch);
        send_row(live, &row);
    }
    if (live->flushed_count < live->flushing.entry_count || live->changed.count > 0)
        sv_source_enable(live->flush, true);
}
