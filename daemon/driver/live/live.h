/*
 * `/live`: the model of the dashboard over a WebSocket (docs/live.md). See live.c.
 *
 * The hooks below may be called at any time, and cost nothing while nobody looks.
 */
#ifndef SV_DRIVER_LIVE_LIVE_H
#define SV_DRIVER_LIVE_LIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <svisor/timeline.h>

#include "port/action.h"

#define SV_LIVE_PROTOCOL 1 /* of `hello`; it grows when what was there changes its meaning */

struct sv_cluster_action;
struct sv_death;
struct sv_driver;
struct sv_http_exchange;
struct sv_live;
struct sv_mesh_news_item;
struct sv_shortage_report;
struct sv_unit;

int sv_live_open(struct sv_driver *driver);
/* Whether a page is open. */
bool sv_live_has_pages(const struct sv_driver *driver);
/* Clients are told that this is the end. Before sv_http_free(). */
void sv_live_close(struct sv_driver *driver);
/* Answers a request for /live: with a WebSocket, or with why not. */
void sv_live_accept(struct sv_driver *driver, struct sv_http_exchange *exchange);

/* A local process is new, or something that its `copy` shows has changed. */
void sv_live_process_changed(struct sv_driver *driver, sv_process_id id);
/* It is about to go. */
void sv_live_process_removed(const struct sv_unit *unit);
/* An SV_CLUSTER_NOTICE; also for the timeline. */
void sv_live_cluster_notice(struct sv_driver *driver, const struct sv_cluster_action *action);
/* The rules of all applications were read again. */
void sv_live_rules_changed(struct sv_driver *driver);

/* ---- The timeline: happenings.c ---- */

/* The programs of an earlier daemon are taken back, and BEGIN was not fed yet. */
void sv_live_begin(struct sv_driver *driver);
/* The loop has ended: what its last turn has brought. */
void sv_live_end(struct sv_driver *driver);
/* A SV_NOTICE_PROCESS_STATE_*. */
void sv_live_state(struct sv_unit *unit, const struct sv_action *action);
/* A certificate; `is_planned`: the run ended as it should. */
void sv_live_death(struct sv_unit *unit, const struct sv_death *death, bool is_planned);
void sv_live_shortage(struct sv_driver *driver, const struct sv_shortage_report *report);
/* What another instance tells. */
void sv_live_news(struct sv_driver *driver, const char *identifier,
                  const struct sv_mesh_news_item *item);
void sv_live_daemon(struct sv_driver *driver, enum sv_timeline_level level, const char *text);
void sv_live_group(struct sv_driver *driver, const char *name, const char *text);
/* The newest `limit` records with a serial above `after`, oldest first. A new reference. */
json_t *sv_live_timeline(struct sv_driver *driver, uint64_t after, size_t limit);

#endif
