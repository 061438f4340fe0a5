/*
 * Files of a cgroup that the kernel notifies about, polled for EPOLLPRI; nothing is asked by the
 * clock.
 *
 *     memory.events   a counter for each limit      pids.events   a counter of refused forks
 *     X.pressure      a trigger is written into it, and the kernel watches: kernel/sched/psi.c
 *
 * No file tells of throttling by cpu.max. But whoever is throttled waits with all of it for a
 * processor, which is cpu.pressure's "full"; so a trigger of that makes us read cpu.stat, and a
 * shortage is what has grown there. Waiting that has other causes shows no growth and is nothing.
 *
 * Traps:
 *   - A file of kernfs that has not been read is ready at the first poll: it is read at once, which
 * is also the moment from which the growth counts.
 *   - Counters are notified up to a hundred times a second while a program thrashes. A meter that
 * has reported is deaf until it is told to catch up, which reads what was missed: two wake-ups for
 * each thing that users hear of.
 *   - memory.events counts what happens below, too. That is right for a run (the program may have
 * made cgroups of its own), and for a group it is not: its directory has …events.local (memory
 * since 5.2, pids since 6.12 or so; before, pids.events of the leaf counted the refusals of all
 * limits above it, so that a run tells of them).
 *   - When the directory is removed, the file polls ready for ever and reads ENODEV. Such a meter
 * is switched off.
 *   - A window that is no multiple of 2 s needs CAP_SYS_RESOURCE, else EINVAL (since 6.5; before,
 * any trigger needed it).
 */
#include "io/meters.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/shortage.h"
#include "io/cgroup_tree.h"
#include "io/cgroup_walk.h"

enum {
    FILE_BYTES = 2048,
    COUNTERS_MAX = 3,
    TRIGGER_BYTES = 64,
    PERMYRIAD = 10000,
    US_PER_MS = 1000
};

/* A twentieth of ten seconds: the kernel's longest window, so that what goes on wakes us least. */
static const struct sv_pressure_bound throttle_bound = {
    .pressure = SV_PRESSURE_CPU, .is_full = true, .share_permyriad = 500, .window_ms = 10000};

struct counter {
    const char *key; /* NULL: the row is not used */
    enum sv_resource resource;
};

static const struct {
    const char *file;
    const char *group_file;
    struct counter counters[COUNTERS_MAX];
} kinds[] = {
    [SV_METER_MEMORY] = {"memory.events",
                         "memory.events.local",
                         {{"high", SV_RESOURCE_MEMORY_HIGH},
                          {"max", SV_RESOURCE_MEMORY_MAX},
                          {"oom_kill", SV_RESOURCE_OOM_KILL}}},
    [SV_METER_TASKS] = {"pids.events", "pids.events.local", {{"max", SV_RESOURCE_TASKS_MAX}}},
    [SV_METER_THROTTLE] = {"cpu.stat", "cpu.stat", {{"nr_throttled", SV_RESOURCE_CPU_THROTTLED}}},
};
_Static_assert(SV_ARRAY_LENGTH(kinds) == SV_METER_COUNT, "every meter has a row");

struct meter {
    struct meter *next;
    struct sv_meters *meters;
    enum sv_meter kind; /* SV_METER_COUNT: pressure */
    struct sv_pressure_bound bound;
    enum sv_meter_oom oom;
    int fd; /* what is polled */
    struct sv_source *source;
    uint64_t counts[COUNTERS_MAX]; /* reported */
    uint64_t waited_us;            /* likewise: throttled, or under pressure */
};

struct sv_meters {
    struct sv_loop *loop;
    int directory; /* borrowed of the leaf; of a group ours, which may be removed and made anew */
    enum sv_meters_scope scope;
    sv_meters_function function;
    void *user;
    struct meter *first;
};

/* --- reading --- */

/* The number behind "\nKEY" and one character; 0: it is not there. */
static uint64_t number_behind(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length, NULL, 10);
    return 0;
}

