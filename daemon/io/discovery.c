/*
 * Beacons: datagrams to a multicast group, by which instances learn of each other.
 *
 * Who comes asks: his first beacons are questions, and who hears one answers with his own, so that
 * everybody knows everybody within two datagrams. Datagrams get lost, so the beacons go on, with
 * pauses that grow to a few seconds.
 *
 * Anybody in the network can send anything here. So a beacon is a hint where to knock, and the mesh
 * finds out who is there; what is no beacon is dropped; and more than a bounded number in a second
 * is not even read.
 *
 * Multicast needs an interface. Where none is configured, the group is joined on each that is up,
 * and each beacon leaves by each: the kernel's own choice would be the one of the default route,
 * which may not exist. The loopback interface is used where there is no other. Interfaces come and
 * go, so this is done anew before each beacon; joining twice is harmless.
 */
#include "io/discovery.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "wire/beacon.h"

#define PAUSE_NS_FIRST  UINT64_C(200000000)
#define PAUSE_NS_MAX    UINT64_C(5000000000)
#define ANSWER_PAUSE_NS UINT64_C(100000000) /* one answer for all who ask within it */
#define SECOND_NS       UINT64_C(1000000000)

enum {
    QUESTIONS = 3,
    INTERFACES_MAX = 64,
    TURN_DATAGRAMS_MAX = 32,    /* then the loop looks at its other sources */
    SECOND_DATAGRAMS_MAX = 2000 /* a thousand instances that have all just been asked */
};

struct sv_discovery {
    struct sv_discovery_settings settings;
    sv_discovered_function function;
    void *user;
    int fd;
    struct sockaddr_in group;
    struct in_addr interface_address; /* INADDR_ANY: all */
    struct sv_source *source;
    struct sv_source *timer;
    uint64_t pause_ns;
    uint64_t sent_ns;
    uint64_t due_ns;
    unsigned sent_count;
    uint64_t second_ns; /* when the counted second began */
    unsigned second_count;
    bool has_complained;
};

static bool is_usable(const struct ifaddrs *entry, bool wants_loopback)
{
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET || !(entry->ifa_flags & IFF_UP))
        return false;
    bool is_loopback = entry->ifa_flags & IFF_LOOPBACK;
    return wants_loopback ? is_loopback : !is_loopback && (entry->ifa_flags & IFF_MULTICAST);
}

static struct in_addr address_of(const struct ifaddrs *entry)
{
    struct sockaddr_in address;
    memcpy(&address, entry->ifa_addr, sizeof(address));
    return address.sin_addr;
}

/* The addresses of the interfaces to use; each interface once. Returns how many. */
static size_t find_interfaces(const struct sv_discovery *discovery,
                              struct in_addr ret_addresses[INTERFACES_MAX])
{
    struct ifaddrs *entries = NULL;
    size_t count = 0;
    if (discovery->interface_address.s_addr != htonl(INADDR_ANY)) {
        ret_addresses[0] = discovery->interface_address;
        return 1;
    }
    if (getifaddrs(&entries) < 0)
        return 0;
    for (int wants_loopback = 0; wants_loopback < 2 && count == 0; wants_loopback++) {
        const char *last = "";
        for (struct ifaddrs *entry = entries; entry && count < INTERFACES_MAX;
             entry = entry->ifa_next) {
            if (!is_usable(entry, wants_loopback) || strcmp(entry->ifa_name, last) == 0)
                continue;
            last = entry->ifa_name;
            ret_addresses[count++] = address_of(entry);
        }
    }
    freeifaddrs(entries);
    return count;
}

static int join(struct sv_discovery *discovery, struct in_addr interface_address)
{
    struct ip_mreq membership = {.imr_multiaddr = discovery->group.sin_addr,
                                 .imr_interface = interface_address};
    if (setsockopt(discovery->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof(membership)) <
            0 &&
        errno != EADDRINUSE) /* joined already */
        return -errno;
    return 0;
}

static int send_by(struct sv_discovery *discovery, struct in_addr interface_address,
                   const struct sv_str *bytes)
{
    if (setsockopt(discovery->fd, IPPROTO_IP, IP_MULTICAST_IF, &interface_address,
                   sizeof(interface_address)) < 0 ||
        sendto(discovery->fd, bytes->data, bytes->length, MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&discovery->group, sizeof(discovery->group)) < 0)
        return -errno;
    return 0;
}

static void complain(struct sv_discovery *discovery, int error)
{
    if (!discovery->has_complained)
        sv_log_warn("mesh: no interface takes multicast to %s:%u (%s); other instances are not "
                    "discovered until one does",
                    discovery->settings.group, discovery->settings.port, sv_errno_text(error));
    discovery->has_complained = true;
}

static int encode(const struct sv_discovery *discovery, bool is_question, struct sv_str *ret_bytes)
{
    const struct sv_instance_config *self = discovery->settings.self;
    const struct sv_beacon beacon = {.identifier = self->identifier,
                                     .nick = self->nick,
                                     .host = self->host,
                                     .http_port = self->http_port,
                                     .event_port = self->event_port,
                                     .stereotypes = discovery->settings.stereotypes->items,
                                     .stereotype_count = discovery->settings.stereotypes->count,
                                     .is_question = is_question};
    return sv_beacon_encode(&beacon, ret_bytes);
}

