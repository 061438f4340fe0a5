/*
 * A shortage for people and for programs:
 *
 *     web: its memory reached memory_max, 64.0 MiB, 12 times within 1.0 s
 *
 *     processname:web groupname:web run:3 pid:815 resource:MEMORY_MAX count:12
 *     {"resource":"MEMORY_MAX","count":12,"first_ms":…,"limit_bytes":67108864,…}
 *
 * What the group's own limit did has no processname, run and pid.
 */
#include "wire/shortage.h"

#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/shortage.h"
#include "wire/listener.h"
#include "wire/xmlrpc.h"

enum { NS_PER_MS = 1000000, TENTH_NS = 100000000, US_PER_MS = 1000, MS_PER_SECOND = 1000 };

static int64_t number_of(const struct sv_shortage_report *report, enum sv_resource_number number)
{
    return report->sum.numbers[number];
}

/* --- words --- */

/* " 12 times within 1.0 s", nothing for once. */
static void add_times(const struct sv_shortage_report *report, struct sv_str *out)
{
    if (report->sum.count < 2)
        return;
    double seconds = (double)(report->last_wall_ns - report->first_wall_ns) / 1e9;
    sv_str_addf(out, ", %" PRIu64 " times", report->sum.count);
    if (report->last_wall_ns - report->first_wall_ns >= TENTH_NS)
        sv_str_addf(out, " within %.1f s", seconds);
}

static void add_limit(const struct sv_shortage_report *report, struct sv_str *out)
{
    int64_t limit = number_of(report, SV_RESOURCE_NUMBER_limit_bytes);
    if (limit == SV_RESOURCE_UNKNOWN)
        return;
    sv_str_add(out, ", ");
    sv_str_add_size(out, limit);
}

static void say_oom_kill(const struct sv_shortage_report *report, struct sv_str *out)
{
    int64_t victim = number_of(report, SV_RESOURCE_NUMBER_victim);
    if (report->sum.count == 1)
        sv_str_add(out, "the kernel's OOM killer took a process of it");
    else
        sv_str_addf(out, "the kernel's OOM killer took %" PRIu64 " processes of it",
                    report->sum.count);
    if (victim != SV_RESOURCE_UNKNOWN)
        sv_str_addf(out, report->sum.count == 1 ? ", pid %" PRId64 : ", the last one pid %" PRId64,
                    victim);
}

static void say_memory_max(const struct sv_shortage_report *report, struct sv_str *out)
{
    sv_str_add(out, "its memory reached memory_max");
    add_limit(report, out);
    add_times(report, out);
}

static void say_memory_high(const struct sv_shortage_report *report, struct sv_str *out)
{
    sv_str_add(out, "it was slowed down, for its memory was above memory_high");
    add_limit(report, out);
    add_times(report, out);
}

static void say_throttled(const struct sv_shortage_report *report, struct sv_str *out)
{
    int64_t throttled_us = number_of(report, SV_RESOURCE_NUMBER_throttled_us);
    int64_t quota_us = number_of(report, SV_RESOURCE_NUMBER_quota_us);
    sv_str_add(out, "it had to wait for its cpu_quota");
    if (quota_us != SV_RESOURCE_UNKNOWN)
        sv_str_addf(out, ", %g%%", (double)quota_us / MS_PER_SECOND);
    sv_str_addf(out, ", in %" PRIu64 " periods of 100 ms", report->sum.count);
    if (throttled_us != SV_RESOURCE_UNKNOWN)
        sv_str_addf(out, ", for %.1f s together", (double)throttled_us / 1e6);
}

static void say_tasks_max(const struct sv_shortage_report *report, struct sv_str *out)
{
    int64_t limit = number_of(report, SV_RESOURCE_NUMBER_limit_tasks);
    sv_str_add(out, "it could not fork, for tasks_max was reached");
    if (limit != SV_RESOURCE_UNKNOWN)
        sv_str_addf(out, ", %" PRId64, limit);
    add_times(report, out);
}

static const char *waited_for(enum sv_resource resource)
{
    if (resource == SV_RESOURCE_CPU_PRESSURE)
        return "a processor";
    return resource == SV_RESOURCE_MEMORY_PRESSURE ? "memory" : "input or output";
}

