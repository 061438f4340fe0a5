/*
 * Messages with their descriptors, over a socket that keeps them apart (SOCK_SEQPACKET).
 *
 * Nothing is allocated here, and nothing is called but the system: the keeper uses it, too.
 */
#include "io/keeper_message.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void sv_parcel_put(struct sv_parcel *parcel, int place, int fd)
{
    parcel->fds[place] = fd;
    if (fd >= 0)
        parcel->message.mask |= 1u << place;
}

/* A parcel as sendmmsg() wants it; points into itself and into the parcel. */
struct wrapping {
    struct iovec data;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * SV_KEEPER_FDS)];
};

static void wrap(struct sv_parcel *parcel, struct wrapping *wrapping, struct msghdr *ret_header)
{
    *wrapping = (struct wrapping){
        .data = {.iov_base = &parcel->message, .iov_len = sizeof(parcel->message)}};
    struct msghdr header = {.msg_iov = &wrapping->data, .msg_iovlen = 1};
    int attached[SV_KEEPER_FDS];
    size_t count = 0;
    for (int i = 0; i < SV_KEEPER_FDS; i++)
        if (parcel->message.mask >> i & 1)
            attached[count++] = parcel->fds[i];
    if (count > 0) {
        header.msg_control = wrapping->control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(rights), attached, sizeof(int) * count);
    }
    *ret_header = header;
}

int sv_parcels_send(int socket, struct sv_parcel *parcels, size_t count, int flags)
{
    struct wrapping wrappings[SV_PARCELS_MAX];
    struct mmsghdr headers[SV_PARCELS_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        wrap(&parcels[i], &wrappings[i], &headers[i].msg_hdr);
    int n;
    do
        n = sendmmsg(socket, headers, (unsigned)count, MSG_NOSIGNAL | flags);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int sv_parcel_receive(int socket, struct sv_parcel *ret_parcel)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * SV_KEEPER_FDS)];
    } control;
    struct sv_keeper_message *message = &ret_parcel->message;
    struct iovec data = {.iov_base = message, .iov_len = sizeof(*message)};
    struct msghdr header = {.msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    do
        n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    int attached[SV_KEEPER_FDS];
    size_t count = 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    if (rights && rights->cmsg_type == SCM_RIGHTS) {
        count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(attached, CMSG_DATA(rights), sizeof(int) * count);
    }
    size_t used = 0;
    for (int i = 0; i < SV_KEEPER_FDS; i++)
        ret_parcel->fds[i] =
            n == sizeof(*message) && message->mask >> i & 1 && used < count ? attached[used++] : -1;
    while (used < count)
        close(attached[used++]);
    return n == sizeof(*message) ? 1 : 0;
}
