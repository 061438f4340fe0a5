/* What http.c (listeners and the loop) and http_exchange.c (requests and answers) share. */
#ifndef SV_IO_HTTP_INTERNAL_H
#define SV_IO_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "io/http.h"
#include "io/http_auth.h"
#include "io/http_listen.h"

struct sv_http_listener {
    struct sv_http *http;
    struct sv_http_listener *next;
    struct sv_http_socket socket;
    struct sv_http_auth auth;
    struct MHD_Daemon *daemon;
    char *address;              /* under which its socket is inherited */
    bool is_quiet;              /* `daemon` does not own the socket any more */
    struct sv_source *readable; /* the epoll descriptor of `daemon` */
    struct sv_source *again;    /* there is more to do at once */
    struct sv_source *timer;    /* the next connection times out */
    uint64_t timer_deadline_ns; /* UINT64_MAX: not armed */
};

struct sv_http {
    struct sv_loop *loop;
    sv_http_handler handler;
    void *user;
    struct sv_http_listener *listeners;
    struct sv_http_exchange *exchanges; /* all that libmicrohttpd knows, in any state */
};

/* It was answered, and libmicrohttpd has not sent all of it. */
bool sv_http_exchange_is_leaving(const struct sv_http_exchange *exchange);

/* Lets libmicrohttpd work at the next turn of the loop. */
void sv_http_listener_wake(struct sv_http_listener *listener);

/* libmicrohttpd's callbacks; `cls` is the listener. */
enum MHD_Result sv_http_on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload_data,
                                   size_t *upload_size, void **exchange);
void sv_http_on_completed(void *cls, struct MHD_Connection *connection, void **exchange,
                          enum MHD_RequestTerminationCode code);

/* The server stops: the owner hears of it, and the connection is no longer suspended. */
void sv_http_exchange_abandon(struct sv_http_exchange *exchange);
struct sv_http_exchange *sv_http_exchange_next(struct sv_http_exchange *exchange);

#endif
