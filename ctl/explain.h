/* Why a process is in its state: from svisord's record, or from what supervisord lets one know. */
#ifndef SV_CTL_EXPLAIN_H
#define SV_CTL_EXPLAIN_H

#include "base/str.h"
#include "ctl.h"

/*
 * `info` is a struct of getProcessInfo. Writes a new reference: a struct with the keys of `why
 * --json`
 * (`help why`), of which "name", "group", "statename" and "text" are there with every server.
 */
enum sv_verdict sv_explain(struct sv_ctl *ctl, const json_t *info, json_t **ret_why);

/* "2026-11-22 15:04:05" in local time. */
void sv_add_time(struct sv_str *text, json_int_t seconds);

#endif
