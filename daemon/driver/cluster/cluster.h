/*
 * The cluster's side of the driver: with [rpcinterface:supvisors] the daemon is an instance among
 * others. Without it there is no struct sv_driver_cluster, and every function below does nothing.
 */
#ifndef SV_DRIVER_CLUSTER_H
#define SV_DRIVER_CLUSTER_H

#include "driver/driver.h"
#include "port/action.h"
#include "port/event.h"

struct sv_config;
struct sv_death;
struct sv_driver;
struct sv_driver_cluster;
struct sv_http_exchange;
struct sv_mesh_news;
struct sv_shortage_report;

/* After the programs are known, before the HTTP ports open. 0, SV_DRIVER_REFUSED with the reason in
 * `ret_error`, or negative errno. */
int sv_driver_cluster_open(struct sv_driver *driver, struct sv_str *ret_error);
/* The files were read again: so are the rules. With a fault in them nothing changes:
 * SV_DRIVER_REFUSED, and `ret_error` says what is wrong and where. */
int sv_driver_cluster_reread(struct sv_driver *driver, const struct sv_config *config,
                             struct sv_str *ret_error);
/* The local rows are complete, the loop runs: the mesh begins. */
void sv_driver_cluster_begin(struct sv_driver *driver);
/* What the local core tells of a process, for those who have subscribed to events: before
 * sv_driver_cluster_changed(). */
void sv_driver_cluster_publish_state(struct sv_driver *driver, const struct sv_action *action);
void sv_driver_cluster_publish_death(struct sv_driver *driver, const struct sv_death *death);
void sv_driver_cluster_publish_shortage(struct sv_driver *driver,
                                        const struct sv_shortage_report *report);
/* To all instances that are there. */
void sv_driver_cluster_send_news(struct sv_driver *driver, const struct sv_mesh_news *news);
/* A request for the events that `path` names, as a WebSocket or a stream. False: there are none. */
bool sv_driver_cluster_accept_subscriber(struct sv_driver *driver,
                                         struct sv_http_exchange *exchange, const char *path);
/* A local process is new or has changed. */
void sv_driver_cluster_changed(struct sv_driver *driver, sv_process_id process);
/* It is gone. */
void sv_driver_cluster_removed(struct sv_driver *driver, const char *application, const char *name);
/* The application has rules: the keeper's promise is about its runs. */
bool sv_driver_cluster_manages(const struct sv_driver *driver, const char *application);
/* The daemon begins to stop; `keeps_programs`: they live on. */
void sv_driver_cluster_ending(struct sv_driver *driver, bool keeps_programs);
void sv_driver_cluster_close(struct sv_driver *driver);

#endif
