/*
 * Reading pieces of a log file for readLog and tailLog: options.py of Supervisor 4.2.5, readFile()
 * and tailFile(), line by line, since clients have been written against their corner cases:
 *
 *   readFile   offset < 0: the last -offset bytes, and a length is not allowed; length < 0 is not
 *              allowed; length 0: to the end; beyond the end: nothing.
 *   tailFile   if the file is longer than offset + length, `overflow` is said and the *last* byte's
 * offset is taken first; then the piece is moved so that it ends at the end of the file. So, for
 *              length > 0, one gets the last `length` bytes, and nothing when offset is at or
 * beyond the end. The offset returned is the file's size.
 *
 * What is beyond SV_STR_BYTES_MAX in one answer is a failure, not a silent cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "io/logfile.h"
#include "io/logread.h"

void sv_logread_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int sv_logread_open(const char *path, int *ret_fd, struct stat *ret_status)
{
    /* O_NONBLOCK: the name may be a FIFO, which has no size and makes an open wait. */
    int fd SV_CLEANUP(sv_logread_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? SV_LOGREAD_NO_FILE : SV_LOGREAD_FAILED;
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return SV_LOGREAD_FAILED;
    *ret_fd = fd;
    *ret_status = status;
    fd = -1;
    return 0;
}

int sv_logread_append(int fd, int64_t offset, int64_t length, struct sv_str *text)
{
    while (length > 0) {
        size_t piece = length > 65536 ? 65536 : (size_t)length;
        char *end = sv_str_reserve(text, piece);
        if (!end)
            return SV_LOGREAD_FAILED;
        ssize_t n = pread(fd, end, piece, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return SV_LOGREAD_FAILED;
        if (n == 0)
            return 0;
        sv_str_grew(text, (size_t)n);
        offset += n;
        length -= n;
    }
    return 0;
}

int sv_logfile_read(const char *path, int64_t offset, int64_t length, struct sv_str *ret_text)
{
    int fd SV_CLEANUP(sv_logread_close) = -1;
    struct stat status;
    int r = sv_logread_open(path, &fd, &status);
    if (r != 0)
        return r;
    int64_t size = status.st_size;
    if (offset < 0 ? length != 0 : length < 0)
        return SV_LOGREAD_BAD_ARGUMENTS;
    if (offset < 0) {
        int64_t start = offset < -size ? 0 : size + offset;
        return sv_logread_append(fd, start, size - start, ret_text);
    }
    if (offset >= size)
        return 0;
    if (length == 0 || length > size - offset)
        length = size - offset;
    return sv_logread_append(fd, offset, length, ret_text);
}

/* offset + length, at the ends of the number line instead of around them. */
static int64_t saturating_sum(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

int sv_logfile_tail(const char *path, int64_t offset, int64_t length, struct sv_str *ret_text,
                    int64_t *ret_offset, int *ret_overflow)
{
    *ret_offset = offset;
    *ret_overflow = 0;
    int fd SV_CLEANUP(sv_logread_close) = -1;
    struct stat status;
    int r = sv_logread_open(path, &fd, &status);
    if (r != 0)
        return r;
    int64_t size = status.st_size;

    bool is_overflow = size > saturating_sum(offset, length);
    if (is_overflow)
        offset = size - 1;
    if (saturating_sum(offset, length) > size) {
        if (offset > size - 1)
            length = 0;
        offset = length > size ? 0 : size - length;
    }
    if (offset < 0)
        offset = 0;
    if (length > 0)
        r = sv_logread_append(fd, offset, length, ret_text);
    if (r != 0)
        return r;
    *ret_offset = size;
    *ret_overflow = is_overflow;
    return 0;
}
