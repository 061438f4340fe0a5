/* A start or a stop during whose wait the daemon died: the true outcome, from the next one. See
 * recover.c. */
#ifndef SV_CTL_RECOVER_H
#define SV_CTL_RECOVER_H

#include <stdint.h>

#include "ctl.h"

enum sv_wait_kind {
    SV_WAIT_NONE, /* a call that is not repeated */
    SV_WAIT_START,
    SV_WAIT_STOP,
};

/* The call that was lost. */
struct sv_lost {
    enum sv_wait_kind kind;
    const char *method;   /* that does it to one process */
    uint64_t begun_ns;    /* sv_recover_now() before the call */
    uint64_t answered_ns; /* when somebody answered last; zero at first */
};

uint64_t sv_recover_now(void);
/* True: the last call ended because nobody listens any more. */
bool sv_recover_is_lost(const struct sv_ctl *ctl);
/* What getAllProcessInfo says, once somebody answers. SV_CALL_BROKEN: nobody did in time, or
 * Ctrl-C. */
enum sv_call sv_recover_infos(struct sv_ctl *ctl, struct sv_lost *lost, json_t **ret_infos);
/* True: the lost call cannot have been about this process, which was already as was wanted. */
bool sv_recover_is_untouched(const struct sv_lost *lost, const json_t *info);
/*
 * Waits until the process is as was asked for, or cannot be any more, and asks again if the call
 * was lost before anybody had read it. SV_CALL_OK; SV_CALL_FAULT: `ret_fault` is what the lost call
 * would have ended with; SV_CALL_BROKEN as above.
 */
enum sv_call sv_recover_one(struct sv_ctl *ctl, struct sv_lost *lost, const char *name,
                            int *ret_fault);

#endif
