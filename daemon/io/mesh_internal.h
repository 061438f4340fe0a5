/* What the files of the mesh share: mesh.c (opening, sending), mesh_inbox.c, mesh_gate.c (who may
 * connect), mesh_peer.c (the way to one other instance), mesh_drop.c (what is not believed). */
#ifndef SV_IO_MESH_INTERNAL_H
#define SV_IO_MESH_INTERNAL_H

#include <zmq.h>

#include "base/map.h"
#include "io/mesh.h"
#include "io/mesh_keys.h"
#include "io/resolve.h"
#include "io/zmq_watch.h"
#include "wire/mesh.h"

enum { HELD_MESSAGES_MAX = 8 }; /* of one instance to which there is no way yet: HELLO and a bit */

/* When something was last logged, and how often it was only counted since. */
struct sv_mesh_complaint {
    uint64_t logged_ns; /* 0: never */
    uint64_t silent_count;
};

enum sv_mesh_way {
    SV_MESH_WAY_PAUSE,     /* none; the timer, the resolver or the sweep will begin one */
    SV_MESH_WAY_TRYING,    /* connecting, shaking hands */
    SV_MESH_WAY_BACKOFF,   /* nobody listens there; libzmq will try again */
    SV_MESH_WAY_CONNECTED, /* told to the driver */
};

enum {
    SV_MESH_SOURCE_UNKNOWN = -1, /* nothing has come since our way is there */
    SV_MESH_SOURCE_ENDED = -2,
};

struct sv_mesh_peer {
    struct sv_mesh *mesh;
    struct sv_mesh_peer *next_closed;
    uint32_t place;
    const struct sv_instance_config *instance;

    enum sv_mesh_way way;
    void *socket;  /* DEALER; NULL: none */
    void *monitor; /* PAIR that hears what becomes of it */
    struct sv_zmq_watch *watch;
    struct sv_source *retry;        /* timer */
    struct sv_source *farewell;     /* timer: it has been parting for long enough */
    uint64_t pause_ns;              /* before the next try; grows */
    char address[SV_ADDRESS_BYTES]; /* "": not known yet */
    uint32_t refused_count;         /* tries since the name was last resolved */
    size_t candidate;               /* of the keys that it may have */
    bool is_closed;                 /* by sv_mesh_disconnect(); freed by the sweep */
    bool is_parting;                /* our way broke, its own has not ended yet */
    int source;                     /* descriptor of its connection to the inbox, or a SOURCE */
    bool is_overrun;                /* its queue is full; the sweep gives the way up */
    bool is_asked;                  /* the resolver will answer */

    char server_key[SV_MESH_KEY_LENGTH + 1];  /* that it must have on this way */
    char allowed_key[SV_MESH_KEY_LENGTH + 1]; /* that has been looked up last */
    uint64_t incarnation;                     /* of the last packet */
    uint64_t last_number;
    uint64_t sent_number;
    zmq_msg_t held[HELD_MESSAGES_MAX];
    size_t held_count;

    struct sv_mesh_counters counters;
    struct sv_mesh_complaint complaints[SV_MESH_DROP_COUNT];
    struct sv_mesh_complaint failed_handshake;
};

struct sv_mesh {
    struct sv_loop *loop;
    struct sv_mesh_settings settings;
    struct sv_mesh_handlers handlers;
    bool has_keys;
    bool has_new_keys; /* the sweep is to look who may speak now */
    struct sv_mesh_keys keys;
    uint64_t keys_looked_ns;
    struct sv_str security;

    void *context;
    void *inbox;   /* ROUTER */
    void *gate;    /* REP of ZAP; NULL without keys */
    void *monitor; /* PAIR of the inbox */
    struct sv_zmq_watch *inbox_watch, *gate_watch, *monitor_watch;
    uint64_t monitor_count; /* for names of monitors */

