/* What every module of core/cluster needs: texts, timers, and the words to the driver. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/cluster/members.h"

static const char *format_text(struct sv_cluster *cluster, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        abort();
    char *text = sv_arena_alloc(&cluster->texts, (size_t)length + 1, 1);
    if (!text)
        abort();
    vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

const char *sv_text(struct sv_cluster *cluster, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = format_text(cluster, format, arguments);
    va_end(arguments);
    return text;
}

/* splitmix64 (public domain, Sebastiano Vigna). */
uint64_t sv_random(struct sv_cluster *cluster, uint64_t bound)
{
    uint64_t value = cluster->random += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    value ^= value >> 31;
    return bound ? value % bound : 0;
}

void sv_timer_init(struct sv_cluster *cluster, struct sv_timer *timer,
                   void (*fire)(struct sv_cluster *cluster, struct sv_timer *timer))
{
    *timer = (struct sv_timer){.fire = fire, .node.tie = cluster->next_tie++};
    cluster->timer_count++;
    if (sv_heap_reserve(&cluster->timers, cluster->timer_count) < 0)
        abort();
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

static struct sv_cluster_action *notice(struct sv_cluster *cluster, enum sv_cluster_notice what,
                                        const char *application, const char *name)
{
    struct sv_cluster_action *action = sv_cluster_actions_add(cluster->actions, SV_CLUSTER_NOTICE);
    action->instance = SV_INSTANCE_NONE;
    action->notice.what = what;
    action->notice.application = application;
    action->notice.name = name;
    return action;
}

void sv_decide(struct sv_cluster *cluster, enum sv_log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = format_text(cluster, format, arguments);
    va_end(arguments);
    sv_decide_about(cluster, level, &(struct sv_subject){.instance = SV_INSTANCE_NONE}, text);
}

void sv_decide_about(struct sv_cluster *cluster, enum sv_log_level level,
                     const struct sv_subject *subject, const char *text)
{
    bool has_application = subject->application != NULL;
    struct sv_cluster_action *action =
        notice(cluster, SV_CLUSTER_NOTICE_LOG,
               has_application ? sv_text(cluster, "%s", subject->application) : NULL,
               has_application ? sv_text(cluster, "%s", subject->name) : NULL);
    action->instance = subject->instance;
    action->notice.level = level;
    action->notice.text = sv_text(cluster, "%s", text);
}

void sv_notice_application(struct sv_cluster *cluster, const char *application)
{
    notice(cluster, SV_CLUSTER_NOTICE_APPLICATION, sv_text(cluster, "%s", application), NULL);
}

void sv_notice_process(struct sv_cluster *cluster, const char *application, const char *name,
                       sv_instance_place instance, enum sv_process_news news)
{
    struct sv_cluster_action *action =
        notice(cluster, SV_CLUSTER_NOTICE_PROCESS, sv_text(cluster, "%s", application),
               sv_text(cluster, "%s", name));
    action->instance = instance;
    action->notice.news = news;
}

void sv_notice_instance(struct sv_cluster *cluster, sv_instance_place instance)
{
    notice(cluster, SV_CLUSTER_NOTICE_INSTANCE, NULL, NULL)->instance = instance;
}

void sv_notice_modes(struct sv_cluster *cluster)
{
    notice(cluster, SV_CLUSTER_NOTICE_MODES, NULL, NULL)->instance = cluster->local;
}

void sv_answer(struct sv_cluster *cluster, uint64_t id, int fault, const char *text, bool value)
{
    struct sv_cluster_action *action = sv_cluster_actions_add(cluster->actions, SV_CLUSTER_ANSWER);
    action->instance = SV_INSTANCE_NONE;
    action->answer.id = id;
    action->answer.fault = fault;
    action->answer.text = sv_text(cluster, "%s", text ? text : "");
    action->answer.value = value;
}

struct sv_mesh_message *sv_send(struct sv_cluster *cluster, sv_instance_place to,
                                enum sv_mesh_kind kind)
{
    struct sv_cluster_action *action = sv_cluster_actions_add(cluster->actions, SV_CLUSTER_SEND);
    action->instance = to;
    action->message.kind = kind;
    action->message.incarnation = cluster->incarnation;
    return &action->message;
}
