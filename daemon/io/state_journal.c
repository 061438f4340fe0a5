/*
 * One file, mapped into memory and appended to by copying: what is copied is the kernel's at once,
 * as with write(), at a quarter of its price (three records a spawn), and no death of the daemon
 * can take it back. Only the end can be torn, and the reader knows (wire/journal.h): behind the
 * last record there are zeros. The blocks are allocated before they are mapped, so that a full disk
 * is an error of fallocate() and never a SIGBUS. Nothing is synced to a disk: over a power failure
 * there is nothing to go on with.
 *
 * The lock is on the directory, taken with flock(), and goes with the daemon. The file is replaced
 * by rename(), so that at every moment one whole journal stands there.
 */
#include "io/state_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/cursors.h"
#include "io/proc.h"
#include "wire/journal.h"

enum {
    CAPACITY_MIN = 64 << 10,
    LEAVE_BYTES = 64 << 10, /* so much of it stays mapped at most: RSS counts it */
};

static const char file_name[] = "journal";
static const char new_name[] = "journal.new";

struct sv_state_journal {
    char *directory;
    int directory_fd;
    int fd;
    char *bytes;         /* the file, mapped; NULL: not written yet */
    size_t capacity;     /* of the file and the mapping */
    size_t length;       /* of the records in it */
    size_t short_length; /* after it was last written anew */
    size_t left_length;  /* what is before it has left our memory; it stays in the file */
    bool has_failed;
};

/* --- the directory --- */

static void base_directory(struct sv_str *path)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (geteuid() == 0)
        sv_str_add(path, "/run/svisor");
    else if (runtime && runtime[0] == '/')
        sv_str_addf(path, "%s/svisor", runtime);
    else
        sv_str_addf(path, "/tmp/svisor-%u", geteuid());
}

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 0x811c9dc5u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x01000193u;
    return hash;
}

/* "IDENTIFIER-HASH", with what cannot stand in a file name replaced. */
static void add_own_name(struct sv_str *path, const char *identifier, const char *config_file)
{
    enum { SHOWN_MAX = 64 };
    sv_str_add_char(path, '/');
    for (size_t i = 0; identifier[i] && i < SHOWN_MAX; i++)
        sv_str_add_char(path, strchr("/.", identifier[i]) ? '_' : identifier[i]);
    struct sv_str both SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&both, "%s\n%s", identifier, config_file);
    sv_str_addf(path, "-%08x", hash_of(sv_str_text(&both)));
}

/* A directory in /tmp may have been laid there for us by somebody else: only our own is used. */
static int open_own_directory(const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct stat status;
    int r = fstat(fd, &status) < 0                        ? -errno
            : status.st_uid != geteuid()                  ? -EPERM
            : (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? -EPERM
                                                          : 0;
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

static int open_directory(struct sv_state_journal *journal, const char *identifier,
                          const char *config_file)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    base_directory(&path);
    int base = open_own_directory(sv_str_text(&path));
    if (base < 0)
        return base;
    close(base);
    add_own_name(&path, identifier, config_file);
    if (!sv_str_ok(&path))
        return -ENOMEM;
    journal->directory_fd = open_own_directory(sv_str_text(&path));
    if (journal->directory_fd < 0)
        return journal->directory_fd;
    journal->directory = sv_str_take(&path);
    if (!journal->directory)
        return -ENOMEM;
    return sv_lock_directory(journal->directory_fd);
}

/* --- the file --- */

static int read_all(int fd, struct sv_str *ret_bytes)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size > SV_JOURNAL_BYTES_MAX)
        return -EFBIG;
    size_t length = (size_t)status.st_size;
    while (ret_bytes->length < length) {
        size_t wanted = length - ret_bytes->length;
        char *end = sv_str_reserve(ret_bytes, wanted);
        if (!end)
            return -ENOMEM;
        ssize_t n = pread(fd, end, wanted, (off_t)ret_bytes->length);
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        sv_str_grew(ret_bytes, (size_t)n);
    }
    return 0;
}

/* What is behind the last whole record goes: records that are appended would not be found there. */
static int open_file(struct sv_state_journal *journal, struct sv_str *ret_bytes)
{
    journal->fd =
        openat(journal->directory_fd, file_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (journal->fd < 0)
        return -errno;
    int r = read_all(journal->fd, ret_bytes);
    if (r < 0)
        return r;
    ret_bytes->length = sv_journal_whole_length(ret_bytes->data, ret_bytes->length);
    journal->length = journal->short_length = ret_bytes->length;
    return ftruncate(journal->fd, (off_t)journal->length) < 0 ? -errno : 0;
}

int sv_state_journal_open(const char *identifier, const char *config_file,
                          struct sv_state_journal **ret_journal, struct sv_str *ret_bytes)
{
    struct sv_state_journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return -ENOMEM;
    journal->directory_fd = journal->fd = -1;
    int r = open_directory(journal, identifier, config_file);
    if (r == 0)
        r = open_file(journal, ret_bytes);
    if (r < 0) {
        sv_state_journal_leave(journal);
        return error_trace(r);
    }
    *ret_journal = journal;
    return 0;
}

static void close_file(struct sv_state_journal *journal)
{
    if (journal->bytes)
        munmap(journal->bytes, journal->capacity);
    if (journal->fd >= 0)
        close(journal->fd);
}

int sv_state_journal_peek(const char *identifier, const char *config_file, struct sv_str *ret_bytes)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    base_directory(&path);
    add_own_name(&path, identifier, config_file);
    sv_str_addf(&path, "/%s", file_name);
    int fd = sv_str_ok(&path) ? open(path.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0)
        return sv_str_ok(&path) ? -errno : -ENOMEM;
    struct stat status;
    int r = fstat(fd, &status) < 0 ? -errno : status.st_uid != geteuid() ? -EPERM : 0;
    if (r == 0)
        r = read_all(fd, ret_bytes);
    close(fd);
    return r;
}

