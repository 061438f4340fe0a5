/* The machine, as config sees it: files, users, environment. libc only; svctl uses it, too. */
#ifndef SV_IO_CONFIG_HOST_H
#define SV_IO_CONFIG_HOST_H

#include "config/load.h"

/*
 * Takes a snapshot of host name, directories and environment. `ret_host` is valid until
 * sv_config_host_close(). 0 or a negative errno (-ENOENT: the current directory is gone).
 */
int sv_config_host_open(struct sv_config_host *ret_host);
/* The zero value is accepted. */
void sv_config_host_close(struct sv_config_host *host);

/*
 * The first file of the search path (config/cmdline.h) that exists, for a command line without -c.
 * Valid until sv_config_host_close(). NULL: there is none; then `ret_problem` has the words of the
 * usage error, with the places that were tried. `program` is argv[0].
 */
const char *sv_config_host_search(struct sv_config_host *host, const char *program,
                                  struct sv_str *ret_problem);

#endif
