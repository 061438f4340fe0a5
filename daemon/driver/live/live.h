/*
 * `/live`: the model of the dashboard over a WebSocket (docs/live.md). See live.c.
 *
 * The hooks below may be called at any time, and cost nothing while nobody looks.
 */
#ifndef SV_DRIVER_LIVE_LIVE_H
#define SV_DRIVER_LIVE_LIVE_H

#include "port/action.h"

#define SV_LIVE_PROTOCOL 1 /* of `hello`; it grows when what was there changes its meaning */

struct sv_cluster_action;
struct sv_driver;
struct sv_http_exchange;
struct sv_live;
struct sv_unit;

int sv_live_open(struct sv_driver *driver);
/* Clients are told that this is the end. Before sv_http_free(). */
void sv_live_close(struct sv_driver *driver);
/* Answers a request for /live: with a WebSocket, or with why not. */
void sv_live_accept(struct sv_driver *driver, struct sv_http_exchange *exchange);

/* A local process is new, or something that its `copy` shows has changed. */
void sv_live_process_changed(struct sv_driver *driver, sv_process_id id);
/* It is about to go. */
void sv_live_process_removed(const struct sv_unit *unit);
/* An SV_CLUSTER_NOTICE. */
void sv_live_cluster_notice(struct sv_driver *driver, const struct sv_cluster_action *action);
/* The rules of all applications were read again. */
void sv_live_rules_changed(struct sv_driver *driver);

#endif
