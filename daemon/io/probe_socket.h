/* Asks a port, or an HTTP server, whether it answers. See probe_socket.c. */
#ifndef SV_IO_PROBE_SOCKET_H
#define SV_IO_PROBE_SOCKET_H

#include <stdbool.h>

#include "base/str.h"
#include "config/probe.h"
#include "io/loop.h"

struct sv_socket_probe;

/* The result, once, from the loop. `words` say why it failed; "" otherwise. The probe may be freed
 * in it. */
typedef void (*sv_probe_function)(void *user, bool is_ok, const char *words);

#define SV_PROBE_FAILED 1

/* `config` (SV_PROBE_PORT or SV_PROBE_HTTP) is kept. 0: the result will come. SV_PROBE_FAILED: it
 * is already known, see `ret_words`. Negative errno. */
int sv_socket_probe_new(struct sv_loop *loop, const struct sv_probe_config *config,
                        sv_probe_function function, void *user, struct sv_socket_probe **ret_probe,
                        struct sv_str *ret_words);
/* Also gives up a probe that is under way. NULL is allowed. */
void sv_socket_probe_free(struct sv_socket_probe *probe);

#endif
