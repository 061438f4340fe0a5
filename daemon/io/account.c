/*
 * options.py, drop_privileges(), in two halves: the looking up, which reads files or asks a network
 * service and must not happen between fork and exec, and the change itself.
 *
 * getgrouplist() instead of a walk through all groups: the same set, and it also works where groups
 * cannot be enumerated (sssd, systemd-userdb). The primary group stands first, as in Supervisor.
 */
#include "io/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"

enum { FIRST_GROUPS = 32, GROUPS_MAX = 65536 /* NGROUPS_MAX of Linux */ };
enum { LOCAL_USERS_MAX = 10000, LINE_BYTES = 4096 };

void sv_account_done(struct sv_account *account)
{
    free(account->groups);
    *account = (struct sv_account){0};
}

static int load_groups(const char *name, struct sv_account *account)
{
    int count = FIRST_GROUPS;
    for (;;) {
        int room = count;
        gid_t *groups = reallocarray(account->groups, (size_t)room, sizeof(*groups));
        if (!groups)
            return -ENOMEM;
        account->groups = groups;
        if (getgrouplist(name, account->gid, groups, &count) >= 0)
            break;
        if (room >= GROUPS_MAX)
            return -E2BIG;
        count = count > room ? count : 2 * room; /* the membership may grow meanwhile */
    }
    account->group_count = (size_t)count;
    return 0;
}

static int load_entry(const struct passwd *entry, struct sv_account *ret_account)
{
    struct sv_account account = {.uid = entry->pw_uid, .gid = entry->pw_gid};
    char *name = strdup(entry->pw_name); /* the group lookup may reuse the entry's memory */
    int r = name ? load_groups(name, &account) : -ENOMEM;
    free(name);
    if (r < 0) {
        sv_account_done(&account);
        return error_trace(r);
    }
    *ret_account = account;
    return 0;
}

int sv_account_load(uid_t uid, struct sv_account *ret_account, struct sv_str *ret_text)
{
    const struct passwd *entry = getpwuid(uid);
    if (!entry) {
        sv_str_addf(ret_text, "Can't find uid %u", (unsigned)uid);
        return SV_ACCOUNT_REFUSED;
    }
    return load_entry(entry, ret_account);
}

static int refuse(struct sv_str *ret_text, const char *reason)
{
    sv_str_add(ret_text, reason);
    return SV_ACCOUNT_REFUSED;
}

static int load_user(const char *user, struct sv_account *ret_account, struct sv_str *ret_text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(user, &end, 10);
    if (end != user && !*end && errno == 0 && number < UINT32_MAX)
        return sv_account_load((uid_t)number, ret_account, ret_text);
    const struct passwd *entry = getpwnam(user);
    if (entry)
        return load_entry(entry, ret_account);
    sv_str_addf(ret_text, "Can't find username '%s'", user);
    return SV_ACCOUNT_REFUSED;
}

int sv_account_drop_privileges(const char *user, struct sv_str *ret_text)
{
    struct sv_account account SV_CLEANUP(sv_account_done) = {0};
    int r = load_user(user, &account, ret_text);
    if (r != 0)
        return r;
    if (getuid() == account.uid)
        return 0;
    if (getuid() != 0)
        return refuse(ret_text, "Can't drop privilege as nonroot user");
    if (setgroups(account.group_count, account.groups) < 0)
        return refuse(ret_text, "Could not set groups of effective user");
    if (setgid(account.gid) < 0)
        return refuse(ret_text, "Could not set group id of effective user");
    if (setuid(account.uid) < 0 ||
        setuid(0) == 0) /* the second must fail, or nothing was dropped */
        return refuse(ret_text, "Could not set user id of effective user");
    return 0;
}

void sv_account_local_name(uid_t uid, struct sv_str *ret_name)
{
    FILE *file = fopen("/etc/passwd", "re");
    if (!file)
        return;
    struct passwd entry, *found = NULL;
    char buffer[LINE_BYTES];
    for (unsigned i = 0; i < LOCAL_USERS_MAX; i++) {
        int r = fgetpwent_r(file, &entry, buffer, sizeof(buffer), &found);
        if (r == ERANGE)
            continue; /* an entry that long is nobody's name */
        if (r != 0 || !found)
            break;
        if (found->pw_uid == uid) {
            sv_str_add(ret_name, found->pw_name);
            break;
        }
    }
    fclose(file);
}
