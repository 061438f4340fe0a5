/*
 * [inet_http_server], [unix_http_server] and the socket of [fcgi-program:x].
 *
 * Any section whose name begins so is a server of its own ([inet_http_server:two]). Inet servers
 * come first, in the order of the file. Their options know ENV_* only; the path of a unix socket
 * knows `here` as well.
 */
#include <stdlib.h>
#include <string.h>

#include "config/loader.h"
#include "config/path.h"
#include "config/pytext.h"

static const char *copy_text(struct sv_loader *loader, const char *text)
{
    return text ? sv_loader_check(loader, sv_arena_strdup(loader->arena, text)) : NULL;
}

struct login_options {
    enum sv_option_id username, password;
};

static void read_login(struct sv_loader *loader, const struct sv_ini_section *section,
                       const struct login_options *options, struct sv_http_config *server)
{
    struct sv_value username =
        sv_loader_get(loader, section, options->username, &loader->environment);
    struct sv_value password =
        sv_loader_get(loader, section, options->password, &loader->environment);
    if (!username.text != !password.text)
        sv_loader_report(loader, loader->error, username.text ? &username.place : &password.place,
                         "Section [%s] contains incomplete authentication: If a username or a "
                         "password is specified, both the username and password must be specified",
                         section->name);
    server->username = copy_text(loader, username.text);
    server->password = copy_text(loader, password.text);
}

static void read_inet(struct sv_loader *loader, const struct sv_ini_section *section,
                      struct sv_http_config *server)
{
    static const struct login_options login = {SV_OPTION_INET_HTTP_SERVER_username,
                                               SV_OPTION_INET_HTTP_SERVER_password};
    read_login(loader, section, &login, server);
    struct sv_value port =
        sv_loader_get(loader, section, SV_OPTION_INET_HTTP_SERVER_port, &loader->environment);
    if (!sv_ini_key(&loader->ini, section, "port"))
        sv_loader_report(loader, loader->error, &port.place,
                         "section [%s] has no port value; write port=127.0.0.1:9001",
                         section->name);
    server->host = port.host ? port.host : "";
    server->port = (uint16_t)port.integer;
}

static void read_unix(struct sv_loader *loader, const struct sv_ini_section *section,
                      struct sv_http_config *server)
{
    static const struct login_options login = {SV_OPTION_UNIX_HTTP_SERVER_username,
                                               SV_OPTION_UNIX_HTTP_SERVER_password};
    struct sv_scope scope = {.parent = &loader->environment, .arena = &loader->scratch};
    if (sv_scope_put_text(&scope, "here", loader->here) < 0)
        loader->is_out_of_memory = true;
    struct sv_value file = sv_loader_get(loader, section, SV_OPTION_UNIX_HTTP_SERVER_file, &scope);
    sv_scope_done(&scope);
    if (!sv_ini_key(&loader->ini, section, "file"))
        sv_loader_report(loader, loader->error, &file.place,
                         "section [%s] has no file value; write file=/path/of/the.sock",
                         section->name);
    server->path = sv_loader_normalize(loader, file.text ? file.text : "");
    read_login(loader, section, &login, server);
    struct sv_value owner =
        sv_loader_get(loader, section, SV_OPTION_UNIX_HTTP_SERVER_chown, &loader->environment);
    server->owner_uid = owner.owner.uid;
    server->owner_gid = owner.owner.gid;
    server->mode = (uint32_t)sv_loader_get(loader, section, SV_OPTION_UNIX_HTTP_SERVER_chmod,
                                           &loader->environment)
                       .integer;
}

static const struct {
    const char *prefix;
    void (*read)(struct sv_loader *loader, const struct sv_ini_section *section,
                 struct sv_http_config *server);
} servers[] = {{"inet_http_server", read_inet}, {"unix_http_server", read_unix}};

void sv_load_http_servers(struct sv_loader *loader, struct sv_config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(servers); i++)
        sv_map_foreach (entry, &loader->ini.sections)
            count += strncmp(entry->key, servers[i].prefix, strlen(servers[i].prefix)) == 0;
    struct sv_http_config *list =
        sv_loader_check(loader, sv_arena_array(loader->arena, struct sv_http_config, count + 1));
    if (!list)
        return;
    count = 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(servers); i++) {
        sv_map_foreach (entry, &loader->ini.sections) {
            if (strncmp(entry->key, servers[i].prefix, strlen(servers[i].prefix)) != 0)
                continue;
            const struct sv_ini_section *section = entry->value;
            struct sv_http_config *server = &list[count++];
            server->place.line = section->place.line;
            server->place.file = copy_text(loader, section->place.file);
            server->place.section = copy_text(loader, section->name);
            server->owner_uid = server->owner_gid = SV_ID_NONE;
            servers[i].read(loader, section, server);
        }
    }
    config->http_servers = list;
    config->http_server_count = count;
}

