/*
 * The daemon dies, the world goes on, and another daemon is born.
 *
 * What the one leaves to the next is what driver/outlive/handover.c leaves: a journal, in its real
 * bytes, in which each process has its record before anything that follows from it is done. A
 * doomed step ends at a moment that is drawn: before a record is appended (what the core has
 * decided is then known to nobody), within it (its torn end is there), after it (written, and not
 * done), or when all is done. Meanwhile programs end, strays go, words are spoken to nobody,
 * somebody edits the files. Then the next core gets what driver/outlive/adopt.c gives it: the
 * groups, a RESTORE for each record with what the cgroup of that run shows, and BEGIN. It may die
 * in the middle of that too.
 *
 * The judge's books go on over all of it, with one exception: what was decided in the doomed step
 * and not written down has not happened. So the record that is found must be one that the core has
 * had since that step began, and if it is the first of them, the books are those of that moment.
 *
 * Not modelled: of a listener its record is believed, although it may have answered in the doomed
 * step; and what waited for listeners dies with the daemon (docs/kernel.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/journal.h"
#include "world_internal.h"

/* Writing. */

static struct sv_journal_entry entry_of(const struct world *world, const struct actor *actor)
{
    return (struct sv_journal_entry){
        .kind = SV_JOURNAL_PROCESS,
        .group = world->groups[actor->group].name,
        .process = world->programs[actor->group][actor->program].name,
        .logs = {"", ""},
        .leaf = "",
    };
}

/* The bytes of the entry, in `scratch`; their hash. That restart_reset_after is over makes nobody
 * write: it shows. */
