/* What the files of driver/live share. */
#ifndef SV_DRIVER_LIVE_INTERNAL_H
#define SV_DRIVER_LIVE_INTERNAL_H

#include "api/cluster_host.h"
#include "driver/internal.h"
#include "driver/live/live.h"
#include "io/clients.h"
#include "io/websocket.h"
#include "wire/timeline.h"

/* A row of the model, by which it is found again however much has changed meanwhile. */
enum sv_live_kind {
    SV_LIVE_SUPVISORS,
    SV_LIVE_INSTANCE,    /* number: its place */
    SV_LIVE_APPLICATION, /* application */
    SV_LIVE_PROCESS,     /* application, name */
    SV_LIVE_LOCAL_COPY,  /* number: the sv_process_id; application, name */
    SV_LIVE_COPY,        /* number: the place of its instance; application, name */
    SV_LIVE_CONFLICTS,
    SV_LIVE_KIND_COUNT
};

struct sv_live_row {
    enum sv_live_kind kind;
    uint32_t number;
    const char *application; /* never NULL */
    const char *name;
};

enum sv_live_phase {
    SV_LIVE_WAITING, /* for its snapshot: it is new, or did not read what it got */
    SV_LIVE_SNAPSHOT,
    SV_LIVE_FOLLOWING,
};

struct sv_live_client {
    struct sv_client base;
    struct sv_live *live;
    struct sv_websocket *websocket;
    enum sv_live_phase phase;
    struct sv_str keys; /* SNAPSHOT: the rows that are left to be written, one after the other */
    size_t written;     /* bytes of `keys` that are done */
    uint64_t serial;    /* of the last record of the timeline that it has */
};

struct sv_live {
    struct sv_driver *driver;
    struct sv_source *flush;   /* sends what has changed, at the end of the turn */
    struct sv_source *slice;   /* writes the next rows of snapshots */
    struct sv_source *beat;    /* armed while a page is open */
    struct sv_clients clients; /* who waits longest for its turn comes first */
    struct sv_map changed;     /* keys of rows; the values say nothing */
    struct sv_map flushing;    /* those that are being sent */
    size_t flushed_count;      /* of the entries of `flushing` */
    struct sv_map conflicts;   /* namespecs; the values say nothing */
    json_t *instances;         /* by identifier: what clients know of it, but for clocks */
    struct sv_str scratch;
    struct sv_timeline *timeline;
    struct sv_state_file *file; /* of the timeline */
    struct sv_str unwritten;    /* lines of this turn for it */
    struct sv_source *settle;   /* makes records of the happenings of this turn */
    struct sv_happening *happenings, **happenings_end;
    uint64_t news[SV_NEWS_ITEMS_MAX]; /* serials of records that others are to be told */
    size_t news_count;
    bool has_begun;                      /* what is configured at the start was told to be there */
    enum sv_instance_state *told_states; /* by place: of instances, in the timeline */
    size_t told_state_count;
};

/* keys.c */
void sv_live_key(const struct sv_live_row *row, struct sv_str *ret_key);
/* Its texts are in `scratch`. */
struct sv_live_row sv_live_row_of(const char *key, struct sv_str *scratch);
/* Each row that there is, in the order of a snapshot. */
typedef void sv_live_row_seen(void *user, const struct sv_live_row *row);
void sv_live_each_row(struct sv_driver *driver, sv_live_row_seen *seen, void *user);

/* rows.c: bodies of messages. New references; NULL: there is no such row (any more). */
json_t *sv_live_hello(struct sv_driver *driver);
json_t *sv_live_row_json(struct sv_live *live, const struct sv_live_row *row);
json_t *sv_live_gone(struct sv_live *live, const struct sv_live_row *row);
const char *sv_live_kind_name(enum sv_live_kind kind);
struct sv_instance_names sv_live_own_names(const struct sv_driver *driver);
/* It is one of a managed application, and runs in more than one instance. */
bool sv_live_is_conflict(struct sv_driver *driver, const struct sv_live_row *process);

/* live.c */
/* To everybody who has had a `hello`; takes `body`. */
void sv_live_broadcast(struct sv_live *live, const char *kind, json_t *body);
/* To everybody who has the timeline up to it. */
void sv_live_broadcast_record(struct sv_live *live, const struct sv_timeline_record *record);
bool sv_live_has_listeners(const struct sv_live *live);
/* Something was lost, for want of memory: all clients begin anew. */
void sv_live_begin_anew(struct sv_live *live);

/* changes.c */
void sv_live_on_flush(void *live);
void sv_live_forget_changes(struct sv_live *live);
/* Looks through all processes for conflicts. */
void sv_live_find_conflicts(struct sv_live *live);

/* kept.c: the timeline in its file. */
/* What the daemon before has kept. -ENOMEM or 0. */
int sv_live_take_back(struct sv_live *live);
/* A record that is new, to be written with the others of this turn. */
void sv_live_keep(struct sv_live *live, const struct sv_timeline_record *record);
void sv_live_write(struct sv_live *live);

/* happenings.c */
void sv_live_on_settle(void *live);
void sv_live_drop_happenings(struct sv_live *live);
void sv_live_cluster_happening(struct sv_driver *driver, const struct sv_cluster_action *action);

#endif
