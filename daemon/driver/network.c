/*
 * count_network: what a run and its group have sent and received, for those who ask.
 *
 * The counting is the kernel's (io/traffic.c). Here it is only said for which cgroups, and read:
 * for `svctl why`, the API and the certificate of a run. A run is counted before it is born, and
 * until its certificate is written; a group from its first run on, and as long as its directory
 * stands. Whatever an earlier daemon had counted goes on.
 */
#include "driver/internal.h"

static bool wants(const struct sv_limits *limits)
{
    const struct sv_limit_entry *entry = sv_limits_find(limits, SV_LIMIT_COUNT_NETWORK);
    return entry && entry->number == 1;
}

/* True when it is counted from now on. */
static bool count(struct sv_driver *driver, uint64_t cgroup_id, const char *name)
{
    bool has_cgroup = cgroup_id != 0;
    const char *why = has_cgroup
                          ? sv_kernel_count_traffic(driver->kernel, driver->keeper, cgroup_id)
                          : "programs have no cgroup of their own here";
    sv_limiter_watch(driver->limiter, SV_LIMIT_COUNT_NETWORK, name, why,
                     has_cgroup ? "start svisord as root, or with CAP_BPF, CAP_PERFMON and "
                                  "CAP_NET_ADMIN, with eBPF switched on"
                                : "see cgroup2 in `svctl kernel`");
    return why == NULL;
}

void sv_network_watch_group(struct sv_unit_group *group, const struct sv_cgroup_leaf *leaf)
{
    uint64_t id = leaf ? sv_cgroup_leaf_group_id(leaf) : 0;
    bool is_wanted = wants(group->limits);
    if (group->traffic_id != 0 && (group->traffic_id != id || !is_wanted))
        sv_network_leave_group(group);
    bool is_without_run = !leaf && group->driver->tree;
    if (!is_wanted || group->traffic_id != 0 || is_without_run)
        return;
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&name, "group %s", group->config->name);
    group->traffic_id = count(group->driver, id, sv_str_text(&name)) ? id : 0;
}

void sv_network_watch(struct sv_run *run)
{
    const struct sv_unit *unit = run->unit;
    bool is_wanted = wants(unit->limits);
    if (is_wanted && !run->is_traffic_counted)
        run->is_traffic_counted =
            count(unit->driver, run->leaf ? sv_cgroup_leaf_id(run->leaf) : 0, unit->config->name);
    else if (!is_wanted)
        sv_network_leave_run(run);
    sv_network_watch_group(unit->group, run->leaf);
}

/* When svisord alone goes, the next one reads on. */
void sv_network_leave_run(struct sv_run *run)
{
    const struct sv_driver *driver = run->unit->driver;
    if (run->is_traffic_counted && !driver->is_leaving)
        sv_kernel_forget_traffic(driver->kernel, sv_cgroup_leaf_id(run->leaf));
    run->is_traffic_counted = false;
}

void sv_network_leave_group(struct sv_unit_group *group)
{
    if (group->traffic_id != 0 && !group->is_left)
        sv_kernel_forget_traffic(group->driver->kernel, group->traffic_id);
    group->traffic_id = 0;
}

static bool read_run(const struct sv_run *run, struct sv_bpf_traffic *ret_sum)
{
    return run && run->is_traffic_counted && run->leaf &&
           sv_kernel_traffic(run->unit->driver->kernel, sv_cgroup_leaf_id(run->leaf), ret_sum);
}

static bool read_group(const struct sv_unit_group *group, struct sv_bpf_traffic *ret_sum)
{
    return group->traffic_id != 0 &&
           sv_kernel_traffic(group->driver->kernel, group->traffic_id, ret_sum);
}

void sv_network_certify(const struct sv_run *run, struct sv_death *death)
{
    struct sv_bpf_traffic sum;
    if (!read_run(run, &sum))
        return;
    sv_death_set(death, SV_DEATH_rx_bytes, (int64_t)sum.rx_bytes);
    sv_death_set(death, SV_DEATH_rx_packets, (int64_t)sum.rx_packets);
    sv_death_set(death, SV_DEATH_tx_bytes, (int64_t)sum.tx_bytes);
    sv_death_set(death, SV_DEATH_tx_packets, (int64_t)sum.tx_packets);
}

static void add_json(json_t *out, const char *prefix, const struct sv_bpf_traffic *sum)
{
    const struct {
        const char *key;
        uint64_t number;
    } rows[] = {
        {"rx_bytes", sum->rx_bytes},
        {"rx_packets", sum->rx_packets},
        {"tx_bytes", sum->tx_bytes},
        {"tx_packets", sum->tx_packets},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        struct sv_str key SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&key, "%s%s", prefix, rows[i].key);
        json_object_set_new(out, sv_str_text(&key), json_integer((json_int_t)rows[i].number));
    }
}

json_t *sv_network_json(const struct sv_unit *unit)
{
    struct sv_bpf_traffic sum;
    json_t *out = json_object();
    if (out && read_run(unit->run, &sum))
        add_json(out, "", &sum);
    if (out && read_group(unit->group, &sum))
        add_json(out, "group_", &sum);
    return out;
}

static void add_sentence(struct sv_str *out, const char *who, const struct sv_bpf_traffic *sum)
{
    sv_str_addf(out, " %s received ", who);
    sv_str_add_size(out, (int64_t)sum->rx_bytes);
    sv_str_addf(out, " in %llu %s and sent ", sum->rx_packets,
                sum->rx_packets == 1 ? "packet" : "packets");
    sv_str_add_size(out, (int64_t)sum->tx_bytes);
    sv_str_addf(out, " in %llu.", sum->tx_packets);
}

void sv_network_describe(const struct sv_unit *unit, struct sv_str *text)
{
    struct sv_bpf_traffic sum;
    if (read_run(unit->run, &sum))
        add_sentence(text, "It has", &sum);
    if (read_group(unit->group, &sum))
        add_sentence(text, "Its group has", &sum);
}