static uint64_t sign_of(struct world *world, const struct sv_journal_entry *entry)
{
    struct sv_journal_entry seen = *entry;
    struct sv_process_record *record = &seen.record;
    if (record->state == SV_PROCESS_RUNNING && record->end_reason == SV_REASON_NONE &&
        record->deadline_ns <= world->now_ns) {
        record->deadline_ns = SV_NEVER;
        record->failure_count = 0;
    }
    sv_str_clear(&world->scratch);
    sv_journal_encode(&seen, &world->scratch);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < world->scratch.length; i++)
        hash = (hash ^ (unsigned char)world->scratch.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool has_record(struct world *world, sv_process_id id, struct sv_journal_entry *ret_entry)
{
    *ret_entry = entry_of(world, &world->actors[id]);
    return world->actors[id].exists && sv_core_record(world->core, id, &ret_entry->record) &&
           ret_entry->record.run != 0;
}

/* Of its present record. 0: there is nothing to remember. */
static uint64_t sign(struct world *world, sv_process_id id)
{
    struct sv_journal_entry entry;
    return has_record(world, id, &entry) ? sign_of(world, &entry) : 0;
}

static void push_sign(struct world *world, sv_process_id id)
{
    struct actor *actor = &world->actors[id];
    uint64_t now = sign(world, id);
    if (actor->sign_count > 0 && actor->signs[actor->sign_count - 1] == now)
        return;
    demand(world, actor->sign_count < SIGNS_MAX, "a step changes a process a few times", id);
    actor->signs[actor->sign_count++] = now;
}

void push_signs(struct world *world)
{
    for (sv_process_id id = 1; world->is_doomed && !world->is_adopting && id <= world->last_id;
         id++)
        if (world->actors[id].exists)
            push_sign(world, id);
}

void begin_turn(struct world *world, unsigned permyriad, uint64_t moments)
{
    world->is_doomed = permyriad > 0 && draw(world, 10000) < permyriad;
    if (!world->is_doomed)
        return;
    world->moments_left = draw(world, moments);
    for (sv_process_id id = 1; id <= world->last_id; id++)
        world->actors[id].sign_count = 0;
    push_signs(world);
    memcpy(world->before, world->actors, (world->last_id + 1) * sizeof(world->actors[0]));
}

bool note(struct world *world, sv_process_id id)
{
    enum { UNWRITTEN, TORN, WRITTEN } fate = WRITTEN;
    if (world->is_doomed && world->moments_left-- == 0) {
        world->is_dead = true;
        fate = (int)draw(world, 3);
    }
    struct sv_journal_entry entry;
    if (fate == UNWRITTEN || !has_record(world, id, &entry))
        return !world->is_dead;
    size_t length = world->journal.length;
    sv_journal_encode(&entry, &world->journal);
    if (fate == TORN)
        sv_str_truncate(&world->journal, length + draw(world, world->journal.length - length));
    return !world->is_dead;
}

void forget(struct world *world, sv_process_id id)
{
    struct sv_journal_entry entry = entry_of(world, &world->actors[id]);
    entry.kind = SV_JOURNAL_FORGET;
    sv_journal_encode(&entry, &world->journal);
}

static void write_anew(struct world *world)
{
    struct sv_journal_entry entry;
    sv_str_clear(&world->journal);
    for (sv_process_id id = 1; id <= world->last_id; id++)
        if (has_record(world, id, &entry))
            sv_journal_encode(&entry, &world->journal);
}

/* Reading. */

static void remember(struct world *world, const struct sv_journal_entry *entry)
{
    int group = entry->group[1] - '0';
    int program = entry->process[0] - 'a';
    demand(world, group < GROUPS && program < PROGRAMS_MAX,
           "the journal is about processes that there were", 0);
    struct memory *memory = &world->memories[group][program];
    memory->is_known = entry->kind == SV_JOURNAL_PROCESS;
    memory->record = entry->record;
    if (!memory->is_known)
        return;
    snprintf(memory->spawnerr, sizeof(memory->spawnerr), "%s", entry->record.spawnerr);
    memory->record.spawnerr = memory->spawnerr;
}

static void read_journal(struct world *world)
{
    struct sv_str texts = {0};
    struct sv_journal_entry entry;
    size_t offset = 0;
    memset(world->memories, 0, sizeof(world->memories));
    while (sv_journal_decode(world->journal.data, world->journal.length, &offset, &texts, &entry) ==
           0)
        remember(world, &entry);
    sv_str_done(&texts);
    sv_str_truncate(&world->journal, offset); /* the torn end: state_journal.c */
}

static uint64_t found_sign(struct world *world, const struct actor *actor)
{
    struct sv_journal_entry entry = entry_of(world, actor);
    const struct memory *memory = &world->memories[actor->group][actor->program];
    entry.record = memory->record;
    return memory->is_known ? sign_of(world, &entry) : 0;
}

/* The end of a daemon. */

/* Which books go on: see the essay. What is so in the world is so whatever was decided. */
static struct actor books_of(struct world *world, sv_process_id id)
{
    struct actor *now = &world->actors[id];
    uint64_t found = found_sign(world, now);
    bool is_legal = world->is_adopting || world->is_stopping; /* that it stops is not recorded */
    for (size_t i = 0; i < now->sign_count; i++)
        is_legal |= now->signs[i] == found;
    demand(world, is_legal, "the journal has what was decided last, or before the last step", id);
    bool has_before = world->before[id].sign_count > 0 && world->before[id].signs[0] == found;
    if (!has_before)
        return *now;
    struct actor books = world->before[id];
    books.body = now->body;
    books.has_strays = now->has_strays;
    books.are_strays_ours = now->are_strays_ours;
    books.strays_killed = now->strays_killed;
    books.strays_killed_ns = now->strays_killed_ns;
    books.is_deaf = now->is_deaf;
    books.is_stuck = now->is_stuck;
    books.is_stop_sent = now->is_stop_sent;
    books.are_strays_signalled = now->are_strays_signalled;
    books.was_killed = now->was_killed;
    books.killed_ns = now->killed_ns;
    books.heard_run = now->heard_run;
    return books;
}

/* What is left of the processes, by name: ids die with the core. */
static void bury(struct world *world)
{
    if (!world->is_adopting)
        memset(world->former, 0, sizeof(world->former));
    for (sv_process_id id = 1; id <= world->last_id; id++)
        if (world->actors[id].exists)
            world->former[world->actors[id].group][world->actors[id].program] = books_of(world, id);
    sv_core_free(world->core);
    for (size_t i = 0; i < world->performed_count; i++)
        world->actions.items[i] = (struct sv_action){.kind = SV_ACTION_SPAWN};
    sv_actions_clear(&world->actions);
    world->tellings.count = 0;
    world->performed_count = world->told_count = 0;
}

/* Words are heard by the next daemon or by nobody; questions of the dead one are not answered. */
static bool outlives(struct world *world, struct actor *former, struct answer *answer)
{
    bool is_of_body = former->body.is_living && answer->event.run == former->body.run;
    bool is_due = answer->due_ns <= world->now_ns;
    enum sv_event_kind kind = answer->event.kind;
    if (kind == SV_EVENT_EXITED) {
        if (is_of_body && is_due)
            end_body(world, former, answer->event.exited.wait_status);
        return is_of_body && !is_due;
    }
    if (kind == SV_EVENT_EMPTIED) {
        if (is_due && answer->event.run == former->run)
            former->has_strays = false;
        return !is_due;
    }
    if (kind != SV_EVENT_READY && kind != SV_EVENT_ALIVE && kind != SV_EVENT_WATCHDOG &&
        kind != SV_EVENT_EXTEND)
        return false;
    if (is_due)
        answer->due_ns = world->now_ns + SECOND_NS / 100;
    return is_of_body && (!is_due || chance(world, 80));
}

static void let_the_gap_pass(struct world *world)
{
    world->now_ns += draw(world, chance(world, 70) ? SECOND_NS / 2 : 20 * SECOND_NS);
    size_t count = 0;
    for (size_t i = 0; i < world->queue_count; i++) {
        struct answer answer = world->queue[i];
        const struct actor *old = &world->actors[answer.event.process];
        if (!old->exists || !outlives(world, &world->former[old->group][old->program], &answer))
            continue;
        answer.event.process = (sv_process_id)(old->group * PROGRAMS_MAX) +
                               (sv_process_id)old->program; /* until it has a number again */
        world->queue[count++] = answer;
    }
    world->queue_count = count;
    for (int i = 0; i < GROUPS * PROGRAMS_MAX; i++) {
        struct actor *former = &world->former[i / PROGRAMS_MAX][i % PROGRAMS_MAX];
        if (former->body.is_living && !world->is_healed && chance(world, 10))
            end_body(world, former, (int)draw(world, 3) << 8);
    }
}

/* The files as the next daemon reads them. */
static void edit_configuration(struct world *world)
{
    for (int g = 0; g < GROUPS; g++) {
        if (!world->is_healed && chance(world, 5))
            world->is_added[g] = !world->is_added[g];
        for (size_t i = 0; i < world->groups[g].program_count; i++) {
            if (world->is_healed || !chance(world, 10))
                continue;
            draw_program(world, g, i);
            world->former[g][i].is_reconfigured = true;
        }
    }
}

/* The beginning of the next. */

/* Of groups that are no longer there nobody hears. */
static void renumber_answers(struct world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->queue_count; i++) {
        struct answer answer = world->queue[i];
        int group = (int)answer.event.process / PROGRAMS_MAX;
        answer.event.process = world->first_id[group] + answer.event.process % PROGRAMS_MAX;
        if (world->is_added[group])
            world->queue[count++] = answer;
    }
    world->queue_count = count;
}

