/* Who is who: what tells this boot from another, and this process from a recycled number. */
#ifndef SV_IO_PROC_H
#define SV_IO_PROC_H

#include <sys/types.h>

#include "base/str.h"

/* The boot that we are in: /proc/sys/kernel/random/boot_id. Empty when it cannot be read. */
void sv_boot_id(struct sv_str *ret_id);
/*
 * What ps shows of this process from now on, cut at the length that its command line had. The
 * command line lies on the stack, between the addresses in fields 48 and 49 of /proc/self/stat; it
 * is overwritten there.
 */
void sv_process_set_title(const char *title);
/* Field 22 of /proc/PID/stat, which tells a process from another of the same number. 0: there is
 * none. */
unsigned long long sv_process_start_ticks(pid_t pid);

/*
 * Takes the lock of a directory for the life of `fd`, waiting a moment for one that a dead daemon
 * left: a child that it was spawning has a share in its descriptors until it executes its file. 0
 * or a negative errno.
 */
int sv_lock_directory(int fd);

/* The number behind a pidfd; 0: it is reaped, nobody has it any more. */
pid_t sv_pidfd_pid(int pidfd);

/*
 * The wait status of a process that has ended and was reaped by its parent, whoever that is: 1 and
 * the status; 0: not yet; negative errno: this kernel does not tell (ioctl PIDFD_GET_INFO with
 * PIDFD_INFO_EXIT, Linux 6.15).
 */
int sv_pidfd_wait_status(int pidfd, int *ret_status);
/* The same, waiting up to `wait_ms` for whoever has to reap it. */
int sv_pidfd_await_status(int pidfd, int wait_ms, int *ret_status);
/*
 * The wait status of a zombie that nobody reaps, from field 52 of /proc/PID/stat (for root and its
 * owner): 1 and the status; 0: it is none, or not to be seen.
 */
int sv_zombie_wait_status(pid_t pid, int *ret_status);

#endif
