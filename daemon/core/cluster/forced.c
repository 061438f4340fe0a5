/*
 * Forced states: what is thought of a process by somebody who asked for its start or stop in vain.
 *
 * They are rows like the others, and have one writer each: who forced it says so, says it again in
 * each snapshot while it holds (so that those who come late know it too), and says when it holds no
 * more, because the process has told something newer. Everybody else believes it: the rows of a
 * process and what is forced on it come from different senders, so that others may hear them in
 * another order. Of two who say so of one process the greater serial holds.
 *
 * Who said it may be lost, or come back and know nothing of it. Then nobody speaks for it
 * (forced_by), everybody judges himself what is newer, and whoever makes a snapshot speaks for it.
 * So two may speak for it, and one may hold what another one has lifted. An end is final: it tells
 * the serial that has ended, holds for all, and whoever knows of it contradicts those who do not.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cluster/members.h"

enum { SERIAL_TAG_BITS = 24 };

struct said {
    char *application, *name;
};

struct sv_forced_rows {
    struct said *said; /* by this instance, and holds as far as the others know */
    size_t said_count, said_capacity;
    struct sv_mesh_forced *changed; /* of this step; their strings are in cluster->texts */
    size_t changed_count, changed_capacity;
};

void sv_forced_new(struct sv_cluster *cluster)
{
    cluster->forced = sv_allocate(1, sizeof(*cluster->forced));
}

static void said_done(struct said *said)
{
    free(said->application);
    free(said->name);
}

void sv_forced_free(struct sv_cluster *cluster)
{
    struct sv_forced_rows *rows = cluster->forced;
    if (!rows)
        return;
    for (size_t i = 0; i < rows->said_count; i++)
        said_done(&rows->said[i]);
    free(rows->said);
    free(rows->changed);
    free(rows);
}

static struct sv_mesh_forced *add_change(struct sv_forced_rows *rows)
{
    rows->changed = sv_grow(rows->changed, &rows->changed_capacity, rows->changed_count + 1,
                            sizeof(*rows->changed));
    return &rows->changed[rows->changed_count++];
}

static void remember(struct sv_forced_rows *rows, const char *application, const char *name)
{
    for (size_t i = 0; i < rows->said_count; i++)
        if (strcmp(rows->said[i].application, application) == 0 &&
            strcmp(rows->said[i].name, name) == 0)
            return;
    rows->said =
        sv_grow(rows->said, &rows->said_capacity, rows->said_count + 1, sizeof(*rows->said));
    rows->said[rows->said_count++] = (struct said){
        .application = sv_text_copy(application),
        .name = sv_text_copy(name),
    };
}

static uint64_t next_serial(const struct sv_cluster *cluster)
{
    return ((cluster->model.forced_serial >> SERIAL_TAG_BITS) + 1) << SERIAL_TAG_BITS |
           (sv_local(cluster)->hash & ((UINT64_C(1) << SERIAL_TAG_BITS) - 1));
}

void sv_forced_say(struct sv_cluster *cluster, const struct sv_mesh_forced *forced)
{
    struct sv_forced_rows *rows = cluster->forced;
    struct sv_mesh_forced said = *forced;
    said.serial = next_serial(cluster);
    *add_change(rows) = (struct sv_mesh_forced){
        .application = sv_text(cluster, "%s", forced->application),
        .name = sv_text(cluster, "%s", forced->name),
        .identifier = sv_text(cluster, "%s", forced->identifier ? forced->identifier : ""),
        .state = forced->state,
        .reason = sv_text(cluster, "%s", forced->reason ? forced->reason : ""),
        .event_ns = forced->event_ns,
        .serial = said.serial,
    };
    remember(rows, forced->application, forced->name);
    sv_model_force(cluster, cluster->local, &said);
}

void sv_forced_contradict(struct sv_cluster *cluster, const struct sv_member *member)
{
    remember(cluster->forced, member->application->name, member->name);
}

static const struct sv_member *find(const struct sv_cluster *cluster, const struct said *said)
{
    const struct sv_application *application =
        sv_model_application(&cluster->model, said->application);
    return application ? sv_application_member(application, said->name) : NULL;
}

/* What holds no more is said so, also if another one has said something of it since: in between,
 * some may have heard us last. */
