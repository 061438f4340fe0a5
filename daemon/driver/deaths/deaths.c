/*
 * The register of deaths: the last certificates of every process, told once and kept.
 *
 * A certificate is written at the turn of the loop after the end, when the replacement is already
 * on its way: nobody waits for it. Whoever asks sooner (a call that was waiting for the stop, a
 * unit that is about to go) has it written first, by sv_deaths_settle(). So what it is made of, the
 * run and its cgroup, must live until then: only a certified run is freed.
 *
 * Kept are `death_history` of them for each process, by its name, so that they survive a change of
 * the configuration; each as the bytes of its record. The newest SV_DEATH_TAILS_MAX have their last
 * lines of output with them. A process that never died costs nothing.
 *
 * The same bytes go to the end of a file, with one write for each turn, so that the next daemon
 * knows what this one has seen. What is added later (how strays ended) is a further record of the
 * same run, which counts instead of the one before. When the file is three quarters forgotten it is
 * written anew.
 */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "driver/cluster/cluster.h"
#include "driver/live/live.h"
#include "driver/state_file.h"

struct entry {
    char *bytes; /* a whole record */
    size_t length;
    uint32_t run;
    int64_t started_ms; /* a run is known by both: a new daemon may count from 1 again */
};

struct history {
    struct entry *entries; /* oldest first */
    size_t count, capacity;
};

struct sv_deaths {
    struct sv_map histories; /* "group:name" -> struct history */
    size_t entries_max;      /* of one process */
    uint64_t compact_at_bytes;
    struct sv_state_file *file;
    struct sv_str unwritten; /* records of this turn */
};

static void history_free(struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        free(history->entries[i].bytes);
    free(history->entries);
    free(history);
}

void sv_deaths_free(struct sv_deaths *deaths)
{
    if (!deaths)
        return;
    sv_map_foreach (entry, &deaths->histories)
        history_free(entry->value);
    sv_map_done(&deaths->histories);
    sv_state_file_free(deaths->file);
    sv_str_done(&deaths->unwritten);
    free(deaths);
}

/* ---- Keeping ---- */

static bool encode_entry(const struct sv_death *death, struct entry *ret_entry)
{
    struct sv_str bytes = {0};
    sv_death_encode(death, &bytes);
    size_t length = bytes.length;
    char *data = sv_str_take(&bytes);
    char *tight = data ? realloc(data, length) : NULL;
    if (!data)
        return false;
    *ret_entry = (struct entry){.bytes = tight ? tight : data,
                                .length = length,
                                .run = (uint32_t)sv_death_get(death, SV_DEATH_run),
                                .started_ms = sv_death_get(death, SV_DEATH_started_ms)};
    return true;
}

/* 0: `ret_death` is to be done. */
static int decode_entry(const struct entry *entry, struct sv_death *ret_death)
{
    size_t offset = 0;
    return sv_death_decode(entry->bytes, entry->length, &offset, ret_death);
}

/* Puts the changed certificate in the place of the old one. */
static void replace_entry(struct entry *entry, const struct sv_death *death)
{
    struct entry fresh;
    if (!encode_entry(death, &fresh))
        return; /* the old one is still true, if not the last word */
    free(entry->bytes);
    *entry = fresh;
}

static void drop_tail(struct entry *entry)
{
    struct sv_death death;
    if (decode_entry(entry, &death) != 0)
        return;
    sv_death_set_text(&death, SV_DEATH_TEXT_tail, "", 0);
    replace_entry(entry, &death);
    sv_death_done(&death);
}

static struct history *history_of(struct sv_deaths *deaths, const struct sv_death *death)
{
    struct sv_str key SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&key, "%s:%s", sv_death_text(death, SV_DEATH_TEXT_group),
                sv_death_text(death, SV_DEATH_TEXT_name));
    if (!sv_str_ok(&key))
        return NULL;
    struct history *history = sv_map_get(&deaths->histories, key.data);
    if (history)
        return history;
    history = calloc(1, sizeof(*history));
    if (history && sv_map_put(&deaths->histories, key.data, history) < 0) {
        free(history);
        return NULL;
    }
    return history;
}

static bool make_room(struct history *history, size_t entries_max)
{
    if (history->count == entries_max) {
        free(history->entries[0].bytes);
        history->count--;
        memmove(history->entries, history->entries + 1, history->count * sizeof(*history->entries));
    }
    if (history->count < history->capacity)
        return true;
    size_t capacity = history->capacity ? 2 * history->capacity : 2;
    if (capacity > entries_max)
        capacity = entries_max;
    struct entry *entries = reallocarray(history->entries, capacity, sizeof(*entries));
    if (!entries)
        return false;
    history->entries = entries;
    history->capacity = capacity;
    return true;
}

