/*
 * What the next daemon must know, written down before anybody can see it happen.
 *
 * The journal has a record for each process, taken from the core after each step that changed
 * something and before the actions of that step are performed. So whatever the world has seen of
 * us, the journal knew before: a spawn is written down as asked for, then done, then written down
 * as answered. A daemon that dies in between leaves a question, and the next one finds the answer
 * in the cgroup of that run.
 *
 * The keeper has the other half, what cannot be written down: the pipes and the pidfd of each run.
 *
 * Without a run-time directory, or beside another daemon of the same file, there is no memory:
 * programs then live on over a death of the daemon, but the next one does not know them. The log
 * says so.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"
#include "io/proc.h"
#include "wire/journal.h"

int sv_handover_open(struct sv_driver *driver, struct sv_str *ret_bytes)
{
    int r = sv_state_journal_open(driver->config->daemon.identifier, driver->config->file,
                                  &driver->journal, ret_bytes);
    if (r == -ENOMEM)
        return error_trace(r);
    if (r < 0) {
        sv_log_warn("the next svisord will not know the programs of this one: %s",
                    r == -EWOULDBLOCK ? "another daemon runs with this file and identifier"
                                      : sv_errno_text(r));
        return 0;
    }
    r = sv_keeper_open(sv_state_journal_directory(driver->journal), &driver->keeper);
    driver->promised_deadline_ns = SV_NEVER;
    if (r < 0)
        sv_log_warn("there is no keeper: output that is not read yet dies with svisord: %s",
                    sv_errno_text(r));
    else
        sv_promise_watch(driver);
    return r == -ENOMEM ? r : 0;
}

/*
 * An upgrade or a downgrade across versions of the journal: to begin anew would start every program
 * a second time, beside the one that lives on. So a svisord that cannot read what another one left
 * does not start, and leaves it as it is.
 */
bool sv_handover_is_readable(const struct sv_str *bytes, struct sv_str *ret_problem)
{
    uint32_t version;
    if (!sv_adopt_is_foreign(bytes, &version))
        return true;
    sv_str_addf(ret_problem,
                "the programs of this configuration run on, left by a svisord that has written "
                "about them in version %u of the journal; this one (%s) reads version %d. Start "
                "that svisord again, and end it with svctl shutdown before you start this one",
                version, SV_VERSION, SV_JOURNAL_VERSION);
    return false;
}

int sv_driver_examine(const struct sv_config *config, struct sv_str *ret_problem)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    int r = sv_state_journal_peek(config->daemon.identifier, config->file, &bytes);
    if (r == -ENOMEM)
        return r;
    return r < 0 || sv_handover_is_readable(&bytes, ret_problem) ? 0 : SV_DRIVER_REFUSED;
}

/*
 * Where systemd has given us a cgroup, the keeper lives beside its holder: what ends the daemon's
 * unit or session does not end it, and the unit starts again without a leftover in it.
 */
void sv_handover_settle_keeper(struct sv_driver *driver)
{
    int fd = driver->keeper && driver->tree ? sv_cgroup_tree_holder_fd(driver->tree) : -ENOENT;
    if (fd < 0)
        return;
    sv_keeper_move(driver->keeper, fd);
    close(fd);
}

static uint64_t hash_of(const struct sv_str *bytes)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes->length; i++)
        hash = (hash ^ (unsigned char)bytes->data[i]) * 0x100000001b3u;
    return hash ? hash : 1;
}

static void encode_header(struct sv_driver *driver, struct sv_str *bytes)
{
    struct sv_str boot SV_CLEANUP(sv_str_done) = {0};
    sv_boot_id(&boot);
    struct sv_journal_entry header = {
        .kind = SV_JOURNAL_HEADER,
        .boot_id = sv_str_text(&boot),
        .tree = driver->tree ? sv_cgroup_tree_path(driver->tree) : "",
        .daemon_pid = (int32_t)getpid(),
    };
    sv_journal_encode(&header, bytes);
}

static const char *log_of(const struct sv_unit *unit, enum sv_channel channel)
{
    const char *path = unit->sinks[channel] ? sv_sink_path(unit->sinks[channel]) : NULL;
    return path ? path : "";
}

static void add_limits(const struct sv_limits *limits, struct sv_str *text)
{
    for (size_t i = 0; limits && i < limits->count; i++)
        sv_str_addf(text, "%s %s\n", sv_limit_key(limits->items[i].limit), limits->items[i].text);
}

