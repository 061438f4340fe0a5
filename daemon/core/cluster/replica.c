/*
 * Rows: every instance is the only writer of its own, and has copies of the others'.
 *
 * Our rows are our processes and our modes. Whatever changes in a step goes out at its end as one
 * CHANGE with the next revision, to all who have our snapshot. A receiver that misses a revision,
 * seen by a later CHANGE or by the revision in a heartbeat, asks with RESYNC and gets a SNAPSHOT;
 * what comes twice or late changes nothing. So loss, repetition and disorder cost messages, never
 * the truth.
 *
 * Modes and processes share one row of revisions on purpose: who sees that we follow a new Master
 * has seen what we did for the former one (docs/mesh.md).
 */
#include <stdlib.h>
#include <svisor/limits.h>

#include "core/cluster/members.h"

struct local_row {
    struct sv_mesh_process row;
    char *texts;
    bool is_changed;
};

struct sv_replica {
    struct sv_map rows; /* struct local_row, by "application:name" */
    uint64_t revision;
    struct local_row **changed; /* in the order of their changes */
    size_t changed_count, changed_capacity;
};

void sv_replica_new(struct sv_cluster *cluster)
{
    cluster->replica = sv_allocate(1, sizeof(*cluster->replica));
    cluster->replica->revision = 1;
}

static void free_row(struct local_row *row)
{
    free(row->texts);
    free(row);
}

void sv_replica_free(struct sv_cluster *cluster)
{
    struct sv_replica *replica = cluster->replica;
    if (!replica)
        return;
    sv_map_foreach (entry, &replica->rows)
        free_row(entry->value);
    sv_map_done(&replica->rows);
    free(replica->changed);
    free(replica);
}

uint64_t sv_replica_revision(const struct sv_cluster *cluster)
{
    return cluster->replica->revision;
}

/* Group names have no colon, so that the key is unique. */
static struct local_row *find(const struct sv_cluster *cluster, const char *application,
                              const char *name, struct sv_str *key)
{
    sv_str_clear(key);
    sv_str_addf(key, "%s:%s", application, name);
    if (!sv_str_ok(key))
        abort();
    return sv_map_get(&cluster->replica->rows, sv_str_text(key));
}

const struct sv_mesh_process *sv_replica_row(const struct sv_cluster *cluster,
                                             const char *application, const char *name)
{
    struct sv_str key = {0};
    struct local_row *row = find(cluster, application, name, &key);
    sv_str_done(&key);
    return row && !row->row.is_removed ? &row->row : NULL;
}

bool sv_replica_runs_nothing(const struct sv_cluster *cluster)
{
    sv_map_foreach (entry, &cluster->replica->rows) {
        const struct local_row *row = entry->value;
        if (sv_state_is_running(row->row.state) || row->row.state == SV_PROCESS_STOPPING)
            return false;
    }
    return true;
}

static void mark(struct sv_replica *replica, struct local_row *row)
{
    if (row->is_changed)
        return;
    row->is_changed = true;
    replica->changed = sv_grow(replica->changed, &replica->changed_capacity,
                               replica->changed_count + 1, sizeof(struct local_row *));
    replica->changed[replica->changed_count++] = row;
}

void sv_replica_local(struct sv_cluster *cluster, const struct sv_mesh_process *told)
{
    struct sv_replica *replica = cluster->replica;
    struct sv_str key = {0};
    struct local_row *row = find(cluster, told->application, told->name, &key);
    if (!row) {
        row = sv_allocate(1, sizeof(*row));
        if (sv_map_put(&replica->rows, sv_str_text(&key), row) < 0)
            abort();
    }
    sv_str_done(&key);
    char *before = row->texts;
    sv_row_copy(told, &row->row, &row->texts);
    mark(replica, row);
    sv_model_put(cluster, cluster->local, &row->row);
    free(before);
}

static struct sv_mesh_rows rows_now(const struct sv_cluster *cluster)
{
    return (struct sv_mesh_rows){.revision = cluster->replica->revision,
                                 .now_ns = cluster->now_ns,
                                 .now_wall_ns = cluster->wall_ns};
}