void inherit(struct world *world, sv_process_id id)
{
    struct actor *actor = &world->actors[id];
    const struct sv_program_config *config = actor->config;
    const struct actor *former = &world->former[actor->group][actor->program];
    if (former->exists)
        *actor = *former;
    actor->config = config;
    actor->phase = RUN_NONE;
    actor->has_event = actor->is_probing = false;
    memset(actor->shortages, 0, sizeof(actor->shortages)); /* what gathered died with the daemon */
    memset(actor->shortage_told_ns, 0, sizeof(actor->shortage_told_ns));
    actor->probe_serial = 0;
    actor->watched_from_ns = world->now_ns;
    actor->signs[0] = found_sign(world, actor);
    actor->sign_count = 1;
}

/* What the record says, and the books where it is silent. */
static void open_books(struct world *world, sv_process_id id,
                       const struct sv_process_record *record)
{
    struct actor *actor = &world->actors[id];
    static const enum run_phase phases[] = {
        [SV_RECORD_NONE] = RUN_NONE,
        [SV_RECORD_HELD] = RUN_NONE,
        [SV_RECORD_SPAWNING] = RUN_ASKED,
        [SV_RECORD_ALIVE] = RUN_ALIVE,
    };
    demand(world, record->run == actor->body.run || record->run >= actor->run,
           "no run is counted back", id);
    if (record->state == SV_PROCESS_STOPPING && actor->state != SV_PROCESS_STOPPING) {
        actor->kill_due_ns = world->now_ns + actor->config->stopwaitsecs * SECOND_NS;
        actor->is_stop_sent = false;
    }
    if (record->run != actor->run)
        actor->was_ready = actor->was_killed = actor->is_stop_asked = actor->is_stop_wanted = false;
    bool is_asked =
        record->state == SV_PROCESS_STARTING ? decides_ready(actor) : actor->config->health != NULL;
    bool is_as_told = record->state == actor->state && record->run == actor->run &&
                      record->main == SV_RECORD_ALIVE;
    demand(world, !is_as_told || !actor->is_ended || record->end_reason != SV_REASON_NONE,
           "who has to go is remembered", id);
    bool is_ended = is_asked && record->end_reason != SV_REASON_NONE;
    if (is_ended && !actor->is_ended)
        actor->is_stop_sent = false;
    actor->is_ended = is_ended;
    if (record->main == SV_RECORD_ALIVE && !actor->is_stop_sent)
        actor->end_due_ns = actor->kill_due_ns =
            world->now_ns + actor->config->stopwaitsecs * SECOND_NS;
    if (record->was_killed && !actor->was_killed)
        actor->end_due_ns = actor->kill_due_ns = world->now_ns + SV_KILL_WAIT_SECONDS * SECOND_NS;
    bool is_over = record->main == SV_RECORD_NONE || record->main == SV_RECORD_HELD;
    bool has_come_back = /* STARTING, its end, BACKOFF and STARTING, of which nothing was told */
        record->state == SV_PROCESS_STARTING && is_over && actor->ended_run < record->run;
    if (record->state != actor->state || has_come_back) {
        actor->retry_due_ns = SV_NEVER;
        actor->tries = record->failure_count;
        actor->ended_run = is_over ? record->run : record->run - 1;
    }
    actor->state = record->state;
    actor->run = record->run;
    actor->phase = phases[record->main];
    actor->listener = record->listener_state;
    if (actor->state == SV_PROCESS_STARTING && actor->phase == RUN_ALIVE && decides_ready(actor))
        await_running(world, actor);
}