static void set_number(const struct meter *meter, const char *file, struct sv_shortage *shortage,
                       enum sv_resource_number number)
{
    char text[TRIGGER_BYTES];
    char *end;
    if (sv_cgroup_read(meter->meters->directory, file, text, sizeof(text)) < 0)
        return;
    intmax_t value = strtoimax(text, &end, 10);
    if (end != text && value >= 0) /* "max" is no number */
        shortage->numbers[number] = value;
}

static void set_numbers(const struct meter *meter, struct sv_shortage *shortage)
{
    switch (shortage->resource) {
    case SV_RESOURCE_MEMORY_HIGH:
        set_number(meter, "memory.high", shortage, SV_RESOURCE_NUMBER_limit_bytes);
        set_number(meter, "memory.current", shortage, SV_RESOURCE_NUMBER_usage_bytes);
        break;
    case SV_RESOURCE_MEMORY_MAX:
    case SV_RESOURCE_OOM_KILL:
        set_number(meter, "memory.max", shortage, SV_RESOURCE_NUMBER_limit_bytes);
        set_number(meter, "memory.current", shortage, SV_RESOURCE_NUMBER_usage_bytes);
        break;
    case SV_RESOURCE_TASKS_MAX:
        set_number(meter, "pids.max", shortage, SV_RESOURCE_NUMBER_limit_tasks);
        set_number(meter, "pids.current", shortage, SV_RESOURCE_NUMBER_tasks);
        break;
    case SV_RESOURCE_CPU_THROTTLED:
        set_number(meter, "cpu.max", shortage, SV_RESOURCE_NUMBER_quota_us);
        break;
    case SV_RESOURCE_CPU_PRESSURE:
    case SV_RESOURCE_MEMORY_PRESSURE:
    case SV_RESOURCE_IO_PRESSURE:
    case SV_RESOURCE_FORK_RATE:
    case SV_RESOURCE_COUNT:
        break;
    }
}

/* The time that has been waited since the last call. */
static int64_t growth(struct meter *meter, uint64_t waited_us)
{
    uint64_t before = meter->waited_us;
    meter->waited_us = waited_us;
    return waited_us > before ? (int64_t)(waited_us - before) : 0;
}

/* Negative errno: the file is gone. The throttled cgroup's numbers are in another file than the one
 * that is polled. */
static int read_text(const struct meter *meter, char text[FILE_BYTES])
{
    if (meter->kind == SV_METER_THROTTLE)
        return (int)sv_cgroup_read(meter->meters->directory, kinds[meter->kind].file, text,
                                   FILE_BYTES);
    ssize_t length = pread(meter->fd, text, FILE_BYTES - 1, 0);
    if (length < 0)
        return -errno;
    text[length] = '\0';
    return (int)length;
}

/* One counter has grown since it was reported, or not. */
static struct sv_shortage count_one(struct meter *meter, unsigned row, const char *text)
{
    const struct counter *counter = &kinds[meter->kind].counters[row];
    uint64_t count = number_behind(text, counter->key);
    uint64_t before = meter->counts[row];
    meter->counts[row] = count;
    struct sv_shortage shortage =
        sv_shortage_of(counter->resource, count > before ? count - before : 0);
    shortage.is_of_group = meter->meters->scope == SV_METERS_GROUP;
    if (shortage.count == 0)
        return shortage;
    set_numbers(meter, &shortage);
    if (meter->kind == SV_METER_THROTTLE)
        shortage.numbers[SV_RESOURCE_NUMBER_throttled_us] =
            growth(meter, number_behind(text, "throttled_usec"));
    return shortage;
}