void sv_state_journal_leave(struct sv_state_journal *journal)
{
    if (!journal)
        return;
    close_file(journal);
    if (journal->directory_fd >= 0)
        close(journal->directory_fd);
    free(journal->directory);
    free(journal);
}

void sv_state_journal_end(struct sv_state_journal *journal)
{
    if (!journal)
        return;
    (void)unlinkat(journal->directory_fd, file_name, 0);
    (void)unlinkat(journal->directory_fd, SV_CURSORS_FILE, 0);
    (void)rmdir(journal->directory);
    char *slash = strrchr(journal->directory, '/');
    *slash = '\0';
    (void)rmdir(journal->directory); /* refused while other daemons have theirs in it */
    sv_state_journal_leave(journal);
}

const char *sv_state_journal_directory(const struct sv_state_journal *journal)
{
    return journal->directory;
}

static void fail(struct sv_state_journal *journal, int error)
{
    journal->has_failed = true;
    sv_log_error(
        "cannot write %s/%s: %s; if svisord dies now, the next one does not know its programs",
        journal->directory, file_name, sv_errno_text(error));
}

/* Makes room for so many bytes more, in the file and in the mapping. */
static int reserve(struct sv_state_journal *journal, size_t more)
{
    if (journal->bytes && more <= journal->capacity - journal->length)
        return 0;
    size_t capacity = CAPACITY_MIN;
    while (capacity - journal->length < more || capacity < journal->length)
        capacity *= 2;
    int error = posix_fallocate(journal->fd, 0, (off_t)capacity);
    if (error)
        return -error;
    void *bytes = journal->bytes
                      ? mremap(journal->bytes, journal->capacity, capacity, MREMAP_MAYMOVE)
                      : mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    journal->bytes = bytes;
    journal->capacity = capacity;
    return 0;
}

/* Nobody reads it here: its pages are the file's, and no longer ours. */
static void leave_pages(struct sv_state_journal *journal)
{
    size_t length = journal->length / LEAVE_BYTES * LEAVE_BYTES;
    if (length <= journal->left_length)
        return;
    (void)madvise(journal->bytes + journal->left_length, length - journal->left_length,
                  MADV_DONTNEED);
    journal->left_length = length;
}

void sv_state_journal_append(struct sv_state_journal *journal, const struct sv_str *bytes)
{
    if (journal->has_failed || bytes->length == 0)
        return;
    int r = reserve(journal, bytes->length);
    if (r < 0) {
        fail(journal, -r);
        return;
    }
    memcpy(journal->bytes + journal->length, bytes->data, bytes->length);
    journal->length += bytes->length;
    leave_pages(journal);
}

bool sv_state_journal_is_long(const struct sv_state_journal *journal)
{
    return journal->length > journal->short_length * 2 + SV_JOURNAL_REWRITE_BYTES;
}

/* Into a file of its own, which takes the place of the old one when it is whole. */
static int write_new(const struct sv_state_journal *journal, const struct sv_str *bytes,
                     struct sv_state_journal *ret_new)
{
    *ret_new = (struct sv_state_journal){
        .fd = openat(journal->directory_fd, new_name,
                     O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (ret_new->fd < 0)
        return -errno;
    int r = reserve(ret_new, bytes->length);
    if (r < 0)
        return r;
    memcpy(ret_new->bytes, sv_str_text(bytes), bytes->length);
    return renameat(journal->directory_fd, new_name, journal->directory_fd, file_name) < 0 ? -errno
                                                                                           : 0;
}

int sv_state_journal_rewrite(struct sv_state_journal *journal, const struct sv_str *bytes)
{
    struct sv_state_journal new;
    int r = write_new(journal, bytes, &new);
    if (r < 0) {
        close_file(&new);
        fail(journal, -r);
        return error_trace(r);
    }
    close_file(journal);
    journal->fd = new.fd;
    journal->bytes = new.bytes;
    journal->capacity = new.capacity;
    journal->has_failed = false;
    journal->length = journal->short_length = bytes->length;
    journal->left_length = 0;
    leave_pages(journal);
    return 0;
}