static void adopt_main(struct world *world, sv_process_id id,
                       const struct sv_process_record *record)
{
    struct actor *actor = &world->actors[id];
    struct sv_event event = {.process = id, .run = record->run};
    if (actor->body.run != record->run) {
        demand(world, record->main == SV_RECORD_SPAWNING, "who is called alive was born", id);
        event.kind = SV_EVENT_SPAWN_FAILED;
        event.text = "can't find command 'x'";
        if (!world->is_healed && chance(world, 15)) {
            feed(world, event);
            return;
        }
        be_born(world, id, record->run);
    }
    if (record->main == SV_RECORD_SPAWNING) {
        event.kind = SV_EVENT_SPAWNED;
        event.pid = actor->body.pid;
        feed(world, event);
    }
    if (actor->body.is_living)
        return;
    event.kind = SV_EVENT_EXITED;
    event.exited.wait_status = actor->body.wait_status;
    event.exited.is_unknown = chance(world, 20);
    feed(world, event);
}

static void adopt(struct world *world, sv_process_id id, const struct memory *memory)
{
    const struct sv_process_record *record = &memory->record;
    struct actor *actor = &world->actors[id];
    open_books(world, id, record);
    struct sv_process_record told = *record;
    told.is_stop_sent = actor->is_stop_sent; /* from the journal, or from the kernel */
    told.are_strays_signalled = actor->are_strays_signalled;
    feed(world, (struct sv_event){.kind = SV_EVENT_RESTORE, .process = id, .record = &told});
    if (world->is_dead)
        return;
    if (record->main == SV_RECORD_ALIVE || record->main == SV_RECORD_SPAWNING)
        adopt_main(world, id, record);
    else if (record->strays != SV_RECORD_STRAYS_NONE && !actor->has_strays)
        feed(world, (struct sv_event){.kind = SV_EVENT_EMPTIED, .process = id, .run = record->run});
}

static void take_over(struct world *world)
{
    int first = (int)draw(world, GROUPS * PROGRAMS_MAX); /* in the order of a hash, as in adopt.c */
    for (int i = 0; i < GROUPS * PROGRAMS_MAX && !world->is_dead; i++) {
        int at = (first + i) % (GROUPS * PROGRAMS_MAX);
        const struct memory *memory = &world->memories[at / PROGRAMS_MAX][at % PROGRAMS_MAX];
        if (memory->is_known && world->is_added[at / PROGRAMS_MAX])
            adopt(world, world->first_id[at / PROGRAMS_MAX] + (sv_process_id)(at % PROGRAMS_MAX),
                  memory);
    }
}

static void begin_core(struct world *world)
{
    memset(world->actors, 0, (world->last_id + 1) * sizeof(world->actors[0]));
    memset(world->pools, 0, sizeof(world->pools));
    world->last_id = 0;
    world->is_stopping = world->is_restart = false;
    world->is_dead = world->is_doomed = false;
    world->is_adopting = world->is_performing = true;
    world->core = sv_core_new(world->seed ^ ++world->result.rebirth_count << 32);
    if (!world->core)
        abort();
    for (int g = 0; g < GROUPS; g++)
        if (world->is_added[g]) {
            world->is_added[g] = false;
            feed(world, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &world->groups[g]});
        }
    renumber_answers(world);
    memcpy(world->before, world->actors, (world->last_id + 1) * sizeof(world->actors[0]));
}

void be_reborn(struct world *world)
{
    if (world->is_traced)
        trace_death(world);
    read_journal(world);
    bury(world);
    let_the_gap_pass(world);
    edit_configuration(world);
    begin_core(world);
    world->is_doomed = !world->is_healed && chance(world, 15);
    world->moments_left = draw(world, 40);
    take_over(world);
    world->is_performing = false;
    feed(world, (struct sv_event){.kind = SV_EVENT_BEGIN});
    if (world->is_dead)
        return;
    world->is_adopting = world->is_doomed = false;
    write_anew(world);
    judge_step(world);
}
