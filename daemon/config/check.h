/* What `svisord --check` prints: a configuration in words, and its problems. */
#ifndef SV_CONFIG_CHECK_H
#define SV_CONFIG_CHECK_H

#include "base/str.h"
#include "config/config.h"

/* Every section with every effective value, as it would be written in a file; passwords are hidden.
 */
void sv_config_describe(const struct sv_config *config, struct sv_str *ret_text);

/* "error: /etc/x.conf:12: [program:web] startsecs: …", one line for each problem. */
void sv_diag_render(const struct sv_diag *diag, struct sv_str *ret_text);

/* One of these lines, without its severity, which a log line has of its own, and without its end.
 */
void sv_diag_render_row(const struct sv_diag_row *row, struct sv_str *ret_text);

#endif
