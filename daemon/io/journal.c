/*
 * The systemd journal in its native protocol: one record per line of output, with
 *
 *     PRIORITY=<6 or 4>  SYSLOG_IDENTIFIER=<process>  SVISOR_PROCESS=<process> SVISOR_GROUP=<group>
 *
 * so that `journalctl SVISOR_GROUP=web` shows what `tail` of all its logs would. A record is a
 * datagram of "KEY=value" lines; a value without a newline needs no other form, and our lines have
 * none (lines.c).
 *
 * Not sd_journal_sendv(): it returns 0 when no journal runs, as if the line had been stored, and it
 * waits for ever when the journal does not read: see datagram.c.
 */
#include "io/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "io/datagram.h"

struct sv_journal {
    struct sv_datagram socket;
    uint64_t lost_bytes;
    char *fields; /* all but the message, with its key at the end */
    size_t fields_length;
};

bool sv_journal_is_behind(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    unsigned long long device, inode;
    if (!stream || fstat(fd, &status) < 0 || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
        return false;
    return status.st_dev == device && status.st_ino == inode;
}

struct sv_journal *sv_journal_new(const char *path, const char *group, const char *process,
                                  int priority)
{
    struct sv_journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return NULL;
    sv_datagram_init(&journal->socket, path ? path : "/run/systemd/journal/socket");
    int length = asprintf(&journal->fields,
                          "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nSVISOR_PROCESS=%s\nSVISOR_GROUP=%s\n"
                          "MESSAGE=",
                          priority, process, process, group);
    if (length < 0) {
        free(journal);
        return NULL;
    }
    journal->fields_length = (size_t)length;
    return journal;
}

void sv_journal_free(struct sv_journal *journal)
{
    if (!journal)
        return;
    sv_datagram_done(&journal->socket);
    free(journal->fields);
    free(journal);
}

void sv_journal_line(struct sv_journal *journal, const char *line, size_t length)
{
    char newline = '\n';
    struct iovec parts[] = {
        {.iov_base = journal->fields, .iov_len = journal->fields_length},
        {.iov_base = (void *)(uintptr_t)line, .iov_len = length},
        {.iov_base = &newline, .iov_len = 1},
    };
    if (!sv_datagram_send(&journal->socket, parts, 3))
        journal->lost_bytes += length;
}

uint64_t sv_journal_lost_bytes(const struct sv_journal *journal)
{
    return journal->lost_bytes;
}
