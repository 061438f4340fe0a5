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
 */
#include "driver/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/names.h"
#include "base/wait_status.h"

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
};

int sv_deaths_new(struct sv_driver *driver)
{
    driver->deaths = calloc(1, sizeof(*driver->deaths));
    if (!driver->deaths)
        return -ENOMEM;
    driver->deaths->entries_max = driver->config->daemon.death_history;
    return 0;
}

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

static void tell(struct sv_driver *driver, const struct sv_death *death)
{
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
    if (is_worth_a_line(run->unit, &death))
        log_death(&death);
    keep(driver->deaths, &death);
    tell(driver, &death);
    sv_death_done(&death);
}

void sv_deaths_settle(void *user)
{
    struct sv_driver *driver = user;
    for (struct sv_run *run = driver->lingering; run; run = run->next)
        if (!run->is_certified)
            certify(run);
}

void sv_deaths_stillborn(const struct sv_stillbirth *birth)
{
    struct sv_driver *driver = birth->unit->driver;
    struct sv_death death;
    sv_certificate_of_stillbirth(birth, &death);
    if (birth->error != 0) /* else Supervisor's own line has said everything */
        log_death(&death);
    keep(driver->deaths, &death);
    tell(driver, &death);
    sv_death_done(&death);
}

static struct entry *entry_of(struct sv_deaths *deaths, const struct sv_run *run,
                              struct sv_death *ret_death)
{
    struct sv_str key SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&key, "%s:%s", run->unit->group->config->name, run->unit->config->name);
    struct history *history = sv_str_ok(&key) ? sv_map_get(&deaths->histories, key.data) : NULL;
    int64_t started_ms = run->started_wall_ns / 1000000;
    for (size_t i = history ? history->count : 0; i-- > 0;) {
        struct entry *entry = &history->entries[i];
        if (entry->run == run->number && entry->started_ms == started_ms)
            return decode_entry(entry, ret_death) == 0 ? entry : NULL;
    }
    return NULL;
}

void sv_deaths_strays_gone(struct sv_run *run)
{
    struct sv_driver *driver = run->unit->driver;
    struct sv_death death;
    sv_deaths_settle(driver);
    struct entry *entry = run->stray_count > 0 ? entry_of(driver->deaths, run, &death) : NULL;
    if (!entry)
        return;
    enum sv_death_strays end = SV_DEATH_STRAYS_ENDED;
    if (run->deeds.are_strays_killed || run->deeds.is_escalated)
        end = SV_DEATH_STRAYS_KILLED;
    else if (run->deeds.are_strays_signalled)
        end = SV_DEATH_STRAYS_STOPPED;
    sv_death_set(&death, SV_DEATH_strays_end, end);
    replace_entry(entry, &death);
    sv_death_done(&death);
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
