/* What is done so that programs outlive svisord, its end and its next version. Read handover.c
 * first. */
#ifndef SV_DRIVER_OUTLIVE_H
#define SV_DRIVER_OUTLIVE_H

#include "driver/internal.h"

/* handover.c: what the next daemon must know. */
/* Opens the journal and the keeper; `ret_bytes` is what an earlier daemon left. */
int sv_handover_open(struct sv_driver *driver, struct sv_str *ret_bytes);
/* False with the reason: another version has written it, and this one must not start. */
bool sv_handover_is_readable(const struct sv_str *bytes, struct sv_str *ret_problem);
/* After the tree is open: the keeper goes where it is safe. */
void sv_handover_settle_keeper(struct sv_driver *driver);
/* The journal begins anew. */
void sv_handover_begin(struct sv_driver *driver);
/* Writes down how the process is now, if that is new. */
void sv_handover_note(struct sv_driver *driver, sv_process_id id);
/* The journal is written anew if it has become long. */
void sv_handover_shorten(struct sv_driver *driver);
/* Gives the keeper descriptors of a run, beside those that it has. */
void sv_handover_keep(struct sv_run *run, const struct sv_kept *kept);
/* Its pidfd, too: with the next message to the keeper, or at the end of this turn. */
void sv_handover_keep_pidfd(struct sv_run *run);
/* The process is no longer configured. */
void sv_handover_forget(struct sv_unit *unit);
void sv_handover_close(struct sv_driver *driver);

/* backlog.c: events that no listener has settled. */
/* True when it was an action about them: it is written down, and the blob taken. */
bool sv_backlog_note(struct sv_driver *driver, const struct sv_action *action);
/* All of them, for a journal that is written anew. */
void sv_backlog_encode(const struct sv_driver *driver, struct sv_str *bytes);
/* Where the progress of its delivery is kept; NULL: nowhere. */
int64_t *sv_backlog_cursor(struct sv_unit *unit);
void sv_backlog_leave(struct sv_unit *unit);
/* Gathers what the journal says into `pools`, then tells the core, after RESTORE of the listeners.
 */
void sv_backlog_read(struct sv_map *pools, const struct sv_journal_entry *entry);
void sv_backlog_restore(struct sv_driver *driver, struct sv_map *pools);
void sv_backlog_done(struct sv_map *pools);
/* An adopted listener gets what is missing of the event that it holds. */
void sv_backlog_resume(struct sv_unit *unit, uint32_t cursor);

/* promise.c: what the keeper does about the programs of a cluster when it is not told otherwise. */
void sv_promise_watch(struct sv_driver *driver);
void sv_promise_begin(struct sv_driver *driver);
/* Renews the right to run what is managed until then (CLOCK_MONOTONIC): it is ended when that has
 * passed, whatever has become of us. SV_NEVER: that right does not end. */
void sv_handover_promise(struct sv_driver *driver, uint64_t deadline_ns);
/* The promise is about this run, or no longer. For a new run: when it has its leaf, and before
 * anybody is in it; for adopted ones, those of which only strays are left as well, with each
 * svisord anew. */
void sv_handover_manage(struct sv_run *run, bool is_managed);
/* Why the keeper has ended that run; NONE: it has not. */
enum sv_reason sv_promise_reason(const struct sv_run *run);

/* adopt.c: takes over what an earlier daemon left, before BEGIN. */
void sv_adopt_all(struct sv_driver *driver, const struct sv_str *bytes);
/* While adopting: the cgroup in which a process of that pid ended when no daemon ran, or 0. */
uint64_t sv_adopt_cgroup_of(const struct sv_driver *driver, pid_t pid);
/* True when the journal is of this boot, and of a version that this svisord cannot read. */
bool sv_adopt_is_foreign(const struct sv_str *bytes, uint32_t *ret_version);
/* True when there is something to adopt; then the path of its cgroup tree, "" if it had none. */
bool sv_adopt_former_tree(const struct sv_str *bytes, struct sv_str *ret_path);

/* leave.c: svisord goes, its programs do not. */
/* Whether they would live on, and be known to the next svisord; if not, `ret_reason` says why. */
bool sv_leave_is_possible(struct sv_driver *driver, struct sv_str *ret_reason);
/* Ends the loop with that code. From here on nothing of the programs is touched any more. */
void sv_leave(struct sv_driver *driver, enum sv_driver_end end);

/* reexec.c: svisord becomes what stands at its path now. */
int sv_reexec_new(struct sv_driver *driver);
void sv_reexec_free(struct sv_reexec *reexec);
/* Tries the file out, which takes a moment: sv_api_reexec_tried() tells what came of it. False with
 * the reason when it cannot even be tried. */
bool sv_reexec_begin(struct sv_driver *driver, struct sv_str *ret_problem);
/* From here on no request is answered. */
bool sv_reexec_is_going(const struct sv_driver *driver);

#endif
