/*
 * Files of the user that the dashboard shows: software_icon and css_files of
 * [rpcinterface:supvisors].
 *
 *     /software-icon    the image, of the type that its name says; also /software_icon.png, as with
 *                       Supvisors
 *     /css/0.css        the style sheets, numbered as they are found
 *
 * They are read at each request, so that who changes one sees it. A file that cannot be served is
 * told to the log once, and again when it could be in between.
 *
 * An SVG may hold scripts. As an image it may not run them; opened by itself it would, with the
 * password of whoever has opened it: the policy forbids it, and makes its origin nobody's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cluster_host.h"
#include "api/fault.h"
#include "base/error.h"
#include "base/log.h"
#include "driver/internal.h"
#include "driver/rest/rest.h"

enum { COMPLAINTS_MAX = 64, DIGITS_MAX = 4 };

static const struct {
    const char *ending, *content_type;
} images[] = {
    {".png", "image/png"},   {".svg", "image/svg+xml"}, {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"}, {".gif", "image/gif"},     {".ico", "image/x-icon"},
};

/* NULL: none that a browser shows. */
static const char *image_type(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < SV_ARRAY_LENGTH(images); i++)
        if (strcasecmp(ending, images[i].ending) == 0)
            return images[i].content_type;
    return NULL;
}

/* Never waits for a pipe or a device. */
static int open_file(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int r = fstat(fd, &info) < 0 ? -errno : S_ISREG(info.st_mode) ? 0 : -EINVAL;
    if (r < 0)
        close(fd);
    return r < 0 ? r : fd;
}

/* -EFBIG: too long. */
static int read_whole(const char *path, struct sv_str *ret_bytes)
{
    int r = 0;
    ssize_t n = 1;
    int fd = open_file(path);
    if (fd < 0)
        return fd;
    while (r == 0 && n > 0) {
        size_t room = SV_SERVED_FILE_BYTES_MAX + 1 - ret_bytes->length;
        char *place = room > 0 ? sv_str_reserve(ret_bytes, room) : NULL;
        n = place ? read(fd, place, room) : 0;
        if (n > 0)
            sv_str_grew(ret_bytes, (size_t)n);
        r = n < 0 ? -errno : place ? 0 : room > 0 ? -ENOMEM : -EFBIG;
    }
    close(fd);
    return r;
}

static void complain(struct sv_driver *driver, size_t number, const char *path, const char *why)
{
    uint64_t bit = UINT64_C(1) << (number < COMPLAINTS_MAX ? number : COMPLAINTS_MAX - 1);
    if (!(driver->unserved_files & bit))
        sv_log_warn("the dashboard is without %s: %s", path, why);
    driver->unserved_files |= bit;
}

/* `number` tells it from the others. */
static void serve(struct sv_driver *driver, struct sv_http_exchange *exchange, size_t number,
                  const char *path)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    const char *type = number == 0 ? image_type(path) : "text/css; charset=utf-8";
    int r = type ? read_whole(path, &bytes) : 0;
    if (!type)
        complain(driver, number, path, "software_icon= is a .png, .svg, .jpg, .gif or .ico");
    else if (r < 0)
        complain(driver, number, path, r == -EFBIG ? "it is longer than 1 MB" : sv_errno_text(r));
    if (!type || r < 0) {
        sv_rest_reply_fault(exchange, 404, SV_FAULT_NO_FILE,
                            "NO_FILE: it cannot be read; the log says why");
        return;
    }
    if (number < COMPLAINTS_MAX - 1)
        driver->unserved_files &= ~(UINT64_C(1) << number);
    sv_http_add_header(exchange, "Content-Security-Policy",
                       "default-src 'none'; frame-ancestors 'none'; sandbox");
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    sv_http_add_header(exchange, "Cache-Control", "no-cache");
    sv_http_reply(exchange, 200, type, sv_str_text(&bytes), bytes.length);
}

/* Of "/css/12.css". False: it is none. */
static bool read_number(const char *path, size_t *ret_number)
{
    static const char begin[] = "/css/";
    if (strncmp(path, begin, sizeof(begin) - 1) != 0)
        return false;
    const char *digits = path + sizeof(begin) - 1;
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > DIGITS_MAX || strcmp(digits + length, ".css") != 0)
        return false;
    *ret_number = strtoul(digits, NULL, 10);
    return true;
}

bool sv_files_handle(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    const struct sv_api_cluster *cluster = driver->api_host.cluster;
    const struct sv_supvisors_config *config = cluster ? cluster->config : NULL;
    const char *path = sv_http_path(exchange);
    const char *file = NULL;
    size_t number = 0;
    if (!config)
        return false;
    if (strcmp(path, "/software-icon") == 0 || strcmp(path, "/software_icon.png") == 0)
        file = config->software_icon;
    else if (read_number(path, &number) && number < config->css_files.count)
        file = config->css_files.items[number++];
    if (!file)
        return false;
    if (!sv_rest_refuse_verb(exchange, "GET, HEAD"))
        serve(driver, exchange, number, file);
    return true;
}
