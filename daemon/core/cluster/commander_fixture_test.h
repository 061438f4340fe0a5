/*
 * The other half of core/cluster, played: three instances on three nodes, whose daemons do what
 * they are told. What the commander does is noted as one line:
 *
 *     +db@left     a start of db is commanded to left     -db@left   a stop
 *     !db=FATAL    its state is forced                    ?7=70      request 7 has this fault
 *
 * Programs behave by their names: bad... goes FATAL when started, job... exits well, mute... hears
 * nothing, stay... does not stop; all others run.
 */
#ifndef SV_CORE_COMMANDER_FIXTURE_TEST_H
#define SV_CORE_COMMANDER_FIXTURE_TEST_H

#include <stdio.h>

#include "base/names.h"
#include "core/cluster/commander.h"
#include "core/cluster/model_fixture_test.h"

enum { LEFT, RIGHT, FAR, PLAYED_COUNT };

struct played_command {
    bool is_stop;
    sv_instance_place instance;
    char application[32], name[32];
};

struct played {
    struct sv_cluster cluster; /* first: functions are given this */
    struct sv_supvisors_config config;
    struct sv_cluster_config timing;
    struct sv_instance_names names[PLAYED_COUNT];
    struct sv_cluster_actions actions;
    enum sv_instance_state states[PLAYED_COUNT];
    enum sv_supvisors_state machine;
    bool is_master;
    bool may_start;
    bool has_jobs_elsewhere;
    int cluster_restarts, cluster_shutdowns, wakes;
    uint64_t next_id, request_count;
    uint64_t event_ns;
    struct played_command commands[4096]; /* not yet obeyed */
    size_t command_count;
    const char *last_arguments;
    struct sv_str trace, log;
};

static inline struct played *played_of(const struct sv_cluster *cluster)
{
    return (struct played *)(uintptr_t)cluster;
}

static inline void played_note(struct played *played, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (played->trace.length > 0)
        sv_str_add(&played->trace, " ");
    sv_str_addv(&played->trace, format, arguments);
    va_end(arguments);
}

/* ---- The members' half ---- */

const char *sv_text(struct sv_cluster *cluster, const char *format, ...)
{
    va_list arguments;
    struct sv_str text = {0};
    va_start(arguments, format);
    sv_str_addv(&text, format, arguments);
    va_end(arguments);
    const char *copy = sv_arena_strdup(&cluster->texts, sv_str_text(&text));
    sv_str_done(&text);
    return copy;
}

void sv_timer_init(struct sv_cluster *cluster, struct sv_timer *timer,
                   void (*fire)(struct sv_cluster *cluster, struct sv_timer *timer))
{
    *timer = (struct sv_timer){.fire = fire, .node.tie = cluster->next_tie++};
    assert_int_equal(sv_heap_reserve(&cluster->timers, ++cluster->timer_count), 0);
}

void sv_timer_set(struct sv_cluster *cluster, struct sv_timer *timer, uint64_t at_ns)
{
    sv_heap_set(&cluster->timers, &timer->node, at_ns);
}

void sv_timer_cancel(struct sv_cluster *cluster, struct sv_timer *timer)
{
    sv_heap_remove(&cluster->timers, &timer->node);
}

void sv_timer_done(struct sv_cluster *cluster, struct sv_timer *timer)
{
    sv_heap_remove(&cluster->timers, &timer->node);
    cluster->timer_count--;
}

void sv_decide_about(struct sv_cluster *cluster, enum sv_log_level level,
                     const struct sv_subject *subject, const char *text)
{
    (void)level;
    (void)subject;
    sv_str_addf(&played_of(cluster)->log, "%s\n", text);
}

void sv_notice_application(struct sv_cluster *cluster, const char *application)
{
    (void)cluster;
    (void)application;
}

void sv_notice_process(struct sv_cluster *cluster, const char *application, const char *name,
                       sv_instance_place instance, enum sv_process_news news)
{
    (void)news;
    (void)cluster;
    (void)application;
    (void)name;
    (void)instance;
}

