/*
 * The file behind the register of deaths: private to its user (0600), never synced, because what is
 * lost with the machine is less than what a sync costs at each end of a program.
 *
 * It is opened with the first record and stays open. A write that comes through in part (disk full)
 * leaves a torn record; readers step over it, the next record goes behind it.
 */
#include "io/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { OPEN_FLAGS = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW };

struct sv_append_file {
    char *path;
    char *new_path; /* beside it, until it is renamed */
    int fd;         /* -1: not open yet */
    uint64_t length;
};

int sv_append_file_new(const char *path, struct sv_append_file **ret_file)
{
    struct sv_append_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    struct sv_str new_path = {0};
    sv_str_addf(&new_path, "%s.new", path);
    *file =
        (struct sv_append_file){.path = strdup(path), .new_path = sv_str_take(&new_path), .fd = -1};
    if (!file->path || !file->new_path) {
        sv_append_file_free(file);
        return -ENOMEM;
    }
    *ret_file = file;
    return 0;
}

void sv_append_file_free(struct sv_append_file *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    free(file->new_path);
    free(file);
}

const char *sv_append_file_path(const struct sv_append_file *file)
{
    return file->path;
}

uint64_t sv_append_file_length(const struct sv_append_file *file)
{
    return file->length;
}

static int read_all(int fd, size_t length, struct sv_str *ret_bytes)
{
    char *at = sv_str_reserve(ret_bytes, length + 1);
    if (!at)
        return -ENOMEM;
    size_t done = 0;
    while (done < length) {
        ssize_t count = read(fd, at + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    sv_str_grew(ret_bytes, done);
    return 0;
}

int sv_append_file_read(struct sv_append_file *file, size_t max_bytes, struct sv_str *ret_bytes)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    struct stat status;
    int r = fstat(fd, &status) < 0 ? -errno : 0;
    if (r == 0 && !S_ISREG(status.st_mode))
        r = -EINVAL;
    if (r == 0) {
        size_t length = (size_t)status.st_size;
        file->length = (uint64_t)status.st_size;
        if (length > max_bytes && lseek(fd, (off_t)(length - max_bytes), SEEK_SET) < 0)
            r = -errno;
        if (r == 0)
            r = read_all(fd, length < max_bytes ? length : max_bytes, ret_bytes);
    }
    close(fd);
    return r;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, data, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        data += count;
        length -= (size_t)count;
    }
    return 0;
}

int sv_append_file_add(struct sv_append_file *file, const void *data, size_t length)
{
    if (file->fd < 0)
        file->fd = open(file->path, OPEN_FLAGS | O_APPEND, 0600);
    if (file->fd < 0)
        return -errno;
    file->length += length;
    return write_all(file->fd, data, length);
}

int sv_append_file_replace(struct sv_append_file *file, const void *data, size_t length)
{
    int fd = open(file->new_path, OPEN_FLAGS | O_TRUNC | O_APPEND, 0600);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, data, length);
    if (r == 0 && rename(file->new_path, file->path) < 0)
        r = -errno;
    if (r < 0) {
        close(fd);
        unlink(file->new_path);
        return r;
    }
    if (file->fd >= 0)
        close(file->fd);
    file->fd = fd;
    file->length = length;
    return 0;
}