static bool is_host(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == ':' || sv_py_space_at(text + i, length - i) > 0)
            return false;
    return length > 0;
}

/* tcp://host:port */
static bool read_tcp(struct sv_loader *loader, const char *text, struct sv_fcgi_socket *ret)
{
    const char *rest = strncmp(text, "tcp://", 6) == 0 ? text + 6 : NULL;
    const char *colon = rest ? strchr(rest, ':') : NULL;
    int64_t port = 0;
    if (!colon || !is_host(rest, (size_t)(colon - rest)) || colon[1] < '0' || colon[1] > '9' ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
        sv_py_int(colon + 1, strlen(colon + 1), 10, &port) != SV_PY_INT_OK || port < 1 ||
        port > UINT16_MAX)
        return false;
    char *host =
        sv_loader_check(loader, sv_arena_strndup(loader->arena, rest, (size_t)(colon - rest)));
    for (char *c = host; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    ret->host = host;
    ret->port = (uint16_t)port;
    ret->url = sv_loader_check(
        loader, sv_arena_printf(loader->arena, "tcp://%s:%u", host ? host : "", (unsigned)port));
    return true;
}

struct fcgi_values {
    struct sv_value socket, owner, mode, user;
};

static void read_unix_socket(struct sv_loader *loader, const struct fcgi_values *values,
                             struct sv_fcgi_socket *ret)
{
    const char *path = values->socket.text + strlen("unix://");
    if (*path != '/')
        sv_loader_report(loader, loader->error, &values->socket.place,
                         "Unix socket path %s is not an absolute path; write unix:///path", path);
    ret->path = sv_loader_normalize(loader, path);
    ret->url = sv_loader_check(loader, sv_arena_printf(loader->arena, "unix://%s", ret->path));
    ret->mode = values->mode.text ? (uint32_t)values->mode.integer : 0700;
    ret->owner_uid = values->owner.owner.uid;
    ret->owner_gid = values->owner.owner.gid;
    /* A socket of root that the program's user cannot open would be of no use. */
    if (!values->owner.text && values->user.text && values->user.owner.uid != loader->host->uid) {
        ret->owner_uid = values->user.owner.uid;
        ret->owner_gid = values->user.owner.gid;
    }
}

void sv_load_fcgi_socket(struct sv_loader *loader, const struct sv_ini_section *section,
                         const char *program_name, struct sv_fcgi_socket *ret)
{
    struct sv_scope scope = {.parent = &loader->environment, .arena = &loader->scratch};
    if (sv_scope_put_text(&scope, "here", loader->here) < 0)
        loader->is_out_of_memory = true;
    struct fcgi_values values = {
        .owner = sv_loader_get(loader, section, SV_OPTION_FCGI_PROGRAM_socket_owner, &scope),
        .mode = sv_loader_get(loader, section, SV_OPTION_FCGI_PROGRAM_socket_mode, &scope),
        .user = sv_loader_get(loader, section, SV_OPTION_PROGRAM_user, &scope)};
    struct sv_value backlog =
        sv_loader_get(loader, section, SV_OPTION_FCGI_PROGRAM_socket_backlog, &scope);
    if (sv_scope_put_text(&scope, "program_name", program_name) < 0)
        loader->is_out_of_memory = true;
    values.socket = sv_loader_get(loader, section, SV_OPTION_FCGI_PROGRAM_socket, &scope);
    sv_scope_done(&scope);
    ret->owner_uid = ret->owner_gid = ret->mode = SV_ID_NONE;
    ret->backlog = backlog.text ? (uint32_t)backlog.integer : 0;
    const char *text = values.socket.text;
    if (!text || !*text) {
        sv_loader_report(loader, loader->error, &values.socket.place,
                         "[%s] section requires a \"socket\" line; write socket=unix:///path or "
                         "socket=tcp://host:port",
                         section->name);
    } else if (strncmp(text, "unix://", 7) == 0) {
        read_unix_socket(loader, &values, ret);
    } else {
        if (values.owner.text || values.mode.text)
            sv_loader_report(loader, loader->error,
                             values.owner.text ? &values.owner.place : &values.mode.place,
                             "socket_owner and socket_mode params should only be used with a Unix "
                             "domain socket");
        if (!read_tcp(loader, text, ret))
            sv_loader_report(loader, loader->error, &values.socket.place,
                             "Bad socket format %s in [%s] socket; write unix:///path or "
                             "tcp://host:port",
                             text, section->name);
    }
}
