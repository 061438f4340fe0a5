/*
 * The systemd journal (libsystemd, sd_journal_sendv): one record per line, with
 *
 *     SYSLOG_IDENTIFIER=<process>  SVISOR_PROCESS=<process>  SVISOR_GROUP=<group>  PRIORITY=<6 or
 * 4>
 *
 * so that `journalctl SVISOR_GROUP=web` shows what `tail` of all its logs would.
 *
 * Traps: sd_journal_sendv() returns 0 when no journal runs, as if the line had been stored. So the
 * socket of the service is looked for first, at most once a second, and lines without it are
 * counted as lost. sd_journal_sendv() takes the code location from the caller's macro unless
 * SD_JOURNAL_SUPPRESS_LOCATION is defined: our source line means nothing to the reader of a
 * program's output.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "io/journal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <svisor/limits.h>

#include "io/loop.h"

#define LOOK_PAUSE_NS UINT64_C(1000000000)

static const char SOCKET_PATH[] = "/run/systemd/journal/socket";
static const char MESSAGE[] = "MESSAGE=";

enum { FIELD_PRIORITY, FIELD_IDENTIFIER, FIELD_PROCESS, FIELD_GROUP, FIELD_COUNT };

struct sv_journal {
    char *fields[FIELD_COUNT]; /* "KEY=value" */
    uint64_t look_after_ns;
    uint64_t lost_bytes;
    bool is_present;
};

static char *field(const char *key, const char *value)
{
    char *text;
    return asprintf(&text, "%s=%s", key, value) < 0 ? NULL : text;
}

struct sv_journal *sv_journal_new(const char *group, const char *process, int priority)
{
    struct sv_journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return NULL;
    char digit[] = {(char)('0' + priority % 8), '\0'};
    journal->fields[FIELD_PRIORITY] = field("PRIORITY", digit);
    journal->fields[FIELD_IDENTIFIER] = field("SYSLOG_IDENTIFIER", process);
    journal->fields[FIELD_PROCESS] = field("SVISOR_PROCESS", process);
    journal->fields[FIELD_GROUP] = field("SVISOR_GROUP", group);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!journal->fields[i]) {
            sv_journal_free(journal);
            return NULL;
        }
    }
    return journal;
}

void sv_journal_free(struct sv_journal *journal)
{
    if (!journal)
        return;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        free(journal->fields[i]);
    free(journal);
}

static bool is_present(struct sv_journal *journal)
{
    uint64_t now_ns = sv_now_ns();
    if (now_ns >= journal->look_after_ns) {
        journal->is_present = access(SOCKET_PATH, W_OK) == 0;
        journal->look_after_ns = now_ns + LOOK_PAUSE_NS;
    }
    return journal->is_present;
}

void sv_journal_line(struct sv_journal *journal, const char *line, size_t length)
{
    if (length > SV_SYSLOG_LINE_BYTES_MAX)
        length = SV_SYSLOG_LINE_BYTES_MAX;
    if (!is_present(journal)) {
        journal->lost_bytes += length;
        return;
    }
    char message[sizeof(MESSAGE) + SV_SYSLOG_LINE_BYTES_MAX];
    memcpy(message, MESSAGE, sizeof(MESSAGE) - 1);
    memcpy(message + sizeof(MESSAGE) - 1, line, length);

    struct iovec parts[FIELD_COUNT + 1] = {
        {.iov_base = message, .iov_len = sizeof(MESSAGE) - 1 + length}};
    for (size_t i = 0; i < FIELD_COUNT; i++)
        parts[i + 1] =
            (struct iovec){.iov_base = journal->fields[i], .iov_len = strlen(journal->fields[i])};
    if (sd_journal_sendv(parts, FIELD_COUNT + 1) < 0)
        journal->lost_bytes += length;
}

uint64_t sv_journal_lost_bytes(const struct sv_journal *journal)
{
    return journal->lost_bytes;
}