static struct sv_mesh_modes *modes_now(struct sv_cluster *cluster,
                                       const struct sv_mesh_sight *sight)
{
    struct sv_mesh_modes *modes = sv_arena_new(&cluster->texts, struct sv_mesh_modes);
    if (!modes)
        abort();
    sv_modes_export(cluster, &sv_local(cluster)->view, modes);
    modes->sight = sight;
    return modes;
}

/* What is changed and not yet told is told first, so that the snapshot has a revision. */
void sv_replica_snapshot(struct sv_cluster *cluster, struct sv_instance *to)
{
    sv_replica_flush(cluster);
    struct sv_replica *replica = cluster->replica;
    struct sv_mesh_process *processes =
        sv_arena_array(&cluster->texts, struct sv_mesh_process, replica->rows.count + 1);
    if (!processes)
        abort();
    size_t count = 0;
    sv_map_foreach (entry, &replica->rows)
        processes[count++] = ((const struct local_row *)entry->value)->row;
    struct sv_mesh_rows rows = rows_now(cluster);
    rows.modes = modes_now(cluster, sv_sight_snapshot(cluster));
    rows.processes = processes;
    rows.process_count = count;
    rows.forced = sv_forced_all(cluster, &rows.forced_count);
    sv_send(cluster, to->place, SV_MESH_SNAPSHOT)->rows = rows;
}

static void forget_removed(struct sv_replica *replica)
{
    for (size_t i = 0; i < replica->changed_count; i++) {
        struct local_row *row = replica->changed[i];
        row->is_changed = false;
        if (!row->row.is_removed)
            continue;
        struct sv_str key = {0};
        sv_str_addf(&key, "%s:%s", row->row.application, row->row.name);
        sv_map_remove(&replica->rows, sv_str_text(&key));
        sv_str_done(&key);
        free_row(row);
    }
    replica->changed_count = 0;
}

/* A row may be freed before the actions of the step are read: they get copies. */
static const struct sv_mesh_process *changed_rows(struct sv_cluster *cluster)
{
    struct sv_replica *replica = cluster->replica;
    struct sv_mesh_process *rows =
        sv_arena_array(&cluster->texts, struct sv_mesh_process, replica->changed_count + 1);
    if (!rows)
        abort();
    for (size_t i = 0; i < replica->changed_count; i++) {
        const struct sv_mesh_process *row = &replica->changed[i]->row;
        rows[i] = *row;
        rows[i].application = sv_text(cluster, "%s", row->application);
        rows[i].name = sv_text(cluster, "%s", row->name);
        rows[i].spawnerr = sv_text(cluster, "%s", row->spawnerr);
        rows[i].description = sv_text(cluster, "%s", row->description);
        rows[i].extra_arguments = sv_text(cluster, "%s", row->extra_arguments);
        rows[i].program_name = sv_text(cluster, "%s", row->program_name);
    }
    return rows;
}

void sv_replica_flush(struct sv_cluster *cluster)
{
    struct sv_replica *replica = cluster->replica;
    bool has_modes = sv_modes_is_changed(cluster);
    size_t forced_count;
    const struct sv_mesh_forced *forced = sv_forced_changed(cluster, &forced_count);
    if (!replica->changed_count && !forced_count && !has_modes)
        return;
    replica->revision++;
    struct sv_mesh_rows rows = rows_now(cluster);
    if (has_modes)
        rows.modes = modes_now(cluster, sv_sight_change(cluster));
    rows.processes = changed_rows(cluster);
    rows.process_count = replica->changed_count;
    rows.forced = forced;
    rows.forced_count = forced_count;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *to = cluster->instances[i];
        if (i != cluster->local && to->is_accepted && to->is_connected &&
            to->state != SV_INSTANCE_STATE_ISOLATED)
            sv_send(cluster, i, SV_MESH_CHANGE)->rows = rows;
    }
    if (has_modes) {
        sv_modes_told(cluster);
        sv_notice_modes(cluster);
    }
    forget_removed(replica);
}

