/* Users: what a child needs to become one, and how the daemon itself becomes one. See account.c. */
#ifndef SV_IO_ACCOUNT_H
#define SV_IO_ACCOUNT_H

#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

/* The zero value is empty. */
struct sv_account {
    uid_t uid;
    gid_t gid;     /* the primary group of the user */
    gid_t *groups; /* supplementary, the primary one first */
    size_t group_count;
};

#define SV_ACCOUNT_REFUSED 1 /* ret_text has Supervisor's reason */

/*
 * Looks `uid` up, before a spawn: the child may not. Asks the system's user database, which may be
 * a network service, so keep the answer. 0, SV_ACCOUNT_REFUSED or a negative errno.
 */
int sv_account_load(uid_t uid, struct sv_account *ret_account, struct sv_str *ret_text);
/* The name of `uid` in /etc/passwd, and nowhere else, so that nobody waits for a network; appends
 * nothing when it is not there. */
void sv_account_local_name(uid_t uid, struct sv_str *ret_name);
void sv_account_done(struct sv_account *account);

/*
 * Makes the daemon `user`, a name or a number, for good. 0 also when it already is that user.
 * SV_ACCOUNT_REFUSED: print ret_text and do not start.
 */
int sv_account_drop_privileges(const char *user, struct sv_str *ret_text);

#endif