static void keep(struct sv_deaths *deaths, const struct sv_death *death)
{
    struct history *history = deaths->entries_max > 0 ? history_of(deaths, death) : NULL;
    struct entry entry;
    if (!history || !encode_entry(death, &entry))
        return;
    if (!make_room(history, deaths->entries_max)) {
        free(entry.bytes);
        return;
    }
    history->entries[history->count++] = entry;
    if (history->count > SV_DEATH_TAILS_MAX)
        drop_tail(&history->entries[history->count - 1 - SV_DEATH_TAILS_MAX]);
}

/* The one of the same run; NULL: it is new, or forgotten. */
static struct entry *entry_of(const struct sv_deaths *deaths, const struct sv_death *death)
{
    struct sv_str key SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&key, "%s:%s", sv_death_text(death, SV_DEATH_TEXT_group),
                sv_death_text(death, SV_DEATH_TEXT_name));
    struct history *history = sv_str_ok(&key) ? sv_map_get(&deaths->histories, key.data) : NULL;
    for (size_t i = history ? history->count : 0; i-- > 0;) {
        struct entry *entry = &history->entries[i];
        if (entry->run == sv_death_get(death, SV_DEATH_run) &&
            entry->started_ms == sv_death_get(death, SV_DEATH_started_ms))
            return entry;
    }
    return NULL;
}

/* ---- The file ---- */

enum { NS_PER_MS = 1000000 };

/* Below this nobody minds what is forgotten in it. */
enum { FILE_BYTES_KEPT = 256 << 10, FILE_GROWTH = 4 };

static void compact(struct sv_deaths *deaths)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    sv_map_foreach (row, &deaths->histories) {
        const struct history *history = row->value;
        for (size_t i = 0; i < history->count; i++)
            sv_str_append(&bytes, history->entries[i].bytes, history->entries[i].length);
    }
    sv_state_file_replace(deaths->file, &bytes);
}

static uint64_t kept_bytes(const struct sv_deaths *deaths)
{
    uint64_t sum = 0;
    sv_map_foreach (row, &deaths->histories) {
        const struct history *history = row->value;
        for (size_t i = 0; i < history->count; i++)
            sum += history->entries[i].length;
    }
    return sum;
}

static void write_file(struct sv_deaths *deaths)
{
    struct sv_str *unwritten = &deaths->unwritten;
    if (unwritten->length == 0)
        return;
    bool is_written = sv_state_file_add(deaths->file, unwritten);
    sv_str_done(unwritten);
    if (is_written && sv_state_file_length(deaths->file) > deaths->compact_at_bytes) {
        compact(deaths);
        deaths->compact_at_bytes = FILE_GROWTH * kept_bytes(deaths) + FILE_BYTES_KEPT;
    }
}

static void remember(struct sv_driver *driver, const struct sv_death *death)
{
    struct sv_deaths *deaths = driver->deaths;
    if (deaths->entries_max == 0)
        return;
    sv_death_encode(death, &deaths->unwritten);
    sv_source_enable(driver->coroner, true);
}

static bool is_configured(const struct sv_driver *driver, const struct sv_death *death)
{
    return sv_config_group(driver->config, sv_death_text(death, SV_DEATH_TEXT_group)) != NULL;
}

static void take_back(struct sv_driver *driver, const struct sv_str *bytes)
{
    struct sv_death death;
    for (size_t offset = 0;
         sv_death_decode(sv_str_text(bytes), bytes->length, &offset, &death) == 0;) {
        struct entry *entry = entry_of(driver->deaths, &death);
        if (entry)
            replace_entry(entry, &death);
        else if (is_configured(driver, &death))
            keep(driver->deaths, &death);
        sv_death_done(&death);
    }
}

int sv_deaths_new(struct sv_driver *driver)
{
    struct sv_deaths *deaths = driver->deaths = calloc(1, sizeof(*deaths));
    if (!deaths)
        return -ENOMEM;
    deaths->entries_max = driver->config->daemon.death_history;
    deaths->compact_at_bytes = FILE_BYTES_KEPT;
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    int r = sv_state_file_new(driver, ".deaths", "death certificates", &deaths->file);
    if (r < 0 || deaths->entries_max == 0)
        return r;
    sv_state_file_read(deaths->file, SV_DEATH_FILE_BYTES_MAX, &bytes);
    take_back(driver, &bytes);
    return 0;
}

/* ---- Telling ---- */

/* Supervisor's own line says "exited: web (terminated by SIGKILL; not expected)"; this one, why. */
static void log_death(const struct sv_death *death)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_death_sentence(death, &text);
    sv_log_warn("why: %s run %lld %s", sv_death_text(death, SV_DEATH_TEXT_name),
                (long long)sv_death_get(death, SV_DEATH_run), sv_str_text(&text));
}

