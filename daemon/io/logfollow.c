/*
 * Following a log by looking at it again and again, for svisor.followLog: no byte is given twice,
 * and none is left out while the files still have it.
 *
 * Nothing is kept here between two looks: the cursor that goes out and comes back says which file
 * it was (its inode), how far it was read, and a checksum of the last bytes before that place. The
 * three find the place again:
 *
 *   x.log is still that file                      the bytes behind the place
 *   x.log has turned over: the file is x.log.2    the rest of x.log.2, then x.log.1, then x.log
 *   it was emptied, or removed and made again     not found: x.log from its start, and `is_gap`
 *
 * The checksum tells a file that was emptied and has grown past the place, or a new file that was
 * given the inode of a removed one, from the one that was read.
 *
 * Rotation by others is followed as well, as long as the older files are x.log.1, x.log.2, ….
 */
#include <string.h>
#include <svisor/limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "io/logfile.h"
#include "io/logread.h"
#include "wire/log_cursor.h"

enum { CHECKED_BYTES = 64 }; /* that a checksum is of */

/* One of x.log, x.log.1, …, open. */
struct candidate {
    int fd;
    unsigned age; /* it has been x.log so many rotations ago */
    struct stat status;
};

static void candidate_done(struct candidate *candidate)
{
    sv_logread_close(&candidate->fd);
    candidate->fd = -1;
}

/* FNV-1a. A failure to read is a checksum that will not be found again: a gap, said so. */
static uint32_t checksum_before(int fd, int64_t offset)
{
    unsigned char bytes[CHECKED_BYTES];
    size_t length = offset < CHECKED_BYTES ? (size_t)offset : CHECKED_BYTES;
    ssize_t n = pread(fd, bytes, length, offset - (int64_t)length);
    uint32_t sum = 2166136261U;
    for (ssize_t i = 0; i < n; i++)
        sum = (sum ^ bytes[i]) * 16777619U;
    return n == (ssize_t)length ? sum : ~sum;
}

static void write_cursor(const struct candidate *file, int64_t offset, struct sv_str *ret)
{
    sv_log_cursor_add(&(struct sv_log_cursor){.inode = file->status.st_ino,
                                              .offset = offset,
                                              .checksum = checksum_before(file->fd, offset)},
                      ret);
}

static int open_aged(const char *path, unsigned age, struct candidate *ret)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&name, path);
    if (age > 0)
        sv_str_addf(&name, ".%u", age);
    if (!sv_str_ok(&name))
        return SV_LOGREAD_FAILED;
    candidate_done(ret);
    ret->age = age;
    return sv_logread_open(sv_str_text(&name), &ret->fd, &ret->status);
}

static bool is_at(const struct candidate *file, const struct sv_log_cursor *place)
{
    return file->status.st_ino == place->inode && file->status.st_size >= place->offset &&
           checksum_before(file->fd, place->offset) == place->checksum;
}

/* The file that was read, which stays open: whatever becomes of its name, it is read on. False: it
 * is not there any more. x.log itself may be missing for a moment, while somebody else rotates it.
 */
static bool find(const char *path, const struct sv_log_cursor *place, struct candidate *ret)
{
    for (unsigned age = 0; age <= SV_LOG_FOLLOW_FILES_MAX; age++) {
        int r = open_aged(path, age, ret);
        if (r == 0 && is_at(ret, place))
            return true;
        if (r != 0 && age > 0)
            break;
    }
    return false;
}

/* The last lines; not the rest of one that begins earlier, unless there is no other. */
static int read_end(const struct candidate *file, int64_t limit, struct sv_log_piece *piece)
{
    int64_t start = file->status.st_size > limit ? file->status.st_size - limit : 0;
    int r = sv_logread_append(file->fd, start, limit, &piece->bytes);
    if (r != 0)
        return r;
    int64_t end = start + (int64_t)piece->bytes.length;
    const char *text = sv_str_text(&piece->bytes);
    const char *newline = start > 0 ? memchr(text, '\n', piece->bytes.length) : NULL;
    if (newline && (size_t)(newline - text) + 1 < piece->bytes.length)
        sv_str_drop_front(&piece->bytes, (size_t)(newline - text) + 1);
    write_cursor(file, end, &piece->cursor);
    return 0;
}

/* From a place in the file on, into the newer ones, until `limit` bytes are there. */
static int read_on(const char *path, struct candidate *file, int64_t offset, int64_t limit,
                   struct sv_log_piece *piece)
{
    int r;
    for (;;) {
        size_t before = piece->bytes.length;
        r = sv_logread_append(file->fd, offset, limit - (int64_t)before, &piece->bytes);
        offset += (int64_t)(piece->bytes.length - before);
        if (r != 0 || file->age == 0 || offset < file->status.st_size)
            break;
        struct candidate newer SV_CLEANUP(candidate_done) = {.fd = -1};
        if (open_aged(path, file->age - 1, &newer) != 0)
            break; /* x.log is missing: it may be the next time */
        candidate_done(file);
        *file = newer;
        newer.fd = -1;
        offset = 0;
    }
    if (r != 0)
        return r;
    write_cursor(file, offset, &piece->cursor);
    piece->behind_bytes =
        (uint64_t)(file->status.st_size > offset ? file->status.st_size - offset : 0);
    for (unsigned i = file->age; i-- > 0;)
        if (open_aged(path, i, file) == 0)
            piece->behind_bytes += (uint64_t)file->status.st_size;
    return 0;
}

int sv_logfile_follow(const char *path, const char *cursor, int64_t limit,
                      struct sv_log_piece *ret_piece)
{
    struct sv_log_cursor place;
    if (limit < 1 || limit > SV_LOG_FOLLOW_BYTES_MAX)
        return SV_LOGREAD_BAD_ARGUMENTS;
    struct candidate file SV_CLEANUP(candidate_done) = {.fd = -1};
    if (cursor[0] == '\0') {
        int r = open_aged(path, 0, &file);
        return r != 0 ? r : read_end(&file, limit, ret_piece);
    }
    if (!sv_log_cursor_read(cursor, &place))
        return SV_LOGREAD_BAD_ARGUMENTS;
    if (find(path, &place, &file))
        return read_on(path, &file, place.offset, limit, ret_piece);
    ret_piece->is_gap = place.offset > 0;
    int r = open_aged(path, 0, &file);
    return r != 0 ? r : read_on(path, &file, 0, limit, ret_piece);
}
