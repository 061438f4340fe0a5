/*
 * Names of programs as names of cgroup directories.
 *
 * A byte that cannot stand in a directory's name, or would make trouble there, becomes %XX: '/',
 * control characters, blanks (they end a field in /proc/mounts and in half of all shell scripts),
 * '%' itself and a '.' at the beginning. Bytes from 0x80 on stay: UTF-8 is welcome.
 *
 * The kernel's own files stand in the same directory and all have a dot: cgroup.procs, memory.max,
 * io.pressure. mkdir() of such a name fails, and the list grows with each kernel. So a name that
 * stands alone has no dot left in it; the name of a run ends in ".<number>", as no file of the
 * kernel does.
 *
 * A name longer than 200 bytes after this is cut, and "%~" and a hash of the whole follow; a
 * directory's name has 255 bytes and the run's number needs some. That one cannot be turned back.
 */
#include "io/cgroup_names.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

enum { NAME_BYTES_MAX = 200 };

static bool is_plain(unsigned char c, bool is_first, enum sv_cgroup_name_kind kind)
{
    if (c == '.')
        return kind == SV_CGROUP_NAME_LEAF && !is_first;
    return c > ' ' && c != 0x7f && c != '/' && c != '%';
}

/* FNV-1a: no secret is at stake, only two long names with one beginning. */
static uint64_t hash(const char *text)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 0x100000001b3u;
    return value;
}

void sv_cgroup_name_escape(const char *name, enum sv_cgroup_name_kind kind, struct sv_str *out)
{
    size_t start = out->length;
    for (const char *at = name; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (is_plain(c, at == name, kind))
            sv_str_add_char(out, (char)c);
        else
            sv_str_addf(out, "%%%02X", c);
    }
    if (!*name)
        sv_str_add(out, "%"); /* nothing else gives a lone '%' */
    if (sv_str_ok(out) && out->length - start > NAME_BYTES_MAX) {
        sv_str_truncate(out, start + NAME_BYTES_MAX);
        sv_str_addf(out, "%%~%016" PRIx64, hash(name));
    }
}

static int hex_value(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool sv_cgroup_name_unescape(const char *escaped, struct sv_str *out)
{
    if (strcmp(escaped, "%") == 0)
        return true;
    for (const char *at = escaped; *at; at++) {
        if (*at != '%') {
            sv_str_add_char(out, *at);
            continue;
        }
        int high = hex_value(at[1]);
        int low = high < 0 ? -1 : hex_value(at[2]);
        if (low < 0)
            return false;
        sv_str_add_char(out, (char)(high * 16 + low));
        at += 2;
    }
    return true;
}
