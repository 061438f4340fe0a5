/*
 * What the methods of supvisors.* need of the cluster; the driver implements it. Without
 * [rpcinterface:supvisors] there is none, and those methods do not exist.
 *
 * Views and strings are borrowed until the next request, or the next turn of the loop.
 */
#ifndef SV_API_CLUSTER_HOST_H
#define SV_API_CLUSTER_HOST_H

#include <jansson.h>

#include "port/cluster_view.h"
#include "port/view.h"

#define SV_NUMPROCS_E_NOT_APPLICABLE 1

/* What is collected now. */
struct sv_api_statistics {
    bool has_host, has_processes;
    double collecting_period; /* seconds */
};

struct sv_api_cluster {
    void *user;
    const struct sv_supvisors_config *config;

    uint64_t (*now_ns)(void *user); /* CLOCK_MONOTONIC */
    sv_instance_place (*local)(void *user);
    size_t (*instance_count)(void *user);
    void (*instance)(void *user, sv_instance_place place, struct sv_instance_view *ret);
    /* `ret_places` has room for instance_count(); 0: nobody is called so. */
    uint32_t (*find)(void *user, const char *name, sv_instance_place *ret_places);
    size_t (*application_count)(void *user);
    void (*application)(void *user, size_t place, struct sv_application_view *ret);
    size_t (*application_named)(void *user, const char *name); /* SIZE_MAX: none */
    void (*process)(void *user, size_t application, size_t place,
                    struct sv_cluster_process_view *ret);
    size_t (*process_named)(void *user, size_t application, const char *name); /* SIZE_MAX: none */
    void (*copy)(void *user, size_t application, size_t process, size_t place,
                 struct sv_copy_view *ret);

    /* Answered by sv_api_cluster_answered(), perhaps before this returns. */
    void (*request)(void *user, const struct sv_cluster_request *request);
    void (*drop_request)(void *user, uint64_t id);

    /* Has a method called in another instance. Answered by sv_api_relay_answered(), perhaps before
     * this returns. `params` is an array; what is borrowed is for the call. */
    void (*relay)(void *user, uint64_t id, sv_instance_place place, const char *method,
                  json_t *params);
    void (*drop_relayed)(void *user, uint64_t id);

    /* Of a local process: what is added to its command line from its next start on. 0 or -ENOMEM.
     */
    int (*set_extra_arguments)(void *user, sv_process_id id, const char *arguments);
    /* Whether the configuration has [program:name], or a process in use comes from it. */
    bool (*knows_program)(void *user, const char *program);
    /* Its processes are not started any more, or again. 0, or negative errno: that could not be
     * written down, and nothing has changed. */
    int (*set_disabled)(void *user, const char *program, bool is_disabled);
    /* More processes are there when it returns; those in excess are retired (struct
     * sv_process_view), or gone if they had stopped. 0, negative errno, or
     * SV_NUMPROCS_E_NOT_APPLICABLE: the files do not allow it, and the log says why. */
    int (*set_numprocs)(void *user, const char *program, uint32_t count);
    void (*set_log_level)(void *user, enum sv_log_level level);

    void (*statistics)(void *user, struct sv_api_statistics *ret);
    void (*enable_host_statistics)(void *user, bool is_enabled);
    void (*enable_process_statistics)(void *user, bool is_enabled);
    void (*set_collecting_period)(void *user, double seconds);
};

#endif
