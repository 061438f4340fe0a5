/*
 * svisor-holder: keeps a cgroup that systemd has delegated, and does nothing else.
 *
 * systemd keeps a unit as long as a process of it lives, and takes it away with the last one; the
 * programs come and go, so somebody has to stay. It cannot be svisord: a service in whose own
 * cgroup controllers are enabled cannot be started again while something lives below it (systemd
 * 252 ends with 219/CGROUP, EBUSY), and svisord shall be restarted without its programs.
 *
 *     svisor-holder          the main process of svisor-programs.service: moves itself into the
 * leaf `holder`, since nobody may live in a cgroup that passes controllers on, passes them on, says
 * READY=1 and waits for SIGTERM svisor-holder PID      of the transient scope of a svisord that was
 * started by hand (PID): waits, and ends with it; svisord does the rest
 *
 * It links with nothing but libc, allocates nothing once it waits, and needs 100 KB of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "io/cgroup_controllers.h"
#include "io/cgroup_place.h"

static int refuse(const char *what, int error)
{
    fprintf(stderr, "svisor-holder: %s: %s (%s)\n", what, sv_errno_text(error),
            sv_errno_name(error));
    return EXIT_FAILURE;
}

static int enter_leaf(const char *base)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&path, "%s/" SV_CGROUP_HOLDER_LEAF, base);
    if (!sv_str_ok(&path))
        return -ENOMEM;
    if (mkdir(path.data, 0755) < 0 && errno != EEXIST)
        return -errno;
    sv_str_add(&path, "/cgroup.procs");
    int fd = sv_str_ok(&path) ? open(path.data, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return -errno;
    int r = write(fd, "0", 1) < 0 ? -errno : 0; /* the writer itself */
    close(fd);
    return r;
}

/* sd_notify(3) without libsystemd: one datagram. An address with "@" is of the abstract kind. */
static int say_ready(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path)
        return 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length + 1);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    static const char message[] = "READY=1\nSTATUS=Holding the cgroup of svisord's programs";
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t n = sendto(fd, message, sizeof(message) - 1, 0, (struct sockaddr *)&address, size);
    int r = n < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int hold_unit(void)
{
    static struct sv_cgroup_place place; /* large */
    struct sv_str reason SV_CLEANUP(sv_str_done) = {0};
    int r = sv_cgroup_place_find(&place, &reason);
    if (r < 0 || !place.own[0])
        return refuse("its own cgroup cannot be seen", r < 0 ? r : -ENOENT);
    r = enter_leaf(place.own);
    if (r < 0)
        return refuse("no leaf can be made; the unit needs Delegate=yes", r);
    r = sv_cgroup_controllers_enable(AT_FDCWD, place.own);
    if (r < 0) /* programs then have no limits, but run: `svctl kernel` says which are missing */
        (void)refuse("controllers cannot be passed on", r);
    r = say_ready();
    return r < 0 ? refuse("systemd cannot be told", r) : EXIT_SUCCESS;
}

/* The parent may have ended before it could be watched. */
static int hold_for(const char *parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return refuse("its parent cannot be watched", -errno);
    char *end;
    long pid = strtol(parent, &end, 10);
    return *end == '\0' && getppid() == (pid_t)pid ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    if (chdir("/") < 0)
        return refuse("/ cannot be entered", -errno);
    int status = argc > 1 ? hold_for(argv[1]) : hold_unit();
    if (status == EXIT_SUCCESS) {
        int number;
        sigwait(&ends, &number);
    }
    return status;
}
