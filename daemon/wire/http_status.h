/* The first line of an HTTP answer: all that a probe reads of it. */
#ifndef SV_WIRE_HTTP_STATUS_H
#define SV_WIRE_HTTP_STATUS_H

#include <stddef.h>

#define SV_HTTP_STATUS_MORE 0  /* what is there may become one */
#define SV_HTTP_STATUS_NONE -1 /* this is no HTTP */

/* The three digits of "HTTP/1.1 200 OK\r\n" as soon as they are there, or one of the above. */
int sv_http_status(const char *data, size_t length);

#endif
