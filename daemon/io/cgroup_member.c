/*
 * Whose run a process belongs to: by the cgroup in which the kernel has it, which it cannot leave
 * without the rights over ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "io/cgroup_tree.h"

/* "0::/a/b" of /proc/PID/cgroup; the file of a hybrid host has a line for each v1 hierarchy, too.
 */
enum { CGROUP_FILE_BYTES = 8192 };

static int read_membership(pid_t pid, char *data, size_t size)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, data, size - 1);
    int r = n < 0 ? -errno : 0;
    close(fd);
    data[n > 0 ? n : 0] = '\0';
    return r;
}

/* The path in the file, ended where the second name below the tree ends; NULL: it is not below. */
static const char *leaf_name(char *data, const char *tree_path)
{
    char *line = strncmp(data, "0::", 3) == 0 ? data : strstr(data, "\n0::");
    if (!line)
        return NULL;
    line += *line == '\n' ? 4 : 3;
    line[strcspn(line, "\n")] = '\0';
    size_t length = strlen(tree_path);
    if (strncmp(line, tree_path, length) != 0 || line[length] != '/')
        return NULL;
    char *group = line + length + 1;
    char *leaf = strchr(group, '/');
    if (!leaf)
        return NULL;
    leaf[1 + strcspn(leaf + 1, "/")] = '\0';
    return group;
}

int sv_cgroup_leaf_id_of(const struct sv_cgroup_tree *tree, pid_t pid, uint64_t *ret_id)
{
    char data[CGROUP_FILE_BYTES];
    int r = read_membership(pid, data, sizeof(data));
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    struct sv_str tree_path = {0};
    sv_cgroup_place_kernel_path(&tree->place, tree->path, &tree_path);
    const char *name = sv_str_ok(&tree_path) ? leaf_name(data, sv_str_text(&tree_path)) : NULL;
    struct stat status;
    if (!name || fstatat(tree->fd, name, &status, 0) < 0)
        r = -ENOENT;
    else
        *ret_id = status.st_ino;
    sv_str_done(&tree_path);
    return r;
}
