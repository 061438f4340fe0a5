/*
 * Supvisors 0.19, statscompiler.py, HostStatisticsInstance, number by number.
 *
 * The first sample is the reference; the first one that is at least a period younger ends the
 * period and is the next reference. Processors are compared in their order, the average of all
 * counting as one more in front of them. Devices come and go, so each has times of its own: one
 * that is missing in a period, or whose counters went back, loses its history; a new one begins
 * with its first rate.
 */
#include "core/statistics/host_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A copy of what the next difference needs of a sample. */
struct sv_host_reference {
    uint64_t now_ns;
    struct sv_cpu_times *cpus;
    size_t cpu_count;
    struct sv_traffic_counters *interfaces, *disks; /* names owned */
    size_t interface_count, disk_count;
};

static void free_counters(struct sv_traffic_counters *counters, size_t count)
{
    for (size_t i = 0; counters && i < count; i++)
        free((char *)counters[i].name);
    free(counters);
}

static void reference_free(struct sv_host_reference *reference)
{
    if (!reference)
        return;
    free_counters(reference->interfaces, reference->interface_count);
    free_counters(reference->disks, reference->disk_count);
    free(reference->cpus);
    free(reference);
}

static bool copy_counters(const struct sv_traffic_counters *from, size_t count,
                          struct sv_traffic_counters **ret, size_t *ret_count)
{
    *ret = calloc(count + 1, sizeof(**ret));
    for (size_t i = 0; *ret && i < count; i++) {
        (*ret)[i] = from[i];
        (*ret)[i].name = strdup(from[i].name);
        *ret_count = i + 1;
        if (!(*ret)[i].name)
            return false;
    }
    return *ret;
}

static struct sv_host_reference *reference_new(const struct sv_host_sample *sample)
{
    struct sv_host_reference *copy = calloc(1, sizeof(*copy));
    if (!copy)
        return NULL;
    copy->now_ns = sample->now_ns;
    copy->cpus = calloc(sample->cpu_count + 1, sizeof(*copy->cpus));
    if (!copy->cpus ||
        !copy_counters(sample->interfaces, sample->interface_count, &copy->interfaces,
                       &copy->interface_count) ||
        !copy_counters(sample->disks, sample->disk_count, &copy->disks, &copy->disk_count)) {
        reference_free(copy);
        return NULL;
    }
    for (size_t i = 0; i < sample->cpu_count; i++)
        copy->cpus[i] = sample->cpus[i];
    copy->cpu_count = sample->cpu_count;
    return copy;
}

static void histories_done(struct sv_device_histories *histories)
{
    for (size_t i = 0; i < histories->count; i++) {
        free(histories->items[i].name);
        sv_ring_done(&histories->items[i].moments);
    }
    free(histories->items);
    *histories = (struct sv_device_histories){0};
}

void sv_host_history_init(struct sv_host_history *history, double period, uint32_t depth)
{
    *history = (struct sv_host_history){
        .period = period,
        .depth = depth,
        .moments = {.element_bytes = sizeof(struct sv_host_moment)},
    };
}

static void free_last(struct sv_host_history *history)
{
    free((double *)history->last.cpus_percent);
    free((struct sv_traffic_rate *)history->last.interfaces);
    free((struct sv_traffic_rate *)history->last.disks);
    free((struct sv_partition_share *)history->last.partitions);
    history->last = (struct sv_host_statistics){0};
}

void sv_host_history_done(struct sv_host_history *history)
{
    free_last(history);
    reference_free(history->reference);
    sv_ring_done(&history->moments);
    sv_ring_done(&history->cpus);
    histories_done(&history->interfaces);
    histories_done(&history->disks);
    histories_done(&history->partitions);
    *history = (struct sv_host_history){0};
}

static double load_percent(double work, double idle)
{
    double total = work + idle;
    return total > 0 ? 100.0 * work / total : 0.0;
}

/* Ticks may go back by one on some kernels (idle time of a processor that sleeps). */
static double ticks_between(uint64_t from, uint64_t to)
{
    return to > from ? (double)(to - from) : 0.0;
}