void sv_answer(struct sv_cluster *cluster, uint64_t id, int fault, const char *text, bool value)
{
    struct sv_cluster_action *action = sv_cluster_actions_add(cluster->actions, SV_CLUSTER_ANSWER);
    action->answer = (struct sv_cluster_answer){
        .id = id, .fault = fault, .text = sv_text(cluster, "%s", text), .value = value};
    if (fault)
        played_note(played_of(cluster), "?%d=%d", (int)id, fault);
    else
        played_note(played_of(cluster), "?%d=%s", (int)id, value ? "ok" : "no");
}

void sv_confirm_answer(struct sv_cluster *cluster, uint64_t id, const char *text)
{
    sv_answer(cluster, id, 0, text, true);
}

enum sv_instance_state sv_instance_state(const struct sv_cluster *cluster, sv_instance_place place)
{
    return played_of(cluster)->states[place];
}

bool sv_instance_is_running(const struct sv_cluster *cluster, sv_instance_place place)
{
    return sv_instance_state(cluster, place) == SV_INSTANCE_STATE_RUNNING;
}

const char *sv_instance_identifier(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->names[place].identifier;
}

const char *sv_instance_nick(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->names[place].nick;
}

sv_instance_place sv_instance_node(const struct sv_cluster *cluster, sv_instance_place place)
{
    (void)cluster;
    return place;
}

sv_instance_place sv_instance_find(const struct sv_cluster *cluster, const char *identifier)
{
    for (sv_instance_place i = 0; i < cluster->instance_count; i++)
        if (strcmp(cluster->names[i].identifier, identifier) == 0)
            return i;
    return SV_INSTANCE_NONE;
}

/* Every clock has its own origin. */
uint64_t sv_instance_clock_ns(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->now_ns + place * UINT64_C(1000000000000);
}

enum sv_supvisors_state sv_machine_state(const struct sv_cluster *cluster)
{
    return played_of(cluster)->machine;
}

bool sv_machine_is_master(const struct sv_cluster *cluster)
{
    return played_of(cluster)->is_master;
}

void sv_machine_wake(struct sv_cluster *cluster)
{
    played_of(cluster)->wakes++;
}

void sv_machine_restart(struct sv_cluster *cluster, const char *why)
{
    (void)why;
    played_of(cluster)->cluster_restarts++;
}

void sv_machine_shutdown(struct sv_cluster *cluster, const char *why)
{
    (void)why;
    played_of(cluster)->cluster_shutdowns++;
}

bool sv_modes_have_jobs(const struct sv_cluster *cluster)
{
    return played_of(cluster)->has_jobs_elsewhere || sv_commander_is_starting(cluster) ||
           sv_commander_is_stopping(cluster);
}

static inline uint64_t played_command(struct sv_cluster *cluster, sv_instance_place instance,
                                      const struct sv_member *member, bool is_stop)
{
    struct played *played = played_of(cluster);
    assert_in_range(played->command_count, 0, SV_ARRAY_LENGTH(played->commands) - 1);
    struct played_command *command = &played->commands[played->command_count++];
    *command = (struct played_command){.is_stop = is_stop, .instance = instance};
    snprintf(command->application, sizeof(command->application), "%s", member->application->name);
    snprintf(command->name, sizeof(command->name), "%s", member->name);
    played_note(played, "%c%s@%s", is_stop ? '-' : '+', member->name,
                sv_instance_nick(cluster, instance));
    return ++played->next_id;
}

uint64_t sv_command_start(struct sv_cluster *cluster, sv_instance_place instance,
                          const struct sv_member *member, const char *extra_arguments,
                          const char *text, const char **ret_why)
{
    (void)text;
    if (strcmp(member->name, "refused") == 0) {
        *ret_why = "it is not allowed to act";
        return 0;
    }
    played_of(cluster)->last_arguments = sv_text(cluster, "%s", extra_arguments);
    return played_command(cluster, instance, member, false);
}

