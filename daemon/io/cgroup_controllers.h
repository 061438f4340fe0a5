/* Handing controllers down a cgroup tree. See cgroup_controllers.c. */
#ifndef SV_IO_CGROUP_CONTROLLERS_H
#define SV_IO_CGROUP_CONTROLLERS_H

/*
 * Gives the children of a directory every controller that it has itself and that svisor uses.
 * `path` is absolute, or relative to `fd` (AT_FDCWD allowed). 0, also when there is none to give;
 * -EBUSY when processes live in the directory itself; another negative errno.
 */
int sv_cgroup_controllers_enable(int fd, const char *path);

#endif
