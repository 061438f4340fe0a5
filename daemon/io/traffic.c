/*
 * The network counters: one map, and two links that fill it, whoever holds their descriptors.
 *
 * A link of a cgroup program lives while somebody has a descriptor of it, and so does a map. The
 * keeper has them all under one key, so that counting goes on while no daemon runs; the next one
 * asks for them and reads on where it was. Their key carries a version: a daemon of another layout
 * does not know it, counts anew, and the keeper closes the old ones as unclaimed.
 *
 *     first program that asks -> keeper has them?  yes: of our root? -> used as they are
 *                                                  no: load, attach, give them to the keeper
 *
 * After loading, the object itself is not needed: three descriptors are all there is.
 */
#include "io/traffic.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"

/* bpftool's text, not ours. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "gen/traffic.skel.h"
#pragma GCC diagnostic pop

/* Of no run, and not that of the ring (kernel.c). */
#define TRAFFIC_KEY ((UINT64_C(1) << 62) | 1)

struct sv_traffic {
    int map_fd;
    int received_fd, sent_fd; /* links */
};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static bool is_attached_to(int link_fd, uint64_t cgroup_id)
{
    struct bpf_link_info info = {0};
    uint32_t length = sizeof(info);
    return link_fd >= 0 && bpf_obj_get_info_by_fd(link_fd, &info, &length) == 0 &&
           info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id == cgroup_id;
}

static void close_all(struct sv_traffic *traffic)
{
    int *fds[] = {&traffic->map_fd, &traffic->received_fd, &traffic->sent_fd};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

static bool take_over(struct sv_traffic *traffic, uint64_t root_id, struct sv_keeper *keeper)
{
    struct sv_kept kept = SV_KEPT_NONE;
    if (!keeper || sv_keeper_get(keeper, TRAFFIC_KEY, &kept) < 0)
        return false;
    *traffic = (struct sv_traffic){
        .map_fd = kept.pidfd, .received_fd = kept.stdin_fd, .sent_fd = kept.stdout_fd};
    if (kept.stderr_fd >= 0)
        close(kept.stderr_fd);
    bool is_ours = traffic->map_fd >= 0 && is_attached_to(traffic->received_fd, root_id) &&
                   is_attached_to(traffic->sent_fd, root_id);
    if (!is_ours) {
        close_all(traffic);
        sv_keeper_drop(keeper, TRAFFIC_KEY);
    }
    return is_ours;
}

static int attach(struct sv_traffic *traffic, const struct traffic_bpf *skeleton, int root_fd)
{
    traffic->map_fd = fcntl(bpf_map__fd(skeleton->maps.traffic), F_DUPFD_CLOEXEC, 0);
    if (traffic->map_fd < 0)
        return -errno;
    traffic->received_fd = bpf_link_create(bpf_program__fd(skeleton->progs.on_received), root_fd,
                                           BPF_CGROUP_INET_INGRESS, NULL);
    if (traffic->received_fd < 0)
        return -errno;
    traffic->sent_fd = bpf_link_create(bpf_program__fd(skeleton->progs.on_sent), root_fd,
                                       BPF_CGROUP_INET_EGRESS, NULL);
    return traffic->sent_fd < 0 ? -errno : 0;
}

static int load(struct sv_traffic *traffic, const struct sv_cgroup_tree *tree)
{
    struct traffic_bpf *skeleton = traffic_bpf__open();
    if (!skeleton)
        return -errno;
    skeleton->rodata->root_id = sv_cgroup_tree_id(tree);
    skeleton->rodata->root_level = sv_cgroup_tree_level(tree);
    int r = traffic_bpf__load(skeleton);
    int root_fd = r < 0 ? -1 : open(sv_cgroup_tree_path(tree), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r == 0)
        r = root_fd < 0 ? -errno : attach(traffic, skeleton, root_fd);
    if (root_fd >= 0)
        close(root_fd);
    traffic_bpf__destroy(skeleton);
    return r;
}

int sv_traffic_new(const struct sv_cgroup_tree *tree, struct sv_keeper *keeper,
                   struct sv_traffic **ret_traffic)
{
    struct sv_traffic *traffic = malloc(sizeof(*traffic));
    if (!traffic)
        return -ENOMEM;
    *traffic = (struct sv_traffic){-1, -1, -1};
    if (!take_over(traffic, sv_cgroup_tree_id(tree), keeper)) {
        libbpf_print_fn_t before = libbpf_set_print(say_nothing);
        int r = load(traffic, tree);
        libbpf_set_print(before);
        if (r < 0) {
            sv_traffic_free(traffic);
            return r;
        }
        sv_traffic_keep(traffic, keeper);
    }
    *ret_traffic = traffic;
    return 0;
}

void sv_traffic_keep(const struct sv_traffic *traffic, struct sv_keeper *keeper)
{
    struct sv_kept kept = {traffic->map_fd, traffic->received_fd, traffic->sent_fd, -1};
    if (keeper)
        (void)sv_keeper_put(keeper, TRAFFIC_KEY, &kept);
}

void sv_traffic_free(struct sv_traffic *traffic)
{
    if (!traffic)
        return;
    close_all(traffic);
    free(traffic);
}

int sv_traffic_count(struct sv_traffic *traffic, uint64_t cgroup_id)
{
    struct sv_bpf_traffic nothing = {0};
    int r = bpf_map_update_elem(traffic->map_fd, &cgroup_id, &nothing, BPF_NOEXIST);
    return r < 0 && errno != EEXIST ? -errno : 0;
}

void sv_traffic_forget(struct sv_traffic *traffic, uint64_t cgroup_id)
{
    (void)bpf_map_delete_elem(traffic->map_fd, &cgroup_id);
}

int sv_traffic_read(const struct sv_traffic *traffic, uint64_t cgroup_id,
                    struct sv_bpf_traffic *ret_sum)
{
    struct sv_bpf_traffic sum;
    if (bpf_map_lookup_elem(traffic->map_fd, &cgroup_id, &sum) < 0)
        return -errno;
    *ret_sum = sum;
    return 0;
}