static void send_beacon(struct sv_discovery *discovery)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    struct in_addr addresses[INTERFACES_MAX];
    size_t count = find_interfaces(discovery, addresses);
    bool is_sent = false;
    int problem = -ENODEV;
    int r = encode(discovery, discovery->sent_count < QUESTIONS, &bytes);
    for (size_t i = 0; r == 0 && i < count; i++) {
        int joined = join(discovery, addresses[i]);
        int sent = send_by(discovery, addresses[i], &bytes);
        is_sent |= joined == 0 && sent == 0;
        if (joined < 0 || sent < 0)
            problem = joined < 0 ? joined : sent;
    }
    discovery->has_complained &= !is_sent;
    if (!is_sent)
        complain(discovery, r < 0 ? r : problem);
    discovery->sent_count++;
    discovery->sent_ns = sv_now_ns();
}

static void arm(struct sv_discovery *discovery, uint64_t due_ns)
{
    discovery->due_ns = due_ns;
    sv_source_arm(discovery->timer, due_ns);
}

static void on_timer(void *user)
{
    struct sv_discovery *discovery = user;
    send_beacon(discovery);
    arm(discovery, discovery->sent_ns + discovery->pause_ns);
    discovery->pause_ns =
        discovery->pause_ns * 2 > PAUSE_NS_MAX ? PAUSE_NS_MAX : discovery->pause_ns * 2;
}

static void answer(struct sv_discovery *discovery)
{
    uint64_t at_ns = discovery->sent_ns + ANSWER_PAUSE_NS;
    if (at_ns < discovery->due_ns)
        arm(discovery, at_ns);
}

static void take(struct sv_discovery *discovery, const void *bytes, size_t length)
{
    struct sv_arena arena SV_CLEANUP(sv_arena_done) = {0};
    struct sv_beacon beacon;
    const char *why;
    if (sv_beacon_decode(bytes, length, &arena, &beacon, &why) != 0) {
        sv_log_debug("mesh: a datagram to the multicast group was dropped: %s", why);
        return;
    }
    if (strcmp(beacon.identifier, discovery->settings.self->identifier) == 0)
        return;
    const struct sv_instance_config instance = {.identifier = beacon.identifier,
                                                .nick = beacon.nick,
                                                .host = beacon.host,
                                                .http_port = beacon.http_port,
                                                .event_port = beacon.event_port};
    const struct sv_name_list stereotypes = {.items = beacon.stereotypes,
                                             .count = beacon.stereotype_count};
    if (beacon.is_question)
        answer(discovery);
    discovery->function(discovery->user, &instance, &stereotypes);
}

/* Is there room for one more in this second? */
static bool may_read(struct sv_discovery *discovery)
{
    uint64_t now_ns = sv_now_ns();
    if (now_ns - discovery->second_ns >= SECOND_NS) {
        discovery->second_ns = now_ns;
        discovery->second_count = 0;
    }
    return ++discovery->second_count <= SECOND_DATAGRAMS_MAX;
}

static void on_readable(void *user, int fd, uint32_t events)
{
    (void)events;
    struct sv_discovery *discovery = user;
    for (int i = 0; i < TURN_DATAGRAMS_MAX; i++) {
        char bytes[SV_BEACON_BYTES_MAX + 1];
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0)
            return;
        if (may_read(discovery))
            take(discovery, bytes, (size_t)n);
    }
}

static int open_socket(struct sv_discovery *discovery)
{
    int on = 1, ttl = discovery->settings.ttl;
    discovery->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (discovery->fd < 0)
        return -errno;
    /* Several instances of one machine hear the same group. Bound to the group, only that is heard.
     */
    if (setsockopt(discovery->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(discovery->fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)) < 0 ||
        setsockopt(discovery->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on)) < 0 ||
        bind(discovery->fd, (const struct sockaddr *)&discovery->group, sizeof(discovery->group)) <
            0)
        return -errno;
    return 0;
}

int sv_discovery_open(struct sv_loop *loop, const struct sv_discovery_settings *settings,
                      sv_discovered_function function, void *user, struct sv_str *ret_problem,
                      struct sv_discovery **ret_discovery)
{
    struct sv_discovery *discovery = calloc(1, sizeof(*discovery));
    if (!discovery)
        return -ENOMEM;
    discovery->settings = *settings;
    discovery->function = function;
    discovery->user = user;
    discovery->fd = -1;
    discovery->pause_ns = PAUSE_NS_FIRST;
    discovery->group =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(settings->port)};
    bool is_good = inet_pton(AF_INET, settings->group, &discovery->group.sin_addr) == 1 &&
                   (!settings->interface_address || inet_pton(AF_INET, settings->interface_address,
                                                              &discovery->interface_address) == 1);
    int r = is_good ? open_socket(discovery) : -EINVAL;
    if (r == 0)
        r = sv_loop_add_io(loop, discovery->fd, EPOLLIN, SV_PRIORITY_NORMAL, on_readable, discovery,
                           &discovery->source);
    if (r == 0)
        r = sv_loop_add_timer(loop, ANSWER_PAUSE_NS / 10, on_timer, discovery, &discovery->timer);
    if (r < 0) {
        sv_str_addf(ret_problem, "cannot listen to the multicast group %s:%u: %s", settings->group,
                    settings->port, sv_errno_text(r));
        sv_discovery_close(discovery);
        return error_trace(r);
    }
    arm(discovery, sv_now_ns());
    *ret_discovery = discovery;
    return 0;
}

void sv_discovery_close(struct sv_discovery *discovery)
{
    if (!discovery)
        return;
    sv_source_free(discovery->source);
    sv_source_free(discovery->timer);
    if (discovery->fd >= 0)
        close(discovery->fd);
    free(discovery);
}