uint64_t sv_command_stop(struct sv_cluster *cluster, sv_instance_place instance,
                         const struct sv_member *member, const char *text, const char **ret_why)
{
    (void)text;
    (void)ret_why;
    return played_command(cluster, instance, member, true);
}

bool sv_quorum_may_start(struct sv_cluster *cluster, const struct sv_member *member,
                         const char **ret_why)
{
    (void)member;
    *ret_why = "a copy may still run on far";
    return played_of(cluster)->may_start;
}

void sv_forced_say(struct sv_cluster *cluster, const struct sv_mesh_forced *forced)
{
    played_note(played_of(cluster), "!%s=%s", forced->name, sv_process_state_name(forced->state));
    struct sv_mesh_forced said = *forced;
    said.serial = cluster->model.forced_serial + 1;
    sv_model_force(cluster, cluster->local, &said);
}

void sv_forced_contradict(struct sv_cluster *cluster, const struct sv_member *member)
{
    played_note(played_of(cluster), "!%s is over", member->name);
}

/* ---- What happens ---- */

static inline struct sv_member *played_member(struct played *played, const char *application,
                                              const char *name)
{
    struct sv_application *found = sv_model_application(&played->cluster.model, application);
    struct sv_member *member = found ? sv_application_member(found, name) : NULL;
    assert_non_null(member);
    return member;
}

/* The instance tells this state. A start is now, by its clock. */
static inline void played_tell(struct played *played, sv_instance_place instance,
                               const char *application, const char *name,
                               enum sv_process_state state)
{
    struct sv_cluster *cluster = &played->cluster;
    struct sv_application *known = sv_model_application(&cluster->model, application);
    struct sv_member *member = known ? sv_application_member(known, name) : NULL;
    const struct sv_copy *copy = member ? sv_member_copy(member, instance) : NULL;
    struct sv_mesh_process row = copy ? copy->row : (struct sv_mesh_process){0};
    uint64_t now_ns = sv_instance_clock_ns(cluster, instance);
    row.application = application;
    row.name = name;
    row.program_name = name;
    row.state = state;
    row.is_expected = true;
    row.startsecs = 1;
    row.stopwaitsecs = 10;
    row.event_ns = now_ns + ++played->event_ns;
    if (state == SV_PROCESS_STARTING)
        row.start_ns = now_ns;
    if (sv_state_is_stopped(state) && row.start_ns > 0)
        row.stop_ns = now_ns;
    if (state == SV_PROCESS_STARTING && played->last_arguments)
        row.extra_arguments = played->last_arguments;
    sv_model_put(cluster, instance, &row);
}

static inline bool played_is(const char *name, const char *kind)
{
    return strncmp(name, kind, strlen(kind)) == 0;
}

static inline void played_obey(struct played *played, const struct played_command *command)
{
    const char *application = command->application;
    const char *name = command->name;
    if (played_is(name, "mute") || played->states[command->instance] != SV_INSTANCE_STATE_RUNNING)
        return;
    if (command->is_stop) {
        played_tell(played, command->instance, application, name, SV_PROCESS_STOPPING);
        if (!played_is(name, "stay"))
            played_tell(played, command->instance, application, name, SV_PROCESS_STOPPED);
        return;
    }
    played_tell(played, command->instance, application, name, SV_PROCESS_STARTING);
    if (played_is(name, "bad")) {
        played_tell(played, command->instance, application, name, SV_PROCESS_FATAL);
        return;
    }
    played_tell(played, command->instance, application, name, SV_PROCESS_RUNNING);
    if (played_is(name, "job"))
        played_tell(played, command->instance, application, name, SV_PROCESS_EXITED);
}