static void lift(struct sv_cluster *cluster)
{
    struct sv_forced_rows *rows = cluster->forced;
    size_t kept = 0;
    for (size_t i = 0; i < rows->said_count; i++) {
        struct said said = rows->said[i];
        const struct sv_member *member = find(cluster, &said);
        if (member && member->is_forced) {
            rows->said[kept++] = said;
            continue;
        }
        if (member)
            *add_change(rows) = (struct sv_mesh_forced){
                .application = sv_text(cluster, "%s", said.application),
                .name = sv_text(cluster, "%s", said.name),
                .identifier = "",
                .is_lifted = true,
                .serial = member->forced_serial,
                .reason = "",
            };
        said_done(&said);
    }
    rows->said_count = kept;
}

const struct sv_mesh_forced *sv_forced_changed(struct sv_cluster *cluster, size_t *ret_count)
{
    struct sv_forced_rows *rows = cluster->forced;
    lift(cluster);
    *ret_count = rows->changed_count;
    if (!rows->changed_count)
        return NULL;
    struct sv_mesh_forced *changed =
        sv_arena_array(&cluster->texts, struct sv_mesh_forced, rows->changed_count + 1);
    if (!changed)
        abort();
    memcpy(changed, rows->changed, rows->changed_count * sizeof(*changed));
    rows->changed_count = 0;
    return changed;
}

static struct sv_mesh_forced row_of(struct sv_cluster *cluster, const struct sv_member *member)
{
    const char *identifier = member->forced_target == SV_INSTANCE_NONE
                                 ? ""
                                 : sv_instance_identifier(cluster, member->forced_target);
    return (struct sv_mesh_forced){
        .application = sv_text(cluster, "%s", member->application->name),
        .name = sv_text(cluster, "%s", member->name),
        .identifier = identifier,
        .state = member->forced_state,
        .reason = sv_text(cluster, "%s", member->forced_reason),
        .event_ns = member->forced_event_ns,
        .serial = member->forced_serial,
    };
}

const struct sv_mesh_forced *sv_forced_all(struct sv_cluster *cluster, size_t *ret_count)
{
    struct sv_mesh_forced *all = NULL;
    size_t count = 0, capacity = 0;
    for (size_t a = 0; a < cluster->model.application_count; a++) {
        const struct sv_application *application = cluster->model.applications[a];
        for (size_t i = 0; i < application->member_count; i++) {
            struct sv_member *member = application->members[i];
            if (!member->is_forced)
                continue;
            if (member->forced_by == SV_INSTANCE_NONE) {
                member->forced_by = cluster->local;
                remember(cluster->forced, application->name, member->name);
            }
            if (member->forced_by != cluster->local)
                continue;
            all = sv_grow(all, &capacity, count + 1, sizeof(*all));
            all[count++] = row_of(cluster, member);
        }
    }
    struct sv_mesh_forced *kept = sv_arena_array(&cluster->texts, struct sv_mesh_forced, count + 1);
    if (!kept)
        abort();
    if (count)
        memcpy(kept, all, count * sizeof(*kept));
    free(all);
    *ret_count = count;
    return kept;
}

static bool is_said(const struct sv_mesh_rows *rows, const struct sv_member *member)
{
    for (size_t i = 0; i < rows->forced_count; i++)
        if (strcmp(rows->forced[i].application, member->application->name) == 0 &&
            strcmp(rows->forced[i].name, member->name) == 0)
            return true;
    return false;
}

/* A snapshot has all that its sender says: what it does not say again is over, if it is the same
 * daemon; another one has only forgotten it. */
static void lift_unsaid(struct sv_cluster *cluster, const struct sv_instance *from,
                        const struct sv_mesh_rows *rows)
{
    for (size_t a = 0; a < cluster->model.application_count; a++) {
        const struct sv_application *application = cluster->model.applications[a];
        for (size_t i = 0; i < application->member_count; i++) {
            const struct sv_member *member = application->members[i];
            if (member->is_forced && member->forced_by == from->place && !is_said(rows, member))
                sv_model_force(cluster, from->place,
                               &(struct sv_mesh_forced){.application = application->name,
                                                        .name = member->name,
                                                        .identifier = "",
                                                        .serial = member->forced_serial,
                                                        .is_lifted = true});
        }
    }
}

void sv_forced_receive(struct sv_cluster *cluster, struct sv_instance *from,
                       const struct sv_mesh_rows *rows, bool is_snapshot)
{
    if (is_snapshot && from->has_told)
        lift_unsaid(cluster, from, rows);
    else if (is_snapshot)
        sv_model_orphan_forced(cluster, from->place);
    for (size_t i = 0; i < rows->forced_count; i++)
        sv_model_force(cluster, from->place, &rows->forced[i]);
}
