/*
 * Log files of AUTO names that an earlier daemon left: options.py, clear_autochildlogdir(). The
 * pattern is
 *
 *     .+?---IDENTIFIER-\S+\.log\.{0,1}\d{0,4}
 *
 * matched at the front only, so that whatever follows ".log" belongs to it (".log.1",
 * ".log.12345"). The identifier is taken literally; Supervisor takes it as a piece of the pattern.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "io/output.h"

/* \S+ and then ".log". */
static bool is_random_part(const char *text)
{
    size_t length = 0;
    while (text[length] && !isspace((unsigned char)text[length]))
        length++;
    return length > 1 && memmem(text + 1, length - 1, ".log", 4);
}

static bool is_auto_name(const char *name, const struct sv_str *mark)
{
    if (!*name)
        return false;
    for (const char *at = strstr(name + 1, mark->data); at; at = strstr(at + 1, mark->data))
        if (is_random_part(at + mark->length))
            return true;
    return false;
}

void sv_sink_clean_auto_files(const char *childlogdir, const char *identifier)
{
    struct sv_str mark SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&mark, "---%s-", identifier);
    if (!sv_str_ok(&mark))
        return;
    DIR *directory = opendir(childlogdir);
    if (!directory) {
        sv_log_warn("Could not clear childlog dir %s: %s; old AUTO log files stay", childlogdir,
                    sv_errno_text(errno));
        return;
    }
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (!is_auto_name(entry->d_name, &mark))
            continue;
        if (unlinkat(dirfd(directory), entry->d_name, 0) < 0)
            sv_log_warn("Failed to clean up '%s/%s': %s", childlogdir, entry->d_name,
                        sv_errno_text(errno));
    }
    closedir(directory);
}
