/*
 * Death certificates: what is known of one run that has ended, as a struct, as bytes of a file, as
 * JSON and as plain words. The fields are the rows of svisor/deaths.def.
 *
 * The driver fills one when a run has ended, and keeps it encoded (some 300 bytes, and the last
 * lines of output); whoever asks gets it decoded again.
 */
#ifndef SV_WIRE_DEATH_H
#define SV_WIRE_DEATH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum sv_death_number {
#define DEATH_NUMBER(tag, name, doc) SV_DEATH_##name,
#define DEATH_TEXT(tag, name, bytes_max, doc)
#include "svisor/deaths.def"
#undef DEATH_NUMBER
#undef DEATH_TEXT
    SV_DEATH_NUMBER_COUNT
};

enum sv_death_text {
#define DEATH_NUMBER(tag, name, doc)
#define DEATH_TEXT(tag, name, bytes_max, doc) SV_DEATH_TEXT_##name,
#include "svisor/deaths.def"
#undef DEATH_NUMBER
#undef DEATH_TEXT
    SV_DEATH_TEXT_COUNT
};
_Static_assert(SV_DEATH_NUMBER_COUNT <= 64, "sv_death.known has a bit for each number");

enum sv_death_cause {
#define DEATH_CAUSE(name, code, text) SV_DEATH_CAUSE_##name = (code),
#include "svisor/death_causes.def"
#undef DEATH_CAUSE
};

/* Whose memory was short. Codes are kept in files, here and below. */
enum sv_death_oom {
    SV_DEATH_OOM_OWN = 1,      /* the limit of its own cgroup */
    SV_DEATH_OOM_ANCESTOR = 2, /* of a cgroup above: its group, the tree, or beyond */
    SV_DEATH_OOM_HOST = 3,     /* nobody's limit: the machine has no more */
};

enum sv_death_stage {
    SV_DEATH_STAGE_COMMAND = 1, /* the file was not found, or may not be executed */
    SV_DEATH_STAGE_PREPARE = 2, /* pipes, log files, sockets, memory */
    SV_DEATH_STAGE_FORK = 3,
    SV_DEATH_STAGE_CGROUP = 4,
    SV_DEATH_STAGE_USER = 5,
    SV_DEATH_STAGE_DIRECTORY = 6,
    SV_DEATH_STAGE_EXEC = 7,
    SV_DEATH_STAGE_LIMIT = 8, /* nice, rlimit_*, oom_score_adjust */
};

enum sv_death_strays {
    SV_DEATH_STRAYS_ALIVE = 1,   /* they are still there, svisord is about to stop them */
    SV_DEATH_STRAYS_LEFT = 2,    /* left alone: kill_mode=process */
    SV_DEATH_STRAYS_ENDED = 3,   /* by themselves */
    SV_DEATH_STRAYS_STOPPED = 4, /* after the stop signal of svisord */
    SV_DEATH_STRAYS_KILLED = 5,  /* by svisord */
};

/* The zero value knows nothing. A text of no bytes is not known. */
struct sv_death {
    uint64_t known;
    int64_t numbers[SV_DEATH_NUMBER_COUNT];
    struct sv_str texts[SV_DEATH_TEXT_COUNT];
};

void sv_death_done(struct sv_death *death);
void sv_death_set(struct sv_death *death, enum sv_death_number number, int64_t value);
static inline bool sv_death_has(const struct sv_death *death, enum sv_death_number number)
{
    return death->known >> number & 1;
}
/* 0 when it is not known. */
static inline int64_t sv_death_get(const struct sv_death *death, enum sv_death_number number)
{
    return death->numbers[number];
}
/* Replaces the text; what is beyond its bytes_max is cut off. */
void sv_death_set_text(struct sv_death *death, enum sv_death_text text, const char *data,
                       size_t length);
/* "" when it is not known. */
const char *sv_death_text(const struct sv_death *death, enum sv_death_text text);

/* ---- Bytes ---- */

/* Appends one framed record. */
void sv_death_encode(const struct sv_death *death, struct sv_str *ret_bytes);

/* Outcomes of decoding, besides 0 and -ENOMEM. */
#define SV_DEATH_END 1 /* no whole record is left */

/*
 * Takes the next record at or after `*offset` and moves it on. Bytes that are no record are stepped
 * over (a torn write in the middle, a record of another version), so one bad record costs itself
 * only. `ret_death` is to be done, also before the next call.
 */
int sv_death_decode(const char *bytes, size_t length, size_t *offset, struct sv_death *ret_death);

/* ---- For people and programs ---- */

/* One sentence, without the name in front: "was ended by … SIGKILL, sent by pid 7 (bash, user …)".
 */
void sv_death_sentence(const struct sv_death *death, struct sv_str *ret_text);
/* The sentence, and what else is known, as one paragraph. */
void sv_death_paragraph(const struct sv_death *death, struct sv_str *ret_text);
/* "a fault at an address that is not mapped (SEGV_MAPERR)". "" when there is nothing to say. */
const char *sv_death_code_text(int signal, int code);
/* An object with every known field under its name, enums by name, and "text", "summary" and
 * "signal_name"; the tail as an array of lines. New reference, NULL without memory. */
json_t *sv_death_json(const struct sv_death *death);
/* The payload of a PROCESS_DEATH event. */
void sv_death_payload(const struct sv_death *death, struct sv_str *ret_payload);

/* "OUTSIDE"; "UNKNOWN" for a number of a later version. */
const char *sv_death_cause_name(int64_t cause);
const char *sv_death_cause_text(int64_t cause);

#endif