    struct sv_resolver *resolver;
    struct sv_map by_identifier;
    struct sv_mesh_peer **peers; /* by place; NULL where there is none */
    uint32_t peer_capacity;
    struct sv_mesh_peer *closed;
    struct sv_source *sweep; /* defer: what cannot be done inside of a handler */

    struct sv_str bytes; /* of the packet that is sent */
    struct sv_mesh_counters counters;
    struct sv_mesh_complaint complaints[SV_MESH_DROP_COUNT]; /* about strangers */
    struct sv_mesh_complaint refused, failed_handshake;
};

/* zmq_setsockopt() of an int; a failure is remembered in `*result`. */
void sv_mesh_set(void *socket, int option, int value, int *result);
/* A PAIR that hears of the events of `socket`. NULL with errno. */
void *sv_mesh_monitor_open(struct sv_mesh *mesh, void *socket, int events);
/* One event. False: there is none. */
struct sv_mesh_event {
    int number;
    uint32_t value; /* of ZMQ_EVENT_DISCONNECTED: the descriptor of the connection */
};
bool sv_mesh_monitor_take(void *monitor, struct sv_mesh_event *ret_event);
/* Takes one message out of the inbox; of sv_zmq_watch. */
bool sv_mesh_take_one(void *mesh);
/* A connection to the inbox has ended: takes what came by it, and tells the peer. */
void sv_mesh_end_source(struct sv_mesh *mesh, int source);
/* Takes the packet of the message, or holds it, or drops it. */
void sv_mesh_receive(struct sv_mesh *mesh, zmq_msg_t *message);

int sv_mesh_gate_open(struct sv_mesh *mesh);
/* Looks whether other keys are trusted by now. Then, in the sweep, who waits for that tries again,
 * and who is not trusted any more is left. */
void sv_mesh_refresh_keys(struct sv_mesh *mesh);
/* The same a little later, and not too often: while messages come. */
void sv_mesh_look_at_keys(struct sv_mesh *mesh);

int sv_mesh_peer_new(struct sv_mesh *mesh, uint32_t place,
                     const struct sv_instance_config *instance, struct sv_mesh_peer **ret_peer);
/* NULL is allowed. */
void sv_mesh_peer_free(struct sv_mesh_peer *peer);
/* Ends the way; what was not sent yet is lost. */
void sv_mesh_peer_close_way(struct sv_mesh_peer *peer);
/* Ends the way when all is sent, at most after this time, and waits for that; then free it. */
void sv_mesh_peer_flush(struct sv_mesh_peer *peer, uint64_t flush_ns);
void sv_mesh_peer_await_flush(struct sv_mesh_peer *peer, uint64_t deadline_ns);
/* Begins a way at once, if one is only waited for: the other side has given a sign of life. */
void sv_mesh_peer_kick(struct sv_mesh_peer *peer);
/* Other keys are trusted now. */
void sv_mesh_peer_check_keys(struct sv_mesh_peer *peer);
/* Our way broke. The driver hears of it when its own has ended, too: all it said comes before. */
void sv_mesh_peer_lose(struct sv_mesh_peer *peer);
/* All that came by a connection to the inbox has been taken; it has ended. */
void sv_mesh_peer_end_source(struct sv_mesh_peer *peer);
/* If it was parting, it is lost now, and the driver is told. */
void sv_mesh_peer_part(struct sv_mesh_peer *peer);
void sv_mesh_peer_give_up(struct sv_mesh_peer *peer);
void sv_mesh_peer_on_resolved(void *user, uint32_t place, const char *address, const char *why);

/* Is it time to log it again? `ret_text`: "" or "; 12 more like it since". */
bool sv_mesh_may_complain(struct sv_mesh_complaint *complaint, char (*ret_text)[64]);
/* Counts and says it. `peer` NULL: it came from `who`, whoever that is. */
void sv_mesh_drop(struct sv_mesh *mesh, struct sv_mesh_peer *peer, enum sv_mesh_drop kind,
                  const char *who, const char *detail);

#endif
