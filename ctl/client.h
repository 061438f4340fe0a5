/*
 * The connection to supervisord or svisord: XML-RPC over HTTP, on TCP or on a unix socket.
 *
 * One client keeps one connection and uses it again. A call waits for its answer without a time
 * limit, because a stop may take as long as its `stopwaitsecs`; Ctrl-C ends the wait.
 */
#ifndef SV_CTL_CLIENT_H
#define SV_CTL_CLIENT_H

#include <curl/curl.h>
#include <jansson.h>

#include "wire/xmlrpc.h"

struct sv_client;

enum sv_call {
    SV_CALL_OK,
    SV_CALL_FAULT,  /* the server said no: sv_client_fault() */
    SV_CALL_BROKEN, /* no answer, or none that can be read: sv_client_failure() */
};

enum sv_failure {
    SV_FAILURE_NONE,
    SV_FAILURE_REFUSED,      /* ECONNREFUSED */
    SV_FAILURE_NO_FILE,      /* ENOENT: no such socket */
    SV_FAILURE_UNAUTHORIZED, /* HTTP status 401 */
    SV_FAILURE_INTERRUPTED,  /* Ctrl-C */
    SV_FAILURE_LOST,         /* the connection broke after the call was made */
    SV_FAILURE_FAULT,        /* the last call ended with a fault */
    SV_FAILURE_OTHER,
};

/* Watches `interrupt_fd` while it waits (borrowed). NULL without memory. */
struct sv_client *sv_client_new(int interrupt_fd);
/* For another server, with the same user and password. NULL without memory. */
struct sv_client *sv_client_new_beside(const struct sv_client *client, const char *url);
void sv_client_free(struct sv_client *client);

/* "http://host[:port]" or "unix:///path". Strings are copied. 0 or -ENOMEM. */
int sv_client_set_url(struct sv_client *client, const char *url);
/* NULL, NULL: no authentication. */
int sv_client_set_user(struct sv_client *client, const char *username, const char *password);
const char *sv_client_url(const struct sv_client *client);

/*
 * Calls `method` with the parameters that json_pack() makes of `format`, an array: "[]", "[sb]".
 * Writes a new reference on SV_CALL_OK only; `ret_result` may be NULL.
 */
enum sv_call sv_client_call(struct sv_client *client, const char *method, json_t **ret_result,
                            const char *format, ...);

/* Of the last call. The fault's code is 0 when it did not end with one. */
const struct sv_xmlrpc_fault *sv_client_fault(const struct sv_client *client);
enum sv_failure sv_client_failure(const struct sv_client *client);
/* The last call found nobody, or nobody any more: the next daemon may answer. */
bool sv_client_is_away(const struct sv_client *client);
/* One line without a newline at its end. Borrowed until the next call. */
const char *sv_client_error(const struct sv_client *client);

/* For stream.c: points a handle of its own at `path` of this server. 0 or a curl error. */
CURLcode sv_client_aim(const struct sv_client *client, CURL *handle, const char *path);
int sv_client_interrupt_fd(const struct sv_client *client);

#endif
