/*
 * The journal's bytes: records of what one daemon leaves to the next.
 *
 *     record = u32 length of the body, u32 checksum of the body, body
 *     body   = u8 kind, then fields of fixed width (little-endian), then texts (u16 length, bytes)
 *
 * The version is raised only when an older reader would misunderstand what it reads; a header
 * begins with kind, version and boot id for ever. Reasons may be added, and so may kinds of
 * records: what an older reader does not know it takes for none. Upgrades and downgrades rest on
 * this.
 *
 * A field is added at the end of a body, where an older reader does not look; a newer one takes
 * what is not there for zero.
 *
 * The file is appended to, so only its end can be torn; a reader stops at the first record that is
 * cut or whose checksum is wrong. A later record about the same process replaces an earlier one.
 *
 * What a pool of event listeners has not settled: every EVENT since the last POOL of its group
 * without a SETTLED of the same serial. A long payload is cut into several EVENTs, because an older
 * reader takes a body of more than 64 KB for the end.
 */
#ifndef SV_WIRE_JOURNAL_H
#define SV_WIRE_JOURNAL_H

#include <stddef.h>

#include "base/str.h"
#include <svisor/record.h>

#define SV_JOURNAL_VERSION  1
#define SV_JOURNAL_TEXT_MAX 4096        /* bytes in one text of a record */
#define SV_JOURNAL_PART_MAX (32u << 10) /* bytes of a payload in one EVENT */

enum sv_journal_kind {
    SV_JOURNAL_HEADER = 1,
    SV_JOURNAL_PROCESS = 2,
    SV_JOURNAL_FORGET = 3,  /* the process is no longer configured */
    SV_JOURNAL_EVENT = 4,   /* an event waits for listeners of the group */
    SV_JOURNAL_SETTLED = 5, /* it does so no longer, or was never written down */
    SV_JOURNAL_POOL = 6,    /* nothing waits; the serials are those of the next event */
};

struct sv_journal_entry {
    enum sv_journal_kind kind;
    /* HEADER */
    const char *boot_id;
    const char *tree;   /* path of the cgroup tree, "" if there was none */
    int32_t daemon_pid; /* who has written it */
    /* all but HEADER */
    const char *group;
    /* PROCESS, FORGET */
    const char *process;
    /* PROCESS */
    struct sv_process_record record;
    const char *logs[2];  /* the files of its channels, "" if none: automatic names are random */
    const char *leaf;     /* path of the cgroup of the run, "" if it has none */
    uint64_t start_ticks; /* field 22 of /proc/PID/stat; 0: the leaf identifies the process */
    uint64_t keeper_key;  /* under which the keeper holds its pipes; 0: it does not */
    struct sv_deeds deeds;
    const char *limits; /* what the run was given, a line "KEY VALUE" for each; "" if nothing */
    const char *group_limits; /* likewise its group */
    const char *status;       /* what it said last with STATUS=; "" if nothing */
    uint32_t cursor;          /* where the progress of a delivery stands, and 1; 0: nowhere */
    /* EVENT, SETTLED, POOL */
    uint64_t serial, pool_serial;
    /* EVENT */
    const char *type;     /* its name: numbers differ between versions */
    const char *payload;  /* this part of it; decoded: borrowed from the journal's bytes */
    uint32_t part_bytes;  /* of `payload` */
    uint32_t part_start;  /* where it begins in the whole payload */
    uint32_t whole_bytes; /* of the whole payload */
};

void sv_journal_encode(const struct sv_journal_entry *entry, struct sv_str *ret_bytes);

/* Outcomes of decoding. */
#define SV_JOURNAL_END     1 /* no whole record is left: the end, or a torn write */
#define SV_JOURNAL_UNKNOWN 2 /* a whole record that a later version has written; passed over */

/* Takes the record at `*offset` and moves it on. Texts are copied into `texts`, which is cleared
 * first and holds them until the next call. 0, an outcome above, or -ENOMEM. */
int sv_journal_decode(const char *bytes, size_t length, size_t *offset, struct sv_str *texts,
                      struct sv_journal_entry *ret_entry);

/* How many of the bytes are whole records, whatever they say. */
size_t sv_journal_whole_length(const char *bytes, size_t length);

/*
 * What every version can read of every other: the header's version, and the boot in which it was
 * written (into `ret_boot_id`). False: there is no header.
 */
bool sv_journal_version(const char *bytes, size_t length, uint32_t *ret_version,
                        struct sv_str *ret_boot_id);

#endif
