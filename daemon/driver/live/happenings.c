/*
 * The timeline: what has happened, in words, from what the driver hears anyway.
 *
 *     state of a process ──┐
 *     its certificate ─────┴─> happening ──end of the turn──> record ──> ring, file, pages, NEWS
 *     all else ─────────────────────────────────────────────> record
 *
 * A run that ends is told twice to us: by the core, which says what became of the process, and by
 * the certificate, which says why. The two are put together by the number of the run, and told
 * once. What the cluster starts or stops here it has told itself, with its reason: then the state
 * that follows is no news.
 */
#include "driver/live/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/choice.h"
#include "base/log.h"
#include "base/names.h"
#include "driver/cluster/cluster.h"
#include "driver/deaths/deaths.h"
#include "wire/shortage.h"

struct sv_happening {
    struct sv_happening *next;
    sv_process_id process;
    uint32_t run;
    int64_t wall_ns;
    enum sv_notice_type type; /* EVENT: no state was told */
    enum sv_reason reason;
    bool is_end;      /* of the run, not its begin */
    bool is_planned;  /* nothing went wrong */
    bool is_old_news; /* the cluster has told it */
    char *application, *name;
    struct sv_str text; /* why it ended, or what became of it */
};

/* ---- Records ---- */

static struct sv_timeline_record record_of(struct sv_driver *driver, enum sv_timeline_kind kind,
                                           enum sv_timeline_level level, const char *text)
{
    return (struct sv_timeline_record){.wall_ns = sv_wall_ns(),
                                       .kind = kind,
                                       .level = level,
                                       .identifier = sv_live_own_names(driver).identifier,
                                       .application = "",
                                       .process = "",
                                       .text = text};
}

static const struct sv_timeline_record *tell(struct sv_driver *driver,
                                             const struct sv_timeline_record *record)
{
    const struct sv_timeline_record *kept = sv_timeline_add(driver->live->timeline, record);
    if (kept) {
        sv_live_broadcast_record(driver->live, kept);
        sv_live_keep(driver->live, kept);
    } else {
        sv_log_error("a record of the timeline is lost: out of memory");
    }
    return kept;
}

/* To the other instances, what of this turn is for them. What they have told meanwhile may have
 * pushed a record out. */
static void send_news(struct sv_live *live)
{
    struct sv_mesh_news_item items[SV_NEWS_ITEMS_MAX];
    struct sv_mesh_news news = {.items = items};
    for (size_t i = 0; i < live->news_count; i++) {
        const struct sv_timeline_record *record = sv_timeline_find(live->timeline, live->news[i]);
        if (record)
            items[news.count++] = (struct sv_mesh_news_item){.kind = record->kind,
                                                             .level = record->level,
                                                             .application = record->application,
                                                             .process = record->process,
                                                             .text = record->text};
    }
    live->news_count = 0;
    if (news.count > 0)
        sv_driver_cluster_send_news(live->driver, &news);
}

/* Here, and to all other instances: what they do not see themselves. */
static void tell_all(struct sv_driver *driver, const struct sv_timeline_record *record)
{
    struct sv_live *live = driver->live;
    const struct sv_timeline_record *kept = tell(driver, record);
    if (!kept || !driver->cluster)
        return;
    live->news[live->news_count++] = kept->serial;
    if (live->news_count == SV_NEWS_ITEMS_MAX)
        send_news(live);
}

/* ---- Runs ---- */

static void happening_free(struct sv_happening *happening)
{
    free(happening->application);
    free(happening->name);
    sv_str_done(&happening->text);
    free(happening);
}

static struct sv_happening *happening_new(struct sv_unit *unit, uint32_t run)
{
    struct sv_live *live = unit->driver->live;
    struct sv_happening *happening = calloc(1, sizeof(*happening));
    if (!happening)
        return NULL;
    happening->application = strdup(unit->group->config->name);
    happening->name = strdup(unit->config->name);
    if (!happening->application || !happening->name) {
        happening_free(happening);
        return NULL;
    }
    happening->process = unit->id;
    happening->run = run;
    happening->wall_ns = sv_wall_ns();
    happening->type = SV_NOTICE_EVENT;
    happening->is_planned = true;
    *live->happenings_end = happening;
    live->happenings_end = &happening->next;
    sv_source_enable(live->settle, true);
    return happening;
}