/* Nothing is appended for a process that was never started: that is what the file says anyway. */
static void encode_unit(const struct sv_unit *unit, struct sv_str *bytes)
{
    struct sv_journal_entry entry = {
        .kind = SV_JOURNAL_PROCESS,
        .group = unit->group->config->name,
        .process = unit->config->name,
        .logs = {log_of(unit, SV_STDOUT), log_of(unit, SV_STDERR)},
        .leaf = "",
        .limits = "",
        .group_limits = "",
        .status = unit->status_text ? unit->status_text : "",
    };
    struct sv_str limits SV_CLEANUP(sv_str_done) = {0}, group SV_CLEANUP(sv_str_done) = {0};
    if (!sv_core_record(unit->driver->core, unit->id, &entry.record) || entry.record.run == 0)
        return;
    if (unit->undelivered_count > 0 && entry.record.listener_state == SV_LISTENER_BUSY) {
        entry.record.listener_state = SV_LISTENER_READY;
        entry.record.held = 0;
    }
    entry.cursor = entry.record.held ? unit->cursor : 0;
    const struct sv_run *run = sv_unit_run(unit, entry.record.run);
    if (run && run->leaf)
        entry.leaf = sv_cgroup_leaf_path(run->leaf);
    else if (run)
        entry.start_ticks = run->start_ticks;
    if (run) {
        entry.keeper_key = run->keeper_key;
        entry.deeds = run->deeds;
        add_limits(unit->limits, &limits);
        add_limits(unit->group->limits, &group);
        entry.limits = sv_str_text(&limits);
        entry.group_limits = sv_str_text(&group);
    }
    sv_journal_encode(&entry, bytes);
}

static void write_anew(struct sv_driver *driver)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    encode_header(driver, &bytes);
    for (size_t i = 0; i < driver->units.slot_count; i++)
        if (driver->units.slots[i].value)
            encode_unit(driver->units.slots[i].value, &bytes);
    sv_backlog_encode(driver, &bytes);
    if (sv_str_ok(&bytes))
        sv_state_journal_rewrite(driver->journal, &bytes);
}

/*
 * Until here a death of this daemon leaves the next one with what its predecessor left: the old
 * journal, with what was added to it, all descriptors, and the old ring, unread. From here on it is
 * ours.
 */
void sv_handover_begin(struct sv_driver *driver)
{
    if (driver->journal)
        write_anew(driver);
    if (!driver->keeper)
        return;
    sv_kernel_keep(driver->kernel, driver->keeper);
    sv_promise_begin(driver);
    sv_keeper_drop_unclaimed(driver->keeper);
}

/* While adopting, what is not adopted yet stands only in the old journal. */
void sv_handover_shorten(struct sv_driver *driver)
{
    if (driver->journal && !driver->is_adopting && sv_state_journal_is_long(driver->journal))
        write_anew(driver);
}

void sv_handover_note(struct sv_driver *driver, sv_process_id id)
{
    struct sv_unit *unit = driver->journal ? sv_driver_unit(driver, id) : NULL;
    if (!unit)
        return;
    struct sv_str *bytes = &driver->handover_scratch;
    sv_str_clear(bytes);
    encode_unit(unit, bytes);
    uint64_t hash = hash_of(bytes);
    if (bytes->length == 0 || !sv_str_ok(bytes) || hash == unit->remembered)
        return;
    unit->remembered = hash;
    sv_state_journal_append(driver->journal, bytes);
    sv_handover_shorten(driver);
}

void sv_handover_forget(struct sv_unit *unit)
{
    struct sv_driver *driver = unit->driver;
    if (!driver->journal || unit->remembered == 0)
        return;
    struct sv_journal_entry entry = {.kind = SV_JOURNAL_FORGET,
                                     .group = unit->group->config->name,
                                     .process = unit->config->name};
    struct sv_str *bytes = &driver->handover_scratch;
    sv_str_clear(bytes);
    sv_journal_encode(&entry, bytes);
    if (sv_str_ok(bytes))
        sv_state_journal_append(driver->journal, bytes);
}

void sv_handover_keep(struct sv_run *run, const struct sv_kept *kept)
{
    struct sv_driver *driver = run->unit->driver;
    if (!driver->keeper)
        return;
    uint64_t key = run->keeper_key ? run->keeper_key : sv_keeper_next_key(driver->keeper);
    if (sv_keeper_put(driver->keeper, key, kept) == 0)
        run->keeper_key = key;
}

/* Should the daemon die before the keeper has it, the next one finds the process in its cgroup. */
void sv_handover_keep_pidfd(struct sv_run *run)
{
    struct sv_kept kept = SV_KEPT_NONE;
    kept.pidfd = run->pidfd;
    if (run->keeper_key)
        (void)sv_keeper_put_later(run->unit->driver->keeper, run->keeper_key, &kept);
}

void sv_handover_close(struct sv_driver *driver)
{
    sv_source_free(driver->keeper_source);
    sv_source_free(driver->keeper_timer);
    sv_cursors_free(driver->cursors);
    if (driver->is_leaving) {
        sv_keeper_leave(driver->keeper);
        sv_state_journal_leave(driver->journal);
    } else {
        sv_keeper_end(driver->keeper);
        sv_state_journal_end(driver->journal);
    }
    sv_str_done(&driver->handover_scratch);
}
