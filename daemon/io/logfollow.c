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
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "io/logfile.h"
#include "io/logread.h"

enum { CHECKED_BYTES = 64 };

struct place {
    uint64_t inode;
    int64_t offset;
    uint32_t checksum; /* of up to CHECKED_BYTES before it */
};

/* One of x.log, x.log.1, …, open. */
struct candidate {
    int fd;
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

static bool parse(const char *cursor, struct place *ret)
{
    struct place place;
    uint64_t offset;
    int end = -1;
    if (sscanf(cursor, "%16" SCNx64 "-%16" SCNx64 "-%8" SCNx32 "%n", &place.inode, &offset,
               &place.checksum, &end) != 3 ||
        end < 0 || cursor[end] != '\0' || offset > INT64_MAX)
        return false;
    place.offset = (int64_t)offset;
    *ret = place;
    return true;
}

static void write_cursor(const struct candidate *file, int64_t offset, struct sv_str *ret)
{
    sv_str_addf(ret, "%" PRIx64 "-%" PRIx64 "-%" PRIx32, (uint64_t)file->status.st_ino,
                (uint64_t)offset, checksum_before(file->fd, offset));
}

/* The file that has been x.log `age` rotations ago. */
static int open_aged(const char *path, unsigned age, struct candidate *ret)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&name, path);
    if (age > 0)
        sv_str_addf(&name, ".%u", age);
    if (!sv_str_ok(&name))
        return SV_LOGREAD_FAILED;
    candidate_done(ret);
    return sv_logread_open(sv_str_text(&name), &ret->fd, &ret->status);
}

static bool is_at(const struct candidate *file, const struct place *place)
{
    return file->status.st_ino == place->inode && file->status.st_size >= place->offset &&
           checksum_before(file->fd, place->offset) == place->checksum;
}

/* The age of the file that was read, open in *ret; -1: it is not there any more. x.log itself may
 * be missing for a moment, while somebody else rotates it. */
static int find(const char *path, const struct place *place, struct candidate *ret)
{
    for (unsigned age = 0; age <= SV_LOG_FOLLOW_FILES_MAX; age++) {
        int r = open_aged(path, age, ret);
        if (r == 0 && is_at(ret, place))
            return (int)age;
        if (r != 0 && age > 0)
            break;
    }
    return -1;
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

/* From a place in the file of this age on, into the newer ones, until `limit` bytes are there. */
static int read_on(const char *path, int age, int64_t offset, int64_t limit,
                   struct sv_log_piece *piece)
{
    struct candidate file SV_CLEANUP(candidate_done) = {.fd = -1};
    int r = open_aged(path, (unsigned)age, &file);
    while (r == 0) {
        size_t before = piece->bytes.length;
        r = sv_logread_append(file.fd, offset, limit - (int64_t)before, &piece->bytes);
        offset += (int64_t)(piece->bytes.length - before);
        if (r != 0 || age == 0 || offset < file.status.st_size)
            break;
        struct candidate newer SV_CLEANUP(candidate_done) = {.fd = -1};
        int next = open_aged(path, (unsigned)(age - 1), &newer);
        if (next != 0)
            break; /* x.log is missing: it may be the next time */
        candidate_done(&file);
        file = newer;
        newer.fd = -1;
        age--;
        offset = 0;
    }
    if (r != 0)
        return r;
    write_cursor(&file, offset, &piece->cursor);
    piece->behind_bytes =
        (uint64_t)(file.status.st_size > offset ? file.status.st_size - offset : 0);
    for (int i = age - 1; i >= 0; i--)
        if (open_aged(path, (unsigned)i, &file) == 0)
            piece->behind_bytes += (uint64_t)file.status.st_size;
    return 0;
}

int sv_logfile_follow(const char *path, const char *cursor, int64_t limit,
                      struct sv_log_piece *ret_piece)
{
    struct place place;
    if (limit < 1 || limit > SV_LOG_FOLLOW_BYTES_MAX)
        return SV_LOGREAD_BAD_ARGUMENTS;
    struct candidate file SV_CLEANUP(candidate_done) = {.fd = -1};
    if (cursor[0] == '\0') {
        int r = open_aged(path, 0, &file);
        return r != 0 ? r : read_end(&file, limit, ret_piece);
    }
    if (!parse(cursor, &place))
        return SV_LOGREAD_BAD_ARGUMENTS;
    int age = find(path, &place, &file);
    ret_piece->is_gap = age < 0 && place.offset > 0;
    return age < 0 ? read_on(path, 0, 0, limit, ret_piece)
                   : read_on(path, age, place.offset, limit, ret_piece);
}