static bool is_worth_a_line(const struct sv_unit *unit, const struct sv_death *death)
{
    if (sv_death_get(death, SV_DEATH_cause) == SV_DEATH_CAUSE_SVISORD)
        return false;
    for (size_t i = 0; i < unit->config->exitcode_count; i++)
        if (sv_death_has(death, SV_DEATH_exit_code) &&
            sv_death_get(death, SV_DEATH_exit_code) == unit->config->exitcodes[i])
            return sv_death_has(death, SV_DEATH_oom_victim);
    return true;
}

static void tell(struct sv_unit *unit, const struct sv_death *death, bool is_planned)
{
    struct sv_driver *driver = unit->driver;
    sv_driver_cluster_publish_death(driver, death);
    sv_live_death(unit, death, is_planned);
    if (!(sv_core_wanted_notices(driver->core) >> SV_NOTICE_PROCESS_DEATH & 1))
        return;
    struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
    sv_death_payload(death, &payload);
    sv_notice_publish(driver, SV_NOTICE_PROCESS_DEATH, &payload);
}

static void certify(struct sv_run *run)
{
    struct sv_driver *driver = run->unit->driver;
    struct sv_death death;
    run->is_certified = true;
    sv_certificate_of_run(run, &death);
    bool is_worth = is_worth_a_line(run->unit, &death);
    if (is_worth)
        log_death(&death);
    keep(driver->deaths, &death);
    remember(driver, &death);
    tell(run->unit, &death, !is_worth);
    sv_death_done(&death);
}

void sv_deaths_settle(void *user)
{
    struct sv_driver *driver = user;
    for (struct sv_run *run = driver->lingering; run; run = run->next)
        if (!run->is_certified)
            certify(run);
    write_file(driver->deaths);
}

void sv_deaths_stillborn(const struct sv_stillbirth *birth)
{
    struct sv_driver *driver = birth->unit->driver;
    struct sv_death death;
    sv_certificate_of_stillbirth(birth, &death);
    if (birth->error != 0) /* else Supervisor's own line has said everything */
        log_death(&death);
    keep(driver->deaths, &death);
    remember(driver, &death);
    tell(birth->unit, &death, false);
    sv_death_done(&death);
}

void sv_deaths_strays_gone(struct sv_run *run)
{
    struct sv_driver *driver = run->unit->driver;
    struct sv_death death = {0};
    sv_deaths_settle(driver);
    if (run->stray_count == 0)
        return;
    /* By its names and its start: the certificate is found under them, and read back. */
    const struct sv_unit *unit = run->unit;
    sv_death_set_text(&death, SV_DEATH_TEXT_group, unit->group->config->name,
                      strlen(unit->group->config->name));
    sv_death_set_text(&death, SV_DEATH_TEXT_name, unit->config->name, strlen(unit->config->name));
    sv_death_set(&death, SV_DEATH_run, run->number);
    sv_death_set(&death, SV_DEATH_started_ms, run->started_wall_ns / NS_PER_MS);
    struct entry *entry = entry_of(driver->deaths, &death);
    sv_death_done(&death);
    if (!entry || decode_entry(entry, &death) != 0)
        return;
    enum sv_death_strays end = SV_DEATH_STRAYS_ENDED;
    if (run->deeds.are_strays_killed || run->deeds.is_escalated)
        end = SV_DEATH_STRAYS_KILLED;
    else if (run->deeds.are_strays_signalled)
        end = SV_DEATH_STRAYS_STOPPED;
    sv_death_set(&death, SV_DEATH_strays_end, end);
    replace_entry(entry, &death);
    remember(driver, &death);
    sv_death_done(&death);
    sv_live_process_changed(driver, unit->id);
}

/* ---- Showing ---- */

json_t *sv_deaths_json(struct sv_driver *driver, const struct sv_unit *unit, int64_t run)
{
    sv_deaths_settle(driver);
    struct sv_str key SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&key, "%s:%s", unit->group->config->name, unit->config->name);
    json_t *rows = sv_str_ok(&key) ? json_array() : NULL;
    const struct history *history = rows ? sv_map_get(&driver->deaths->histories, key.data) : NULL;
    for (size_t i = history ? history->count : 0; i-- > 0;) {
        const struct entry *entry = &history->entries[i];
        struct sv_death death;
        if ((run > 0 && entry->run != run) || decode_entry(entry, &death) != 0)
            continue;
        json_array_append_new(rows, sv_death_json(&death));
        sv_death_done(&death);
        if (run >= 0)
            break;
    }
    return rows;
}