/* The end of that run, which may have been told of already: mostly the last one. NULL without
 * memory. */
static struct sv_happening *end_of(struct sv_unit *unit, uint32_t run)
{
    struct sv_happening *happening = unit->ending;
    if (happening && happening->run == run)
        return happening;
    if (happening) /* it has ended twice in this turn */
        for (happening = unit->driver->live->happenings; happening; happening = happening->next)
            if (happening->process == unit->id && happening->run == run && happening->is_end)
                return happening;
    happening = happening_new(unit, run);
    if (happening) {
        happening->is_end = true;
        unit->ending = happening;
    }
    return happening;
}

static void tell_running(struct sv_unit *unit, const struct sv_action *action)
{
    bool is_old_news = unit->is_told_by_cluster;
    unit->is_told_by_cluster = false;
    struct sv_happening *happening = is_old_news ? NULL : happening_new(unit, action->run);
    if (!happening)
        return;
    happening->type = action->notice.type;
    sv_str_addf(&happening->text, "runs, pid %d: %s", (int)action->notice.pid,
                sv_reason_text(unit->start_reason));
}

static void tell_end(struct sv_unit *unit, const struct sv_action *action)
{
    struct sv_happening *happening = end_of(unit, action->run);
    if (!happening)
        return;
    happening->type = action->notice.type;
    happening->reason = action->notice.reason;
}

static void keep_reason(struct sv_unit *unit, const struct sv_action *action)
{
    unit->start_reason = action->notice.reason;
}

void sv_live_state(struct sv_unit *unit, const struct sv_action *action)
{
    static void (*const tellers[SV_NOTICE_COUNT])(struct sv_unit *, const struct sv_action *) = {
        [SV_NOTICE_PROCESS_STATE_STARTING] = keep_reason,
        [SV_NOTICE_PROCESS_STATE_RUNNING] = tell_running,
        [SV_NOTICE_PROCESS_STATE_BACKOFF] = tell_end,
        [SV_NOTICE_PROCESS_STATE_EXITED] = tell_end,
        [SV_NOTICE_PROCESS_STATE_FATAL] = tell_end,
        [SV_NOTICE_PROCESS_STATE_STOPPED] = tell_end,
        [SV_NOTICE_PROCESS_STATE_UNKNOWN] = tell_end,
    };
    if (unit->driver->live && tellers[action->notice.type])
        tellers[action->notice.type](unit, action);
}

void sv_live_death(struct sv_unit *unit, const struct sv_death *death, bool is_planned)
{
    struct sv_happening *happening =
        unit->driver->live ? end_of(unit, (uint32_t)sv_death_get(death, SV_DEATH_run)) : NULL;
    if (!happening)
        return;
    sv_str_clear(&happening->text);
    sv_death_sentence(death, &happening->text);
    happening->is_planned = is_planned;
    happening->is_old_news = is_planned && unit->is_told_by_cluster;
    unit->is_told_by_cluster = false;
}

static void settle(struct sv_driver *driver, struct sv_happening *happening)
{
    struct sv_unit *unit = sv_driver_unit(driver, happening->process);
    if (unit && unit->ending == happening)
        unit->ending = NULL;
    bool is_hopeless = happening->type == SV_NOTICE_PROCESS_STATE_FATAL ||
                       happening->type == SV_NOTICE_PROCESS_STATE_UNKNOWN;
    enum sv_timeline_level level = is_hopeless             ? SV_TIMELINE_ERROR
                                   : happening->is_planned ? SV_TIMELINE_INFO
                                                           : SV_TIMELINE_WARNING;
    if (happening->text.length == 0)
        sv_str_add(&happening->text, sv_reason_text(happening->reason));
    else if (is_hopeless)
        sv_str_addf(&happening->text, "; it is %s: %s",
                    happening->type == SV_NOTICE_PROCESS_STATE_FATAL ? "FATAL" : "UNKNOWN",
                    sv_reason_text(happening->reason));
    else if (happening->type == SV_NOTICE_PROCESS_STATE_BACKOFF)
        sv_str_add(&happening->text, "; it is tried again");
    struct sv_timeline_record record =
        record_of(driver, level == SV_TIMELINE_INFO ? SV_TIMELINE_PROCESS : SV_TIMELINE_DEATH,
                  level, sv_str_text(&happening->text));
    record.wall_ns = happening->wall_ns;
    record.application = happening->application;
    record.process = happening->name;
    if (!happening->is_old_news)
        tell_all(driver, &record);
}