static const double *compare_cpus(const struct sv_host_reference *reference,
                                  const struct sv_host_sample *sample, size_t *ret_count)
{
    size_t count =
        sample->cpu_count < reference->cpu_count ? sample->cpu_count : reference->cpu_count;
    double *percent = calloc(count + 1, sizeof(*percent));
    double work_sum = 0, idle_sum = 0;
    for (size_t i = 0; percent && i < count; i++) {
        double work = ticks_between(reference->cpus[i].work_ticks, sample->cpus[i].work_ticks);
        double idle = ticks_between(reference->cpus[i].idle_ticks, sample->cpus[i].idle_ticks);
        percent[i + 1] = load_percent(work, idle);
        work_sum += work;
        idle_sum += idle;
    }
    if (percent)
        percent[0] = load_percent(work_sum, idle_sum);
    *ret_count = count + 1;
    return percent;
}

/* Names come in the same order nearly always: the search begins where the other one stands. */
static const struct sv_traffic_counters *find_counters(const struct sv_traffic_counters *counters,
                                                       size_t count, const char *name, size_t hint)
{
    for (size_t i = 0; i < count; i++) {
        const struct sv_traffic_counters *candidate = &counters[(hint + i) % count];
        if (strcmp(candidate->name, name) == 0)
            return candidate;
    }
    return NULL;
}

struct counter_list {
    const struct sv_traffic_counters *items;
    size_t count;
};

static const struct sv_traffic_rate *compare_counters(struct counter_list before,
                                                      struct counter_list now, double duration,
                                                      size_t *ret_count)
{
    struct sv_traffic_rate *rates = calloc(now.count + 1, sizeof(*rates));
    size_t count = 0;
    for (size_t i = 0; rates && i < now.count; i++) {
        const struct sv_traffic_counters *last = &now.items[i];
        const struct sv_traffic_counters *reference =
            find_counters(before.items, before.count, last->name, i);
        if (!reference || last->in_bytes < reference->in_bytes ||
            last->out_bytes < reference->out_bytes)
            continue;
        rates[count++] = (struct sv_traffic_rate){
            .name = last->name,
            .in_kibits = (double)(last->in_bytes - reference->in_bytes) / duration / 128,
            .out_kibits = (double)(last->out_bytes - reference->out_bytes) / duration / 128,
        };
    }
    *ret_count = count;
    return rates;
}

static const struct sv_partition_share *list_partitions(const struct sv_host_sample *sample)
{
    struct sv_partition_share *shares = calloc(sample->partition_count + 1, sizeof(*shares));
    for (size_t i = 0; shares && i < sample->partition_count; i++)
        shares[i] = (struct sv_partition_share){.mount_point = sample->partitions[i].mount_point,
                                                .used_percent = sample->partitions[i].used_percent};
    return shares;
}

static bool compare(struct sv_host_history *history, const struct sv_host_sample *sample,
                    double duration)
{
    const struct sv_host_reference *reference = history->reference;
    struct sv_host_statistics *last = &history->last;
    free_last(history);
    last->target_period = history->period;
    last->start = (double)(reference->now_ns - history->start_ns) / 1e9;
    last->end = (double)(sample->now_ns - history->start_ns) / 1e9;
    last->memory_percent = sample->memory_percent;
    last->cpus_percent = compare_cpus(reference, sample, &last->cpu_count);
    last->interfaces =
        compare_counters((struct counter_list){reference->interfaces, reference->interface_count},
                         (struct counter_list){sample->interfaces, sample->interface_count},
                         duration, &last->interface_count);
    last->disks = compare_counters((struct counter_list){reference->disks, reference->disk_count},
                                   (struct counter_list){sample->disks, sample->disk_count},
                                   duration, &last->disk_count);
    last->partitions = list_partitions(sample);
    last->partition_count = sample->partition_count;
    return last->cpus_percent && last->interfaces && last->disks && last->partitions;
}

/* --- the history --- */

struct device_value {
    const char *name;
    struct sv_device_moment moment;
};

static struct sv_device_history *find_history(struct sv_device_histories *histories,
                                              const char *name, size_t hint)
{
    for (size_t i = 0; i < histories->count; i++) {
        struct sv_device_history *item = &histories->items[(hint + i) % histories->count];
        if (strcmp(item->name, name) == 0)
            return item;
    }
    return NULL;
}