static void say_pressure(const struct sv_shortage_report *report, struct sv_str *out)
{
    int64_t stalled_us = number_of(report, SV_RESOURCE_NUMBER_stalled_us);
    bool is_full = number_of(report, SV_RESOURCE_NUMBER_full) == 1;
    sv_str_addf(out, "%s of it waited for %s", is_full ? "all" : "some",
                waited_for(report->sum.resource));
    sv_str_addf(out, " for more than %g%% of %g s",
                (double)number_of(report, SV_RESOURCE_NUMBER_bound) / 100,
                (double)number_of(report, SV_RESOURCE_NUMBER_window_ms) / MS_PER_SECOND);
    if (stalled_us != SV_RESOURCE_UNKNOWN)
        sv_str_addf(out, ", %.1f s since svisord looked last", (double)stalled_us / 1e6);
}

static void say_fork_rate(const struct sv_shortage_report *report, struct sv_str *out)
{
    int64_t window_ms = number_of(report, SV_RESOURCE_NUMBER_window_ms);
    const char *unit = window_ms == MS_PER_SECOND ? "second" : "minute";
    sv_str_addf(out, "it forked %" PRId64 " processes in a %s, and fork_rate_warn is %" PRId64,
                number_of(report, SV_RESOURCE_NUMBER_forks), unit,
                number_of(report, SV_RESOURCE_NUMBER_bound));
    add_times(report, out);
}

typedef void (*say_function)(const struct sv_shortage_report *report, struct sv_str *out);

static const say_function sayers[] = {
    [SV_RESOURCE_OOM_KILL] = say_oom_kill,        [SV_RESOURCE_MEMORY_MAX] = say_memory_max,
    [SV_RESOURCE_MEMORY_HIGH] = say_memory_high,  [SV_RESOURCE_CPU_THROTTLED] = say_throttled,
    [SV_RESOURCE_TASKS_MAX] = say_tasks_max,      [SV_RESOURCE_CPU_PRESSURE] = say_pressure,
    [SV_RESOURCE_MEMORY_PRESSURE] = say_pressure, [SV_RESOURCE_IO_PRESSURE] = say_pressure,
    [SV_RESOURCE_FORK_RATE] = say_fork_rate,
};
_Static_assert(SV_ARRAY_LENGTH(sayers) == SV_RESOURCE_COUNT, "every resource has its words");

void sv_shortage_sentence(const struct sv_shortage_report *report, struct sv_str *out)
{
    sayers[report->sum.resource](report, out);
}

/* --- JSON and payload --- */

json_t *sv_shortage_json(const struct sv_shortage_report *report)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_shortage_sentence(report, &text);
    json_t *object = json_pack(
        "{s:s, s:o, s:I, s:I, s:I, s:s}", "resource", sv_resource_name(report->sum.resource),
        "text", sv_wire_string(sv_str_text(&text), text.length), "count",
        (json_int_t)report->sum.count, "first_ms", (json_int_t)(report->first_wall_ns / NS_PER_MS),
        "last_ms", (json_int_t)(report->last_wall_ns / NS_PER_MS), "group", report->group);
    if (object && report->name) {
        json_object_set_new(object, "name", json_string(report->name));
        json_object_set_new(object, "run", json_integer(report->run));
        json_object_set_new(object, "pid", json_integer(report->pid));
    }
    for (unsigned i = 0; object && i < SV_RESOURCE_NUMBER_COUNT; i++) {
        int64_t value = report->sum.numbers[i];
        const char *key = sv_resource_number_name((enum sv_resource_number)i);
        if (value != SV_RESOURCE_UNKNOWN)
            json_object_set_new(object, key,
                                i == SV_RESOURCE_NUMBER_full ? json_boolean(value != 0)
                                                             : json_integer(value));
    }
    return object;
}

void sv_shortage_payload(const struct sv_shortage_report *report, struct sv_str *ret_payload)
{
    if (report->name)
        sv_str_addf(ret_payload, "processname:%s groupname:%s run:%" PRIu32 " pid:%" PRId32,
                    report->name, report->group, report->run, report->pid);
    else
        sv_str_addf(ret_payload, "groupname:%s", report->group);
    sv_str_addf(ret_payload, " resource:%s count:%" PRIu64, sv_resource_name(report->sum.resource),
                report->sum.count);
    sv_payload_add_json(ret_payload, sv_shortage_json(report));
}