void sv_live_on_settle(void *user)
{
    struct sv_live *live = user;
    sv_deaths_settle(live->driver);
    live->has_begun = true;
    while (live->happenings) {
        struct sv_happening *happening = live->happenings;
        live->happenings = happening->next;
        if (!live->happenings)
            live->happenings_end = &live->happenings;
        settle(live->driver, happening);
        happening_free(happening);
    }
    send_news(live);
    sv_live_write(live);
}

void sv_live_end(struct sv_driver *driver)
{
    if (driver->live)
        sv_live_on_settle(driver->live);
}

void sv_live_drop_happenings(struct sv_live *live)
{
    while (live->happenings) {
        struct sv_happening *happening = live->happenings;
        live->happenings = happening->next;
        happening_free(happening);
    }
}

/* ---- The rest of this instance ---- */

void sv_live_shortage(struct sv_driver *driver, const struct sv_shortage_report *report)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (!driver->live)
        return;
    sv_shortage_sentence(report, &text);
    struct sv_timeline_record record =
        record_of(driver, SV_TIMELINE_RESOURCE, SV_TIMELINE_WARNING, sv_str_text(&text));
    record.application = report->group;
    record.process = report->name ? report->name : "";
    tell_all(driver, &record);
}

void sv_live_daemon(struct sv_driver *driver, enum sv_timeline_level level, const char *text)
{
    if (!driver->live)
        return;
    const struct sv_timeline_record record = record_of(driver, SV_TIMELINE_DAEMON, level, text);
    tell_all(driver, &record);
}

void sv_live_group(struct sv_driver *driver, const char *name, const char *text)
{
    if (!driver->live || !driver->live->has_begun)
        return;
    struct sv_timeline_record record =
        record_of(driver, SV_TIMELINE_DAEMON, SV_TIMELINE_INFO, text);
    record.application = name;
    tell_all(driver, &record);
}

static unsigned adopted_count(const struct sv_driver *driver)
{
    unsigned count = 0;
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        const struct sv_unit *unit = driver->units.slots[i].value;
        count += unit && unit->run && unit->run->is_adopted;
    }
    return count;
}

void sv_live_begin(struct sv_driver *driver)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    bool is_anew = driver->former_pid == getpid();
    sv_str_addf(&text, "svisord %s, version %s, pid %d", is_anew ? "goes on" : "has started",
                SV_VERSION, (int)getpid());
    unsigned count = adopted_count(driver);
    if (driver->former_pid != 0)
        sv_str_addf(&text, "; it has taken back %u program%s", count, count == 1 ? "" : "s");
    if (driver->former_pid != 0 && !is_anew)
        sv_str_addf(&text, " that pid %d had started", (int)driver->former_pid);
    sv_live_daemon(driver, SV_TIMELINE_INFO, sv_str_text(&text));
}

/* ---- The cluster ---- */

static enum sv_timeline_level level_of(enum sv_log_level level)
{
    return level >= SV_LOG_ERROR  ? SV_TIMELINE_ERROR
           : level >= SV_LOG_WARN ? SV_TIMELINE_WARNING
                                  : SV_TIMELINE_INFO;
}

/* Without "shop:web: " in front, for the record says who is meant. */
static const char *without_name(const char *text, const char *application, const char *name)
{
    struct sv_str prefix SV_CLEANUP(sv_str_done) = {0};
    if (strcmp(application, name) != 0)
        sv_str_addf(&prefix, "%s:", application);
    sv_str_addf(&prefix, "%s: ", name);
    bool has_it = *name && sv_str_ok(&prefix) && strncmp(text, prefix.data, prefix.length) == 0;
    return has_it ? text + prefix.length : text;
}

