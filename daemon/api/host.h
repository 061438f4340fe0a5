/*
 * What the remote methods need of the daemon. The driver implements it; api knows neither io nor
 * core.
 *
 * Every function gets `user`. Times are what the core holds. Functions that change something have
 * done so, as far as it can be done at once, when they return: look at the view again to see what
 * came of it.
 */
#ifndef SV_API_HOST_H
#define SV_API_HOST_H

#include <jansson.h>

#include "base/str.h"
#include "port/log_piece.h"
#include "port/view.h"

/* Outcomes of check_command, as Supervisor's startProcess distinguishes them. */
enum sv_command_check { SV_CHECK_OK, SV_CHECK_NO_FILE, SV_CHECK_NOT_EXECUTABLE };

/* Outcomes of remove_group. */
enum sv_group_change {
    SV_GROUP_DONE,
    SV_GROUP_BAD_NAME,
    SV_GROUP_ALREADY,
    SV_GROUP_STILL_RUNNING,
    SV_GROUP_FAILED, /* the system refused: the log says why */
};

struct sv_api_cluster;

struct sv_api_host {
    void *user;
    const struct sv_api_cluster *cluster; /* NULL: there is no [rpcinterface:supvisors] */

    /* Looking. Views and strings are borrowed until the next call that changes something. */
    const struct sv_group_view *(*groups)(void *user,
                                          size_t *ret_count); /* by priority, as added */
    bool (*process)(void *user, sv_process_id id, struct sv_process_view *ret_view);
    enum sv_supervisor_state (*state)(void *user);
    int32_t (*pid)(void *user);
    const char *(*identifier)(void *user);
    int64_t (*wall_ns)(void *user);
    const struct sv_config *(*config)(void *user); /* the last one read; for getAllConfigInfo */

    /* Processes. */
    enum sv_command_check (*check_command)(void *user, sv_process_id id, struct sv_str *ret_text);
    void (*start)(void *user, sv_process_id id);
    void (*stop)(void *user, sv_process_id id);
    int (*signal)(void *user, sv_process_id id, int number);
    /* 0, -EPIPE or another negative errno. */
    int (*write_stdin)(void *user, sv_process_id id, const char *data, size_t length);

    /* Groups and configuration. */
    enum sv_group_change (*add_group)(void *user, const char *name);
    enum sv_group_change (*remove_group)(void *user, const char *name);
    /* Reads the files again. False: `ret_error` has everything that is wrong, the old one stays. */
    bool (*reread)(void *user, struct sv_str *ret_error);
    /* Compares the last configuration read with what is active: -1 removed, 0 same, 1 changed, 2
     * added. */
    int (*compare_group)(void *user, const char *name);

    /* Logs: path is NULL when the channel has no file. Reading outcomes as in SV_LOGREAD_*. */
    const char *(*log_path)(void *user, sv_process_id id, enum sv_channel channel);
    const char *(*main_log_path)(void *user);
    int (*read_log)(void *user, const char *path, int64_t offset, int64_t length,
                    struct sv_str *ret);
    int (*tail_log)(void *user, const char *path, int64_t offset, int64_t length,
                    struct sv_str *ret, int64_t *ret_offset, int *ret_overflow);
    int (*follow_log)(void *user, const char *path, const char *cursor, int64_t limit,
                      struct sv_log_piece *ret);
    int (*clear_process_log)(void *user, sv_process_id id); /* both channels */
    int (*clear_main_log)(void *user);

    /* The daemon. */
    void (*shutdown)(void *user, bool is_restart);
    /* Begins to try the file out; sv_api_reexec_tried() follows. False: `ret_problem` says why not.
     */
    bool (*reexec)(void *user, struct sv_str *ret_problem);
    void (*publish_remote)(void *user, const char *type, const char *data);
    json_t *(*kernel_report)(void *user);         /* new reference */
    json_t *(*why)(void *user, sv_process_id id); /* new reference: what is known of its last end */
    /* Death certificates, the newest first: of one run, of the last one for 0, of all for -1. A new
     * reference to an array. */
    json_t *(*deaths)(void *user, sv_process_id id, int64_t run);
    /* What the process and its group ran short of, the newest first. A new reference to an array.
     */
    json_t *(*resource_events)(void *user, sv_process_id id);
    json_t *(*network)(void *user, sv_process_id id);
    /* The newest `limit` records of the timeline with a serial above `after`, oldest first. A new
     * reference to an array. */
    json_t *(*timeline)(void *user, uint64_t after, size_t limit);
    /* Over one of the periods of statistics, 0: the first. New references; the null of JSON: it is
     * none. */
    json_t *(*host_statistics)(void *user, double period);
    json_t *(*process_statistics)(void *user, sv_process_id id, double period);
    json_t *(*usage)(void *user, double period);
};

/* Outcomes of read_log, tail_log and follow_log, the same as io/logfile.h's. */
enum sv_log_read { SV_LOG_OK = 0, SV_LOG_BAD_ARGUMENTS = 1, SV_LOG_FAILED = 2, SV_LOG_NO_FILE = 3 };

#endif
