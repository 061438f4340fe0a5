/*
 * An answer that says "done" leaves when all who would go on in our place know what was done.
 *
 * A Master that starts a program of its own and dies in the next millisecond takes the news with
 * it: a CHANGE may be on its way to the kernel still. Its client was told that the program runs,
 * and nobody who is left knows that it has to. So a good answer waits until each instance that
 * takes part says that it has our rows of that moment: one question and one answer, a fraction of
 * a millisecond. Who is silent is waited for CONFIRM_PERIODS heartbeats, and no longer: by then he
 * is nearly lost himself, and a RESYNC would bring him the rows.
 *
 * Faults do not wait; they change nothing.
 */
#include <stdlib.h>

#include "core/cluster/members.h"

enum { CONFIRM_PERIODS = 2 };

struct confirmation {
    uint64_t request;
    char *text;
    uint64_t revision; /* 0: of the end of this step */
    uint64_t until_ns;
};

struct sv_confirmations {
    struct confirmation *waiting; /* oldest first */
    size_t count, capacity;
    struct sv_timer timer;
};

/* The step that comes with it looks. */
static void on_timer(struct sv_cluster *cluster, struct sv_timer *timer)
{
    (void)cluster;
    (void)timer;
}

void sv_confirm_new(struct sv_cluster *cluster)
{
    cluster->confirmations = sv_allocate(1, sizeof(*cluster->confirmations));
    sv_timer_init(cluster, &cluster->confirmations->timer, on_timer);
}

void sv_confirm_free(struct sv_cluster *cluster)
{
    struct sv_confirmations *confirmations = cluster->confirmations;
    if (!confirmations)
        return;
    for (size_t i = 0; i < confirmations->count; i++)
        free(confirmations->waiting[i].text);
    free(confirmations->waiting);
    free(confirmations);
}

void sv_confirm_answer(struct sv_cluster *cluster, uint64_t id, const char *text)
{
    struct sv_confirmations *confirmations = cluster->confirmations;
    confirmations->waiting = sv_grow(confirmations->waiting, &confirmations->capacity,
                                     confirmations->count + 1, sizeof(*confirmations->waiting));
    confirmations->waiting[confirmations->count++] = (struct confirmation){
        .request = id,
        .text = sv_text_copy(text),
        .until_ns = cluster->now_ns + CONFIRM_PERIODS * cluster->times->heartbeat_ns,
    };
}

void sv_confirm_forget(struct sv_cluster *cluster, uint64_t request)
{
    struct sv_confirmations *confirmations = cluster->confirmations;
    size_t kept = 0;
    for (size_t i = 0; i < confirmations->count; i++) {
        if (confirmations->waiting[i].request == request)
            free(confirmations->waiting[i].text);
        else
            confirmations->waiting[kept++] = confirmations->waiting[i];
    }
    confirmations->count = kept;
}

/* It gets our rows, and may have to go on in our place. */
static bool counts(const struct sv_cluster *cluster, const struct sv_instance *instance)
{
    return instance->place != cluster->local && instance->is_connected && instance->is_accepted &&
           sv_instance_is_active(instance);
}

/* The least revision that all who count have, as far as we know. */
static uint64_t confirmed_by_all(const struct sv_cluster *cluster)
{
    uint64_t least = UINT64_MAX;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *instance = cluster->instances[i];
        if (counts(cluster, instance) && instance->confirmed < least)
            least = instance->confirmed;
    }
    return least;
}

/* To all: who has confirmed it already answers once more, which does no harm. */
static void ask(struct sv_cluster *cluster, uint64_t revision)
{
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        if (!counts(cluster, cluster->instances[i]))
            continue;
        struct sv_mesh_message *message = sv_send(cluster, i, SV_MESH_CONFIRM);
        message->confirm.revision = revision;
        message->confirm.is_question = true;
    }
}

/* What waits since this step is of the newest revision, as all its rows have been told now. */
static void ask_for_new(struct sv_cluster *cluster)
{
    struct sv_confirmations *confirmations = cluster->confirmations;
    uint64_t revision = sv_replica_revision(cluster);
    bool has_new = false;
    for (size_t i = 0; i < confirmations->count; i++)
        if (confirmations->waiting[i].revision == 0) {
            confirmations->waiting[i].revision = revision;
            has_new = true;
        }
    if (has_new && confirmed_by_all(cluster) < revision)
        ask(cluster, revision);
}

void sv_confirm_flush(struct sv_cluster *cluster)
{
    struct sv_confirmations *confirmations = cluster->confirmations;
    if (confirmations->count == 0)
        return;
    ask_for_new(cluster);
    uint64_t confirmed = confirmed_by_all(cluster);
    size_t kept = 0;
    for (size_t i = 0; i < confirmations->count; i++) {
        struct confirmation *one = &confirmations->waiting[i];
        if (one->revision > confirmed && cluster->now_ns < one->until_ns) {
            confirmations->waiting[kept++] = *one;
            continue;
        }
        sv_answer(cluster, one->request, 0, one->text, true);
        free(one->text);
    }
    confirmations->count = kept;
    if (kept > 0)
        sv_timer_set(cluster, &confirmations->timer, confirmations->waiting[0].until_ns);
    else
        sv_timer_cancel(cluster, &confirmations->timer);
}

void sv_confirm_receive(struct sv_cluster *cluster, struct sv_instance *from,
                        const struct sv_mesh_message *message)
{
    if (!sv_instance_is_active(from))
        return;
    if (!message->confirm.is_question) {
        if (message->confirm.revision > from->confirmed &&
            message->confirm.revision <= sv_replica_revision(cluster))
            from->confirmed = message->confirm.revision;
        return;
    }
    struct sv_mesh_message *answer = sv_send(cluster, from->place, SV_MESH_CONFIRM);
    answer->confirm.revision = from->has_snapshot ? from->revision : 0;
    if (message->confirm.revision > from->revision)
        sv_replica_resync(cluster, from);
}