static void tell_decision(struct sv_driver *driver, const struct sv_cluster_action *action)
{
    const char *application = action->notice.application, *name = action->notice.name;
    if (action->notice.level < SV_LOG_INFO || action->instance != SV_INSTANCE_NONE)
        return; /* of an instance, its state is told */
    struct sv_timeline_record record =
        record_of(driver, application ? SV_TIMELINE_APPLICATION : SV_TIMELINE_CLUSTER,
                  level_of(action->notice.level), action->notice.text);
    if (!application) {
        tell(driver, &record);
        return;
    }
    record.application = application;
    record.process = name;
    record.text = without_name(action->notice.text, application, name);
    tell_all(driver, &record);
}

/* What was told of it last; it begins as STOPPED. NULL without memory. */
static enum sv_instance_state *told_state(struct sv_live *live, sv_instance_place place)
{
    if (place >= live->told_state_count) {
        size_t count = (size_t)place + 16;
        enum sv_instance_state *states = reallocarray(live->told_states, count, sizeof(*states));
        if (!states)
            return NULL;
        for (size_t i = live->told_state_count; i < count; i++)
            states[i] = SV_INSTANCE_STATE_STOPPED;
        live->told_states = states;
        live->told_state_count = count;
    }
    return &live->told_states[place];
}

static void tell_instance(struct sv_driver *driver, const struct sv_cluster_action *action)
{
    static const struct {
        bool is_told;
        enum sv_timeline_level level;
    } ways[] = {
        [SV_INSTANCE_STATE_STOPPED] = {true, SV_TIMELINE_INFO},
        [SV_INSTANCE_STATE_CHECKING] = {false, SV_TIMELINE_INFO},
        [SV_INSTANCE_STATE_CHECKED] = {false, SV_TIMELINE_INFO},
        [SV_INSTANCE_STATE_RUNNING] = {true, SV_TIMELINE_INFO},
        [SV_INSTANCE_STATE_FAILED] = {true, SV_TIMELINE_ERROR},
        [SV_INSTANCE_STATE_ISOLATED] = {true, SV_TIMELINE_ERROR},
    };
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    struct sv_instance_view view;
    cluster->instance(cluster->user, action->instance, &view);
    enum sv_instance_state *told = told_state(driver->live, action->instance);
    bool is_old_news =
        !told || *told == view.state ||
        (*told == SV_INSTANCE_STATE_FAILED && view.state == SV_INSTANCE_STATE_STOPPED);
    if (is_old_news || !ways[view.state].is_told)
        return;
    *told = view.state;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "%s is %s: %s", view.names.nick,
                sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)view.state), view.why);
    struct sv_timeline_record record =
        record_of(driver, SV_TIMELINE_INSTANCE, ways[view.state].level, sv_str_text(&text));
    record.identifier = view.names.identifier;
    tell(driver, &record);
}

void sv_live_news(struct sv_driver *driver, const char *identifier,
                  const struct sv_mesh_news_item *item)
{
    if (!driver->live)
        return;
    struct sv_timeline_record record = record_of(driver, item->kind, item->level, item->text);
    record.identifier = identifier;
    record.application = item->application;
    record.process = item->process;
    tell(driver, &record);
}

void sv_live_cluster_happening(struct sv_driver *driver, const struct sv_cluster_action *action)
{
    if (action->notice.what == SV_CLUSTER_NOTICE_LOG)
        tell_decision(driver, action);
    else if (action->notice.what == SV_CLUSTER_NOTICE_INSTANCE)
        tell_instance(driver, action);
}

/* ---- Asking ---- */

json_t *sv_live_timeline(struct sv_driver *driver, uint64_t after, size_t limit)
{
    const struct sv_timeline *timeline = driver->live ? driver->live->timeline : NULL;
    json_t *list = json_array();
    if (timeline && driver->live->happenings)
        sv_live_on_settle(driver->live);
    for (size_t i = timeline ? sv_timeline_after(timeline, after, limit) : 0;
         timeline && i < sv_timeline_count(timeline); i++)
        json_array_append_new(list, sv_timeline_json(sv_timeline_at(timeline, i)));
    return list;
}
