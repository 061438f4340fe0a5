/*
 * Names of the host: the resolver (getaddrinfo) and the interfaces (getifaddrs).
 *
 * Two instances are on one node when they share an interface, so a network namespace is a node of
 * its own. The order of interfaces is the kernel's; the loopback and those without a hardware
 * address do not count.
 */
#include "io/host_identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"

static bool is_same_address(const struct sockaddr *one, const struct sockaddr *other)
{
    if (!one || !other || one->sa_family != other->sa_family)
        return false;
    if (one->sa_family == AF_INET)
        return ((const struct sockaddr_in *)one)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)other)->sin_addr.s_addr;
    if (one->sa_family == AF_INET6)
        return memcmp(&((const struct sockaddr_in6 *)one)->sin6_addr,
                      &((const struct sockaddr_in6 *)other)->sin6_addr,
                      sizeof(struct in6_addr)) == 0;
    return false;
}

static bool is_loopback(const struct sockaddr *address)
{
    return address->sa_family == AF_INET &&
           ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_own(const struct sockaddr *address, const struct ifaddrs *interfaces)
{
    if (is_loopback(address))
        return true;
    for (const struct ifaddrs *at = interfaces; at; at = at->ifa_next)
        if (is_same_address(address, at->ifa_addr))
            return true;
    return false;
}

bool sv_host_is_local(const char *host)
{
    char name[256] = "";
    if (gethostname(name, sizeof(name) - 1) == 0 && strcmp(name, host) == 0)
        return true;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct ifaddrs *interfaces = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    bool is_local = false;
    if (getifaddrs(&interfaces) == 0)
        for (const struct addrinfo *at = found; at && !is_local; at = at->ai_next)
            is_local = is_own(at->ai_addr, interfaces);
    freeifaddrs(interfaces);
    freeaddrinfo(found);
    return is_local;
}

bool sv_host_has_address(const char *host, const char *address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL, *wanted = NULL;
    struct addrinfo numeric = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    bool has_it = false;
    if (getaddrinfo(address, NULL, &numeric, &wanted) != 0)
        return false;
    if (getaddrinfo(host, NULL, &hints, &found) == 0) {
        for (const struct addrinfo *at = found; at && !has_it; at = at->ai_next)
            has_it = is_same_address(at->ai_addr, wanted->ai_addr);
        freeaddrinfo(found);
    }
    freeaddrinfo(wanted);
    return has_it;
}

static bool add_hardware_address(struct sv_str *ret_text)
{
    struct ifaddrs *interfaces;
    if (getifaddrs(&interfaces) < 0)
        return false;
    bool is_found = false;
    for (const struct ifaddrs *at = interfaces; at && !is_found; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_PACKET || at->ifa_flags & IFF_LOOPBACK)
            continue;
        const struct sockaddr_ll *link = (const struct sockaddr_ll *)at->ifa_addr;
        static const unsigned char none[6] = {0};
        if (link->sll_halen != sizeof(none) || memcmp(link->sll_addr, none, sizeof(none)) == 0)
            continue;
        for (size_t i = 0; i < sizeof(none); i++)
            sv_str_addf(ret_text, "%s%02x", i == 0 ? "" : ":", link->sll_addr[i]);
        is_found = true;
    }
    freeifaddrs(interfaces);
    return is_found;
}

static bool add_machine_file(struct sv_str *ret_text)
{
    int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char text[64];
    ssize_t length = read(fd, text, sizeof(text));
    close(fd);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
        length--;
    if (length > 0)
        sv_str_append(ret_text, text, (size_t)length);
    return length > 0;
}

void sv_host_machine_id(struct sv_str *ret_text)
{
    char name[256] = "";
    if (add_hardware_address(ret_text) || add_machine_file(ret_text))
        return;
    (void)gethostname(name, sizeof(name) - 1);
    sv_str_add(ret_text, name[0] ? name : "unknown");
}

static const char *figures(const struct sockaddr *address, char ret_text[INET_ADDRSTRLEN])
{
    struct sockaddr_in copy;
    memcpy(&copy, address, sizeof(copy));
    return inet_ntop(AF_INET, &copy.sin_addr, ret_text, INET_ADDRSTRLEN) ? ret_text : "";
}

/* Further addresses of one interface have its name, or one of their own with a colon, and follow
 * the first one. */
void sv_host_addresses(void (*function)(void *user, const struct sv_host_address *address),
                       void *user)
{
    struct ifaddrs *interfaces;
    const char *last = "";
    if (getifaddrs(&interfaces) < 0)
        return;
    for (const struct ifaddrs *at = interfaces; at; at = at->ifa_next) {
        char address[INET_ADDRSTRLEN], netmask[INET_ADDRSTRLEN];
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || !at->ifa_netmask ||
            is_loopback(at->ifa_addr) || strcmp(at->ifa_name, last) == 0)
            continue;
        last = at->ifa_name;
        function(user, &(struct sv_host_address){at->ifa_name, figures(at->ifa_addr, address),
                                                 figures(at->ifa_netmask, netmask)});
    }
    freeifaddrs(interfaces);
}