static struct sv_device_history *add_history(struct sv_device_histories *histories,
                                             const char *name)
{
    struct sv_device_history *items =
        reallocarray(histories->items, histories->count + 1, sizeof(*items));
    if (!items)
        return NULL;
    histories->items = items;
    items[histories->count] = (struct sv_device_history){
        .name = strdup(name), .moments = {.element_bytes = sizeof(struct sv_device_moment)}};
    return items[histories->count].name ? &items[histories->count++] : NULL;
}

/* Histories whose last moment is not of this time are of devices that are gone. */
static void forget_gone(struct sv_device_histories *histories, double seconds)
{
    size_t kept = 0;
    for (size_t i = 0; i < histories->count; i++) {
        struct sv_device_history *item = &histories->items[i];
        const struct sv_device_moment *last =
            item->moments.count ? sv_ring_at(&item->moments, item->moments.count - 1) : NULL;
        if (last && last->seconds >= seconds) {
            histories->items[kept++] = *item;
        } else {
            free(item->name);
            sv_ring_done(&item->moments);
        }
    }
    histories->count = kept;
}

static int push_device(struct sv_device_histories *histories, uint32_t depth,
                       const struct device_value *value, size_t hint)
{
    struct sv_device_history *history = find_history(histories, value->name, hint);
    if (!history)
        history = add_history(histories, value->name);
    return history ? sv_ring_push(&history->moments, depth, &value->moment) : -ENOMEM;
}

static int push_rates(struct sv_device_histories *histories, uint32_t depth, double seconds,
                      const struct sv_traffic_rate *rates, size_t count)
{
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        struct device_value value = {
            rates[i].name, {seconds, {(float)rates[i].in_kibits, (float)rates[i].out_kibits}}};
        r = push_device(histories, depth, &value, i);
    }
    forget_gone(histories, seconds);
    return r;
}

static int push_partitions(struct sv_host_history *history, const struct sv_host_statistics *last)
{
    int r = 0;
    for (size_t i = 0; i < last->partition_count && r == 0; i++) {
        struct device_value value = {last->partitions[i].mount_point,
                                     {last->end, {(float)last->partitions[i].used_percent, 0}}};
        r = push_device(&history->partitions, history->depth, &value, i);
    }
    forget_gone(&history->partitions, last->end);
    return r;
}

/* A processor that was switched off since the first sample counts as idle; a new one is not kept.
 */
static int push_cpus(struct sv_host_history *history, const struct sv_host_statistics *last)
{
    float *values = calloc(history->cpu_count, sizeof(*values));
    if (!values)
        return -ENOMEM;
    for (size_t i = 0; i < history->cpu_count && i < last->cpu_count; i++)
        values[i] = (float)last->cpus_percent[i];
    int r = sv_ring_push(&history->cpus, history->depth, values);
    free(values);
    return r;
}

static int keep(struct sv_host_history *history, const struct sv_host_statistics *last)
{
    struct sv_host_moment moment = {last->end, (float)last->memory_percent};
    int r = push_cpus(history, last);
    if (r == 0)
        r = sv_ring_push(&history->moments, history->depth, &moment);
    if (r == 0)
        r = push_rates(&history->interfaces, history->depth, last->end, last->interfaces,
                       last->interface_count);
    if (r == 0)
        r = push_rates(&history->disks, history->depth, last->end, last->disks, last->disk_count);
    return r == 0 ? push_partitions(history, last) : r;
}

static int begin(struct sv_host_history *history, const struct sv_host_sample *sample)
{
    history->reference = reference_new(sample);
    if (!history->reference)
        return -ENOMEM;
    history->start_ns = sample->now_ns;
    history->cpu_count = sample->cpu_count + 1;
    history->cpus.element_bytes = history->cpu_count * sizeof(float);
    return 0;
}

int sv_host_history_push(struct sv_host_history *history, const struct sv_host_sample *sample,
                         struct sv_host_statistics *ret)
{
    if (!history->reference)
        return begin(history, sample);
    double duration = (double)(sample->now_ns - history->reference->now_ns) / 1e9;
    if (duration < history->period)
        return 0;
    struct sv_host_reference *next = reference_new(sample);
    if (!next || !compare(history, sample, duration) || keep(history, &history->last) < 0) {
        reference_free(next);
        return -ENOMEM;
    }
    reference_free(history->reference);
    history->reference = next;
    *ret = history->last;
    return SV_HISTORY_GREW;
}