/* Reports what has grown, and adds to `sum` what belongs there. True if it did either. */
static bool count_all(struct meter *meter, const char *text, struct sv_shortage *sum)
{
    bool has_grown = false;
    for (unsigned row = 0; row < COUNTERS_MAX; row++) {
        const struct counter *counter = &kinds[meter->kind].counters[row];
        if (!counter->key ||
            (counter->resource == SV_RESOURCE_OOM_KILL && meter->oom == SV_METER_OOM_UNTOLD))
            continue;
        struct sv_shortage shortage = count_one(meter, row, text);
        if (shortage.count == 0)
            continue;
        has_grown = true;
        if (sum && sum->resource == shortage.resource)
            sv_shortage_merge(sum, &shortage);
        else
            meter->meters->function(meter->meters->user, &shortage);
    }
    return has_grown;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull …" */
static uint64_t total_of(const char *text, bool is_full)
{
    const char *line = strstr(text, is_full ? "full " : "some ");
    const char *at = line ? strstr(line, "total=") : NULL;
    return at ? strtoull(at + strlen("total="), NULL, 10) : 0;
}

static void report_pressure(struct meter *meter, const char *text)
{
    static const enum sv_resource resources[] = {
        [SV_PRESSURE_CPU] = SV_RESOURCE_CPU_PRESSURE,
        [SV_PRESSURE_MEMORY] = SV_RESOURCE_MEMORY_PRESSURE,
        [SV_PRESSURE_IO] = SV_RESOURCE_IO_PRESSURE,
    };
    struct sv_shortage shortage = sv_shortage_of(resources[meter->bound.pressure], 1);
    shortage.is_of_group = meter->meters->scope == SV_METERS_GROUP;
    shortage.numbers[SV_RESOURCE_NUMBER_full] = meter->bound.is_full;
    shortage.numbers[SV_RESOURCE_NUMBER_bound] = meter->bound.share_permyriad;
    shortage.numbers[SV_RESOURCE_NUMBER_window_ms] = meter->bound.window_ms;
    shortage.numbers[SV_RESOURCE_NUMBER_stalled_us] =
        growth(meter, total_of(text, meter->bound.is_full));
    meter->meters->function(meter->meters->user, &shortage);
}

static void on_event(void *user, int fd, uint32_t events)
{
    (void)fd;
    struct meter *meter = user;
    bool is_trigger = meter->kind == SV_METER_COUNT || meter->kind == SV_METER_THROTTLE;
    char text[FILE_BYTES];
    if (read_text(meter, text) < 0 || (is_trigger && events & EPOLLERR)) {
        sv_source_enable(meter->source, false);
        return;
    }
    if (meter->kind == SV_METER_COUNT) {
        report_pressure(meter, text);
        return;
    }
    bool is_deaf = !is_trigger && meter->oom != SV_METER_OOM_PROMPT;
    if (count_all(meter, text, NULL) && is_deaf)
        sv_source_enable(meter->source, false);
}

/* --- opening --- */

static int open_counters(const struct meter *meter)
{
    bool is_group = meter->meters->scope == SV_METERS_GROUP;
    const char *file = is_group ? kinds[meter->kind].group_file : kinds[meter->kind].file;
    int fd = openat(meter->meters->directory, file, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int open_trigger(const struct meter *meter)
{
    char text[TRIGGER_BYTES];
    const struct sv_pressure_bound *bound = &meter->bound;
    snprintf(text, sizeof(text), "%s.pressure", sv_pressure_name(bound->pressure));
    int fd = openat(meter->meters->directory, text, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    uint64_t window_us = (uint64_t)bound->window_ms * US_PER_MS;
    uint64_t threshold_us = window_us * bound->share_permyriad / PERMYRIAD;
    int length = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64,
                          bound->is_full ? "full" : "some", threshold_us, window_us);
    if (write(fd, text, (size_t)length + 1) >= 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

static void free_meter(struct meter *meter)
{
    sv_source_free(meter->source);
    if (meter->fd >= 0)
        close(meter->fd);
    free(meter);
}

/* What has been counted before svisord looked: of a fresh run it is news. */
static void begin(struct meter *meter)
{
    char text[FILE_BYTES];
    if (read_text(meter, text) < 0)
        return;
    if (meter->kind == SV_METER_COUNT) {
        meter->waited_us = total_of(text, meter->bound.is_full);
        return;
    }
    if (meter->meters->scope == SV_METERS_FRESH) {
        count_all(meter, text, NULL);
        return;
    }
    for (unsigned row = 0; row < COUNTERS_MAX; row++)
        if (kinds[meter->kind].counters[row].key)
            meter->counts[row] = number_behind(text, kinds[meter->kind].counters[row].key);
    meter->waited_us = number_behind(text, "throttled_usec");
}

static int add(struct sv_meters *meters, const struct meter *draft)
{
    struct meter *meter = malloc(sizeof(*meter));
    if (!meter)
        return -ENOMEM;
    *meter = *draft;
    meter->meters = meters;
    bool is_trigger = meter->kind == SV_METER_COUNT || meter->kind == SV_METER_THROTTLE;
    meter->fd = is_trigger ? open_trigger(meter) : open_counters(meter);
    int r = meter->fd < 0 ? meter->fd : 0;
    if (r == 0)
        begin(meter);
    if (r == 0)
        r = sv_loop_add_io(meters->loop, meter->fd, EPOLLPRI, SV_PRIORITY_EXIT, on_event, meter,
                           &meter->source);
    if (r < 0) {
        free_meter(meter);
        return r;
    }
    meter->next = meters->first;
    meters->first = meter;
    return 0;
}

int sv_meters_add(struct sv_meters *meters, enum sv_meter kind, enum sv_meter_oom oom)
{
    struct meter meter = {.kind = kind, .oom = oom, .bound = throttle_bound};
    return add(meters, &meter);
}

int sv_meters_add_pressure(struct sv_meters *meters, const struct sv_pressure_bound *bound)
{
    struct meter meter = {.kind = SV_METER_COUNT, .bound = *bound};
    return add(meters, &meter);
}

/* --- life --- */

struct sv_meters *sv_meters_new(struct sv_loop *loop, const struct sv_cgroup_leaf *leaf,
                                enum sv_meters_scope scope, sv_meters_function function, void *user)
{
    struct sv_meters *meters = malloc(sizeof(*meters));
    if (!meters)
        return NULL;
    *meters = (struct sv_meters){.loop = loop, .scope = scope, .function = function, .user = user};
    bool is_group = scope == SV_METERS_GROUP;
    meters->directory = is_group ? fcntl(sv_cgroup_leaf_group(leaf)->fd, F_DUPFD_CLOEXEC, 0)
                                 : sv_cgroup_leaf_fd(leaf);
    return meters;
}

void sv_meters_free(struct sv_meters *meters)
{
    if (!meters)
        return;
    while (meters->first) {
        struct meter *meter = meters->first;
        meters->first = meter->next;
        free_meter(meter);
    }
    if (meters->scope == SV_METERS_GROUP && meters->directory >= 0)
        close(meters->directory);
    free(meters);
}

static bool counts_resource(const struct meter *meter, enum sv_resource resource)
{
    for (unsigned row = 0; meter->kind != SV_METER_COUNT && row < COUNTERS_MAX; row++) {
        const struct counter *counter = &kinds[meter->kind].counters[row];
        if (counter->key && counter->resource == resource)
            return true;
    }
    return false;
}

void sv_meters_catch_up(struct sv_meters *meters, struct sv_shortage *sum)
{
    char text[FILE_BYTES];
    for (struct meter *meter = meters->first; meter; meter = meter->next) {
        if (!counts_resource(meter, sum->resource) || read_text(meter, text) < 0)
            continue;
        count_all(meter, text, sum);
        sv_source_enable(meter->source, true);
    }
}

void sv_meters_read(struct sv_meters *meters)
{
    char text[FILE_BYTES];
    for (struct meter *meter = meters->first; meter; meter = meter->next)
        if (meter->kind != SV_METER_COUNT && read_text(meter, text) >= 0)
            count_all(meter, text, NULL);
}