/* Everything that was commanded so far is done, and what follows from it. */
static inline void played_run(struct played *played)
{
    for (size_t i = 0; i < played->command_count; i++) {
        struct played_command command = played->commands[i];
        played_obey(played, &command);
    }
    played->command_count = 0;
}

static inline void played_wait(struct played *played, uint64_t seconds)
{
    struct sv_cluster *cluster = &played->cluster;
    cluster->now_ns += seconds * UINT64_C(1000000000);
    for (struct sv_heap_node *node = sv_heap_first(&cluster->timers);
         node && node->key <= cluster->now_ns; node = sv_heap_first(&cluster->timers)) {
        struct sv_timer *timer = (struct sv_timer *)(void *)node;
        sv_heap_remove(&cluster->timers, node);
        timer->fire(cluster, timer);
    }
}

static inline uint64_t played_ask(struct played *played, enum sv_cluster_request_kind kind,
                                  const char *name)
{
    struct sv_cluster_request request = {
        .id = ++played->request_count, .kind = kind, .name = name, .does_wait = true};
    sv_commander_request(&played->cluster, &request);
    return request.id;
}

static inline void played_lose(struct played *played, sv_instance_place instance)
{
    played->states[instance] = SV_INSTANCE_STATE_STOPPED;
    sv_model_lose(&played->cluster, instance);
}

static inline void played_expect(struct played *played, const char *trace)
{
    if (strcmp(sv_str_text(&played->trace), trace) != 0)
        fail_msg("wanted \"%s\"\n   got \"%s\"\n%s", trace, sv_str_text(&played->trace),
                 sv_str_text(&played->log));
    sv_str_clear(&played->trace);
    sv_str_clear(&played->log);
}

/* `programs`: "app:name app:name ..."; all three instances have them. */
static inline void played_init(struct played *played, const char *rules, const char *programs)
{
    static const char *const nicks[] = {"left", "right", "far"};
    static const char *const identifiers[] = {"left:9001", "right:9001", "far:9001"};
    memset(played, 0, sizeof(*played));
    played->timing.suspect_after = 1;
    played->config.conciliation_strategy = SV_CONCILIATION_STRATEGY_SENICIDE;
    played->machine = SV_SUPVISORS_STATE_OPERATION;
    played->is_master = true;
    played->may_start = true;
    struct sv_cluster *cluster = &played->cluster;
    cluster->supvisors = &played->config;
    cluster->timing = &played->timing;
    cluster->actions = &played->actions;
    cluster->names = played->names;
    cluster->instance_count = PLAYED_COUNT;
    cluster->now_ns = UINT64_C(100000000000);
    for (size_t i = 0; i < PLAYED_COUNT; i++) {
        played->states[i] = SV_INSTANCE_STATE_RUNNING;
        played->names[i] = (struct sv_instance_names){identifiers[i], nicks[i], NULL};
    }
    struct sv_str xml = {0};
    sv_str_addf(&xml, "<root>%s</root>", rules);
    struct sv_rules *loaded = fixture_rules(sv_str_text(&xml));
    sv_commander_new(cluster, loaded);
    sv_rules_unref(loaded);
    sv_str_done(&xml);
    for (const char *at = programs; *at;) {
        char application[32], name[32];
        int length = 0;
        assert_int_equal(sscanf(at, " %31[^: ]:%31[^ ]%n", application, name, &length), 2);
        for (sv_instance_place i = 0; i < PLAYED_COUNT; i++)
            played_tell(played, i, application, name, SV_PROCESS_STOPPED);
        at += length;
        at += strspn(at, " ");
    }
    played_expect(played, "");
}

static inline void played_done(struct played *played)
{
    sv_commander_free(&played->cluster);
    assert_int_equal(played->cluster.timer_count, 0);
    sv_heap_done(&played->cluster.timers);
    sv_arena_done(&played->cluster.texts);
    sv_cluster_actions_done(&played->actions);
    sv_str_done(&played->trace);
    sv_str_done(&played->log);
}

#endif