void sv_replica_resync(struct sv_cluster *cluster, struct sv_instance *to)
{
    if (!to->is_accepted ||
        (to->resync_ns && cluster->now_ns - to->resync_ns < cluster->times->heartbeat_ns / 2))
        return;
    to->resync_ns = cluster->now_ns;
    sv_send(cluster, to->place, SV_MESH_RESYNC);
}

/* It missed something. */
void sv_replica_asked(struct sv_cluster *cluster, struct sv_instance *from,
                      const struct sv_mesh_message *message)
{
    (void)message;
    if (sv_instance_is_active(from) || from->state == SV_INSTANCE_STATE_CHECKING)
        sv_replica_snapshot(cluster, from);
}

/* NULL: all is well. */
static const char *fault_of(const struct sv_mesh_rows *rows, bool is_snapshot)
{
    if (is_snapshot && (!rows->modes || !rows->modes->sight))
        return "a snapshot without modes";
    if (rows->process_count > SV_PROCESSES_MAX)
        return "too many processes";
    for (size_t i = 0; i < rows->process_count; i++)
        if (!rows->processes[i].application || !*rows->processes[i].application ||
            !rows->processes[i].name || !*rows->processes[i].name)
            return "a process without a name";
    for (size_t i = 0; i < rows->forced_count; i++)
        if (!rows->forced[i].application || !rows->forced[i].name || !rows->forced[i].identifier)
            return "a forced state without a name";
    if (rows->modes &&
        (rows->modes->term > INT64_MAX || rows->modes->state > SV_SUPVISORS_STATE_FINAL))
        return "modes out of range";
    return NULL;
}

static void apply(struct sv_cluster *cluster, struct sv_instance *from,
                  const struct sv_mesh_rows *rows, bool is_snapshot)
{
    from->revision = rows->revision;
    from->clock_ns = rows->now_ns;
    from->clock_local_ns = cluster->now_ns;
    if (is_snapshot) {
        from->may_run = true;
        sv_liveness_trust(cluster, from);
        sv_model_begin_snapshot(cluster, from->place);
    }
    for (size_t i = 0; i < rows->process_count; i++)
        sv_model_put(cluster, from->place, &rows->processes[i]);
    if (is_snapshot)
        sv_model_end_snapshot(cluster, from->place);
    sv_forced_receive(cluster, from, rows, is_snapshot);
    from->has_told |= is_snapshot;
    if (rows->modes)
        sv_modes_receive(cluster, from, rows->modes);
    from->view.told_ns = rows->modes ? rows->now_ns : from->view.told_ns;
    sv_command_rows(cluster, from);
    sv_machine_wake(cluster);
}

void sv_replica_receive(struct sv_cluster *cluster, struct sv_instance *from,
                        const struct sv_mesh_message *message)
{
    const struct sv_mesh_rows *rows = &message->rows;
    bool is_snapshot = message->kind == SV_MESH_SNAPSHOT;
    if (from->state != SV_INSTANCE_STATE_CHECKING && !sv_instance_is_active(from))
        return; /* nobody would look after rows of an instance that takes no part */
    const char *fault = fault_of(rows, is_snapshot);
    if (fault) {
        sv_instance_complain(cluster, from, SV_COMPLAINT_MALFORMED, fault);
        return;
    }
    if (from->has_snapshot && rows->revision <= from->revision) {
        sv_instance_complain(cluster, from, SV_COMPLAINT_REPLAYED, "rows");
        return;
    }
    if (is_snapshot && rows->revision < from->revision)
        return; /* of before what we had when we lost it; a newer one comes */
    if (!is_snapshot && !from->has_snapshot)
        return; /* the snapshot that is under way has it, or the next HELLO brings one */
    if (!is_snapshot && rows->revision != from->revision + 1) {
        sv_instance_complain(cluster, from, SV_COMPLAINT_GAP, "a change");
        sv_replica_resync(cluster, from);
        return;
    }
    apply(cluster, from, rows, is_snapshot);
    if (is_snapshot && !from->has_snapshot) {
        from->has_snapshot = true;
        sv_handshake_complete(cluster, from);
    }
}
